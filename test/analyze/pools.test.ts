/**
 * The analysis of pools on a recorded program: free lists against the addresses that the program itself saw, the heap against the truth
 * at the end of the recording and against the fold of src/replay, models against a plain retelling of their input.
 */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pymallocProfile } from "../../src/allocators/profiles.js";
import { Pymalloc } from "../../src/allocators/pymalloc.js";
import {
  addressLife,
  analysePools,
  Kind,
  openReplay,
  type PoolsAnalysis,
  type Replay,
  resolveTime,
  survey,
} from "../../src/index.js";
import { emptied, refledger } from "../support/recording.js";

const folder = join(tmpdir(), `refledger-pools-${process.pid}`);
const trace = join(folder, "pools.trace.db");
const program = resolve(import.meta.dirname, "programs/pools.py");
/** What the program printed: type, births that addresses show to be served by the free list, address of the last such. */
let printed: { type: string; served: number; address: number }[];
let replay: Replay;

beforeAll(async () => {
  emptied(folder);
  const { code, out, err } = await refledger(["record", "--out", trace, program], { cwd: folder });
  expect(code, err).toBe(0);
  printed = out
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([type, served, address]) => ({ type: type!, served: Number(served), address: Number(address) }));
  replay = openReplay(trace);
});
afterAll(() => {
  replay.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Sums over the sizes of a type. */
function ofType({ freeLists }: PoolsAnalysis, type: string) {
  const rows = freeLists.rows.filter((row) => row.type === type && row.module === "builtins");
  const sum = (value: (row: (typeof rows)[number]) => number): number => rows.reduce((all, row) => all + value(row), 0);
  return {
    hits: sum((row) => row.fromFreeList),
    fresh: sum((row) => row.fromAllocator),
    fill: sum((row) => row.fill),
    most: sum((row) => row.highestFill),
    windows: sum((row) => row.hits.reduce((all, n) => all + n, 0)),
    births: sum((row) => row.births.reduce((all, n) => all + n, 0)),
  };
}

describe("free lists", () => {
  test("hits are those that the addresses show", () => {
    expect(printed.map(({ type, served }) => [type, served])).toEqual([
      // The limits of CPython 3.14: Include/internal/pycore_freelist_state.h.
      ["float", 100],
      ["list", 80],
      ["dict", 80],
      ["tuple", 300],
    ]);
    for (const { type, served } of printed) {
      const from = resolveTime(replay, `mark:begin ${type}`);
      const to = resolveTime(replay, `mark:end ${type}`);
      const { hits, fresh, windows, births } = ofType(analysePools(replay, { from, to }), type);
      expect({ type, hits, fresh }).toEqual({ type, hits: served, fresh: 300 - served });
      expect([windows, births]).toEqual([hits, hits + fresh]);
    }
  });

  test("the fill before the second generation is what the first left", () => {
    for (const { type, served } of printed) {
      const { fill, most } = ofType(analysePools(replay, { to: resolveTime(replay, `mark:begin ${type}`) }), type);
      if (type === "tuple") expect(fill).toBeGreaterThanOrEqual(served);
      else expect(fill).toBe(served);
      expect(most).toBeGreaterThanOrEqual(fill);
    }
  });

  test("the life of an address has the dead one and the one that took its place", () => {
    for (const { type, address } of printed) {
      const [from, to] = [`mark:begin ${type}`, `mark:end ${type}`].map((time) => resolveTime(replay, time));
      const life = addressLife(replay, address, { to: to! });
      const objects = life.occupants.filter(({ what }) => what === "object");
      const [before, after] = objects.slice(-2);
      expect([before!.type, after!.type, after!.via]).toEqual([type, type, "free-list"]);
      expect(before!.died!.event).toBeLessThan(from!);
      expect(after!.born!.event).toBeGreaterThanOrEqual(from!);
      expect(after!.died).toBeNull();
      expect(after!.place.source).toMatch(/^return /);
      replay.seek(to!);
      expect(replay.heap.objectAt(address)!.id).toBe(after!.id);
      // Both stood in the same block.
      const block = life.occupants.filter(({ what }) => what === "block").at(-1)!;
      expect(block.address).toBe(replay.heap.blockOf(address)!.address);
      expect(block.born!.event).toBeLessThan(before!.born!.event + 1);
    }
  });
});

describe("the real heap", () => {
  test("blocks, and objects kept in free lists, are those of the replay, at any time", () => {
    for (const share of [0, 0.07, 0.31, 0.5, 0.77, 0.93, 1]) {
      const to = Math.floor(replay.end * share);
      const { heap, freeLists } = analysePools(replay, { to });
      const state = replay.seek(to as typeof replay.end);
      expect(heap.blocks).toBe(state.liveBlocks);
      expect(freeLists.fill).toBe(survey(replay).freeListed.objects);
      expect(freeLists.bytes).toBe(survey(replay).freeListed.bytes);
      let requested = 0;
      let top = 0;
      for (const { address, size, held } of state.eachBlock()) {
        requested += held ? size - 4 : size;
        top = Math.max(top, address);
      }
      expect(heap.requested).toBe(requested);
      expect(heap.top).toBeGreaterThan(top);
      // What is left is rounding that no event tells: gaps smaller than the smallest hole.
      const range = heap.top - heap.start;
      const gaps = range - heap.used - heap.free;
      expect(gaps).toBeGreaterThanOrEqual(0);
      expect(gaps).toBeLessThan(0.02 * range);
    }
  });

  test("bytes in use are those that the interpreter's memory has at the end", () => {
    const { heap } = analysePools(replay);
    const audit = replay.reader.audits().at(-1)!;
    let [truth, blocks] = [0, 0];
    for (const { address, size } of replay.reader.auditBlocks(audit.id)) {
      blocks += address.length;
      for (const held of size) truth += held;
    }
    expect(heap.blocks).toBe(blocks);
    // Of a block without an object the events tell the request only: the allocator may hold up to 15 bytes more.
    expect(truth - heap.used).toBeGreaterThanOrEqual(0);
    expect((truth - heap.used) / truth).toBeLessThan(0.01);
  });

  test("survivors between what was freed are found, with their line", () => {
    const full = analysePools(replay, { to: resolveTime(replay, "mark:full") });
    const sparse = analysePools(replay, { to: resolveTime(replay, "mark:sparse") });
    expect(full.heap.utilisation).toBeGreaterThan(0.9);
    expect(sparse.heap.utilisation).toBeLessThan(0.5);
    expect(sparse.heap.sparse.regions).toBeGreaterThan(60);
    const pin = sparse.heap.sparse.pins[0]!;
    expect([pin.type, pin.place.source]).toEqual(["bytes", "survivors.append(bytes(990))"]);
    expect(pin.blocks).toBeGreaterThan(60);
    expect(pin.alone).toBeGreaterThan(50);
    expect(pin.pinned).toBeGreaterThan(60 * 58_000);
    const finding = sparse.findings[0]!;
    expect([finding.kind, finding.isProblem, finding.type]).toEqual(["pinned-memory", true, "bytes"]);
    expect(finding.createdAt!.source).toBe("survivors.append(bytes(990))");
    expect(full.findings).toEqual([]);
    // Without the highest survivors the heap could end lower, the further the more are gone.
    const lower = sparse.heap.topPins.map(({ released }) => released);
    expect(lower).toEqual([...lower].sort((x, y) => x - y));
  });

  test("the heat map shows what is in use, region by region, and is bounded", () => {
    const { heap } = analysePools(replay, { to: resolveTime(replay, "mark:full") });
    const { heat, series } = heap;
    expect(heat.event.length).toBeLessThanOrEqual(64);
    expect(heat.regions).toBeLessThanOrEqual(256);
    expect(heat.permille.length).toBe(heat.event.length * heat.regions);
    const last = heat.permille.slice(-heat.regions).reduce((sum, n) => sum + (n / 1000) * heat.regionBytes, 0);
    expect(Math.abs(last - heap.used)).toBeLessThan(heat.regions * heat.regionBytes * 0.001);
    expect(series.event.length).toBeLessThanOrEqual(257);
    expect(series.used.at(-1)).toBe(heap.used);
    expect(series.footprint.at(-1)).toBe(heap.footprint);
  });
});

describe("models", () => {
  test.each(["3.10-32", "3.10-64", "3.3-32", "early-64"])(
    "%s: totals are those of the requests told one by one",
    (name) => {
      const { models, fed } = analysePools(replay, { models: [name] });
      const result = models[0]!;
      const model = new Pymalloc(pymallocProfile(name));
      const at = new Map<number, number>();
      let [requests, passed] = [0, 0];
      for (const { columns, first, last } of replay.range(0, replay.end)) {
        const { kind, address, a, b } = columns;
        for (let i = first; i < last; i++) {
          const there = address[i]!;
          if (kind[i] === Kind.alloc) {
            if (b[i]! >= 2) requests++;
            if (b[i] === 3 || (b[i] === 2 && !["3.3-32", "early-64"].includes(name))) {
              const place = model.malloc(a[i]!);
              if (place === 0) passed++;
              at.set(there, place);
            }
          } else if (kind[i] === Kind.realloc && at.has(b[i]!)) {
            const old = at.get(b[i]!)!;
            at.delete(b[i]!);
            const place = old === 0 ? 0 : model.realloc(old, a[i]!);
            if (place === 0 && old !== 0) passed++;
            at.set(there, place);
          } else if (kind[i] === Kind.free && at.has(there)) {
            if (at.get(there) !== 0) model.free(at.get(there)!);
            at.delete(there);
          }
        }
      }
      expect(fed.requests).toBe(requests);
      expect(result).toMatchObject({
        kind: "pymalloc",
        requests: model.requests,
        passedOn: passed,
        arenas: model.arenas,
        arenasTaken: model.arenasTaken,
        arenasReturned: model.arenasReturned,
        blocks: model.blocks,
        requested: model.requested,
        rounded: model.rounded,
      });
      if (result.kind !== "pymalloc") return;
      const { lost, system, rounded } = result;
      expect(lost.freeBlocks + lost.freePools + lost.headers + lost.rests + rounded).toBe(system);
      for (const part of Object.values(lost)) expect(part).toBeGreaterThanOrEqual(0);
      expect(result.classes.reduce((sum, row) => sum + row.blocks, 0)).toBe(model.blocks);
      expect(result.series.arenas.at(-1)).toBe(model.arenas);
    },
  );

  test("Python 2's pools get the births that there were", () => {
    const { models, freeLists } = analysePools(replay, { models: ["python2-float-32", "python2-list-32"] });
    for (const model of models) {
      if (model.kind !== "private-pool") throw new Error("a private pool");
      const { hits, fresh } = ofType({ freeLists } as PoolsAnalysis, model.type);
      expect(model.births).toBe(hits + fresh);
      expect(model.free).toBeGreaterThan(0);
    }
    // 300 floats at once, in blocks of 62.
    expect(models[0]).toMatchObject({ peakLive: expect.any(Number), perBlock: 62 });
    expect(models[0]!.kind === "private-pool" && models[0]!.peakLive).toBeGreaterThanOrEqual(300);
    expect(models[0]!.kind === "private-pool" && models[0]!.bytes).toBeGreaterThanOrEqual(5 * 996);
  });

  test("the same question is answered from the trace the second time, to the letter", () => {
    const ask = (): PoolsAnalysis => analysePools(replay, { from: 1000, to: 150_000, models: ["3.10-32"] });
    const first = ask();
    expect(ask()).toEqual(first);
    let folded = 0;
    analysePools(replay, { from: 1000, to: 150_000, models: ["3.10-32"], progress: () => folded++ });
    expect(folded).toBe(0);
  });
});
