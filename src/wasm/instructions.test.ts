/**
 * The walker over instructions, with each family's immediates encoded by hand from the specification (section 5.4 and the proposals
 * for tail calls, exceptions, vectors and threads). A length that is wrong by one byte shows: each body has the same known
 * instruction behind it.
 */
import { describe, expect, it } from "vitest";
import { modulePieces } from "../../test/support/wasm-pieces.js";
import { Assembler } from "./assembler.js";
import { bridge } from "./bridge.js";
import { ExternalKind, functionIndex, globalIndex, typeIndex, ValueType } from "./indices.js";
import { skipInstruction } from "./instructions.js";
import { WasmModule } from "./module.js";
import { Cursor, MalformedModule } from "./reader.js";

const { i32 } = ValueType;
/** A LEB128 of five bytes where one would do: legal, and what linkers write. */
const padded = [0x81, 0x80, 0x80, 0x80, 0x00];
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const families: [string, number[][]][] = [
  ["control without immediates", [0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x19].map((op) => [op])],
  [
    "blocks",
    [0x02, 0x03, 0x04, 0x06].flatMap((op) => [
      [op, 0x40],
      [op, 0x7f],
      [op, 0x05],
      [op, ...padded],
    ]),
  ],
  [
    "branches",
    [0x0c, 0x0d].flatMap((op) => [
      [op, 0],
      [op, 0xff, 0x01],
      [op, ...padded],
    ]),
  ],
  [
    "br_table",
    [
      [0x0e, 0, 3],
      [0x0e, 2, 0, 1, 2],
      [0x0e, 1, ...padded, 0x80, 0x01],
    ],
  ],
  [
    "calls",
    [
      [0x10, 5],
      [0x10, ...padded],
      [0x11, 3, 0],
      [0x11, ...padded, 0x80, 0x00],
      [0x12, 7],
      [0x13, 1, 0],
      [0x14, 2],
    ],
  ],
  [
    "exceptions of the first kind",
    [
      [0x07, 0],
      [0x08, 0],
      [0x09, 1],
      [0x18, 2],
    ],
  ],
  [
    "try_table",
    [
      [0x1f, 0x40, 0],
      [0x1f, 0x40, 4, 0, 1, 2, 1, 1, 2, 2, 3, 3, 4],
      [0x1f, 0x7f, 1, 0, ...padded, 9],
    ],
  ],
  ["parametric", [[0x1a], [0x1b], [0x1c, 1, 0x7f], [0x1c, 0]]],
  [
    "variables and tables",
    range(0x20, 0x26).flatMap((op) => [
      [op, 0],
      [op, 0x80, 0x01],
    ]),
  ],
  [
    "memory accesses",
    range(0x28, 0x3e).flatMap((op) => [
      [op, 2, 0],
      [op, 0, 0xff, 0xff, 0x03],
      [op, 0x42, 1, 8],
    ]),
  ],
  [
    "memory.size and memory.grow",
    [
      [0x3f, 0],
      [0x40, 0],
    ],
  ],
  [
    "i32.const",
    [
      [0x41, 0],
      [0x41, 0x7f],
      [0x41, 0xff, 0xff, 0xff, 0xff, 0x07],
    ],
  ],
  [
    "i64.const",
    [
      [0x42, 0],
      [0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f],
    ],
  ],
  [
    "floats",
    [
      [0x43, 0x0b, 0x0b, 0x0b, 0x0b],
      [0x44, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b],
    ],
  ],
  ["numeric", range(0x45, 0xc4).map((op) => [op])],
  ["references", [[0xd0, 0x70], [0xd1], [0xd2, 4]]],
  ["saturating truncations", range(0, 7).map((op) => [0xfc, op])],
  [
    "bulk memory and tables",
    [
      [0xfc, 8, 1, 0],
      [0xfc, 9, 1],
      [0xfc, 10, 0, 0],
      [0xfc, 11, 0],
      [0xfc, 12, 1, 0],
      [0xfc, 13, 1],
      [0xfc, 14, 0, 1],
      [0xfc, 15, 0],
      [0xfc, 16, 0],
      [0xfc, 17, 0],
    ],
  ],
  ["vector loads and stores", range(0, 11).map((op) => [0xfd, op, 4, 16])],
  ["v128.const and shuffles", [12, 13].map((op) => [0xfd, op, ...Array<number>(16).fill(0x0b)])],
  ["vector lanes", range(21, 34).map((op) => [0xfd, op, 3])],
  ["vector lane loads and stores", range(84, 91).map((op) => [0xfd, op, 0, 8, 1])],
  ["vector zero loads", [92, 93].map((op) => [0xfd, op, 2, 4])],
  [
    "vector arithmetic",
    [14, 20, 35, 83, 94]
      .map((op) => [0xfd, op])
      .concat([
        [0xfd, 0xfd, 0x01],
        [0xfd, 0x93, 0x02],
      ]),
  ],
  [
    "atomics",
    [
      [0xfe, 0, 2, 0],
      [0xfe, 1, 2, 0],
      [0xfe, 2, 3, 0],
      [0xfe, 3, 0],
      [0xfe, 0x10, 2, 0x80, 0x01],
      [0xfe, 0x4e, 0, 0],
    ],
  ],
];

describe("skipInstruction", () => {
  it.each(families)("knows the length of %s", (_name, instructions) => {
    for (const instruction of instructions) {
      const c = new Cursor(Uint8Array.from([...instruction, 0x1a, 0x0b]));
      expect(skipInstruction(c), `${instruction}`).toBe(instruction[0]);
      expect(c.at, `length of ${instruction.map((b) => b.toString(16))}`).toBe(instruction.length);
    }
  });

  it("walks the engine's own idea of a body", () => {
    // What the engine validates, the walker must agree with: the end is the last byte.
    const body = [
      0x02, 0x40, 0x20, 0, 0x0e, 1, 0, 0, 0x0b, 0x41, 0xc0, 0x00, 0x1a, 0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0xaa, 0x1a,
      0x20, 0, 0x0b,
    ];
    const module = new WasmModule(modulePieces());
    const f = module.addFunction(module.addType([i32], [i32]), Uint8Array.from([0, ...body]));
    module.addExport("walked", ExternalKind.function, f);
    const bytes = module.emit();
    expect(WebAssembly.validate(bytes as BufferSource)).toBe(true);
    const again = new WasmModule(bytes);
    const c = again.code(again.exportedFunction("walked")!);
    const opcodes: number[] = [];
    while (!c.done) opcodes.push(skipInstruction(c));
    expect(opcodes).toEqual([0x02, 0x20, 0x0e, 0x0b, 0x41, 0x1a, 0x44, 0xaa, 0x1a, 0x20, 0x0b]);
  });

  it("refuses what it does not know, where it stands", () => {
    const unknown = [
      [0x16],
      [0x1d],
      [0x27],
      [0xc5],
      [0xd3],
      [0xff],
      [0xfb, 0],
      [0xfc, 18],
      [0xfd, 0x94, 0x02],
      [0x1f, 0x40, 1, 4, 0],
    ];
    for (const bytes of unknown)
      expect(() => skipInstruction(new Cursor(Uint8Array.from([...bytes, 0, 0, 0]))), `${bytes}`).toThrow(
        MalformedModule,
      );
    expect(() => skipInstruction(new Cursor(Uint8Array.of(0x1a, 0x27), 1))).toThrow(/0x27 at byte 1$/);
  });

  it("refuses every instruction that is cut short", () => {
    for (const [name, instructions] of families)
      for (const instruction of instructions)
        for (let cut = 1; cut < instruction.length; cut++) {
          const c = new Cursor(Uint8Array.from(instruction.slice(0, cut)));
          expect(() => skipInstruction(c), `${name}: ${instruction.slice(0, cut)}`).toThrow(MalformedModule);
        }
  });
});

/** Instantiates a function of two i32 parameters and one i32 result over a memory. */
function compiled(body: Uint8Array): { f: (a: number, b: number) => number; memory: DataView } {
  const module = new WasmModule(modulePieces());
  const f = module.addFunction(module.addType([i32, i32], [i32]), body);
  module.addExport("f", ExternalKind.function, f);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.emit() as BufferSource), {
    host: { f: () => {} },
  });
  return {
    f: exports["f"] as (a: number, b: number) => number,
    memory: new DataView((exports["memory"] as WebAssembly.Memory).buffer),
  };
}

describe("the assembler", () => {
  it("computes", () => {
    const cases: [(a: Assembler) => Assembler, number, number, number][] = [
      [(a) => a.add(), 7, -9, -2],
      [(a) => a.sub(), 7, 9, -2],
      [(a) => a.and(), 0b1100, 0b1010, 0b1000],
      [(a) => a.or(), 0b1100, 0b1010, 0b1110],
      [(a) => a.shl(), 3, 4, 48],
      [(a) => a.shr(), -16, 28, 15],
      [(a) => a.eq(), 5, 5, 1],
      [(a) => a.ne(), 5, 5, 0],
      [(a) => a.ge(), -1, 1, 1],
      [(a) => a.lt(), -1, 1, 0],
      [(a) => a.lt_s(), -1, 1, 1],
    ];
    for (const [operation, a, b, expected] of cases)
      expect(compiled(operation(new Assembler().get(0).get(1)).body(0)).f(a, b), `${operation}`).toBe(expected);
    expect(compiled(new Assembler().get(0).eqz().body(0)).f(0, 1)).toBe(1);
  });

  it("loops, branches, and keeps locals", () => {
    // Sum of a … b - 1: block, if and else, tee and br_if.
    const a = new Assembler();
    a.block().op(0x03).op(0x40);
    a.get(0).get(1).ge().br_if(1).get(2).get(0).add().set(2).get(0).i32(1).add().tee(0).drop().br(0);
    a.op(0x0b).end();
    a.get(2).i32(100).lt().if().get(2).return().else().i32(100).return().end().i32(-1);
    const { f } = compiled(a.body(1));
    expect([f(1, 5), f(10, 30)]).toEqual([10, 100]);
  });

  it("reads and writes memory at every alignment", () => {
    const a = new Assembler()
      .get(0)
      .get(1)
      .store_unaligned(4)
      .get(0)
      .load_unaligned(4)
      .get(0)
      .load8(4)
      .add()
      .get(0)
      .load(8)
      .add();
    const { f, memory } = compiled(a.body(0));
    expect(f(257, 0x01020384) | 0).toBe(0x01020384 + 0x84 + memory.getInt32(265, true));
    expect(memory.getInt32(261, true)).toBe(0x01020384);
    const stored = compiled(new Assembler().get(0).get(1).store(4).i32(0).body(0));
    stored.f(8, -2);
    expect(stored.memory.getInt32(12, true)).toBe(-2);
  });

  it("encodes large and negative constants and calls through tables", () => {
    for (const value of [0, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31), 123456789])
      expect(compiled(new Assembler().i32(value).body(0)).f(0, 0)).toBe(value);
    const { f } = compiled(new Assembler().get(0).get(1).i32(1).call_indirect(typeIndex(0)).body(0));
    expect(f(20, 22)).toBe(42);
    const host = compiled(
      new Assembler().call(functionIndex(0)).i32(9).global_set(globalIndex(0)).global_get(globalIndex(0)).body(0),
    );
    expect(host.f(0, 0)).toBe(9);
  });

  it("notices a block left open", () => {
    expect(() => new Assembler().block().body(0)).toThrow(/block left open/);
    expect([...new Assembler().i32(1).drop().fragment()]).toEqual([0x41, 1, 0x1a]);
  });
});

describe("the bridge", () => {
  it("gives JavaScript functions a place in a table, with their types", () => {
    const calls: number[][] = [];
    const { sum, note } = bridge({
      sum: { parameters: [i32, i32, i32], results: [i32], call: (a, b, c) => a! + b! + c! },
      note: { parameters: [i32, ValueType.f64], results: [], call: (...values) => void calls.push(values) },
    });
    const table = new WebAssembly.Table({ element: "anyfunc", initial: 2 });
    table.set(0, sum);
    table.set(1, note);
    expect((table.get(0) as (...v: number[]) => number)(1, 2, 3)).toBe(6);
    (table.get(1) as (...v: number[]) => void)(2 ** 32 + 5, 0.5);
    expect(calls).toEqual([[5, 0.5]]);
    expect(bridge({})).toEqual({});
  });
});
