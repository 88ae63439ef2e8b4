/**
 * `explain` against truth from outside: what `sys.getrefcount` says after each statement of thirty small programs, and the ledger of each
 * object as the replay gives it. The programs follow the subjects of CPython's tutorial and library documentation; they run in
 * groups, so that the interpreter need not start for each.
 */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Change, type Explanation, explain, type History, historyOf, openReplay } from "../../dist/index.js";
import { Kind } from "../../src/trace/events.js";
import { cache, refledger, unrecorded } from "../support/recording.js";

const folder = join(import.meta.dirname, "programs");
const GROUPS = 4;
const IMMORTAL = 2 ** 28;

interface Group {
  readonly path: string;
  readonly trace: string;
  readonly names: readonly string[];
  /** After which line: counts by variable, from sys.getrefcount. */
  probes: [number, Record<string, number>][];
  explanation: Explanation;
  /** Names in the module and the objects that they had, by event. */
  globals: Map<number, Map<string, number>>;
}

let directory: string;
const groups: Group[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "refledger-explain-"));
  copyFileSync(join(import.meta.dirname, "probe_support.py"), join(directory, "probe_support.py"));
  const files = readdirSync(folder).filter((name) => name.endsWith(".py"));
  for (let g = 0; g < GROUPS; g++) {
    const mine = files.filter((_, i) => i % GROUPS === g);
    const path = join(directory, `group-${g}.py`);
    writeFileSync(path, mine.map((name) => readFileSync(join(folder, name), "utf8")).join("\n"));
    const trace = join(directory, `group-${g}.trace.db`);
    const recorded = await refledger(["record", "--quiet", "--no-graphs", "--out", trace, path]);
    expect(recorded.code, recorded.err).toBe(0);
    const probes = await askedOf(path);
    const replay = openReplay(trace);
    try {
      const { explanation, moments } = await explain(trace, replay, { first: 1000, cache });
      const globals = new Map(
        moments.map(({ event, globals: found }) => [event, new Map(found.map((v) => [v.name, v.address]))]),
      );
      groups.push({ path, trace, names: mine.map((name) => basename(name, ".py")), probes, explanation, globals });
    } finally {
      replay.close();
    }
  }
}, 400_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The same program as a script with a question after each statement of the module. */
async function askedOf(path: string): Promise<[number, Record<string, number>][]> {
  const found = await unrecorded([join(import.meta.dirname, "statements.py"), path]);
  expect(found.code, found.err).toBe(0);
  const ends = new Set(found.out.trim().split("\n").map(Number));
  const lines = readFileSync(path, "utf8").split("\n");
  const questioned = lines.flatMap((line, i) => (ends.has(i + 1) ? [line, `__probe(${i + 1}, globals())`] : [line]));
  const variant = path.replace(/\.py$/, "-asked.py");
  writeFileSync(variant, ["from probe_support import probe as __probe", ...questioned].join("\n"));
  const asked = await unrecorded([variant]);
  expect(asked.code, asked.err).toBe(0);
  return asked.err
    .split("\n")
    .filter((line) => line.startsWith("@ "))
    .map((line) => {
      const [, number, ...counts] = line.split(" ") as string[];
      return [Number(number), Object.fromEntries(counts.map((one) => [one.split("=")[0]!, Number(one.split("=")[1])]))];
    });
}

/** First event of the module's own code in these lines, if any. */
function firstEvent({ explanation }: Group, from: number, to: number): number | undefined {
  const events = explanation.lines
    .filter(({ line }) => line >= from && line <= to)
    .flatMap(({ shown }) => shown.filter((round) => round.function === "<module>").map(({ first }) => first));
  return events.length === 0 ? undefined : Math.min(...events);
}

/** Changes of each object in order; without those that had too many to be listed. */
function timelines({ lines }: Explanation): Map<number, Change[]> {
  const cut = new Set<number>();
  const all = new Map<number, Change[]>();
  for (const { shown } of lines)
    for (const { objects } of shown)
      for (const { object, changes, leftOut } of objects) {
        if (leftOut > 0) cut.add(object);
        all.set(object, [...(all.get(object) ?? []), ...changes.filter(({ delta }) => delta !== 0)]);
      }
  for (const object of cut) all.delete(object);
  expect(cut.size).toBeLessThan(8);
  for (const changes of all.values()) changes.sort((a, b) => a.event - b.event);
  return all;
}

describe("explain of thirty small programs", () => {
  it("has them all", () => {
    expect(groups.flatMap(({ names }) => names).length).toBeGreaterThanOrEqual(30);
  });

  it("gives the counts that sys.getrefcount gives after each statement", () => {
    const wrong: string[] = [];
    let compared = 0;
    for (const group of groups) {
      const changes = timelines(group.explanation);
      const ends = group.probes.map(([line]) => line);
      group.probes.forEach(([line, counts], i) => {
        const later = ends.slice(i + 1);
        let at: number | undefined;
        for (let k = 0; at === undefined && k < later.length; k++)
          at = firstEvent(group, (k === 0 ? line : later[k - 1]!) + 1, later[k]!);
        if (at === undefined) return;
        const globals = group.globals.get(at);
        expect(globals, `a moment at event ${at}`).toBeDefined();
        for (const [name, truth] of Object.entries(counts)) {
          const address = globals!.get(name);
          const object = group.explanation.objects.findLast(
            (one) =>
              one.address === address &&
              (one.born === null || one.born.event < at!) &&
              !(one.death && one.death.event < at!),
          );
          const before = changes.get(object?.object ?? -1)?.findLast(({ event }) => event < at!);
          if (truth >= IMMORTAL) {
            if (before && before.after !== null)
              wrong.push(`${group.path}:${line} ${name} is immortal, not ${before.after}`);
            continue;
          }
          compared++;
          if (before?.after !== truth)
            wrong.push(`${basename(group.path)}:${line} ${name} ${object?.type}: ${truth}, not ${before?.after}`);
        }
      });
    }
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(1000);
  });

  it("says nothing that the ledgers do not have, and leaves nothing out", () => {
    for (const { trace, explanation } of groups) {
      const replay = openReplay(trace);
      try {
        const rounds = explanation.lines.flatMap(({ shown }) => shown);
        const all = timelines(explanation);
        for (const { object } of explanation.objects) {
          if (!all.has(object)) continue;
          const ledger: History = historyOf(replay, object, { all: true });
          const rows = new Map(ledger.rows.map((row) => [row.time.event, row]));
          const said = all.get(object) ?? [];
          for (const { event, delta, after, by } of said) {
            const row = rows.get(event);
            expect(row, `#${object} at ${event}`).toBeDefined();
            expect(by === "birth" ? 1 : row!.delta).toBe(delta);
            expect(row!.balance).toBe(after);
          }
          const counted = said.filter(({ by }) => by !== "birth");
          const inside = ledger.rows.filter(
            ({ kind, time }) =>
              (kind === "incref" || kind === "decref" || kind === "setref") &&
              rounds.some(({ first, last }) => time.event >= first && time.event <= last),
          );
          expect(counted.length, `changes of #${object}`).toBe(inside.length);
        }
        for (const { objects } of rounds)
          for (const one of objects) {
            const born = one.changes.some(({ by }) => by === "birth") ? 1 : 0;
            if (one.before === null || one.after === null) continue;
            expect(one.before + born + one.plus - one.minus + one.elsewhere).toBe(one.after);
          }
      } finally {
        replay.close();
      }
    }
  });

  it("names as bound what the module's dictionary has, right after", () => {
    let checked = 0;
    for (const { explanation, globals } of groups) {
      const events = [...globals.keys()].sort((a, b) => a - b);
      const address = new Map(explanation.objects.map((one) => [one.object, one.address]));
      for (const { shown } of explanation.lines)
        for (const round of shown) {
          if (round.function !== "<module>") continue;
          const after = globals.get(events.find((event) => event > round.last) ?? -1);
          if (!after || !events.includes(round.last + 1)) continue;
          for (const { object, changes } of round.objects) {
            const bound = changes.flatMap(({ text }) => /^bound to `(\w+)`$/.exec(text)?.[1] ?? []);
            for (const name of bound) {
              const anew = changes.some(
                ({ text }) => text === `\`${name}\` is bound anew` || text === `del \`${name}\``,
              );
              const others = round.objects.some(
                (other) => other.object !== object && other.changes.some(({ text }) => text === `bound to \`${name}\``),
              );
              if (anew || others) continue;
              expect(after.get(name), `\`${name}\` after line ${round.first}`).toBe(address.get(object));
              checked++;
            }
          }
        }
    }
    expect(checked).toBeGreaterThan(100);
  });
});

describe("explain --all", () => {
  const source = `class Thing:
    pass
for n in range(3):
    [object(), Thing(), (n, [])]
box = [Thing(), [Thing()]]
box.clear()
`;

  it("has every object of the rounds that are shown, by the ledger; without it, those that variables name", async () => {
    const path = join(directory, "unnamed.py");
    writeFileSync(path, source);
    const trace = join(directory, "unnamed.trace.db");
    const recorded = await refledger(["record", "--quiet", "--no-graphs", "--out", trace, path]);
    expect(recorded.code, recorded.err).toBe(0);
    const told = async (...options: string[]): Promise<Explanation> => {
      const { code, out, err } = await refledger(["explain", trace, "--json", ...options]);
      expect(code, err).toBe(0);
      return JSON.parse(out) as Explanation;
    };
    const all = await told("--all", "--rounds", "10");
    const named = await told("--rounds", "10");
    expect(named.objects.every(({ names }) => names.length > 0)).toBe(true);
    expect(all.leftOut).toBe(0);
    const ids = new Set(all.objects.map(({ object }) => object));
    expect(named.objects.filter(({ object }) => !ids.has(object))).toEqual([]);

    const replay = openReplay(trace);
    try {
      // Births on a line, from the events: each is an object of its own in the explanation.
      const borns = all.lines.map(({ line, shown }) => {
        const found = [];
        for (const { first, last } of line === 4 || line === 5 ? shown : [])
          for (const { columns, first: from, last: to } of replay.range(first, last + 1))
            for (let row = from; row < to; row++) if (columns.kind[row] === Kind.new) found.push(columns.first + row);
        return { line, found };
      });
      const events = borns.flatMap(({ found }) => found);
      const told = new Set(all.objects.map(({ born }) => born?.event));
      // Four of each of three rounds (the empty list within the tuple is one), and four in the box.
      expect(events.length).toBeGreaterThanOrEqual(3 * 5 + 4);
      expect(events.filter((event) => !told.has(event))).toEqual([]);
      for (const { object, death, born } of all.objects) {
        const { rows } = historyOf(replay, object, { all: true });
        expect(death?.event ?? null).toBe(rows.findLast(({ kind }) => kind === "dealloc")?.time.event ?? null);
        if (born) expect(rows[0]!.time.event).toBe(born.event);
      }
    } finally {
      replay.close();
    }
    // Emptied: both things and the inner list are freed on line 6.
    const inBox = all.objects.filter(({ born, death }) => born?.line === 5 && death?.line === 6);
    const freed = inBox.map(({ type }) => type);
    expect(freed.sort()).toEqual(["Thing", "Thing", "list"]);
  });
});
