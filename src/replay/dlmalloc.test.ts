import { expect, it } from "vitest";
import { fitsRequest, heldBytes } from "./dlmalloc.js";

it.each([
  [8, 0, 16, true],
  [8, 12, 16, true],
  [8, 13, 16, false],
  [8, 13, 24, true],
  [8, 13, 32, true],
  [8, 13, 40, false],
  [8, 13, 28, false],
  [16, 28, 32, true],
  [16, 29, 32, false],
  [16, 29, 48, true],
  [16, 28, 40, false],
])("alignment %i: %i bytes requested, %i held: %s", (alignment, request, held, fits) => {
  expect(fitsRequest(request, held, alignment)).toBe(fits);
});

it("holds the overhead too, and never less than the smallest block", () => {
  expect([0, 12, 13, 20, 21].map((request) => heldBytes(request, 8))).toEqual([16, 16, 24, 24, 32]);
});
