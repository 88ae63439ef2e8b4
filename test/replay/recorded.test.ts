/**
 * Replay of a real recording: what `sys.getrefcount` printed while the program ran is the replayed count at that mark, the program's own
 * numbers are the replayed ones, and audits taken on the way hold.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  BEFORE_TRACE,
  callStack,
  compareTimes,
  eachEventOf,
  eventNumber,
  historyOf,
  listObjects,
  openReplay,
  originOf,
  type Replay,
  resolveObject,
  resolveTime,
  survey,
} from "../../src/index.js";

const program = `import sys
from refledger import mark

class Probe:
    pass

class Child:
    pass

def hold(number, owner):
    owner.append(number)
    return number

def build():
    probe = Probe()
    probe.child = Child()
    return probe

probe = build()
shelf = []
mark("alone")
print("alone", sys.getrefcount(probe))
for turn in range(5):
    hold(probe, shelf)
mark("held")
print("held", sys.getrefcount(probe))
del shelf[1:]
mark("released")
print("released", sys.getrefcount(probe))
others = [Probe() for _ in range(7)]
mark("many")
shelf.clear()
doomed = probe
del probe
mark("before")
del doomed
mark("after")
others.clear()

import weakref

class Watched:
    pass

def noisy(reference):
    return [[] for _ in range(20)]

watched = Watched()
watched.rows = [[], []]
reference = weakref.ref(watched, noisy)
mark("watched")
del watched

def produces(n):
    for i in range(n):
        yield Child()

async def finishes(n):
    await waits(n)
    return n

async def waits(n):
    return [n]

for turn in range(3):
    for one in produces(4):
        pass
for turn in range(2):
    try:
        finishes(turn).send(None)
    except StopIteration:
        pass
`;

let folder: string;
let replay: Replay;
let printed = "";
const lineOf = (text: string): number => program.split("\n").findIndex((line) => line.includes(text)) + 1;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "refledger-recorded-"));
  const script = join(folder, "probe.py");
  writeFileSync(script, program);
  const out = join(folder, "probe.trace.db");
  const { execFileSync } = await import("node:child_process");
  const run = join(folder, "run.mjs");
  const recorder = new URL("../../dist/record/record.js", import.meta.url).href;
  writeFileSync(
    run,
    `import { record } from ${JSON.stringify(recorder)};
const result = await record({ program: { kind: "script", target: ${JSON.stringify(script)}, args: [] }, out: ${JSON.stringify(out)},
  cwd: ${JSON.stringify(folder)}, env: {}, auditEvery: 0.01, version: "test" });
process.exitCode = result.exitCode === 0 && result.complete ? 0 : 1;
`,
  );
  printed = execFileSync(process.execPath, [run], { encoding: "utf8" });
  replay = openReplay(out, { spacing: 50_000 });
});
afterAll(() => {
  replay?.close();
  rmSync(folder, { recursive: true, force: true });
});

const countAt = (mark: string): number => {
  replay.seek(resolveTime(replay, `mark:${mark}`));
  return listObjects(replay, { type: "Probe" }, "age")[0]!.count;
};

describe("a recorded program", () => {
  it("had the very counts that sys.getrefcount printed, one more each for its own argument", () => {
    const told = Object.fromEntries(
      printed
        .trim()
        .split("\n")
        .map((line) => line.split(" ") as [string, string]),
    );
    // CPython's documentation: "generally one higher than you might expect, because it includes the (temporary) reference as an
    // argument to getrefcount()". At module level the argument is loaded with LOAD_NAME, which makes that reference.
    const offset = 1;
    expect(Number(told["alone"])).toBe(countAt("alone") + offset);
    expect(countAt("alone")).toBe(1);
    for (const mark of ["held", "released"]) expect(countAt(mark) + offset).toBe(Number(told[mark]));
    expect(countAt("held")).toBe(6);
    expect(countAt("released")).toBe(2);
  });

  it("knows where and by which calls an object was made", () => {
    replay.seek(resolveTime(replay, "mark:alone"));
    const [probe] = listObjects(replay, { type: "Probe" }, "age");
    const frames = callStack(replay, probe!.stack, probe!.location);
    expect(frames.map((frame) => [frame.function, frame.line])).toEqual([
      ["build", lineOf("probe = Probe()")],
      ["<module>", lineOf("probe = build()")],
    ]);
    expect(frames[0]!.source).toBe("probe = Probe()");
  });

  it("survey: what was there at a mark, by type and place", () => {
    replay.seek(resolveTime(replay, "mark:many"));
    const { types, stack } = survey(replay);
    const row = types.find(({ type }) => type === "Probe")!;
    expect(row.count).toBe(8);
    expect(row.places.map(({ line, count }) => [line, count]).sort()).toEqual(
      [
        [lineOf("probe = Probe()"), 1],
        [lineOf("others = ["), 7],
      ].sort(),
    );
    expect(stack[0]).toMatchObject({ function: "<module>", line: lineOf('mark("many")') });
  });

  it("diff: what was born and what died between two marks", () => {
    const of = (from: string, to: string) =>
      compareTimes(replay, resolveTime(replay, `mark:${from}`), resolveTime(replay, `mark:${to}`), { type: "Probe" });
    expect(of("released", "many").total).toMatchObject({ born: 7, died: 0, survived: 1 });
    expect(of("before", "after").total).toMatchObject({ born: 0, died: 1, survived: 7 });
    expect(() => of("after", "before")).toThrow(/swap the two times/);
  });

  it("history: the ledger balances, and says who dropped the last reference and what fell with it", () => {
    replay.seek(resolveTime(replay, "mark:alone"));
    const id = resolveObject(replay, "Probe");
    const all = historyOf(replay, id, { all: true });
    let balance = 0;
    for (const row of all.rows) {
      balance += row.delta;
      expect(row.balance).toBe(balance);
    }
    expect(balance).toBe(0);
    expect(all.changes).toBe(all.rows.filter(({ kind }) => ["incref", "decref", "setref"].includes(kind)).length);
    const folded = historyOf(replay, id);
    expect(folded.rows.length).toBeLessThan(all.rows.length);
    expect(folded.rows.reduce((n, row) => n + (row.pairs > 0 ? 2 * row.pairs : 1), 0)).toBe(all.rows.length);
    expect(folded.death!.lastDecref).toMatchObject({ line: lineOf("del doomed"), delta: -1, balance: 0 });
    expect(folded.death!.cascade.types.find(({ type }) => type === "Child")).toMatchObject({ count: 1 });
    expect(folded.open).toEqual([]);
  });

  it("history: what is open at the end is as many as the count says, at the lines that made it", () => {
    replay.seek(resolveTime(replay, "end"));
    const shelf = listObjects(replay, {}, "age").find(({ count, birth }) => birth !== BEFORE_TRACE && count === 1)!;
    const { open, openElsewhere, count } = historyOf(replay, shelf.id);
    expect(open.length + openElsewhere).toBe(count);
  });

  it("finds as many changes of an object through the index as folding counted", () => {
    replay.seek(replay.end);
    const objects = replay.liveObjects();
    const some = objects.filter((_, i) => i % 150 === 0).map(({ id, changes }) => ({ id, changes }));
    expect(some.length).toBeGreaterThan(100);
    for (const { id, changes } of some) {
      const events = [...eachEventOf(replay, originOf(replay, id))].filter(({ what }) => what === "count");
      expect(events.length).toBe(changes);
    }
  });

  it("names lines and calls by their turn", () => {
    const turns = Array.from({ length: 5 }, (_, i) => resolveTime(replay, `call:hold[${i + 1}]`));
    expect([...turns].sort((x, y) => x - y)).toEqual(turns);
    expect(() => resolveTime(replay, "call:hold")).toThrow(/occurs 5 times.*call:hold\[1\] to call:hold\[5\]/);
    expect(resolveTime(replay, "call:hold[-1]")).toBe(turns[4]);
    const lines = Array.from({ length: 5 }, (_, i) =>
      resolveTime(replay, `line:probe.py:${lineOf("owner.append")}[${i + 1}]`),
    );
    lines.forEach((line, i) => {
      expect(line).toBeGreaterThanOrEqual(turns[i]!);
      expect(line).toBeLessThan(turns[i + 1] ?? Number.POSITIVE_INFINITY);
      replay.seek(eventNumber(turns[i]!));
      expect(callStack(replay, replay.heap.frame, 0).length).toBeGreaterThan(1);
    });
    expect(() => resolveTime(replay, "call:hodl")).toThrow(/no function has that name/);
    expect(() => resolveTime(replay, "call:hol")).toThrow(/similar are: hold/);
  });

  it("does not count what a callback made and dropped among what died with an object", () => {
    replay.seek(resolveTime(replay, "mark:watched"));
    const { death } = historyOf(replay, resolveObject(replay, "Watched"));
    expect(death!.cascade).toMatchObject({ objects: 3, types: [{ type: "list", count: 3 }] });
  });

  it("counts the call of a generator or coroutine once, however often it goes on", () => {
    expect(() => resolveTime(replay, "call:produces")).toThrow(
      /occurs 3 times.*call:produces\[1\] to call:produces\[3\]/,
    );
    expect(() => resolveTime(replay, "call:finishes")).toThrow(/occurs 2 times/);
    replay.seek(resolveTime(replay, "call:produces[2]"));
    expect(survey(replay).stack).toMatchObject([
      { function: "produces" },
      { function: "<module>", line: lineOf("in produces") },
    ]);
  });

  it("is at every audit what the interpreter's memory said", () => {
    const audits = replay.reader.audits();
    expect(audits.length).toBeGreaterThan(0);
    for (const { id, event } of audits) {
      const { objects } = replay.reader.audit(id);
      const heap = replay.seek(eventNumber(event));
      let checked = 0;
      objects.address.forEach((address, i) => {
        const object = heap.objectAt(address);
        if (objects.reached[i] === 0 && !object?.alive) return;
        expect(object).toMatchObject({ alive: true, count: objects.count[i], type: objects.type[i] });
        checked++;
      });
      expect(checked).toBeGreaterThan(10_000);
    }
  });
});
