/**
 * The hooks by themselves, in a module made by hand that has what they need and nothing of Python: each store, birth, death and move
 * leaves exactly the records that it should, and memory is as the plain store would have left it.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { Assembler } from "../wasm/assembler.js";
import { bridge } from "../wasm/bridge.js";
import { ExternalKind, type FunctionIndex, functionIndex, ValueType } from "../wasm/indices.js";
import { WasmModule } from "../wasm/module.js";
import { addHooks, EXPORTS, planRegion, siteWord, TABLE } from "./hooks.js";
import type { Layout } from "./layout.js";
import { KIND_BITS, RAW_WORDS, RawKind } from "./raw-events.js";

const { i32 } = ValueType;
const region = planRegion(65536);
const HEAP = region.end;
const TYPE = 0x2000;
/** Where the interpreter keeps its reference tracer. */
const TRACER = 0x3000;
/** A free place of the function table. */
const PLACE = TABLE.visit;

/** Only what the hooks ask for; there is no thread and no frame, so instruction pointers are zero. */
const layout = {
  currentThread: 0x1000,
  collect: functionIndex(0),
  setClass: [],
  offsets: {
    object: { type: 4 },
    type: { flags: 84 },
    thread: { currentFrame: 40 },
    frame: { instrPtr: 28, previous: 4, executable: 0, owner: 38 },
  },
} as unknown as Layout;

/** The module before the hooks: an allocator that only ever takes from the top, dlmalloc's size words in front of its blocks. */
function host(): Uint8Array {
  const empty = (id: number): number[] => [id, 1, 0];
  const pages = [0x80, 0xb2, 0x01]; // 22784 pages of 64 KiB: more than the hooks' region
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const table = [4, 4, 1, 0x70, 0, TABLE.size];
  const memory = [5, 2 + pages.length, 1, 0, ...pages];
  const m = new WasmModule(
    Uint8Array.from([header, empty(1), empty(3), table, memory, empty(6), empty(7), empty(10)].flat()),
  );
  const top = m.addGlobal(HEAP + 4);
  const define = (name: string, parameters: number, results: number, body: Uint8Array): FunctionIndex => {
    const type = m.addType(Array(parameters).fill(i32), Array(results).fill(i32));
    const f = m.addFunction(type, body);
    m.addExport(name, ExternalKind.function, f);
    return f;
  };
  define("collect", 3, 1, new Assembler().i32(7).body(0));
  define("PyRefTracer_SetTracer", 2, 1, new Assembler().i32(0).get(0).store(TRACER).i32(0).body(0));
  define("PyRefTracer_GetTracer", 1, 1, new Assembler().i32(0).body(0));
  const a = new Assembler().get(0).i32(11).add().i32(-8).and().set(1).global_get(top).tee(2);
  a.i32(4).sub().get(1).i32(3).or().store().get(2).get(1).add().global_set(top).get(2);
  const malloc = define("malloc", 1, 1, a.body(2));
  define("calloc", 2, 1, new Assembler().get(0).get(1).op(0x6c).call(malloc).body(0));
  define("memalign", 2, 1, new Assembler().get(1).call(malloc).body(0));
  define("posix_memalign", 3, 1, new Assembler().get(0).get(2).call(malloc).store().i32(0).body(0));
  define("free", 1, 0, new Assembler().body(0));
  const copy = new Assembler()
    .get(1)
    .call(malloc)
    .tee(2)
    .get(0)
    .get(1)
    .raw(Uint8Array.of(0xfc, 10, 0, 0))
    .get(2);
  define("realloc", 2, 1, copy.body(1));
  // The finalizer brings an object back whose third word is not 0.
  define("PyObject_CallFinalizerFromDealloc", 1, 1, new Assembler().i32(0).get(0).load(8).i32(0).ne().sub().body(0));
  m.addExport("memory", ExternalKind.memory, 0);
  m.addExport("table", ExternalKind.table, 0);
  return m.emit();
}

const module = (() => {
  const m = new WasmModule(host());
  const hooks = addHooks(m, layout, region, 0);
  m.addExport("store", ExternalKind.function, hooks.store);
  m.addExport("storeType", ExternalKind.function, hooks.storeType);
  m.addExport("destroyed", ExternalKind.function, hooks.destroyed);
  m.addExport("domain", ExternalKind.global, hooks.domain);
  return new WebAssembly.Module(m.emit() as BufferSource);
})();

type Call = (...values: number[]) => number;
let call: Record<string, Call>;
let view: DataView;
let globals: Record<"ring" | "limit" | "recording", WebAssembly.Global>;
let flushes: number;
let told: [string, ...number[]][];
const kindNames = Object.keys(RawKind) as (keyof typeof RawKind)[];

beforeEach(() => {
  const { exports } = new WebAssembly.Instance(module);
  call = exports as unknown as Record<string, Call>;
  view = new DataView((exports["memory"] as WebAssembly.Memory).buffer);
  globals = Object.fromEntries(
    (["ring", "limit", "recording"] as const).map((key) => [key, exports[EXPORTS[key]]]),
  ) as unknown as typeof globals;
  flushes = 0;
  told = [];
  const note =
    (name: string) =>
    (...values: number[]): undefined => {
      told.push([name, ...values]);
    };
  const functions = bridge({
    flush: {
      parameters: [],
      results: [],
      call: () => {
        flushes++;
        globals.ring.value = region.ring;
        return undefined;
      },
    },
    internType: { parameters: [i32], results: [], call: note("type") },
    collectStart: { parameters: [i32, i32], results: [], call: note("start") },
    collectStop: { parameters: [i32, i32], results: [], call: note("stop") },
    visit: {
      parameters: [i32, i32, i32],
      results: [i32],
      call: (...values) => {
        told.push(["program's tracer", ...values]);
        return 0;
      },
    },
  });
  for (const [name, f] of Object.entries(functions))
    (exports["table"] as WebAssembly.Table).set(TABLE[name as keyof typeof TABLE], f);
  globals.recording.value = 1;
});

/** The records since the last time, by name of kind, with all words but the instruction pointer. */
function records(): [string, ...number[]][] {
  const found: [string, ...number[]][] = [];
  const end = globals.ring.value as number;
  for (let at = region.ring; at < end; ) {
    const head = view.getUint32(at, true);
    const kind = head & ((1 << KIND_BITS) - 1);
    const words = RAW_WORDS[kind]!;
    const operands = Array.from({ length: words - 2 }, (_, i) => view.getUint32(at + 8 + 4 * i, true));
    expect(view.getUint32(at + 4, true)).toBe(0);
    found.push([kindNames[kind]!, head >>> KIND_BITS, ...operands]);
    at += 4 * words;
  }
  globals.ring.value = region.ring;
  return found;
}

const count = (object: number): number => view.getUint32(object, true);
const put = (object: number, value: number, site = 0): number => call["store"]!(object, value, siteWord(site));

/** A block with an object at its beginning, born. */
function born(size = 24): number {
  const object = call["malloc"]!(size);
  view.setUint32(object, 1, true);
  view.setUint32(object + 4, TYPE, true);
  call["refledger_tracer"]!(object, 0, 0);
  records();
  return object;
}

describe("the reference tracer", () => {
  const set = (place: number, data: number): number => call["PyRefTracer_SetTracer"]!(place, data);

  it("that a program sets is called behind ours, and does not take its place", () => {
    set(TABLE.tracer, 0);
    expect(view.getUint32(TRACER, true)).toBe(TABLE.tracer);
    const before = born();
    expect(set(PLACE, 5)).toBe(0);
    expect(view.getUint32(TRACER, true)).toBe(TABLE.tracer);
    expect([call["PyRefTracer_GetTracer"]!(TRACER + 8), view.getUint32(TRACER + 8, true)]).toEqual([PLACE, 5]);
    told = [];
    const o = call["malloc"]!(24);
    view.setUint32(o, 1, true);
    view.setUint32(o + 4, TYPE, true);
    call["refledger_tracer"]!(o, 0, 0);
    view.setUint32(before, 0, true);
    call["refledger_tracer"]!(before, 1, 0);
    expect(records().map(([kind]) => kind)).toEqual(["alloc", "new", "dealloc"]);
    expect(told.filter(([name]) => name === "program's tracer")).toEqual([
      ["program's tracer", o, 0, 5],
      ["program's tracer", before, 1, 5],
    ]);
    set(0, 0);
    expect(call["PyRefTracer_GetTracer"]!(0)).toBe(0);
    told = [];
    put(born(), 2);
    expect(records().map(([kind]) => kind)).toEqual(["incref"]);
    expect(told.filter(([name]) => name === "program's tracer")).toEqual([]);
  });
});

describe("stores", () => {
  it("of a live object's count are events by what they change", () => {
    const o = born();
    put(o, 2, 5);
    put(o, 1, 6);
    put(o, 1001, 7);
    put(o, 1001, 8);
    put(o, 0x70000000, 9);
    expect(records()).toEqual([
      ["incref", 5, o],
      ["decref", 6, o],
      ["setref", 7, o, 1001],
      ["setref", 9, o, 0x70000000],
    ]);
    expect(count(o)).toBe(0x70000000);
  });

  it("anywhere else are stores and nothing more", () => {
    const o = born(40);
    for (const at of [o + 4, o + 8, o + 12, o + 16, o + 24, HEAP + 1_000_000]) {
      put(at, 77);
      expect(count(at)).toBe(77);
    }
    expect(records()).toEqual([]);
    expect(count(o)).toBe(1);
  });

  it("while nothing is recorded leave no record", () => {
    const o = born();
    globals.recording.value = 0;
    put(o, 2);
    call["malloc"]!(8);
    call["destroyed"]!(o);
    expect(globals.ring.value).toBe(region.ring);
    expect(count(o)).toBe(2);
  });

  it("into a dead object, links of free lists and of the trashcan, are no events", () => {
    const o = born();
    put(o, 0);
    call["destroyed"]!(o);
    records();
    put(o, 0x12345678);
    put(o, 0);
    expect(records()).toEqual([]);
    put(o, 1); // a finalizer's reference
    expect(records()).toEqual([["incref", 0, o]]);
  });

  it("of a type are events for live objects only, and take the object off its old type only while it lives", () => {
    const o = born();
    const dead = born();
    view.setUint32(dead, 0, true);
    call["destroyed"]!(dead);
    records();
    call["storeType"]!(o, TYPE + 400, siteWord(3));
    call["storeType"]!(o, TYPE + 400, siteWord(3));
    call["storeType"]!(dead, TYPE + 400, siteWord(4));
    call["storeType"]!(HEAP + 1_000_000, 5, siteWord(4));
    expect(records()).toEqual([
      ["settype", 3, o, TYPE + 400, TYPE, 32],
      ["settype", 4, dead, TYPE + 400, 0, 32],
    ]);
    expect([count(o + 4), count(dead + 4), count(HEAP + 1_000_004)]).toEqual([TYPE + 400, TYPE + 400, 5]);
  });
});

describe("lives", () => {
  it("begin with a birth and end with one death", () => {
    const o = call["malloc"]!(24);
    view.setUint32(o + 4, TYPE, true);
    view.setUint32(o, 1, true);
    call["refledger_tracer"]!(o, 0, 0);
    call["refledger_tracer"]!(o, 0, 0); // initialised again, as a resized object is
    call["destroyed"]!(o); // its count is not 0: it lives on
    put(o, 0);
    call["destroyed"]!(o);
    call["refledger_tracer"]!(o, 1, 0);
    expect(records()).toEqual([
      ["alloc", 0, o, 24, 0],
      ["new", 0, o, TYPE, 32],
      ["decref", 0, o],
      ["dealloc", 0, o, TYPE, 32],
    ]);
    expect(told.every(([what, type]) => what === "type" && type === TYPE)).toBe(true);
    expect(told.length).toBeGreaterThan(0);
    call["refledger_tracer"]!(o, 0, 0); // out of a free list
    expect(records()).toEqual([["new", 0, o, TYPE, 32]]);
  });

  it("go on when a finalizer brings the object back", () => {
    const o = born();
    for (const back of [0, 1]) {
      view.setUint32(o, 0, true);
      call["destroyed"]!(o);
      view.setUint32(o + 8, back, true);
      expect(call["PyObject_CallFinalizerFromDealloc"]!(o) | 0).toBe(back ? -1 : 0);
    }
    // Handed to the destructor once: the second time it had not come back.
    expect(records()).toEqual([
      ["dealloc", 0, o, TYPE, 32],
      ["resurrect", 0, o, TYPE, 32],
    ]);
  });

  it("end with the block: what is written there afterwards is no count", () => {
    const o = born();
    call["free"]!(o);
    put(o, 2);
    expect(records()).toEqual([["free", 0, o]]);
  });

  it("end with the block wherever they begin in it, and those of the next block go on", () => {
    for (const [size, offset] of [
      [40, 8],
      [40, 16],
    ]) {
      const block = call["malloc"]!(size!);
      const o = block + offset!;
      view.setUint32(o, 1, true);
      view.setUint32(o + 4, TYPE, true);
      call["refledger_tracer"]!(o, 0, 0);
      put(o, 2);
      expect(records().at(-1)).toEqual(["incref", 0, o]);
      call["free"]!(block);
      put(o, 3);
      expect(records()).toEqual([["free", 0, block]]);
    }
    const small = call["malloc"]!(12); // 16 bytes with the allocator's own: the next block begins where an object might
    const next = born();
    expect(next - small).toBe(16);
    call["free"]!(small);
    put(next, 2);
    expect(records()).toEqual([
      ["free", 0, small],
      ["incref", 0, next],
    ]);
  });

  it("move with the block", () => {
    const o = born();
    const moved = call["realloc"]!(o, 100);
    expect(moved).not.toBe(o);
    put(o, 50);
    put(moved, 2, 4);
    expect(records()).toEqual([
      ["realloc", 0, moved, 100, o, TYPE, 104 - 32],
      ["incref", 4, moved],
    ]);
    const bare = call["malloc"]!(8);
    const moved2 = call["realloc"]!(bare, 16);
    put(moved2, 1);
    expect(records()).toEqual([
      ["alloc", 0, bare, 8, 0],
      ["realloc", 0, moved2, 16, bare, 0, 24 - 16],
    ]);
  });
});

describe("the allocator", () => {
  it("is seen once for each call from outside, with its domain used up", () => {
    (call["domain"] as unknown as WebAssembly.Global).value = 3;
    const a = call["calloc"]!(3, 10);
    const b = call["memalign"]!(16, 50);
    expect(call["posix_memalign"]!(0x3000, 8, 20)).toBe(0);
    const c = view.getUint32(0x3000, true);
    const d = call["realloc"]!(0, 12);
    call["free"]!(0);
    expect(records()).toEqual([
      ["alloc", 0, a, 30, 3],
      ["alloc", 0, b, 50, 0],
      ["alloc", 0, c, 20, 0],
      ["alloc", 0, d, 12, 0],
    ]);
  });
});

describe("the ring and the collector", () => {
  it("is handed over when it is full, never behind its limit", () => {
    const o = born();
    globals.limit.value = region.ring + 1200;
    for (let i = 0; i < 1000; i++) put(o, 2 + i);
    expect(flushes).toBe(10); // 100 records of 12 bytes each time
    expect(records()).toEqual([]);
    expect(count(o)).toBe(1001);
  });

  it("are told of collections, with what they found", () => {
    expect(call["collect"]!(1, 2, 1)).toBe(7);
    expect(told).toEqual([
      ["start", 2, 1],
      ["stop", 2, 7],
    ]);
    globals.recording.value = 0;
    expect(call["collect"]!(1, 0, 0)).toBe(7);
    expect(told).toHaveLength(2);
  });
});
