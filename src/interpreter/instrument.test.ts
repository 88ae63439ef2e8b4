/** The interpreter's own module: read to the last byte, and still a sound module when it reports. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { readAll } from "../../test/support/read-module.js";
import { Failure } from "../base/failure.js";
import { functionIndex } from "../wasm/indices.js";
import { WasmModule } from "../wasm/module.js";
import { MalformedModule } from "../wasm/reader.js";
import { instrument } from "./instrument.js";
import { interpreterFiles } from "./main-thread.js";

const original = new Uint8Array(readFileSync(interpreterFiles().module));

describe("the interpreter's module", () => {
  it("comes out as it went in", () => {
    const emitted = new WasmModule(original).emit();
    expect(emitted.length).toBe(original.length);
    expect(Buffer.compare(emitted, original)).toBe(0);
  });

  it("is understood to the last instruction", () => {
    expect(readAll(original)).toBeUndefined();
  });

  describe("instrumented", () => {
    let rewritten: ReturnType<typeof instrument>;
    beforeAll(() => {
      rewritten = instrument(original);
    });

    it("is valid, imports the same and exports all that it did, each as it was", async () => {
      expect(WebAssembly.validate(rewritten.bytes as BufferSource)).toBe(true);
      const [before, after] = await Promise.all(
        [original, rewritten.bytes].map((bytes) => WebAssembly.compile(bytes as BufferSource)),
      );
      expect(WebAssembly.Module.imports(after!)).toEqual(WebAssembly.Module.imports(before!));
      const own = new WasmModule(original).exports;
      const exports = new WasmModule(rewritten.bytes).exports;
      expect(exports.slice(0, own.length)).toEqual(own);
      expect(
        exports
          .slice(own.length)
          .map(({ name }) => name)
          .sort(),
      ).toEqual([
        "refledger_boundary_due",
        "refledger_limit",
        "refledger_recording",
        "refledger_ring",
        "refledger_safe_point_due",
        "refledger_tracer",
      ]);
    });

    it("has its data, its table's functions and its types where they were", () => {
      const [before, after] = [new WasmModule(original), new WasmModule(rewritten.bytes)];
      expect(after.tableFunctions()).toEqual(before.tableFunctions());
      const data = (module: WasmModule) => module.dataSegments().map(({ address, bytes }) => [address, bytes.length]);
      expect(data(after)).toEqual(data(before));
      for (let f = 0; f < before.functionCount; f += 7)
        expect(after.typeOf(functionIndex(f))).toBe(before.typeOf(functionIndex(f)));
    });

    it("has sites that are stores in the original", () => {
      const { siteFunction, siteOffset } = rewritten.plan;
      expect(siteFunction.length).toBeGreaterThan(10_000);
      expect(siteOffset).toHaveLength(siteFunction.length);
      const module = new WasmModule(original);
      for (let i = 0; i < siteFunction.length; i += 97) {
        const c = module.code(functionIndex(siteFunction[i]!));
        expect(original[c.at + siteOffset[i]!], `site ${i + 1}`).toBe(0x36);
      }
    });

    it("is the same each time", () => {
      expect(Buffer.compare(instrument(original).bytes, rewritten.bytes)).toBe(0);
    });
  });

  it("cut anywhere is malformed, and read in no time", () => {
    const cuts = [0, 1, 4, 7, 9, 10, 100];
    for (let i = 1; i <= 40; i++) cuts.push(Math.floor((original.length * i) / 41));
    const started = performance.now();
    for (const cut of cuts) expect(readAll(original.subarray(0, cut)), `cut at ${cut}`).toBeInstanceOf(MalformedModule);
    expect(readAll(original.subarray(0, original.length - 1))).toBeInstanceOf(MalformedModule);
    expect(performance.now() - started).toBeLessThan(100_000);
  });

  it("is refused by the instrumentation when it is another module", () => {
    expect(() => instrument(new Uint8Array(0))).toThrow(MalformedModule);
    expect(() => instrument(original.subarray(0, 5_000_000))).toThrow(Failure);
  });
});
