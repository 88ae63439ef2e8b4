/**
 * Chapters 1 to 3 of the course against the recorded events: what each statement did to the count of the object that it is about, instruction by
 * instruction. A line such as `+1 LOAD_NAME, +1 STORE_NAME, -1 STORE_NAME` is everything that happened to that object between two marks.
 */
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
} from "../support/lesson.js";

const { take, close } = course();
afterAll(close);

describe("01-count-up.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("01-count-up");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("an object is born with a count of 1, and a name takes that reference over", () => {
    const { address } = seen(the, "bound", "Thing");
    // The dict of the module's names makes a reference of its own, and the one on the stack of values is given back.
    expect(ledgerOf(the, "before", "bound", address)).toBe("new CALL, +1 STORE_NAME, -1 STORE_NAME");
    expect(countAt(the, "bound", "Thing")).toBe(1);
  });

  // Each step: its marks are NAME-before and NAME. `+1 LOAD_NAME` is the reference of the stack of values; what stands after it is how the
  // new owner gets its own, and nothing stands there where the owner simply keeps the one of the stack.
  const steps: [step: string, ledger: string, after: number][] = [
    ["name", "+1 LOAD_NAME, +1 STORE_NAME, -1 STORE_NAME", 2],
    ["call", "+1 LOAD_NAME, -1 CALL", 2],
    ["list", "+1 LOAD_NAME", 3],
    ["append", "+1 LOAD_NAME, +1 CALL, -1 CALL", 4],
    ["tuple", "+1 LOAD_NAME, +1 LOAD_NAME", 6],
    ["value", "+1 LOAD_NAME, +1 BUILD_MAP, -1 BUILD_MAP", 7],
    ["key", "+1 LOAD_NAME, +1 STORE_SUBSCR, -1 STORE_SUBSCR", 8],
    ["set", "+1 LOAD_NAME", 9],
    ["attribute", "+1 LOAD_NAME, +1 STORE_ATTR, -1 STORE_ATTR", 10],
    ["cell", "+1 LOAD_NAME, +1 MAKE_CELL, -1 MAKE_CELL", 11],
    ["weak", "+1 LOAD_NAME, +1 CALL, -1 CALL, -1 CALL", 11],
  ];
  for (const [step, ledger, after] of steps) {
    it(`${step}: ${ledger}`, () => {
      const { address } = seen(the, "bound", "Thing");
      expect(ledgerOf(the, `${step}-before`, step, address)).toBe(ledger);
      expect(countAt(the, step, "Thing[1]")).toBe(after);
    });
  }

  it("a call from the module adds one while it runs, a call from a function none", () => {
    expect(countAt(the, "inside[1]", "Thing")).toBe(3);
    expect(countAt(the, "inside[2]", "Thing[2]")).toBe(1);
    const local = seen(the, "borrow-before", "Thing[2]");
    expect(ledgerOf(the, "borrow-before", "inside[2]", local.address)).toBe("");
  });
});

describe("02-count-down.py", () => {
  let the: Lesson;
  let address: number;
  beforeAll(async () => {
    the = await take("02-count-down");
    address = seen(the, "start", "Thing").address;
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  const steps: [step: string, before: number, ledger: string, after: number][] = [
    // LOAD_GLOBAL's reference becomes that of the local name; the frame gives it back when it is cleared.
    ["scope", 1, "+1 LOAD_GLOBAL, -1 CALL", 1],
    ["del", 2, "-1 DELETE_NAME", 1],
    ["rebind", 2, "-1 STORE_NAME", 1],
    // `remove` has to look at the element to compare it: one reference while it does.
    ["remove", 7, "+1 LOAD_NAME, +1 CALL, -1 CALL, -1 CALL, -1 CALL", 6],
    ["pop", 6, "-1 POP_TOP", 5],
    ["slice", 5, "-1 DELETE_SUBSCR, -1 DELETE_SUBSCR", 3],
    ["clear", 3, "-1 CALL, -1 CALL", 1],
    ["container", 3, "-1 DELETE_NAME, -1 DELETE_NAME", 1],
  ];
  for (const [step, before, ledger, after] of steps) {
    it(`${step}: ${before} → ${after} by ${ledger}`, () => {
      expect(countAt(the, `${step}-before`, "Thing")).toBe(before);
      expect(ledgerOf(the, `${step}-before`, step, address)).toBe(ledger);
      expect(countAt(the, step, "Thing")).toBe(after);
    });
  }

  it("a local name counts while its function runs", () => {
    expect(countAt(the, "scope-inside", "Thing")).toBe(2);
    expect(countAt(the, "nested-inside", "Thing")).toBe(3);
    expect(countAt(the, "nested", "Thing")).toBe(1);
  });

  it("the last reference frees it in the very statement", () => {
    const dead = eventsOf(the, "last-before", "last", "dealloc", "Thing");
    expect(dead.map(({ address: at, opcode }) => ({ at, opcode }))).toEqual([{ at: address, opcode: "DELETE_NAME" }]);
    expect(between(the, "last-before", "last").filter(({ kind }) => kind === "collect-start")).toEqual([]);
  });

  it("one del frees ten parts, their lists and their dicts, without a collection", () => {
    const parts = eventsOf(the, "cascade-before", "cascade", "dealloc", "Part");
    expect(parts).toHaveLength(10);
    expect(new Set(parts.map(({ opcode }) => opcode))).toEqual(new Set(["DELETE_NAME"]));
    expect(eventsOf(the, "cascade-before", "cascade", "dealloc", "list")).toHaveLength(4);
    expect(between(the, "cascade-before", "cascade").filter(({ kind }) => kind === "collect-start")).toEqual([]);
  });
});

describe("03-at-zero.py", () => {
  let the: Lesson;
  beforeAll(async () => {
    the = await take("03-at-zero");
  });
  it("holds its own assertions and prints what traces/expected has", () => expectAsExpected(the));

  it("frees the object and its block in the statement that drops it", () => {
    const { address } = seen(the, "at-once-before", "Plain");
    const [dealloc] = eventsOf(the, "at-once-before", "at-once", "dealloc", "Plain");
    expect(dealloc).toMatchObject({ address, opcode: "DELETE_NAME" });
    const free = eventsOf(the, "at-once-before", "at-once", "free").find(
      (event) => event.event > dealloc!.event && address - event.address! <= 16 && address >= event.address!,
    );
    expect(free).toMatchObject({ opcode: "DELETE_NAME" });
  });

  it("calls the finalizer, then the weak reference's callback, then frees the cargo, then the memory", () => {
    const ship = seen(the, "order-before", "Ship");
    const cargo = seen(the, "order-before", "Cargo");
    const order: string[] = [];
    for (const event of between(the, "order-before", "order")) {
      if (event.kind === "call") order.push(String(event.operands["code"]));
      else if (event.kind === "dealloc" && event.address === ship.address) order.push("dealloc Ship");
      else if (event.kind === "dealloc" && event.address === cargo.address) order.push("dealloc Cargo");
      else if (event.kind === "free" && event.address === ship.address - 16) order.push("free Ship");
    }
    expect(order).toEqual(["dealloc Ship", "Ship.__del__", "<lambda>", "dealloc Cargo", "Cargo.__del__", "free Ship"]);
  });

  it("a count of 1 while the finalizer runs is a resurrection that is taken back or kept", () => {
    const { address } = seen(the, "rises", "Phoenix");
    const events = between(the, "rises", "risen").filter((event) => event.address === address);
    expect(events.map(({ kind }) => kind)).toContain("resurrect");
    expect(eventsOf(the, "rises", "risen", "free").map((event) => event.address)).not.toContain(address - 16);
    expect(seen(the, "risen", "Phoenix")).toMatchObject({ address, count: 1 });
  });

  it("runs no finalizer the second time, and frees the object", () => {
    const { address } = seen(the, "second-death-before", "Phoenix");
    expect(eventsOf(the, "second-death-before", "second-death", "call")).toEqual([]);
    const dead = eventsOf(the, "second-death-before", "second-death", "dealloc", "Phoenix");
    expect(dead).toMatchObject([{ address }]);
  });

  it("an exception in a finalizer does not keep the object", () => {
    const { address } = seen(the, "grumpy-before", "Grumpy");
    expect(eventsOf(the, "grumpy-before", "grumpy", "dealloc", "Grumpy")).toMatchObject([{ address }]);
  });
});
