/** The model against native CPythons, block for block, and against itself. How the captures were made: test/allocators/README.md. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PYMALLOC_PROFILES, pymallocProfile } from "./profiles.js";
import { type ArenaSource, Pymalloc } from "./pymalloc.js";

interface Statistics {
  /** By size: pools, blocks in use, free blocks in these pools. */
  classes: Record<string, [number, number, number]>;
  totals: Record<string, number>;
}
interface Capture {
  python: string;
  pointerBytes: number;
  arenaBytes: number;
  shift: number;
  /** Bytes from the region's start; -1 = not there. */
  addresses: number[];
  statistics: Statistics[] | null;
}
/** Kind (0 malloc, 1 realloc, 2 free, 3 malloc that got the first new pool of its class, 4 statistics), slot, size. */
type Operation = [number, number, number];

const golden = JSON.parse(
  brotliDecompressSync(
    readFileSync(resolve(import.meta.dirname, "../../test/allocators/golden/captures.json.br")),
  ).toString(),
) as { operations: Operation[]; captures: Capture[] };

/** Which profile a native version is. */
const PROFILE_OF: Record<string, string> = {
  "2.7.18": "3.8-64",
  "3.6.15": "3.8-64",
  "3.7.16": "3.8-64",
  "3.8.18": "3.8-64",
  "3.9.18": "3.9-64",
  "3.10.13": "3.10-64",
  "3.11.7": "3.10-64",
  "3.12.1": "3.10-64",
  "3.13.0": "3.10-64",
};

/** Far from 0, which is no address. */
const BASE = 1 << 30;

/** The region of the capture: arenas in order, those given back taken again last in, first out. */
function region(shift: number): ArenaSource {
  const returned: number[] = [];
  let next = BASE + shift;
  return {
    take(bytes) {
      const again = returned.pop();
      if (again !== undefined) return again;
      next += bytes;
      return next - bytes;
    },
    giveBack: (address) => {
      returned.push(address);
    },
  };
}

type Totals = { arenasTaken: number; arenasReturned: number; arenas: number };
type Counted = { classes: Map<number, { pools: number; blocks: number }>; totals: Totals };

const counted = (model: Pymalloc): Counted => ({
  classes: new Map(model.classes.map(({ size, pools, blocks }) => [size, { pools, blocks }])),
  totals: { arenasTaken: model.arenasTaken, arenasReturned: model.arenasReturned, arenas: model.arenas },
});

/** Runs the operations; stops at the first address that differs. */
function rerun(profile: string, capture: Capture, operations: readonly Operation[]) {
  const model = new Pymalloc(pymallocProfile(profile), region(capture.shift));
  const slots: number[] = [];
  const snapshots: Counted[] = [];
  let answered = 0;
  for (const [i, [kind, slot, size]] of operations.entries()) {
    if (kind === 4) snapshots.push(counted(model));
    else if (kind === 2) {
      if (slots[slot] !== 0) model.free(slots[slot]!);
    } else {
      // What malloc has stays malloc's, whatever it is resized to.
      const address = kind !== 1 ? model.malloc(size) : slots[slot] === 0 ? 0 : model.realloc(slots[slot]!, size);
      slots[slot] = address;
      const expected = capture.addresses[answered++]!;
      const got = address === 0 ? -1 : address - BASE;
      if (got !== expected) return { differs: { operation: i, kind, size, expected, got }, snapshots, model, answered };
    }
  }
  return { differs: null, snapshots, model, answered };
}

describe("pymalloc, block for block as native CPython", () => {
  test("the versions that were captured", () => {
    expect(golden.captures.map(({ python, shift }) => [python, shift])).toEqual([
      ["2.7.18", 0],
      ["3.6.15", 0],
      ["3.7.16", 0],
      ["3.8.18", 0],
      ["3.8.18", 12288],
      ["3.9.18", 0],
      ["3.10.13", 0],
      ["3.11.7", 0],
      ["3.12.1", 0],
      ["3.13.0", 0],
      ["3.13.0", 12288],
    ]);
  });

  test.each(golden.captures.map((capture) => [capture.python, capture.shift, capture] as const))(
    "%s, arenas shifted by %i",
    (python, _shift, capture) => {
      const { differs, model, answered } = rerun(PROFILE_OF[python]!, capture, golden.operations);
      expect(differs).toBeNull();
      expect(answered).toBe(capture.addresses.length);
      // The sequence is worth something only if arenas came and went.
      expect(model.arenasTaken).toBeGreaterThan(3);
      if (python !== "2.7.18") expect(model.arenasReturned).toBeGreaterThan(1);
    },
  );

  test.each(
    golden.captures.filter(({ statistics }) => statistics !== null).map((c) => [c.python, c.shift, c] as const),
  )("_debugmallocstats of %s, arenas shifted by %i: classes and arenas", (python, _shift, capture) => {
    const { snapshots, model } = rerun(PROFILE_OF[python]!, capture, golden.operations);
    const native = capture.statistics!;
    expect(snapshots.length).toBe(native.length);
    // What the interpreter itself had before, pool for pool, does not change while the operations run: the differences do.
    const before = native[0]!;
    for (const [i, { classes, totals }] of snapshots.entries()) {
      for (const { size } of model.classes) {
        const [pools, used, free] = native[i]!.classes[size] ?? [0, 0, 0];
        const [pools0, used0, free0] = before.classes[size] ?? [0, 0, 0];
        const [now, first] = [classes.get(size)!, snapshots[0]!.classes.get(size)!];
        const fit = model.blocksPerPool(size);
        expect(
          { size, pools: now.pools - first.pools, used: now.blocks - first.blocks, free: now.pools * fit - now.blocks },
          `statistics ${i}`,
        ).toEqual({
          size,
          pools: pools - pools0,
          used: used - used0,
          // Primed classes have no free block but in the model's own pools.
          free,
        });
        expect(free0).toBe(first.pools * fit - first.blocks);
      }
      const total = (name: string): number => native[i]!.totals[name]! - before.totals[name]!;
      expect(totals.arenasTaken - snapshots[0]!.totals.arenasTaken).toBe(total("# arenas allocated total"));
      expect(totals.arenasReturned).toBe(total("# arenas reclaimed"));
      expect(totals.arenas - snapshots[0]!.totals.arenas).toBe(total("# arenas allocated current"));
    }
  });

  test("each rule is needed: with another profile, or another order of arenas, the captures do not fit", () => {
    const of = (python: string): Capture => golden.captures.find((one) => one.python === python && one.shift === 0)!;
    expect(rerun("3.6-64", of("3.8.18"), golden.operations).differs).not.toBeNull();
    expect(rerun("3.9-64", of("3.8.18"), golden.operations).differs).not.toBeNull();
    expect(rerun("3.8-64", of("3.9.18"), golden.operations).differs).not.toBeNull();
    expect(rerun("3.9-64", of("3.10.13"), golden.operations).differs).not.toBeNull();
    expect(rerun("early-64", of("2.7.18"), golden.operations).differs).not.toBeNull();
  });
});

describe("every profile", () => {
  test.each(PYMALLOC_PROFILES)(
    "$name: blocks never overlap, counts add up, everything can be given back",
    (profile) => {
      const step = fc.oneof(
        fc.record({
          what: fc.constant("malloc" as const),
          size: fc.integer({ min: 0, max: 700 }),
          many: fc.integer({ min: 1, max: 400 }),
        }),
        fc.record({ what: fc.constant("free" as const), size: fc.nat(), many: fc.integer({ min: 1, max: 400 }) }),
        fc.record({ what: fc.constant("realloc" as const), size: fc.integer({ min: 0, max: 700 }), many: fc.nat() }),
      );
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const model = new Pymalloc(profile);
          const live: { at: number; size: number }[] = [];
          for (const { what, size, many } of steps) {
            if (what === "malloc") {
              for (let i = 0; i < many; i++) {
                const at = model.malloc(size);
                expect(at === 0).toBe(size === 0 || size > profile.threshold);
                if (at !== 0) live.push({ at, size });
              }
            } else if (what === "free") {
              for (let i = 0; i < many && live.length > 0; i++) {
                const index = size % live.length;
                model.free(live[index]!.at);
                live.splice(index, 1);
              }
            } else if (live.length > 0) {
              const index = many % live.length;
              const at = model.realloc(live[index]!.at, size);
              if (at === 0) live.splice(index, 1);
              else live[index] = { at, size };
            }
          }
          const sorted = [...live].sort((x, y) => x.at - y.at);
          for (const [i, { at, size }] of sorted.entries()) {
            expect(at % profile.alignment).toBe(0);
            if (i > 0) expect(sorted[i - 1]!.at + sorted[i - 1]!.size).toBeLessThanOrEqual(at);
            expect(at % profile.poolBytes).toBeGreaterThanOrEqual(profile.headerBytes);
            expect(Math.floor(at / profile.poolBytes)).toBe(Math.floor((at + size - 1) / profile.poolBytes));
            expect(model.arenaOf(at)).toBe(Math.floor(at / profile.arenaBytes) * profile.arenaBytes);
          }
          expect(model.blocks).toBe(live.length);
          expect(model.requested).toBe(live.reduce((sum, { size }) => sum + size, 0));
          expect(model.rounded).toBe(model.classes.reduce((sum, row) => sum + row.blocks * row.size, 0));
          expect(model.poolsInUse).toBe(model.classes.reduce((sum, row) => sum + row.pools, 0));
          const arenas = [...model.eachArena()];
          expect(arenas.length).toBe(model.arenas);
          expect(arenas.reduce((sum, { pools, freePools }) => sum + pools - freePools, 0)).toBe(model.poolsInUse);
          for (const { at } of live) model.free(at);
          expect([model.blocks, model.requested, model.rounded, model.poolsInUse]).toEqual([0, 0, 0, 0]);
          expect(model.arenas).toBeLessThanOrEqual(profile.keepsLastArena ? 1 : 0);
          expect(model.arenasTaken - model.arenasReturned).toBe(model.arenas);
        }),
        { numRuns: 30, seed: 5 },
      );
    },
  );

  test("freeing what is not there is noticed", () => {
    const model = new Pymalloc(pymallocProfile("3.10-64"));
    const at = model.malloc(100);
    model.malloc(100);
    model.free(at);
    expect(() => model.free(at)).toThrow("invariant");
  });
});
