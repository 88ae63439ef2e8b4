/**
 * Garbage at an instant, against the collector itself: at random instants of several programs, a full collection is forced in the past
 * that was entered again, once to save what it finds (`gc.DEBUG_SAVEALL`) and once to free it; what `Past.garbage` predicted from memory
 * must be the same objects, in both. REFLEDGER_INSTANTS says how many instants of each program; the seed is printed by a failing test.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CyclesAnswer, eventNumber, type GarbageNow, Past } from "../../dist/index.js";
import { cache, refledger } from "../support/recording.js";
import { seed } from "../support/seed.js";

const programs = join(import.meta.dirname, "cycle-programs");
const others = resolve(import.meta.dirname, "../programs");
const instants = Number(process.env["REFLEDGER_INSTANTS"] ?? 4);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "refledger-garbage-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function recorded(file: string): Promise<string> {
  const trace = join(folder, `${file.slice(file.lastIndexOf("/") + 1)}.trace.db`);
  const { err } = await refledger(["record", "--out", trace, file]);
  if (!err.includes("recorded")) throw new Error(err);
  return trace;
}

/** Runs a full collection that frees nothing, and gives the addresses of what it would have cleared. */
const SAVED = `(lambda gc: [gc.enable(), gc.set_debug(gc.DEBUG_SAVEALL), n := len(gc.garbage), gc.collect()]
 and list(map(id, gc.garbage[n:])))(__import__("gc"))`.replace("\n", " ");

const sorted = (addresses: Iterable<number>): number[] => [...addresses].sort((x, y) => x - y);

describe("what a full collection would free", () => {
  it.each([
    join(programs, "churn.py"),
    join(programs, "shapes.py"),
    join(programs, "cached-names.py"),
    join(others, "generators.py"),
    join(others, "weak-references.py"),
  ])("is what it does free, at random instants of %s", async (file) => {
    const trace = await recorded(file);
    const past = await Past.enter(trace, { cache });
    try {
      let state = seed;
      const random = (): number => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return state / 2 ** 32;
      };
      const times = sorted(Array.from({ length: instants }, () => Math.floor(random() * past.events)));
      for (const time of times) {
        await past.goTo(eventNumber(time));
        const garbage = await past.garbage("safe point", true);
        const saved = await past.evaluate(SAVED, { module: "builtins" });
        const what = { seed, time, event: garbage.event };
        expect({ ...what, event: saved.event, ok: saved.ok }).toEqual({ ...what, ok: true });
        const savedOnes = new Set(JSON.parse(saved.text) as number[]);
        const freed = new Set(garbage.freed!);
        const found = garbage.objects.filter(({ tracked, uncollectable }) => tracked && !uncollectable);
        const addresses = found.map(({ address }) => address);
        // What a finalizer lets go (a generator that is closed, its frame's variables) dies before the rest is saved.
        const ran = found.some(({ finalizer }) => finalizer);
        const expected = ran ? addresses.filter((one) => savedOnes.has(one) || !freed.has(one)) : addresses;
        expect({ ...what, addresses: sorted(expected) }).toEqual({ ...what, addresses: sorted(savedOnes) });
        expect({ ...what, freed: sorted(garbage.objects.map(({ address }) => address)) }).toEqual({
          ...what,
          freed: sorted(garbage.freed!),
        });
      }
    } finally {
      await past.close();
    }
  });
});

describe("refledger cycles --time", () => {
  const program = `import gc, weakref
from refledger import mark
class Node:
    pass
class Lazarus:
    def __del__(self):
        saved.append(self)
class Last:
    def __del__(self):
        pass
saved = []
gc.collect()
gc.disable()
def called_back(ref):
    pass
def make():
    a = Node()
    a.me = a
    a.name = "a name " + str(len(refs))
    refs.append(weakref.ref(a, called_back))
    a.own = weakref.ref(a, len)
    b = Last()
    b.me = b
refs = []
for turn in range(3):
    make()
mark("three")
def wait():
    pass
wait()
frozen = Node()
frozen.me = frozen
gc.freeze()
del frozen
mark("frozen")
wait()
gc.unfreeze()
gc.collect()
make()
list(map(gc.collect, (2,)))
back = Lazarus()
back.me = back
del back
mark("back")
wait()
`;
  let trace = "";
  const at = async (time: string): Promise<GarbageNow> => {
    const { out, code, err } = await refledger(["cycles", trace, "--time", time, "--check", "--json"]);
    if (out === "") throw new Error(`${code} ${err}`);
    return JSON.parse(out) as GarbageNow;
  };
  beforeAll(async () => {
    const { writeFileSync } = await import("node:fs");
    const file = join(folder, "now.py");
    writeFileSync(file, program);
    trace = await recorded(file);
  });

  it("tells the objects by cause, the finalizers and the callbacks", async () => {
    const now = await at("mark:three");
    expect(now.unreachable).toBe(9);
    expect(now.callbacks).toEqual([{ callback: "called_back", type: "Node", count: 3 }]);
    expect(now.finalizers).toEqual([{ type: "Last", count: 3 }]);
    expect(now.findings.map(({ type, structures, stillThere }) => [type, structures, stillThere])).toEqual([
      ["Node", 3, 3],
      ["Last", 3, 3],
    ]);
    expect(now.uncollectable).toBe(0);
    expect(now.check).toEqual({ freed: now.objects, missing: 0, extra: 0, event: now.time.event, collection: null });
    expect([now.asked, now.unchecked]).toEqual([now.time, null]);
    const text = await refledger(["cycles", trace, "--time", "mark:three", "--check"]);
    expect(text.code).toBe(0);
    expect(text.out).toContain("a full collection would find 9 containers unreachable");
    expect(text.out).toContain("Would run: called_back(), a callback of 3 weak references to Node");
    expect(text.out).toContain("Would run: the finalizer of 3 objects of type Last");
    expect(text.out).toMatch(/Checked: a collection that was forced there freed exactly these \d+ objects\./);
  });

  it("leaves frozen objects out", async () => {
    const now = await at("mark:frozen");
    expect([now.unreachable, now.objects]).toEqual([0, 0]);
    expect(now.frozen).toBeGreaterThan(1000);
  });

  it("cannot know that a finalizer brings its object back, and the check shows it", async () => {
    const now = await at("mark:back");
    expect(now.finalizers).toEqual([{ type: "Lazarus", count: 1 }]);
    expect(now.unreachable).toBe(1);
    expect(now.check).toMatchObject({ freed: 0, missing: 1, extra: 0 });
    const text = await refledger(["cycles", trace, "--time", "mark:back"]);
    expect(text.code).toBe(0);
    expect(text.out).toContain("A finalizer can bring objects back");
  });

  it("is about the very event, also right before a collection and inside of one", async () => {
    const collections = JSON.parse((await refledger(["cycles", trace, "--no-rerun", "--json"])).out) as CyclesAnswer;
    const rows = collections.collections.filter(({ generation }) => generation === 2);
    expect(rows.length).toBeGreaterThanOrEqual(2);
    for (const { start, collected, freed } of rows) {
      const before = await at(`#${start.event}`);
      expect([before.time.event, before.unreachable, before.objects]).toEqual([start.event, collected, freed]);
    }
    // In the middle of a call that will collect, the program's own collection comes before Python can be asked to force one.
    const last = rows.at(-1)!;
    const late = await at(`#${last.start.event - 1}`);
    expect(late.objects).toBe(last.freed);
    expect(late.check).toEqual({
      freed: last.freed,
      missing: 0,
      extra: 0,
      event: last.start.event,
      collection: last.number,
    });
    const text = await refledger(["cycles", trace, "--time", `#${last.start.event - 1}`, "--check"]);
    expect(text.out).toMatch(
      /^Checked: collection \d+, which the program ran at #[\d,]+, 1 event later, freed exactly these \d+ objects\.$/m,
    );
    const inside = await refledger(["cycles", trace, "--time", `#${last.start.event + 5}`, "--check"]);
    expect(inside.out).toMatch(
      /^Not checked: collection \d+ is under way then, and no other can be forced: choose an earlier time\.$/m,
    );
    expect(inside.code).toBe(1);
  });
});
