/** Chapters 5, 6 and 8 of the course against the recorded requests, addresses and births. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { course, eventsOf, expectAsExpected, type Lesson } from "../support/lesson.js";

const { take, close } = course();
afterAll(close);

/** What was asked of one of Python's allocators: `bytes@domain`. */
const requests = (the: Lesson, from: string, to: string): string[] =>
  eventsOf(the, from, to, "alloc").map(({ operands }) => `${operands["size"]}@${operands["domain"]}`);

/** Addresses of blocks of that size handed out between two marks, in order. */
const places = (the: Lesson, from: string, to: string, size: number): number[] =>
  eventsOf(the, from, to, "alloc")
    .filter(({ operands }) => operands["size"] === size)
    .map(({ address }) => address!);

describe("05-small-and-large.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("05-small-and-large");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("asks for exactly the sizes that it names, in the object domain", () => {
    const marks = ["256", "257", "512", "513", "done"];
    for (let i = 0; i + 1 < marks.length; i++)
      expect(requests(the, marks[i]!, marks[i + 1]!)).toContain(`${marks[i]}@object`);
  });

  it("a long list is a small header and a large block of its own", () => {
    expect(requests(the, "list-short", "list-long")).toContain("40@mem");
    expect(requests(the, "list-long", "list-done")).toContain("4000@mem");
  });
});

describe("05-pinned-pools.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("05-pinned-pools");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("frees 20,000 blocks, then all but 40, and the holes are filled again", () => {
    const first = places(the, "first-before", "first-full", 64);
    expect(first).toHaveLength(20_000);
    const freed = new Set(eventsOf(the, "first-full", "first-empty", "free").map(({ address }) => address));
    expect(first.filter((address) => !freed.has(address))).toEqual([]);
    const second = places(the, "second-before", "second-full", 64);
    expect(second).toHaveLength(20_000);
    const gone = new Set(eventsOf(the, "second-full", "second-pinned", "free").map(({ address }) => address));
    const kept = second.filter((address) => !gone.has(address));
    expect(kept).toHaveLength(40);
    const third = places(the, "third-before", "third", 64);
    expect(third).toHaveLength(10_000);
    const known = new Set(second);
    expect(third.filter((address) => known.has(address)).length).toBeGreaterThan(5_000);
  });
});

describe("06-private-pools.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("06-private-pools");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("20,000 integers are born and freed, then floats are born in their memory", () => {
    const integers = eventsOf(the, "integers-before", "integers", "new", "int").map(({ address }) => address!);
    expect(integers.length).toBeGreaterThanOrEqual(20_000);
    const dead = new Set(eventsOf(the, "releasing", "released", "dealloc", "int").map(({ address }) => address));
    expect(dead.size).toBeGreaterThanOrEqual(20_000);
    const was = new Set(integers);
    const floats = eventsOf(the, "released", "floats", "new", "float").map(({ address }) => address!);
    expect(floats).toHaveLength(20_000);
    expect(floats.filter((address) => was.has(address)).length).toBeGreaterThan(0);
  });
});

describe("06-free-lists.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("06-free-lists");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  for (const [type, born, freed, again, done] of [
    ["float", "float-born", "float-freed", "float", "float-done"],
    ["list", "list-born", "list-freed", "list", "list-done"],
    ["dict", "dict-born", "dict-freed", "dict", "dict-done"],
  ] as const) {
    it(`the ${type}'s block is not freed, and the next ${type} is born in it without a request`, () => {
      const [dead] = eventsOf(the, freed, again, "dealloc", type);
      const freedThen = eventsOf(the, freed, again, "free").map(({ address }) => address!);
      expect(freedThen.filter((address) => dead!.address! - address <= 16 && dead!.address! >= address)).toEqual([]);
      expect(eventsOf(the, born, freed, "new", type).map(({ address }) => address)).toContain(dead!.address);
      const [next] = eventsOf(the, again, done, "new", type);
      expect(next).toMatchObject({ address: dead!.address });
      const asked = eventsOf(the, again, done, "alloc").map(({ address }) => address!);
      expect(asked.filter((address) => dead!.address! - address <= 16 && dead!.address! >= address)).toEqual([]);
    });
  }

  it("a tuple of three takes the place of one of three, a pair does not", () => {
    const [gone] = eventsOf(the, "tuple-born", "tuple", "dealloc", "tuple").slice(-1);
    const born = eventsOf(the, "tuple", "tuple-done", "new", "tuple").map(({ address }) => address);
    expect(born[0]).not.toBe(gone!.address);
    expect(born[1]).toBe(gone!.address);
  });

  it("of 10,000 floats released at once 100 are kept", () => {
    const dead = eventsOf(the, "many-before", "many", "dealloc", "float").map(({ address }) => address!);
    expect(dead).toHaveLength(10_000);
    const freed = new Set(eventsOf(the, "many-before", "many", "free").map(({ address }) => address));
    expect(dead.filter((address) => !freed.has(address))).toHaveLength(100);
  });
});

describe("08-free-ranges.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("08-free-ranges");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("four blocks stand side by side, with a header of 8 bytes", () => {
    const [a, b, c, d] = places(the, "cut", "cut-done", 40_000);
    expect([b! - a!, c! - b!, d! - c!]).toEqual([40_008, 40_008, 40_008]);
  });

  it("a hole takes what fits and nothing longer; two holes joined take both", () => {
    const [, b, c, d] = places(the, "cut", "cut-done", 40_000);
    const [double] = places(the, "hole-done", "double-done", 80_000);
    expect(double).toBeGreaterThan(d!);
    expect(places(the, "double-done", "same-done", 40_000)).toEqual([b]);
    expect(eventsOf(the, "join", "join-done", "free").map(({ address }) => address)).toContain(c);
    expect(places(the, "join-done", "joined-done", 80_000)).toEqual([b]);
  });
});

describe("08-fragmentation.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("08-fragmentation");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("the large request goes behind the row, though ten times as much is free in it", () => {
    const row = places(the, "row", "row-done", 4_000);
    expect(row).toHaveLength(200);
    const freed = eventsOf(the, "row-done", "holes", "free")
      .map(({ address }) => address!)
      .filter((address) => row.includes(address));
    expect(freed).toHaveLength(100);
    const [large] = places(the, "holes", "large", 40_000);
    expect(large).toBeGreaterThan(Math.max(...row));
    const small = places(the, "large", "refilled", 4_000);
    expect(small).toHaveLength(100);
    const holes = new Set(freed);
    expect(small.filter((address) => holes.has(address)).length).toBe(100);
  });
});
