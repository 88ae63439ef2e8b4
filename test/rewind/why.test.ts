/** `why` names the culprit: a program that keeps objects in every way that people ask about, and what the first path must be. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TraceReader, type WhyAnswer, why } from "../../src/index.js";

const main = resolve(import.meta.dirname, "../../dist/cli/main.js");
const program = resolve(import.meta.dirname, "programs/culprits.py");
const folder = mkdtempSync(join(tmpdir(), "refledger-why-"));
const trace = join(folder, "culprits.trace.db");
let reader: TraceReader;

beforeAll(() => {
  execFileSync(process.execPath, [main, "record", "--quiet", "--out", trace, program]);
  reader = TraceReader.open(trace);
});
afterAll(() => {
  reader?.close();
  rmSync(folder, { recursive: true });
});

function answer(type: string): WhyAnswer {
  const { answers } = why(reader, type);
  expect(answers).toHaveLength(1);
  return answers[0]!;
}

/** Who holds the object of each type, as the expression of the shortest path. */
const culprits: [type: string, expression: RegExp | string][] = [
  ["KeptCache", "__main__.cache['user:7'].rows[3]"],
  ["KeptClosure", "__main__.callback.__closure__[0].cell_contents"],
  ["KeptListener", "__main__.Bus.listeners[0].__self__"],
  ["KeptTraceback", "__main__.last_error.__traceback__.tb_next.tb_frame.f_locals['argument']"],
  ["KeptGenerator", "__main__.unfinished.gi_frame.f_locals['start']"],
  ["KeptCoroutine", "__main__.suspended.cr_frame.f_locals['forever']"],
  ["KeptLruCache", /^__main__\.remembered\./],
  ["KeptClassAttribute", "__main__.Model.shared"],
  ["KeptDefault", "__main__.greet.__defaults__[0]"],
  ["KeptDeque", "__main__.recent[0]"],
  ["KeptPartial", "__main__.later.args[0]"],
  ["KeptSet", "list(__main__.members)[0]"],
  ["KeptKey", "list(__main__.by_object)[0]"],
  ["KeptSlot", "__main__.slotted.value"],
  ["KeptTask", "__main__.task._coro.cr_frame.f_locals['job']"],
  ["KeptThreadLocal", "__main__.local.<values by thread>[<_localdummy>]['value']"],
  ["KeptSelfDeleting", "__main__.ring[0]"],
  ["KeptLateKey", "list(__main__.mixed)[2]"],
  ["KeptDelegate", "__main__.delegating.gi_yieldfrom.gi_frame.f_locals['start']"],
  ["KeptHandledException", "__main__.handling.<exception being handled>.args[0]"],
  ["KeptResult", "__main__.finished._result"],
  ["KeptDoneCallback", "__main__.called_back._callbacks[0][0].args[0]"],
  ["KeptProxyCallback", "__main__.proxy.<callback>.keywords['held']"],
  ["KeptEnumerated", "__main__.numbered.<iterator>.<sequence>[0]"],
  ["KeptMappingProxy", "__main__.read_only.<mapping>['k']"],
  ["KeptBoundedCache", "__main__.remembers_few.<cached>"],
  ["KeptCycle", "KeptCycle.me"],
  ["KeptPair", "KeptPair.o.o"],
  ["KeptByPair", "KeptPair.o.o.rows['first'][0]"],
  ["KeptWeakrefCallback", "__main__.weak.__callback__.keywords['held']"],
];

describe("why", () => {
  it.each(culprits)("%s", (type, expression) => {
    const { paths, refcount, explained, unexplained, retainedObjects } = answer(type);
    if (typeof expression === "string") expect(paths[0]!.expression).toBe(expression);
    else expect(paths[0]!.expression).toMatch(expression);
    expect({ refcount, explained, unexplained }).toEqual({ refcount: 1, explained: 1, unexplained: 0 });
    expect(retainedObjects).toBeGreaterThanOrEqual(1);
    expect(paths[0]!.steps.at(-1)!.type).toBe(type);
  });

  it("a context variable's value is reached through the variable's context or its cache", () => {
    const { paths, unexplained } = answer("KeptContextVariable");
    expect(unexplained).toBe(0);
    expect(paths.length).toBeGreaterThan(0);
  });

  it("what a coroutine awaits is reached through it", () => {
    const { paths, unexplained } = answer("KeptAwaited");
    expect(unexplained).toBe(0);
    expect(paths.map(({ expression }) => expression)).toEqual([
      "__main__.waiting._coro.cr_frame.f_locals['forever']",
      "__main__.waiting._coro.cr_await.cr_frame.f_locals['forever']",
    ]);
  });

  it("a reference that C code holds is explained by nothing", () => {
    expect(answer("KeptByC")).toMatchObject({ refcount: 1, explained: 0, unexplained: 1, paths: [] });
  });

  it("garbage waits for the collector, and says which cycle keeps it", () => {
    const pair = answer("KeptPair");
    expect(pair).toMatchObject({ garbage: true, alike: 2, retainedObjects: 5, paths: [{ root: "garbage" }] });
    const [there, back] = pair.cycle!;
    expect([there, back]).toMatchObject([
      { name: ".o", expression: "KeptPair.o", type: "KeptPair", retainedBytes: null },
      { name: ".o", expression: "KeptPair.o.o", type: "KeptPair", address: pair.object.address },
    ]);
    expect(there!.address).not.toBe(back!.address);
    const hanging = answer("KeptByPair");
    expect(hanging).toMatchObject({ garbage: true, retainedObjects: 1, retainedBytes: hanging.object.size });
    expect(hanging.cycle!.map(({ name }) => name)).toEqual([".o", ".o"]);
    expect(hanging.paths[0]!.steps.map(({ name }) => name)).toEqual([".o", ".o", ".rows", "['first']", "[0]"]);
    expect(answer("KeptByC").garbage).toBeUndefined();
    expect(answer("KeptSelfDeleting").garbage).toBeUndefined();
  });

  it("says so on the command line", () => {
    const { stdout } = spawnSync(process.execPath, [main, "why", trace, "KeptByPair"], { encoding: "utf8" });
    expect(stdout).toMatch(
      /garbage: only a cycle keeps it, .* waits for the collector\n {2}if the collector took it, 1 object/,
    );
    expect(stdout).toMatch(
      /kept by the cycle {2}KeptPair\.o\.o\n(.*\n)+ {2}which leads to {2}KeptPair\.rows\['first'\]\[0\]/,
    );
    expect(stdout).toMatch(/\.o +KeptPair #\d+\n +made #.* in pair .*other\.o = one/);
  });

  it("takes a type with its module before it", () => {
    expect(answer("__main__.KeptCache").object).toEqual(answer("KeptCache").object);
  });

  it("groups the objects of a type by the shape of their paths", () => {
    const sample = join(folder, "leaky.trace.db");
    const script = resolve(import.meta.dirname, "../../traces/leaky-cache.py");
    execFileSync(process.execPath, [main, "record", "--quiet", "--out", sample, script], { stdio: "ignore" });
    const leaky = TraceReader.open(sample);
    try {
      const result = why(leaky, "Session");
      expect(result).toMatchObject({ objects: 400, answers: [{ alike: 400, unexplained: 0 }] });
      const { steps, expression } = result.answers[0]!.paths[0]!;
      expect(expression).toMatch(/^list\(__main__\.app\.permissions\.known\)\[\d+\]/);
      // The cache is the dominator: without it all sessions go.
      const known = steps.find(({ name }) => name === ".known")!;
      expect(known.retainedObjects).toBeGreaterThan(400);
      expect(why(leaky, "Session[3]")).toMatchObject({ objects: 1 });
      expect(why(leaky, `0x${result.answers[0]!.object.address.toString(16)}`)).toMatchObject({ objects: 1 });
    } finally {
      leaky.close();
    }
  });

  describe("with many objects of one type", () => {
    const shapes = join(folder, "shapes.trace.db");
    let many: TraceReader;
    beforeAll(() => {
      const script = resolve(import.meta.dirname, "programs/shapes.py");
      execFileSync(process.execPath, [main, "record", "--quiet", "--out", shapes, script]);
      many = TraceReader.open(shapes);
    });
    afterAll(() => many?.close());

    it.each([
      ["InClassDict", 30, "keys of a class's dict"],
      ["InModuleDict", 30, "keys of a module's dict"],
      ["InClassList", 30, "indices"],
      ["Child", 90, "keys and indices"],
      ["Node", 200, "the length of a chain"],
      ["OnChain", 100, "the length of a chain that leads to it"],
      ["Branch", 63, "the way through a tree"],
      ["Folder", 40, "how deep it is, in steps of two"],
      ["Ring", 12, "the length of a cycle"],
    ])("%s: one cause is one answer, whatever %s %s", (type, objects) => {
      const { answers, objects: all } = why(many, type);
      expect({ all, ways: answers.map(({ alike }) => alike) }).toEqual({ all: objects, ways: [objects] });
    });

    it("two causes are two", () => {
      expect(why(many, "TwoWays").answers.map(({ alike }) => alike)).toEqual([20, 10]);
    });

    it("a long chain is printed by its ends, and whole in JSON", () => {
      const run = (...more: string[]): string =>
        execFileSync(process.execPath, [main, "why", shapes, "OnChain", ...more], { encoding: "utf8" });
      const text = run();
      expect(text).toMatch(/kept by {2}__main__\.chain\.top\[1\]\[1\]\[1\]…\[1\]\[1\]\[1\]\[0\]\n/);
      expect(text).toMatch(/^ +… 93 more steps alike …$/m);
      const json = JSON.parse(run("--json")) as { answers: WhyAnswer[] };
      const { steps, expression } = json.answers[0]!.paths[0]!;
      expect(steps.filter(({ name }) => name === "[1]").length).toBe(99);
      expect(expression).toBe(`__main__.chain.top${"[1]".repeat(99)}[0]`);
    });
  });

  it.each([
    ["Sessions of something", /no object of that type is alive/],
    ["Kept", /there are Kept/],
    ["0x10", /no object lives there/],
    ["dict[999999]", /only \d+ objects of that type are alive .*; choose dict\[1\] to dict\[\d+\]/],
    ["KeptCache[0]", /only 1 object of that type is alive .*; choose KeptCache$/m],
    ["elsewhere.KeptCache", /no object of that type is alive/],
  ])("%s is answered with what there is", (asked, line) => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [main, "why", trace, asked], { encoding: "utf8" });
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toMatch(line);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("runs a trace without a graph again", () => {
    const bare = join(folder, "bare.trace.db");
    const script = "class Only: pass\nonly = Only()";
    execFileSync(process.execPath, [main, "record", "--quiet", "--no-graphs", "--out", bare, "-c", script]);
    const answered = spawnSync(process.execPath, [main, "why", bare, "Only"], { encoding: "utf8" });
    expect([answered.status, answered.stderr]).toEqual([0, ""]);
    expect(answered.stdout).toContain("kept by  __main__.only");
    const plain = TraceReader.open(bare);
    expect(() => why(plain, "Only")).toThrow(/has no object graph; record it again without --no-graphs/);
    plain.close();
  });
});
