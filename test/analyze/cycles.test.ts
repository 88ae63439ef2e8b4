/**
 * `refledger cycles` against what programs say of themselves: every collection as `gc.callbacks` and `gc.get_stats()` count it, every kind of
 * cycle with the lines that its program marks as closing and orphaning it, and the assertion that none is made.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  analyseCycles,
  type CycleFinding,
  type CyclesAnswer,
  type CyclesOptions,
  eventNumber,
  openReplay,
  resolveTime,
} from "../../dist/index.js";
import { keep } from "../../src/trace/answers.js";
import { TraceReader } from "../../src/trace/reader.js";
import { cache, refledger } from "../support/recording.js";

const programs = join(import.meta.dirname, "cycle-programs");
let folder = "";
const printed = new Map<string, string>();
const trace = (name: string): string => join(folder, `${name}.trace.db`);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "refledger-cycles-"));
  for (const name of ["shapes", "every-collection", "clean", "exceptions"]) {
    const { code, out, err } = await refledger(["record", "--out", trace(name), join(programs, `${name}.py`)]);
    if (code !== 0) throw new Error(`${name}: ${err}`);
    printed.set(name, out);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function answerOf(name: string, options: CyclesOptions = {}, since?: string): Promise<CyclesAnswer> {
  const replay = openReplay(trace(name));
  try {
    return await analyseCycles(replay, {
      cache,
      keep: false,
      ...options,
      since: since === undefined ? undefined : resolveTime(replay, since),
    });
  } finally {
    replay.close();
  }
}

/** Lines of a program that carry a comment `word: NAME`, by name. */
function markedLines(name: string, word: string): Map<string, number> {
  const lines = readFileSync(join(programs, `${name}.py`), "utf8").split("\n");
  return new Map(
    lines.flatMap((line, i): [string, number][] => {
      const found = new RegExp(`# ${word}: (\\w+)$`).exec(line);
      return found ? [[found[1]!, i + 1]] : [];
    }),
  );
}

/** The finding whose cycle was made in this function, or is of this class. */
const findingFor = ({ findings }: CyclesAnswer, name: string): CycleFinding | undefined =>
  findings.find(
    ({ recorded, classes }) =>
      recorded && classes.some(({ type, createdAt }) => type === name || createdAt?.function === name),
  );

interface Told {
  told: [generation: number, collected: number, uncollectable: number][];
  stats: { collections: number; collected: number; uncollectable: number }[];
}

function betweenMarks(collections: CyclesAnswer["collections"]): CyclesAnswer["collections"] {
  const replay = openReplay(trace("every-collection"));
  try {
    const begin = resolveTime(replay, "mark:begin");
    const end = resolveTime(replay, "mark:end");
    return collections.filter(({ start }) => start.event >= begin && start.event < end);
  } finally {
    replay.close();
  }
}

describe("collections", () => {
  it("are counted as the collector tells its callbacks, one by one", async () => {
    const { collections } = await answerOf("every-collection", { rerun: false });
    const { told } = JSON.parse(printed.get("every-collection")!) as Told;
    const between = betweenMarks(collections);
    expect(told.length).toBeGreaterThan(20);
    expect(between.map((row) => [row.generation, row.collected, row.uncollectable])).toEqual(told);
    expect(new Set(between.map(({ reason }) => reason))).toEqual(new Set(["manual", "heap"]));
  });

  it("add up to gc.get_stats(), which does not count the steps of the incremental collector that only mark", async () => {
    const { collections } = await answerOf("every-collection", { rerun: false });
    const { stats } = JSON.parse(printed.get("every-collection")!) as Told;
    const between = betweenMarks(collections);
    stats.forEach((expected, generation) => {
      const rows = between.filter((row) => row.generation === generation);
      const sum = (of: "collected" | "uncollectable"): number => rows.reduce((all, row) => all + row[of]!, 0);
      expect(sum("collected")).toBe(expected.collected);
      expect(sum("uncollectable")).toBe(expected.uncollectable);
      if (generation === 1) {
        // gc_collect_increment returns before add_stats when it marks or has no work to do: then it has found nothing.
        expect(rows.length).toBeGreaterThanOrEqual(expected.collections);
        expect(rows.filter(({ collected }) => collected! > 0).length).toBeLessThanOrEqual(expected.collections);
      } else expect(rows.length).toBe(expected.collections);
    });
  });

  it("that ran by themselves had more containers allocated than the threshold", async () => {
    const { collections } = await answerOf("every-collection", { rerun: false });
    const byHeap = collections.filter(({ reason }) => reason === "heap").slice(1);
    expect(byHeap.length).toBeGreaterThan(5);
    expect(Math.min(...byHeap.map(({ allocated }) => allocated!))).toBeGreaterThanOrEqual(41);
    expect(byHeap.filter(({ allocated }) => allocated === 41 || allocated === 2001).length).toBeGreaterThan(
      byHeap.length / 2,
    );
  });

  it("freed at least what they collected, unless they saved it or it came back", async () => {
    const { collections } = await answerOf("every-collection", { rerun: false });
    const short = collections.filter(({ freed, collected }) => freed! < collected!);
    // DEBUG_SAVEALL kept the 8 objects of one collection.
    expect(short.map(({ collected, freed }) => [collected, freed])).toEqual([[8, 0]]);
  });
});

describe("cycles that died or were left", () => {
  let observed: CyclesAnswer;
  let inferred: CyclesAnswer;
  beforeAll(async () => {
    observed = await answerOf("shapes");
    inferred = await answerOf("shapes", { rerun: false });
  });

  it("say of which types their objects are, and how many of them died and how many were left", () => {
    const number = (n: number): string => n.toLocaleString("en-US");
    const mixed = observed.findings.filter(({ types }) => types.length > 1);
    expect(mixed.length).toBeGreaterThan(5);
    for (const { title, objects, structures, stillThere, types, typesInAll } of observed.findings) {
      if (types.length === typesInAll) expect(types.reduce((sum, one) => sum + one.objects, 0)).toBe(objects);
      const [, said, parts] = /\((\d[\d,]*) objects?(?:: (.*?);|,) [\d,]+ bytes\)/.exec(title)!;
      expect(said).toBe(number(objects));
      expect(parts !== undefined).toBe(typesInAll > 1);
      if (parts === undefined) continue;
      const told = parts.split(/, | and /).map((part) => /^([\d,]+) (?:of \d+ other types|(.+))$/.exec(part)!);
      expect(told.reduce((sum, [, n]) => sum + Number(n!.replace(/,/g, "")), 0)).toBe(objects);
      for (const [, n, type] of told)
        if (type !== undefined) expect(types).toContainEqual({ type, objects: Number(n!.replace(/,/g, "")) });
      if (stillThere > 0 && stillThere < structures)
        expect(title).toContain(
          `: ${number(structures - stillThere)} died by the collector, ${number(stillThere)} were still there at the end`,
        );
    }
    expect(observed.findings.some(({ title }) => / died by the collector, \d+ were still/.test(title))).toBe(true);
  });

  it("are found, each kind once, with how many died and how many were left", () => {
    const kinds = [
      ...markedLines("shapes", "closes").keys(),
      "closure",
      "generator.<locals>.numbers",
      "trapped",
      "new_class",
    ];
    expect(kinds.length).toBe(11);
    for (const name of kinds) {
      const { structures, stillThere, collections, isProblem, kind } = findingFor(observed, name) ?? {};
      expect({ name, structures, stillThere, collections, isProblem, kind }).toEqual({
        name,
        structures: 5,
        stillThere: 2,
        collections: 1,
        isProblem: true,
        kind: "cycle",
      });
    }
    expect(observed.findings.filter(({ recorded }) => recorded).length).toBe(kinds.length);
    expect(observed.atEnd.known).toBe(true);
    expect(new Set(observed.findings.map(({ fingerprint }) => fingerprint)).size).toBe(observed.findings.length);
  });

  it("are told apart without running the program again, but for what was left", () => {
    for (const name of [...markedLines("shapes", "closes").keys(), "generator.<locals>.numbers", "trapped"]) {
      const finding = findingFor(inferred, name);
      expect([name, finding?.structures, finding?.stillThere, finding?.example.edgesAre]).toEqual([
        name,
        3,
        0,
        "inferred",
      ]);
    }
    expect(inferred.atEnd.known).toBe(false);
  });

  it.each([
    ["observed", () => observed],
    ["inferred", () => inferred],
  ])("name the line that closed and the line that orphaned them (%s)", (_how, answer) => {
    for (const [name, line] of markedLines("shapes", "closes"))
      expect([name, findingFor(answer(), name)?.example.closed?.place?.line]).toEqual([name, line]);
    for (const [name, line] of markedLines("shapes", "orphans")) {
      const finding = findingFor(answer(), name);
      expect([name, finding?.example.orphaned?.place?.line]).toEqual([name, line]);
      expect(finding!.orphanedAt.map(({ place }) => place?.line)).toEqual([line]);
    }
  });

  it("say what was seen and what was inferred", () => {
    const how = (name: string): unknown[] => {
      const { closed, orphaned, edgesAre } = findingFor(observed, name)!.example;
      return [name, edgesAre, closed?.how, orphaned?.how];
    };
    for (const name of ["Pair", "Selfish", "Slotted", "containers"])
      expect(how(name)).toEqual([name, "observed", "observed", "observed"]);
    expect(findingFor(inferred, "Pair")!.example.closed?.how).toBe("inferred");
  });

  it("have the references that the program made, by name", () => {
    const edges = (name: string): string[] => {
      const { members, edges: all } = findingFor(observed, name)!.example;
      return all
        .filter(({ from, to }) => members[from]!.cycle > 0 && members[to]!.cycle > 0)
        .map(({ from, to, name: label }) => `${members[from]!.type}${label} ${members[to]!.type}`)
        .sort();
    };
    expect(edges("Pair")).toEqual(["Pair.other Pair", "Pair.other Pair"]);
    expect(edges("Selfish")).toEqual(["Selfish.me Selfish"]);
    expect(edges("Slotted")).toEqual(Array(3).fill("Slotted.other Slotted"));
    expect(edges("containers")).toEqual(["dict['rows'] list", "list[0] dict"]);
    expect(edges("Parent")).toEqual([
      ...Array(3).fill("Child.parent Parent"),
      "Parent.children list",
      ...[0, 1, 2].map((i) => `list[${i}] Child`),
    ]);
    expect(edges("trapped")).toEqual([
      "ValueError.__traceback__ traceback",
      "frame.f_locals['kept'] ValueError",
      "traceback.tb_frame frame",
    ]);
  });

  it("were born, closed, orphaned and collected in this order, and lay dead in between", () => {
    for (const { example, deadEvents, recorded, byteSeconds } of observed.findings) {
      if (!recorded) continue;
      const { members, closed, orphaned, collected } = example;
      const births = members.filter(({ cycle }) => cycle > 0).map(({ born }) => born!.event);
      expect(Math.max(...births)).toBeLessThanOrEqual(closed!.time.event);
      expect(closed!.time.event).toBeLessThan(orphaned!.time.event);
      expect(orphaned!.time.event).toBeLessThan(collected!.event);
      expect(deadEvents!.least).toBeLessThanOrEqual(deadEvents!.mean);
      expect(deadEvents!.mean).toBeLessThanOrEqual(deadEvents!.most);
      expect(byteSeconds).toBeGreaterThan(0);
    }
  });

  it("name the line that keeps an exception in a frame of its own traceback", async () => {
    const answer = await answerOf("exceptions", { most: 20 });
    const truth = [...markedLines("exceptions", "closes")];
    expect(truth.length).toBe(11);
    expect(truth.map(([name]) => [name, findingFor(answer, name)?.example.closed?.place?.line])).toEqual(truth);
    for (const { recorded, classes, example } of answer.findings) {
      if (!recorded) continue;
      for (const place of [
        example.closed?.place,
        example.orphaned?.place,
        ...classes.map(({ createdAt }) => createdAt),
      ])
        expect(place?.line).toEqual(expect.any(Number));
    }
  });

  it("say of what was made on two lines that it was made on two", async () => {
    const { classes } = findingFor(await answerOf("exceptions", { most: 20 }), "two_lines")!;
    const lines = readFileSync(join(programs, "exceptions.py"), "utf8").split("\n");
    const line = (comment: string): number => lines.findIndex((text) => text.endsWith(`# ${comment}`)) + 1;
    expect(classes.map(({ type, objects, createdAt }) => [type, objects, createdAt!.line]).sort()).toEqual([
      ["Box", 1, line("first")],
      ["Box", 1, line("second")],
    ]);
  });

  it("all of a collection's objects are in one structure or another", () => {
    const died = observed.findings.reduce((sum, { objects }) => sum + objects, 0);
    const freed = observed.collections.reduce((sum, row) => sum + row.freed!, 0);
    const collected = observed.collections.reduce((sum, row) => sum + row.collected!, 0);
    expect(died).toBeGreaterThanOrEqual(collected);
    expect(died).toBeLessThanOrEqual(freed + observed.atEnd.objects);
  });

  it("are answered from the trace the second time, for the same question only", async () => {
    const replay = openReplay(trace("shapes"));
    try {
      const first = await analyseCycles(replay, { cache, rerun: false });
      let scanned = 0;
      const again = await analyseCycles(replay, { cache, rerun: false, onScan: () => scanned++ });
      expect([scanned, again]).toEqual([0, first]);
      await analyseCycles(replay, { cache, rerun: false, since: eventNumber(1), onScan: () => scanned++ });
      expect(scanned).toBeGreaterThan(0);
    } finally {
      replay.close();
    }
  });
});

describe("an answer that is not what it should be", () => {
  it("is not used: the question is answered anew", async () => {
    const reader = TraceReader.open(trace("clean"));
    const replay = openReplay(trace("clean"));
    try {
      const first = await analyseCycles(replay, { cache, rerun: false });
      for (const wrong of [
        {},
        [],
        { ...first, findings: [{}] },
        { ...first, collections: [null] },
        { ...first, atEnd: 1 },
      ]) {
        expect(keep(reader, "cycles [null,false,6]", "5", wrong)).toBe(true);
        expect(await analyseCycles(replay, { cache, rerun: false })).toEqual(first);
      }
    } finally {
      replay.close();
      reader.close();
    }
  });
});

describe("the assertion that no cycle is created", () => {
  it("holds for what came after the warming up, and not for all", async () => {
    const all = await refledger(["cycles", trace("clean"), "--assert-none"]);
    expect([all.code, all.err]).toEqual([1, ""]);
    expect(all.out).toContain("1 cycle was created");
    expect(all.out).toContain("Session");
    const since = await refledger(["cycles", trace("clean"), "--assert-none", "--since", "mark:warm"]);
    expect([since.code, since.err]).toEqual([0, ""]);
    expect(since.out).toMatch(/^No cycle was created since /);
    const json = await refledger(["cycles", trace("clean"), "--assert-none", "--since", "mark:warm", "--json"]);
    expect((JSON.parse(json.out) as CyclesAnswer).findings).toEqual([]);
  });

  it("finds cycles that are still garbage at the end", async () => {
    const { code, out } = await refledger(["cycles", trace("shapes"), "--assert-none", "--since", "mark:after"]);
    expect(code).toBe(1);
    expect(out).toContain("22 cycles were created");
    const left = await answerOf("shapes", {}, "mark:left");
    expect(left.findings).toEqual([]);
    expect(left.before).toBeGreaterThanOrEqual(22);
  });
});

describe("the command", () => {
  it("prints collections and causes, and exits 0", async () => {
    const { code, out, err } = await refledger(["cycles", trace("shapes"), "--limit", "20"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^3 collections: /);
    expect(out).toMatch(/Pair\.other → #\d+ Pair/);
    expect(out).toMatch(/closed {5}#[\d,]+ \(\d+\.\d+ s\) {2}#\d+ STORE_ATTR in pairs .*shapes\.py:\d+/);
    expect(out).toMatch(/At the end \d+ objects were garbage\./);
  });

  it("refuses options that do not go together", async () => {
    for (const options of [
      ["--check"],
      ["--time", "end", "--assert-none"],
      ["--entries", "-1"],
      ["--time", "nonsense"],
    ]) {
      const { code, out, err } = await refledger(["cycles", trace("clean"), ...options]);
      expect([options, code, out, err.split("\n").length]).toEqual([options, 2, "", 2]);
    }
  });
});
