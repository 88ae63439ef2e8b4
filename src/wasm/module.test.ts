/**
 * Taking modules apart and putting them together, on a small module made by hand; damaged ones are answered with `MalformedModule`,
 * whatever the damage. The interpreter's own module is tested where it belongs, in src/interpreter.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readAll } from "../../test/support/read-module.js";
import { modulePieces, section, unsigned } from "../../test/support/wasm-pieces.js";
import { Assembler } from "./assembler.js";
import { ExternalKind, ValueType } from "./indices.js";
import { WasmModule } from "./module.js";
import { Cursor, MalformedModule } from "./reader.js";

const { i32 } = ValueType;

describe("a small module", () => {
  const small = modulePieces();

  it("is valid, and reads as it was written", () => {
    expect(WebAssembly.validate(small as BufferSource)).toBe(true);
    const module = new WasmModule(small);
    expect(module.importedFunctionCount).toBe(1);
    expect(module.functionCount).toBe(3);
    expect(module.exports).toEqual([
      { name: "add", kind: ExternalKind.function, index: 1 },
      { name: "memory", kind: ExternalKind.memory, index: 0 },
      { name: "constant", kind: ExternalKind.global, index: 1 },
    ]);
    expect(module.exportedConstant("constant")).toBe(-77);
    expect(module.exportedConstant("add")).toBeUndefined();
    expect(module.exportedFunction("add")).toBe(1);
    expect(module.tableSize()).toBe(3);
    expect(module.memoryLimits()).toEqual({ minimum: 1, maximum: 9 });
    expect(module.dataSegments().map(({ address, bytes }) => [address, [...bytes]])).toEqual([[16, [1, 2, 3]]]);
    expect([...module.tableFunctions()]).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(Buffer.compare(module.emit(), small)).toBe(0);
  });

  it("with a custom section in every place is copied with it", () => {
    const note = section(0, [4, ...Buffer.from("note"), 1, 2, 3]);
    const bytes = Uint8Array.from([
      ...note.slice(0, 0),
      ...small.subarray(0, 8),
      ...note,
      ...small.subarray(8),
      ...note,
    ]);
    expect(Buffer.compare(new WasmModule(bytes).emit(), bytes)).toBe(0);
  });

  it("damaged by any byte is a module or malformed, nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(small.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (flips) => {
          const bytes = small.slice();
          for (const [at, value] of flips) bytes[at] = value;
          readAll(bytes);
        },
      ),
      { numRuns: 5000 },
    );
    // And every single byte with the values that hurt most.
    for (let at = 0; at < small.length; at++)
      for (const value of [0x00, 0x7f, 0x80, 0xff]) {
        const bytes = small.slice();
        bytes[at] = value;
        readAll(bytes);
      }
  });

  it("cut anywhere is malformed, but between its sections", () => {
    for (let cut = 0; cut < small.length; cut++) {
      const failure = readAll(small.subarray(0, cut));
      if (failure) expect(failure.offset).toBeLessThanOrEqual(cut);
    }
    expect(readAll(small.subarray(0, small.length - 1))).toBeInstanceOf(MalformedModule);
  });

  it("is malformed when a count is more than there is", () => {
    for (const id of [1, 2, 3, 6, 7, 9, 10, 11])
      for (const count of [200, 0xffffffff]) {
        const bytes = modulePieces({ [id]: unsigned(count) });
        expect(readAll(bytes), `section ${id}, count ${count}`).toBeInstanceOf(MalformedModule);
      }
  });

  it("is malformed with kinds that do not exist", () => {
    const text = Buffer.from(small).toString("latin1");
    for (const name of ["memory", "f"]) {
      const bytes = small.slice();
      const at = text.indexOf(String.fromCharCode(name.length) + name) + 1 + name.length;
      bytes[at] = 5;
      expect(readAll(bytes)?.message).toMatch(/unknown (export|import) kind 5/);
    }
  });

  it("in pseudo-random bytes behind the header is never another exception", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        readAll(Uint8Array.from([...small.subarray(0, 8), ...rest]));
      }),
      { numRuns: 3000 },
    );
  });
});

describe("appending", () => {
  it("adds functions, types, globals and exports, and gives functions other bodies", () => {
    const module = new WasmModule(modulePieces());
    const binary = module.addType([i32, i32], [i32]);
    expect(module.addType([i32, i32], [i32])).toBe(binary);
    const global = module.addGlobal(-5);
    const times = module.addFunction(binary, new Assembler().get(0).get(1).op(0x6c).global_get(global).add().body(0));
    module.addExport("times", ExternalKind.function, times);
    const add = module.exportedFunction("add")!;
    const moved = module.displace(add);
    expect(module.displacedTo(add)).toBe(moved);
    module.setBody(add, new Assembler().get(0).get(1).call(moved).i32(1000).add().body(0));
    const bytes = module.emit();
    expect(WebAssembly.validate(bytes as BufferSource)).toBe(true);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource), {
      host: { f: () => {} },
    });
    expect((exports["times"] as (a: number, b: number) => number)(6, 7)).toBe(37);
    expect((exports["add"] as (a: number, b: number) => number)(6, 7)).toBe(1013);
    expect(new WasmModule(bytes).functionCount).toBe(5);
  });
});

describe("the cursor", () => {
  const u32 = (...bytes: number[]): number => new Cursor(Uint8Array.from(bytes)).u32();
  const s32 = (...bytes: number[]): number => new Cursor(Uint8Array.from(bytes)).s32();

  it("reads integers of every length", () => {
    expect([
      u32(0),
      u32(0x7f),
      u32(0x80, 1),
      u32(0xff, 0xff, 0xff, 0xff, 0x0f),
      u32(0x80, 0x80, 0x80, 0x80, 0),
    ]).toEqual([0, 127, 128, 0xffffffff, 0]);
    expect([
      s32(0),
      s32(0x7f),
      s32(0x3f),
      s32(0x40),
      s32(0x80, 0x80, 0x80, 0x80, 0x78),
      s32(0xff, 0xff, 0xff, 0xff, 0x07),
    ]).toEqual([0, -1, 63, -64, -(2 ** 31), 2 ** 31 - 1]);
  });

  it("refuses integers that are too long, too large or cut", () => {
    for (const read of [
      () => u32(0x80, 0x80, 0x80, 0x80, 0x80, 0),
      () => u32(0xff, 0xff, 0xff, 0xff, 0x1f),
      () => u32(0x80),
      () => s32(0x80, 0x80, 0x80, 0x80, 0x80, 0),
      () => s32(0x80),
      () => new Cursor(Uint8Array.of(0x80, 0x80, 0x80, 0)).skipInteger(3),
      () => new Cursor(Uint8Array.of(3, 0x61)).name(),
      () => new Cursor(Uint8Array.of(3, 0x61)).count(),
      () => new Cursor(Uint8Array.of(1)).skip(2),
    ])
      expect(read).toThrow(MalformedModule);
  });

  it("says where", () => {
    const c = new Cursor(Uint8Array.of(1, 2, 0x80));
    c.skip(2);
    expect(() => c.u32()).toThrow(/unexpected end at byte 3$/);
  });
});
