/** Python 2's private pools against native 2.7.18, object for object. How the capture was made: test/allocators/README.md. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { PRIVATE_POOL_PROFILES, PrivatePool, privatePoolProfile } from "./private-pool.js";

const golden = JSON.parse(
  brotliDecompressSync(
    readFileSync(resolve(import.meta.dirname, "../../test/allocators/golden/python2.json.br")),
  ).toString(),
) as { operations: number[]; float: number[]; list: number[] };

/** Runs the plan; gives the place of every birth, and whether it had been somebody's before. */
function places(pool: PrivatePool): { place: number; again: boolean }[] {
  const live: number[] = [];
  const born: { place: number; again: boolean }[] = [];
  for (const operation of golden.operations) {
    if (operation > 0) {
      const before = pool.fromFreeList;
      const place = pool.born();
      born.push({ place, again: pool.fromFreeList > before });
      live.push(place);
    } else pool.died(live.splice(-1 - operation, 1)[0]!);
  }
  return born;
}

describe("floats of native 2.7.18", () => {
  const { perBlock, objectBytes } = privatePoolProfile("python2-float-64");

  /** How many births fit one base address for each block, when the first `used` places of the first block are taken already. */
  function fitting(used: number): number {
    const pool = new PrivatePool(privatePoolProfile("python2-float-64"));
    for (let i = 0; i < used; i++) pool.born();
    const bases = new Map<number, number>();
    let fits = 0;
    for (const [i, { place }] of places(pool).entries()) {
      const block = Math.floor(place / perBlock);
      const base = golden.float[i]! - (place % perBlock) * objectBytes;
      if (!bases.has(block)) bases.set(block, base);
      if (bases.get(block) === base) fits++;
    }
    return fits;
  }

  test("each lies in the same block at the same position", () => {
    // Where in a block the capture began is the one thing not known: exactly one beginning fits, and it fits all.
    const fits = Array.from({ length: perBlock }, (_, used) => fitting(used));
    expect(fits.filter((n) => n === golden.float.length)).toHaveLength(1);
    expect(golden.float.length).toBe(3135);
  });
});

describe("lists of native 2.7.18", () => {
  test("a dead one is handed out again exactly when the model says so", () => {
    const pool = new PrivatePool(privatePoolProfile("python2-list-64"));
    const addressOf = new Map<number, number>();
    let again = 0;
    for (const [i, birth] of places(pool).entries()) {
      if (birth.again) {
        again++;
        expect(golden.list[i], `birth ${i}`).toBe(addressOf.get(birth.place));
      }
      addressOf.set(birth.place, golden.list[i]!);
    }
    // The limit was reached: some deaths went to the allocator.
    expect(pool.highestFree).toBe(80);
    expect(again).toBe(pool.fromFreeList);
    expect(again).toBeGreaterThan(1000);
  });
});

describe("every profile", () => {
  test.each(PRIVATE_POOL_PROFILES)("$name: no place has two owners, blocks are never given back", (profile) => {
    const pool = new PrivatePool(profile);
    const owned = new Set<number>();
    let bytes = 0;
    for (let round = 0; round < 5; round++) {
      const mine: number[] = [];
      for (let i = 0; i < 300 * (round + 1); i++) {
        const place = pool.born();
        expect(owned.has(place)).toBe(false);
        owned.add(place);
        mine.push(place);
      }
      for (const place of mine) {
        pool.died(place);
        owned.delete(place);
      }
      if (profile.perBlock > 0) {
        expect(pool.bytes).toBeGreaterThanOrEqual(bytes);
        expect(pool.bytes).toBe(Math.ceil((300 * (round + 1)) / profile.perBlock) * profile.blockBytes);
      } else expect(pool.free).toBeLessThanOrEqual(80);
      bytes = pool.bytes;
    }
    expect(pool.live).toBe(0);
    expect(pool.peakLive).toBe(1500);
  });

  test("sizes of blocks are those of the C structures", () => {
    const sizes = Object.fromEntries(PRIVATE_POOL_PROFILES.map((one) => [one.name, [one.perBlock, one.blockBytes]]));
    expect(sizes).toEqual({
      "python2-int-32": [82, 988],
      "python2-float-32": [62, 996],
      "python2-list-32": [0, 0],
      "python2-int-64": [41, 992],
      "python2-float-64": [41, 992],
      "python2-list-64": [0, 0],
    });
  });
});
