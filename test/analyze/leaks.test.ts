/**
 * The table of leaks and look-alikes: every program in leak-programs is recorded and asked. A line with `# LEAK` is the culprit that must be named,
 * by one problem and no other; programs without such a line must raise no alarm. Precision and recall over all of them must be 1.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LeakResult } from "../../src/index.js";
import { emptied, refledger } from "../support/recording.js";

/** As built, since recording and going back start workers. */
const built = (path: string): Promise<unknown> =>
  import(pathToFileURL(join(import.meta.dirname, "../../dist", path)).href);
const { check, findLeaks, parseRules } = (await built("index.js")) as typeof import("../../src/index.js");
const { record } = (await built("record/record.js")) as typeof import("../../src/record/record.js");

const programs = join(import.meta.dirname, "leak-programs");
const names = readdirSync(programs)
  .filter((name) => name.endsWith(".py"))
  .map((name) => name.slice(0, -3));
const folder = emptied(join(tmpdir(), `refledger-leaks-${process.pid}`));
const traceOf = (name: string): string => join(folder, `${name}.trace.db`);

/** Line with the culprit, from 1; null = none. */
function culpritOf(name: string): number | null {
  const lines = readFileSync(join(programs, `${name}.py`), "utf8").split("\n");
  const index = lines.findIndex((line) => line.includes("# LEAK"));
  return index < 0 ? null : index + 1;
}

const results = new Map<string, LeakResult>();
const problemsOf = (name: string): LeakResult["findings"] =>
  results.get(name)!.findings.filter(({ isProblem }) => isProblem);

/** In this process, since starting one costs as much as recording such a program. */
async function recordAll(): Promise<void> {
  for (const name of names) {
    const program = { kind: "script", target: join(programs, `${name}.py`), args: [] } as const;
    const { exitCode, complete } = await record({
      program,
      out: traceOf(name),
      cwd: programs,
      env: {},
      version: "test",
    });
    if (exitCode !== 0 || !complete) throw new Error(`${name}: exit code ${exitCode}, complete: ${complete}`);
    results.set(name, findLeaks(traceOf(name)));
  }
}

beforeAll(recordAll, 600_000);

afterAll(() => {
  emptied(folder);
});

describe("programs that leak and programs that look as if", () => {
  it("are at least twenty", () => expect(names.length).toBeGreaterThanOrEqual(20));

  it.each(names)("%s", (name) => {
    const line = culpritOf(name);
    expect(problemsOf(name).map(({ culprit }) => [culprit?.file, culprit?.line])).toEqual(
      line === null ? [] : [[join(programs, `${name}.py`), line]],
    );
  });

  it("precision and recall are 1", () => {
    const table = names.map((name) => {
      const [line, problems] = [culpritOf(name), problemsOf(name)];
      const right = problems.filter(({ culprit }) => line !== null && culprit?.line === line).length;
      return { program: name, culprit: line, named: problems.map(({ culprit }) => culprit?.line).join(), right };
    });
    console.table(table);
    const sum = (values: readonly number[]): number => values.reduce((all, n) => all + n, 0);
    const hits = sum(table.map(({ right }) => Math.min(1, right)));
    const alarms = sum(names.map((name) => problemsOf(name).length));
    const leaks = table.filter(({ culprit }) => culprit !== null).length;
    expect(leaks).toBeGreaterThanOrEqual(10);
    expect({ precision: hits / alarms, recall: hits / leaks }).toEqual({ precision: 1, recall: 1 });
  });

  it("counts all that the culprit keeps, whatever rounds are known, and its rate by the rounds that are", () => {
    for (const [name, type, objects] of [
      ["small-integers", "Session", 500],
      ["store-of-what-refers-to-itself", "Document", 100],
    ] as const) {
      const [finding] = problemsOf(name);
      expect(finding).toMatchObject({ type, objects, perIteration: 1 });
      expect(finding!.groups.find((group) => group.type === type)).toMatchObject({ objects, made: objects, died: 0 });
    }
    expect(results.get("small-integers")!.iterations).toMatchObject({ count: 500 });
    // A backlog grows by what comes in and does not go out.
    expect(problemsOf("backlog")[0]).toMatchObject({ type: "R", objects: 300, perIteration: 1 });
  });

  it("finds what grew until an exception ended the program, however long its traceback took to print", async () => {
    const trace = join(folder, "ended.trace.db");
    const script = join(folder, "ended.py");
    const lines = ["jobs = []", "def work(n):", "    jobs.append([n])", "    if n == 700: raise ValueError(n)"];
    writeFileSync(script, [...lines, "for n in range(400, 2000):", "    work(n)", ""].join("\n"));
    const { code, err } = await refledger(["record", "-q", "-o", trace, script]);
    expect([code, err.includes("ValueError: 700")]).toEqual([1, true]);
    const [finding, ...others] = findLeaks(trace).findings.filter(({ isProblem }) => isProblem);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ type: "list", objects: 301, culprit: { file: script, line: 3 } });
  });

  it("names a chain by its head, and says what to do by who holds it", () => {
    const adviceOf = (name: string): [string | undefined, string | null] => {
      const [finding] = problemsOf(name);
      return [finding!.holder?.expression, finding!.advice];
    };
    expect(adviceOf("chain-of-partials")).toEqual([
      "__main__.fn",
      "__main__.fn leads to all of it: cut off what is no longer needed",
    ]);
    const [cache, advice] = adviceOf("unbounded-lru-cache");
    expect(cache).toMatch(/^__main__\.\w+\.<cache>$/);
    expect(advice).toMatch(/a bound, lru_cache\(maxsize=…\)/);
  });

  it("names what has a buffer that grows, and gives its rate in bytes", () => {
    for (const [name, type, expression] of [
      ["growing-array", "array", "__main__.samples"],
      ["growing-bytearray", "bytearray", expect.stringContaining("__main__.")],
    ] as const)
      expect(problemsOf(name)[0]).toMatchObject({ type, unit: "bytes", keptBy: { expression } });
  });

  it("tells what was given back when the rounds were over: a problem where somebody said what the rounds are", async () => {
    const trace = join(folder, "given-back.trace.db");
    const script = join(folder, "given-back.py");
    const lines = ["from refledger import mark", "def handle(cache, n):", "    cache[n] = [n]", "def main():"];
    lines.push("    cache = {}", '    mark("from")', "    n = 1000", "    while n < 1300:", "        handle(cache, n)");
    writeFileSync(script, [...lines, "        n += 1", '    mark("to")', "main()", ""].join("\n"));
    await refledger(["record", "-q", "-o", trace, script]);
    const expected = { type: "list", objects: 300, culprit: { file: script, line: 3 } };
    const holder = { type: "dict", expression: "a dict made in main given-back.py:5" };
    expect(findLeaks(trace).findings).toMatchObject([{ ...expected, holder, kind: "growth", isProblem: false }]);
    for (const options of [{ iterations: "call:handle" }, { from: "mark:from", to: "mark:to" }]) {
      const [finding, ...others] = findLeaks(trace, options).findings.filter(({ isProblem }) => isProblem);
      expect(others).toEqual([]);
      expect(finding).toMatchObject({ type: "list", culprit: expected.culprit, holder });
      expect(finding!.objects).toBeGreaterThanOrEqual(299);
    }
  });

  it("tells the reference of the representative, where one line stores objects of several types", async () => {
    const path = join(folder, "two-types.py");
    const lines = [
      "class Node: pass",
      "class Order: pass",
      "kept = {}",
      "def put(key, value):",
      "    kept[key] = value",
      "for i in range(60):",
      "    put(i, Node())",
      "    put((i, 1), Order())",
    ];
    writeFileSync(path, lines.join("\n"));
    const trace = traceOf("two-types");
    const program = { kind: "script", target: path, args: [] } as const;
    await record({ program, out: trace, cwd: folder, env: {}, version: "test" });
    const [leak] = findLeaks(trace).findings.filter(({ isProblem }) => isProblem);
    expect(leak!.reference!.culprit.line).toBe(5);
    expect(leak!.reference!.object).toBe(leak!.representative);
    const { out } = await refledger(["history", trace, `#${leak!.representative}`, "--json"]);
    const rows = (JSON.parse(out) as { rows: { time: { event: number }; kind: string }[] }).rows;
    expect(rows.map(({ time }) => time.event)).toContain(leak!.reference!.made.event);
    const told = await refledger(["leaks", trace]);
    expect(told.out).toContain(`the reference made at #${leak!.reference!.made.event}, of the representative`);
  });

  it("gives the same answer from the trace the second time", () => {
    for (const name of names.slice(0, 3)) expect(findLeaks(traceOf(name))).toEqual(results.get(name));
  });
});

describe("the commands", () => {
  it("died counts deallocations: neither garbage that waits for the collector nor objects that got another class", async () => {
    const trace = join(folder, "made-and-died.trace.db");
    const code = `
import gc
gc.disable()
class Node: pass
class Other: pass
kept = []
for i in range(300):
    n = Node(); n.me = n
    if i % 3 == 0: kept.append(n)
    if i % 30 == 0: n.__class__ = Other
    m = Node()
del m`;
    await refledger(["record", "-q", "-o", trace, "-c", code]);
    const { findings } = findLeaks(trace, { from: "start" });
    const nodes = findings.flatMap(({ groups }) => groups).filter(({ type }) => type === "Node");
    expect(nodes.map(({ made, died }) => [made, died])).toEqual([[300, 0]]);
  });

  it("leaks says what leaks and exits 1, or 0 when nothing does", async () => {
    const leaky = await refledger(["leaks", traceOf("dict-key-mark")]);
    expect(leaky.code).toBe(1);
    expect(leaky.out).toMatch(/^1 leak: 1\d\d Key objects/);
    expect(leaky.out).toContain("known[key] = n");
    expect((await refledger(["leaks", traceOf("ok-cycles")])).code).toBe(0);
    const asked = await refledger(["leaks", traceOf("dict-key-mark"), "--iterations", "mark:none"]);
    expect([asked.code, asked.err.split("\n").length]).toEqual([2, 2]);
  });

  it("check exits 1 when a rule is broken, and knows allowed fingerprints", async () => {
    const trace = traceOf("dict-key-mark");
    const answer = await refledger(["check", trace, "--no-leaks", "--json"]);
    expect(answer.code).toBe(1);
    const { fingerprint } = JSON.parse(answer.out).broken[0].findings[0];
    const rules = join(folder, "rules.json");
    writeFileSync(rules, JSON.stringify({ noLeaks: true, allow: [fingerprint] }));
    expect((await refledger(["check", trace, "--rules", rules])).code).toBe(0);
    expect((await refledger(["check", trace])).code).toBe(2);
    expect((await check(trace, { noCycles: true })).ok).toBe(true);
    expect((await check(traceOf("ok-cycles"), { noCycles: true })).ok).toBe(false);
    expect((await check(trace, { maxLiveBytes: 1 })).ok).toBe(false);
    expect((await check(trace, { maxLeakedObjects: 1e6, maxGrowth: 1e9, maxLiveBytes: 1e9 })).ok).toBe(true);
  });

  it("refuses rules that are none in one line", () => {
    expect(() => parseRules('{"noLeak": true}', "r.json")).toThrow(/r\.json: noLeak is no rule/);
    expect(() => parseRules('{"maxGrowth": "1"}', "r.json")).toThrow(/maxGrowth must be a number/);
    expect(() => parseRules("[]", "r.json")).toThrow(/one JSON object/);
    expect(() => parseRules("{", "r.json")).toThrow(/is not JSON/);
  });
});
