/** Chapter 7 of the course against the recorded events: what CPython 3.14 does not count, and what it makes once. */
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

const countChanges = (the: Lesson, from: string, to: string, type: string) =>
  between(the, from, to).filter((event) => /^(incref|decref|setref)$/.test(event.kind) && event.type === type);

describe("07-immortal.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("07-immortal");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("1,003 references to 4 are not one event of it: the only integer that is counted there is the factor 1000", () => {
    const changed = new Set(countChanges(the, "four", "four-done", "int").map(({ address }) => address));
    expect(changed.size).toBe(1);
    const thousand = [...changed][0]!;
    expect(ledgerOf(the, "four", "four-done", thousand)).toBe(
      "+1 LOAD_CONST, +1 BINARY_OP, -1 BINARY_OP, -1 BINARY_OP",
    );
  });

  it("1,000 references to int('1000') are 1,000 in its count", () => {
    const [born] = eventsOf(the, "large", "large-born", "new", "int");
    const changes = countChanges(the, "large-before", "large-many", "int").filter(
      ({ address }) => address === born!.address,
    );
    const sum = changes.reduce((total, { kind }) => total + (kind === "incref" ? 1 : kind === "decref" ? -1 : 0), 0);
    const bulk = changes.filter(({ kind }) => kind === "setref");
    expect(bulk).toHaveLength(1);
    the.replay.seek(timeOf(the, "large-before"));
    const before = the.replay.heap.objectAt(born!.address!)!.count;
    the.replay.seek(timeOf(the, "large-many"));
    expect(the.replay.heap.objectAt(born!.address!)!.count - before).toBe(1000);
    // LOAD_NAME's reference stands for as long as the list is made; the thousand are added at once.
    expect(sum).toBe(0);
  });
});

describe("07-interned.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("07-interned");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("a string made at run time is born; interning gives back the old one", () => {
    expect(eventsOf(the, "made-before", "made", "new", "str").length).toBeGreaterThan(0);
    expect(eventsOf(the, "intern-before", "intern", "new", "str")).toEqual([]);
  });

  it("an interned string is freed with its last reference", () => {
    const born = eventsOf(the, "fresh-before", "fresh", "new", "str").map(({ address }) => address);
    const dead = eventsOf(the, "fresh-dying", "fresh-dead", "dealloc", "str").map(({ address }) => address);
    expect(dead).toHaveLength(1);
    expect(born).toContain(dead[0]);
  });
});

describe("07-constants.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("07-constants");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("a call that returns a constant makes nothing: LOAD_CONST adds a reference", () => {
    expect(eventsOf(the, "calls-before", "calls", "new", "float")).toEqual([]);
    const loads = countChanges(the, "calls-before", "calls", "float").filter(({ opcode }) => opcode === "LOAD_CONST");
    expect(loads).toHaveLength(2);
    expect(new Set(loads.map(({ address }) => address)).size).toBe(1);
  });

  it("a tuple of constants is not made at run time, a list is", () => {
    expect(eventsOf(the, "tuple-before", "tuple", "new", "tuple")).toEqual([]);
    expect(eventsOf(the, "list-before", "list", "new", "list")).toHaveLength(1);
    expect(eventsOf(the, "folded-before", "folded", "new", "int")).toEqual([]);
  });

  it("a constant survives its name, and the function too: the module's code has the function's code for a constant", () => {
    expect(eventsOf(the, "doomed-before", "doomed-name-gone", "dealloc", "float")).toEqual([]);
    expect(eventsOf(the, "doomed-name-gone", "doomed-gone", "dealloc", "function")).toHaveLength(1);
    expect(eventsOf(the, "doomed-name-gone", "doomed-gone", "dealloc", "code")).toEqual([]);
    expect(eventsOf(the, "doomed-name-gone", "doomed-gone", "dealloc", "float")).toEqual([]);
  });

  it("a constant dies with a code object that only the function keeps", () => {
    expect(eventsOf(the, "loose-before", "loose-name-gone", "dealloc", "float")).toEqual([]);
    expect(eventsOf(the, "loose-name-gone", "loose-gone", "dealloc", "code")).toHaveLength(1);
    expect(eventsOf(the, "loose-name-gone", "loose-gone", "dealloc", "float")).toHaveLength(1);
  });
});

describe("07-borrowed.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("07-borrowed");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("looking at a local variable, passing it on and asking for its count writes nothing into the object", () => {
    const { address } = seen(the, "looked-before", "Thing");
    expect(ledgerOf(the, "looked-before", "called", address)).toBe("");
    expect(countAt(the, "inside", "Thing")).toBe(1);
  });

  it("where the variable is bound anew meanwhile, the load counts", () => {
    const { address } = seen(the, "kept-before", "Thing");
    expect(ledgerOf(the, "kept-before", "kept", address)).toBe("+1 LOAD_FAST, -1 STORE_FAST");
  });

  it("at the level of the module every use counts", () => {
    const { address } = seen(the, "module-before", "Thing");
    expect(ledgerOf(the, "module-before", "module", address)).toBe("+1 LOAD_NAME, -1 LOAD_ATTR");
  });
});

describe("07-temporaries.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("07-temporaries");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("five objects are born in the chain, four of them die in it", () => {
    expect(eventsOf(the, "chain-before", "chain", "new", "Temporary")).toHaveLength(5);
    expect(eventsOf(the, "chain-before", "chain", "dealloc", "Temporary")).toHaveLength(4);
  });

  it("x * y + z: the product does not outlive the line", () => {
    expect(eventsOf(the, "floats-before", "floats", "new", "float")).toHaveLength(2);
    expect(eventsOf(the, "floats-before", "floats", "dealloc", "float")).toHaveLength(1);
  });

  it("a method called at once is no object; one that is kept is", () => {
    expect(eventsOf(the, "method-before", "method", "new", "method")).toEqual([]);
    expect(eventsOf(the, "method", "method-kept", "new", "method")).toHaveLength(1);
  });

  it("a specialised attribute load no longer counts the tuple of the bases", () => {
    // Strings are left out: one of them may be a name that the cache of type attributes lets go, which depends on addresses.
    const round = (n: number) =>
      between(the, `round[${n}]`, `round[${n + 1}]`)
        .filter(({ opcode, type }) => opcode === "LOAD_ATTR" && type !== "str")
        .map(({ kind, type }) => `${kind} ${type}`);
    expect(round(1)).toEqual(["incref tuple", "decref tuple", "decref type"]);
    expect(round(10)).toEqual(["decref type"]);
  });
});
