/**
 * The replayer against the plain fold and the naive model, on the make-believe interpreter's traces: wherever one goes, however one gets
 * there, however the trace is cut and wherever keyframes lie, the state is the one that folding from 0 gives.
 */
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BEFORE_TRACE,
  type EventNumber,
  eachEventOf,
  eventNumber,
  Heap,
  Kind,
  openReplay,
  originOf,
  type Replay,
  TraceReader,
} from "../../src/index.js";
import { stateOf, stateOfNaive } from "../support/heap-state.js";
import { NaiveHeap } from "../support/naive-heap.js";
import { execute, readElsewhere, sampleBaseline, writeSample } from "../support/sample-trace.js";

let folder: string;
let trace: string;
let finelyCut: string;
let original: string;
const EVENTS = 24_000;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "refledger-replay-"));
  trace = join(folder, "a.trace.db");
  finelyCut = join(folder, "b.trace.db");
  original = join(folder, "original.trace.db");
  writeSample(trace, { chunks: 12, chunkEvents: 2000 });
  cpSync(trace, original);
  writeSample(finelyCut, { chunks: 12, chunkEvents: 2000, rechunk: 700 });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The state before an event by the plainest way: everything folded from 0. */
function folded(path: string, event: number): { heap: Heap; naive: NaiveHeap } {
  const reader = TraceReader.open(path);
  try {
    const heap = Heap.from(reader.baseline(), 8);
    const naive = new NaiveHeap(sampleBaseline);
    for (const columns of reader.eachChunk()) {
      const stop = Math.min(columns.count, event - columns.first);
      if (stop <= 0) break;
      heap.apply(columns, 0, stop);
      naive.apply(columns, 0, stop);
    }
    return { heap, naive };
  } finally {
    reader.close();
  }
}

function using<R>(path: string, spacing: number | undefined, work: (replay: Replay) => R): R {
  const copy = join(folder, `copy-${Math.random()}.trace.db`);
  cpSync(path, copy);
  const replay = openReplay(copy, spacing === undefined ? {} : { spacing });
  try {
    return work(replay);
  } finally {
    replay.close();
    rmSync(copy);
  }
}

/** Which way the state was reached must not show, and neither the order of rows. */
const same = (heap: Heap, other: Heap): void => expect(stateOf(heap)).toEqual(stateOf(other));

describe("seek", () => {
  it.each([
    ["keyframes at every chunk", 1],
    ["few keyframes", 9000],
    ["no keyframe", Number.POSITIVE_INFINITY],
    ["keyframes as measured", undefined],
  ])("equals folding from 0, and the naive model, at random events: %s", (_, spacing) => {
    const seed = Date.now() & 0x7fffffff;
    const anyTime = fc.integer({ min: 0, max: EVENTS });
    using(trace, spacing, (replay) => {
      fc.assert(
        fc.property(anyTime, (event) => {
          replay.seek(eventNumber(event));
          const { heap, naive } = folded(trace, event);
          same(replay.heap, heap);
          expect(stateOf(replay.heap)).toEqual(stateOfNaive(naive));
          expect(replay.heap.collector).toEqual(heap.collector);
          expect([replay.heap.peakBytes, replay.heap.peakAt]).toEqual([heap.peakBytes, heap.peakAt]);
        }),
        { numRuns: 25, seed, verbose: 1 },
      );
    });
  });

  it("gives the same when the same events are cut into other chunks", () => {
    const times = [0, 1, 699, 700, 701, 1999, 2000, 2001, 7777, 13_999, 14_000, 23_999, EVENTS];
    using(trace, 3000, (one) =>
      using(finelyCut, 1, (other) => {
        expect(other.end).toBe(one.end);
        expect(other.reader.chunks.length).toBeGreaterThan(one.reader.chunks.length * 2);
        for (const event of times.map(eventNumber)) same(other.seek(event), one.seek(event));
        expect(other.peak()).toEqual(one.peak());
      }),
    );
  });

  it("refuses times outside of the trace", () => {
    using(trace, 1, (replay) => {
      for (const event of [-1, EVENTS + 1, 0.5, Number.NaN]) {
        expect(() => replay.seek(event as EventNumber)).toThrow(/times go from #0 to #24000/);
      }
    });
  });
});

describe("steps", () => {
  it("stepping back undoes stepping forward, anywhere (property)", () => {
    using(trace, 5000, (replay) => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: EVENTS - 1 }), fc.integer({ min: 1, max: 12 }), (start, steps) => {
          const far = Math.min(steps, EVENTS - start);
          replay.seek(eventNumber(start));
          const states = [stateOf(replay.heap)];
          for (let i = 0; i < far; i++) {
            expect(replay.forward()).toBe(true);
            states.push(stateOf(replay.heap));
          }
          for (let i = far - 1; i >= 0; i--) {
            expect(replay.back()).toBe(true);
            expect(replay.time).toBe(start + i);
            expect(stateOf(replay.heap)).toEqual(states[i]);
          }
        }),
        { numRuns: 15 },
      );
    });
  });

  it("stops at both ends", () => {
    using(trace, 5000, (replay) => {
      expect([replay.back(), replay.time]).toEqual([false, 0]);
      replay.seek(replay.end);
      expect([replay.forward(), replay.time]).toEqual([false, EVENTS]);
    });
  });
});

describe("one object", () => {
  it("has exactly the events that folding finds about it, for every object of the trace", () => {
    const expected = new Map<number, string[]>();
    const reader = TraceReader.open(trace);
    const heap = Heap.from(reader.baseline(), 8);
    for (const columns of reader.eachChunk()) {
      for (let row = 0; row < columns.count; row++) {
        const code = columns.kind[row]!;
        if (code === Kind.new) heap.apply(columns, row, row + 1);
        const about = code >= Kind.new && code <= Kind.resurrect ? heap.objectAt(columns.address[row]!) : undefined;
        if (about) {
          const list = expected.get(about.id) ?? [];
          expected.set(about.id, list);
          list.push(`${columns.first + row} ${code}`);
        }
        if (code !== Kind.new) heap.apply(columns, row, row + 1);
      }
    }
    reader.close();
    using(trace, 5000, (replay) => {
      expect(heap.born).toBeGreaterThan(150);
      let long = 0;
      for (let id = 1; id <= heap.born; id++) {
        const origin = originOf(replay, id);
        expect(origin.object.id).toBe(id);
        const found: string[] = [];
        for (const { what, columns, row } of eachEventOf(replay, origin)) {
          if (what !== "gone") found.push(`${columns.first + row} ${columns.kind[row]}`);
        }
        expect(found).toEqual(expected.get(id) ?? []);
        if (found.length > 100) long++;
      }
      expect(long).toBeGreaterThan(3);
      expect(replay.birthOf(heap.born + 1)).toBeUndefined();
      expect(replay.birthOf(0)).toBeUndefined();
      expect(replay.birthOf(1)).toMatchObject({ event: BEFORE_TRACE, address: sampleBaseline.objects.address[0] });
    });
  });
});

describe("keyframes and index", () => {
  const tables = (path: string): number[] => {
    const reader = TraceReader.open(path);
    try {
      return ["keyframes", "chunk_objects"].map(
        (name) => [...reader.sql(`SELECT count(*) FROM ${name}`, []).rows][0]![0] as number,
      );
    } finally {
      reader.close();
    }
  };

  it("are made once and kept in the trace", () => {
    const path = join(folder, "kept.trace.db");
    cpSync(original, path);
    let made = 0;
    const progress = (): void => void made++;
    for (const expected of [12, 12]) {
      const replay = openReplay(path, { spacing: 4000, progress });
      replay.seek(replay.end);
      replay.close();
      expect(made).toBe(expected);
    }
    expect(tables(path)).toEqual([5, 12]);
  });

  it("are made anew where they belong to other events, or the tables are not there", () => {
    for (const change of [
      "UPDATE chunk_objects SET hash = hash + 1 WHERE chunk = 3",
      "DELETE FROM chunk_objects WHERE chunk = 11",
      "DROP TABLE keyframes",
    ]) {
      const path = join(folder, "stale.trace.db");
      cpSync(original, path);
      const first = openReplay(path, { spacing: 4000 });
      first.prepare();
      first.close();
      execute(path, change);
      let made = 0;
      const replay = openReplay(path, { spacing: 4000, progress: () => void made++ });
      same(replay.seek(eventNumber(20_000)), folded(original, 20_000).heap);
      replay.close();
      expect(made).toBe(12);
      expect(tables(path)).toEqual([5, 12]);
    }
  });

  it("serve from a temporary folder, which goes, where the trace is incomplete or may not be written", () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("refledger-index-"));
    const path = join(folder, "unfinished.trace.db");
    const writer = writeSample(path, { chunks: 3, finish: false });
    const replay = openReplay(path);
    same(replay.seek(eventNumber(5000)), folded(path, 5000).heap);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("refledger-index-")).length).toBe(before.length + 1);
    replay.close();
    writer.close();
    expect(tables(path)).toEqual([0, 0]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("refledger-index-"))).toEqual(before);
    expect(existsSync(path)).toBe(true);
  });

  it.runIf(process.getuid?.() !== 0)("serve from a temporary folder where the trace is read-only", () => {
    const path = join(folder, "readonly.trace.db");
    cpSync(original, path);
    chmodSync(path, 0o400);
    const replay = openReplay(path);
    same(replay.seek(eventNumber(5000)), folded(original, 5000).heap);
    replay.close();
    expect(tables(path)).toEqual([0, 0]);
  });

  it("serve from a temporary folder while somebody else reads the trace", () => {
    const path = join(folder, "busy.trace.db");
    cpSync(original, path);
    const done = readElsewhere(path);
    const replay = openReplay(path);
    same(replay.seek(eventNumber(5000)), folded(original, 5000).heap);
    replay.close();
    done();
    expect(tables(path)).toEqual([0, 0]);
  });

  it("that are damaged end in one line", () => {
    const path = join(folder, "damaged.trace.db");
    cpSync(original, path);
    const first = openReplay(path, { spacing: 4000 });
    first.prepare();
    first.close();
    execute(path, "UPDATE keyframes SET state = substr(state, 1, 100)");
    const replay = openReplay(path);
    expect(() => replay.seek(eventNumber(20_000))).toThrow(/the keyframe at event 20000: .*empty the tables/);
    replay.close();
  });
});

describe("audits", () => {
  it("agree with the replayed state", () => {
    using(trace, 4000, (replay) => {
      const audits = replay.reader.audits();
      expect(audits.length).toBe(2);
      for (const { id, event } of audits) {
        const { objects } = replay.reader.audit(id);
        const heap = replay.seek(eventNumber(event));
        expect(objects.address.length).toBe(heap.liveObjects);
        objects.address.forEach((address, i) => {
          expect(heap.objectAt(address)).toMatchObject({ alive: true, count: objects.count[i], type: objects.type[i] });
        });
      }
    });
  });
});
