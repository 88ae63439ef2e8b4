import { describe, expect, it } from "vitest";
import { fits, orNull, type Shape } from "./shape.js";

const shape: Shape = { name: "string", size: orNull("number"), parts: [{ ok: "boolean" }] };

describe("fits", () => {
  it.each([
    [{ name: "a", size: 1, parts: [] }, true],
    [{ name: "a", size: null, parts: [{ ok: true }, { ok: false, more: 1 }] }, true],
    [{ name: "a", size: Number.NaN, parts: [] }, false],
    [{ name: "a", size: "1", parts: [] }, false],
    [{ name: null, size: 1, parts: [] }, false],
    [{ name: "a", size: 1, parts: {} }, false],
    [{ name: "a", size: 1, parts: [{ ok: true }, null] }, false],
    [{ name: "a", size: 1 }, false],
    [[], false],
    [null, false],
    ["a", false],
  ])("%j: %s", (value, expected) => {
    expect(fits(value, shape)).toBe(expected);
  });
});
