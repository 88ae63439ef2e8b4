/** Chapter 4 of the course against the recorded events: counts that stop at one, collections, and what they free. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  between,
  countAt,
  course,
  eventsOf,
  expectAsExpected,
  type Lesson,
  ledgerOf,
  seen,
  timeOf,
} from "../support/lesson.js";

const { take, close } = course();
afterAll(close);

const collections = (the: Lesson, from: string, to: string) => eventsOf(the, from, to, "collect-stop");

describe("04-cycles.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("04-cycles");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("the line that closes the cycle takes Left's count from 1 to 2", () => {
    const { address } = seen(the, "half", "Left");
    expect([countAt(the, "half", "Left"), countAt(the, "half", "Right")]).toEqual([1, 2]);
    expect([countAt(the, "closed", "Left"), countAt(the, "closed", "Right")]).toEqual([2, 2]);
    const stored = between(the, "half", "closed").filter(
      (event) => event.address === address && event.kind === "incref",
    );
    expect(stored.at(-1)).toMatchObject({ opcode: "STORE_ATTR", line: 41 });
  });

  it("two dels leave each of them with a count of 1, and nothing frees them", () => {
    const left = seen(the, "orphaning", "Left");
    const right = seen(the, "orphaning", "Right");
    expect(ledgerOf(the, "orphaning", "one-name", left.address)).toBe("-1 DELETE_NAME");
    expect(ledgerOf(the, "one-name", "orphaned", right.address)).toBe("-1 DELETE_NAME");
    expect([countAt(the, "orphaned", "Left"), countAt(the, "orphaned", "Right")]).toEqual([1, 1]);
    expect(eventsOf(the, "orphaned", "waited", "dealloc", "Left")).toEqual([]);
    expect(collections(the, "orphaned", "waited")).toEqual([]);
    expect([countAt(the, "waited", "Left"), countAt(the, "waited", "Right")]).toEqual([1, 1]);
  });

  it("the collection frees both, each by a count that reaches zero within it", () => {
    const [start] = eventsOf(the, "waited", "collected", "collect-start");
    const [stop] = collections(the, "waited", "collected");
    expect(start).toMatchObject({ operands: { generation: 2, reason: "manual" } });
    expect(Number(stop!.operands["collected"])).toBeGreaterThanOrEqual(2);
    for (const type of ["Left", "Right"]) {
      const [dead] = eventsOf(the, "waited", "collected", "dealloc", type);
      expect(dead!.event).toBeGreaterThan(start!.event);
      expect(dead!.event).toBeLessThan(stop!.event);
      const last = between(the, "waited", "collected")
        .filter((event) => event.address === dead!.address && event.event < dead!.event)
        .at(-1);
      expect(last?.kind).toBe("decref");
    }
  });

  it("an object that refers to itself is a cycle of one", () => {
    expect(countAt(the, "self-closed", "Left")).toBe(2);
    expect(countAt(the, "self-orphaned", "Left")).toBe(1);
    expect(eventsOf(the, "self-orphaned", "self-collected", "dealloc", "Left")).toHaveLength(1);
  });

  it("a cycle that is broken before needs no collection", () => {
    expect([countAt(the, "again", "Left"), countAt(the, "again", "Right")]).toEqual([2, 2]);
    expect([countAt(the, "broken", "Left"), countAt(the, "broken", "Right")]).toEqual([2, 1]);
    const dead = between(the, "broken", "gone").filter(
      ({ kind, type }) => kind === "dealloc" && /Left|Right/.test(type!),
    );
    expect(dead.map(({ type, opcode }) => `${type} ${opcode}`)).toEqual(["Right DELETE_NAME", "Left DELETE_NAME"]);
    expect(collections(the, "broken", "gone")).toEqual([]);
  });
});

describe("04-hidden-cycles.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("04-hidden-cycles");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  const parts: [from: string, to: string, type: string][] = [
    ["button-orphaned", "button-collected", "Button"],
    ["tree-closed", "tree-collected", "Tree"],
    ["error-orphaned", "error-collected", "Witness"],
    ["closure-orphaned", "closure-collected", "Witness"],
  ];
  for (const [from, to, type] of parts) {
    it(`${type} (${from}) is alive without a name, and freed by the collection alone`, () => {
      expect(seen(the, from, `${type}[1]`).count).toBeGreaterThan(0);
      const [start] = eventsOf(the, from, to, "collect-start");
      const dead = eventsOf(the, from, to, "dealloc", type);
      expect(dead.length).toBeGreaterThan(0);
      for (const { event } of dead) expect(event).toBeGreaterThan(start!.event);
    });
  }
});

describe("04-breaking-cycles.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("04-breaking-cycles");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("frees everything where it is dropped, without a collection", () => {
    expect(eventsOf(the, "weak-before", "weak", "dealloc", "Node")).toHaveLength(2);
    expect(eventsOf(the, "close-before", "close", "dealloc", "Window")).toHaveLength(1);
    expect(eventsOf(the, "text", "text-after", "dealloc", "Witness")).toHaveLength(1);
    expect(collections(the, "weak-before", "text-after")).toEqual([]);
  });
});

describe("04-generations.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("04-generations");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("the orphaned cycle is freed by an automatic collection, not by the first", () => {
    const starts = eventsOf(the, "orphaned", "came", "collect-start");
    const stops = collections(the, "orphaned", "came");
    expect(new Set(starts.map(({ operands }) => operands["reason"]))).toEqual(new Set(["heap"]));
    // CPython 3.14.2 collects in increments: the first of them only mark what is reachable (Python/gc.c, mark_at_start).
    const collected = stops.map(({ operands }) => Number(operands["collected"]));
    expect(collected.at(-1)).toBe(2);
    expect(collected.slice(0, -1).every((n) => n === 0)).toBe(true);
    expect(collected.length).toBeGreaterThan(1);
    const dead = eventsOf(the, "orphaned", "came", "dealloc", "Pair");
    expect(dead).toHaveLength(2);
    for (const { event } of dead) expect(event).toBeGreaterThan(starts.at(-1)!.event);
  });

  it("a collection leaves frozen garbage alone, and takes it when it is thawed", () => {
    expect(eventsOf(the, "came", "frozen", "dealloc", "Pair")).toEqual([]);
    expect(eventsOf(the, "frozen", "thawed", "dealloc", "Pair")).toHaveLength(2);
  });
});

describe("04-cycle-finalizers.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("04-cycle-finalizers");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("within the collection: the callback, both finalizers, and only then the first dealloc", () => {
    expect([countAt(the, "orphaned", "Member[1]"), countAt(the, "orphaned", "Member[2]")]).toEqual([1, 1]);
    const order = between(the, "orphaned", "collected")
      .filter(({ kind, type }) => kind === "call" || (kind === "dealloc" && type === "Member"))
      .map(({ kind, operands }) => (kind === "call" ? String(operands["code"]) : "dealloc"));
    expect(order).toEqual(["<lambda>", "Member.__del__", "Member.__del__", "dealloc", "dealloc"]);
  });

  it("a finalizer that saves its object saves the cycle; at the second death none runs", () => {
    expect(
      between(the, "saver-orphaning", "saved").filter(
        ({ kind, type }) => kind === "dealloc" && /Saver|Member/.test(type!),
      ),
    ).toEqual([]);
    expect(countAt(the, "saved", "Saver")).toBe(2);
    expect(eventsOf(the, "saved", "second", "dealloc", "Saver")).toHaveLength(1);
    expect(eventsOf(the, "saved", "second", "call")).toEqual([]);
    expect(timeOf(the, "second")).toBeGreaterThan(timeOf(the, "saved"));
  });
});
