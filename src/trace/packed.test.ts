import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compress, DamagedData } from "./compression.js";
import { pack, packPlain, unpack } from "./packed.js";

describe("packed columns", () => {
  it("packs the worked example to the very bytes of the drawing", () => {
    const plain = packPlain([Uint32Array.of(4096, 4104), Uint32Array.of(1, 1)], 2);
    expect(Buffer.from(plain).toString("hex")).toBe("0202804010" + "0200");
  });

  it("gives back any columns (property)", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 0xffffffff }), fc.nat())), (rows) => {
        const columns = [Uint32Array.from(rows, ([x]) => x), Uint32Array.from(rows, ([, y]) => y)];
        expect(unpack(pack(columns, rows.length), 2)).toEqual(columns);
      }),
    );
  });

  it.each([
    ["too few bytes", [3, 1, 0, 0]],
    ["too many bytes", [1, 1, 0, 0]],
    ["another number of columns", [1, 2, 0, 0]],
    ["rows that would fill the memory", [255, 255, 255, 255, 15, 1, 0]],
  ])("refuses %s", (_, bytes) => {
    expect(() => unpack(compress(Uint8Array.from(bytes)), 1)).toThrow(DamagedData);
  });
});
