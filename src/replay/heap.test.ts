import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stateOf, stateOfNaive } from "../../test/support/heap-state.js";
import { NaiveHeap } from "../../test/support/naive-heap.js";
import { syntheticProgram } from "../../test/support/synthetic-program.js";
import { eventNumber } from "../base/ids.js";
import {
  createColumns,
  type EventColumns,
  type EventKindName,
  FIELDS,
  HAS_A,
  HAS_ADDRESS,
  HAS_B,
  Kind,
} from "../trace/events.js";
import type { Baseline } from "../trace/writer.js";
import { Heap } from "./heap.js";

type Event = readonly [name: EventKindName, address?: number, a?: number, b?: number];

function columnsOf(events: readonly Event[], first = 0): EventColumns {
  const columns = createColumns(events.length);
  columns.first = eventNumber(first);
  columns.count = events.length;
  events.forEach(([name, address = 0, a = 0, b = 0], i) => {
    const fields = FIELDS[Kind[name]]!;
    columns.kind[i] = Kind[name];
    columns.address[i] = fields & HAS_ADDRESS ? address : 0;
    columns.a[i] = fields & HAS_A ? a : 0;
    columns.b[i] = fields & HAS_B ? b : 0;
  });
  return columns;
}

const place = fc.oneof(
  fc.integer({ min: 0, max: 12 }).map((n) => 0x1000 + n * 8),
  fc.integer({ min: 0, max: 12 }).map((n) => 0xfffff000 + n * 8),
  fc.integer({ min: 0, max: 3 }).map((n) => 0x7ffffff0 + n * 16),
);
const names = Object.keys(Kind) as EventKindName[];
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(fc.constantFrom<EventKindName>("new", "incref", "decref"), place, fc.nat(9), fc.nat(99)),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom<EventKindName>("alloc", "free", "dealloc"), place, fc.nat(40), fc.nat(3)),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant<EventKindName>("realloc"), place, fc.nat(40), place) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...names), place, fc.nat(), fc.nat(3)) },
);

const baseline: Baseline = {
  objects: {
    address: Uint32Array.of(0x1010, 0x7ffffff0),
    type: Uint32Array.of(1, 2),
    count: Uint32Array.of(3, 1879048192),
    bytes: Uint32Array.of(24, 0),
  },
  blocks: { address: Uint32Array.of(0x1008, 0xfffff000), size: Uint32Array.of(24, 40) },
};

const anyCall: fc.Arbitrary<Event> = fc.tuple(fc.constantFrom<EventKindName>("call", "return"), place, fc.nat(3));

describe("heap", () => {
  it("is the same after saving and loading, cloning, and noting, at any event (property)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyEvent, anyCall), { maxLength: 150, size: "max" }),
        fc.nat(150),
        (events, cut) => {
          const columns = columnsOf(events);
          const middle = Math.min(cut, events.length);
          const whole = Heap.from(baseline, 8);
          whole.apply(columns, 0, columns.count);
          const half = Heap.from(baseline, 8);
          half.apply(columns, 0, middle);
          const noting = half.clone();
          const loaded = Heap.load(half.save(), 8);
          for (const heap of [half, half.clone(), loaded]) {
            heap.apply(columns, middle, columns.count);
            expect(stateOf(heap)).toEqual(stateOf(whole));
          }
          const before = new Map([...noting.eachObject()].map((object) => [object.id, object]));
          const noted = noting.applyNoting(columns, middle, columns.count);
          expect(stateOf(noting)).toEqual(stateOf(whole));
          expect(new Set(noted).size).toBe(noted.length);
          const told = new Set(noted);
          // Whatever is different, new or gone had an event.
          for (const object of noting.eachObject()) {
            if (!told.has(object.id)) expect({ ...before.get(object.id), stack: 0 }).toEqual({ ...object, stack: 0 });
            before.delete(object.id);
          }
          for (const id of before.keys()) expect(told).toContain(id);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("drops call paths that nothing refers to, and keeps those of live objects", () => {
    const heap = new Heap(8);
    const naive = new NaiveHeap();
    let first = 0;
    for (let round = 0; round < 40; round++) {
      const events: Event[] = [];
      for (let i = 0; i < 3000; i++) {
        events.push(["call", 0, 1 + round * 3000 + i], ["call", 0, 7]);
        if (i % 1000 === 0) events.push(["new", 0x1000 + round * 0x30 + i / 100, 5, 16]);
        events.push(["return", 0, 7], ["return", 0, 1]);
      }
      const columns = columnsOf(events, first);
      first += events.length;
      heap.apply(columns, 0, columns.count);
      naive.apply(columns, 0, columns.count);
    }
    expect(stateOf(heap)).toEqual(stateOfNaive(naive));
    expect(heap.liveObjects).toBeGreaterThan(100);
    expect(heap.calls.parent.length).toBeLessThan(1 << 18);
    expect(heap.save().nodes.parent.length).toBeLessThan(2 * heap.liveObjects + 2);
  });

  it("answers a trace that spreads objects over all memory instead of taking all of ours", () => {
    const heap = new Heap(8);
    const columns = columnsOf(Array.from({ length: 140_000 }, (_, i): Event => ["new", i * 8192, 1, 16]));
    expect(() => heap.apply(columns, 0, columns.count)).toThrow(/more than 512 MB of memory/);
  });

  it("agrees with a naive model on any events, cut into chunks anywhere (property)", () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 200, size: "max" }),
        fc.boolean(),
        fc.nat(50),
        (events, withBaseline, cut) => {
          const heap = Heap.from(withBaseline ? baseline : undefined, 8);
          const naive = new NaiveHeap(withBaseline ? baseline : undefined);
          const parts = [events.slice(0, cut), events.slice(cut)];
          const chunks = [columnsOf(parts[0]!), columnsOf(parts[1]!, parts[0]!.length)];
          for (const chunk of chunks) {
            const half = chunk.count >> 1;
            heap.apply(chunk, 0, half);
            heap.apply(chunk, half, chunk.count);
            naive.apply(chunk, 0, chunk.count, true);
            expect(heap.peakBytes).toBe(naive.peakBytes);
            expect(stateOf(heap)).toEqual(stateOfNaive(naive));
            expect(heap.liveObjects).toBe(naive.live.length);
            expect(heap.liveBytes).toBe(naive.live.reduce((sum, { bytes }) => sum + bytes, 0));
            expect(heap.liveBlocks).toBe(naive.blocks.size);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it("agrees with the naive model on a long program", () => {
    const program = syntheticProgram(5);
    const columns = createColumns(50_000);
    const constants = Uint32Array.from({ length: 20 }, (_, i) => 0x100000 + i * 48);
    const alive: Baseline = {
      objects: {
        address: constants,
        type: constants.map(() => 1),
        count: constants.map(() => 1000),
        bytes: constants.map(() => 0),
      },
      blocks: { address: new Uint32Array(0), size: new Uint32Array(0) },
    };
    const heap = Heap.from(alive, 8);
    const naive = new NaiveHeap(alive);
    for (let chunk = 0; chunk < 6; chunk++) {
      program(columns);
      heap.apply(columns, 0, columns.count);
      naive.apply(columns, 0, columns.count);
    }
    expect(heap.liveObjects).toBeGreaterThan(200);
    expect(heap.strayEvents).toBe(0);
    expect(stateOf(heap)).toEqual(stateOfNaive(naive));
  });

  it("keeps an object's identity when its block grows and moves, its headers before it", () => {
    const heap = new Heap(8);
    heap.apply(
      columnsOf([
        ["alloc", 0x1000, 40, 3],
        ["new", 0x1010, 5, 48],
        ["incref", 0x1010],
        ["realloc", 0x2000, 80, 0x1000],
        ["incref", 0x2010],
      ]),
      0,
      5,
    );
    expect(heap.objectAt(0x1010)).toBeUndefined();
    expect(heap.objectAt(0x2010)).toMatchObject({
      address: 0x2010,
      type: 5,
      count: 3,
      bytes: 88,
      birth: 1,
      alive: true,
    });
    expect(heap.blockAt(0x2000)).toEqual({ address: 0x2000, size: 80, held: false, domain: 3, birth: 0 });
    expect(heap.strayEvents).toBe(0);
  });

  it("leaves the block of a free-listed object in use, and gives its next tenant a new identity", () => {
    const heap = new Heap(8);
    const events = columnsOf([
      ["alloc", 0x1000, 24, 3],
      ["new", 0x1008, 5, 32],
      ["decref", 0x1008],
      ["dealloc", 0x1008, 5, 32],
      ["new", 0x1008, 6, 32],
    ]);
    heap.apply(events, 0, 4);
    expect(heap.objectAt(0x1008)).toMatchObject({ alive: false, count: 0, birth: 1 });
    expect([heap.liveObjects, heap.liveBlocks]).toEqual([0, 1]);
    heap.apply(events, 4, 5);
    expect(heap.objectAt(0x1008)).toMatchObject({ alive: true, count: 1, birth: 4, type: 6 });
  });

  it("brings an object back with the same identity when it is resurrected", () => {
    const heap = new Heap(8);
    heap.apply(
      columnsOf([
        ["new", 0x1008, 5, 32],
        ["decref", 0x1008],
        ["dealloc", 0x1008, 5, 32],
        ["setref", 0x1008, 1],
        ["resurrect", 0x1008],
      ]),
      0,
      5,
    );
    expect(heap.objectAt(0x1008)).toMatchObject({
      address: 0x1008,
      type: 5,
      count: 1,
      bytes: 32,
      birth: 0,
      alive: true,
    });
    expect(heap.liveBytes).toBe(32);
  });

  it("does not take a neighbour's object for one in the block that is freed", () => {
    const heap = new Heap(8);
    heap.apply(
      columnsOf([
        ["alloc", 0x1000, 8, 3],
        ["alloc", 0x1010, 24, 3],
        ["new", 0x1010, 1, 32],
        ["free", 0x1000],
      ]),
      0,
      4,
    );
    expect(heap.objectAt(0x1010)?.alive).toBe(true);
  });

  it("counts events about what is not there, and names the first", () => {
    const heap = new Heap(8);
    heap.apply(
      columnsOf([
        ["mark", 0, 1],
        ["incref", 0x1000],
        ["free", 0x2000],
      ]),
      0,
      3,
    );
    expect([heap.strayEvents, heap.firstStray]).toEqual([2, 1]);
  });
});
