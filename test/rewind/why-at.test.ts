/** `why` at any instant: when and where references were made, against lines that are known; the dead, the unborn, and what Python finds. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Kind, openReplay, type Replay, resolveObject, type WhyAnswer, type WhyStep, whyAt } from "../../dist/index.js";
import { refledger } from "../support/recording.js";

const program = resolve(import.meta.dirname, "programs/provenance.py");
const lines = readFileSync(program, "utf8").split("\n");
/** Number of the line with this comment. */
const line = (comment: string): number => lines.findIndex((text) => text.includes(`# ${comment}`)) + 1;

const folder = mkdtempSync(join(tmpdir(), "refledger-why-at-"));
const trace = join(folder, "provenance.trace.db");
let replay: Replay;

beforeAll(async () => {
  expect(await refledger(["record", "-q", "-o", trace, program])).toMatchObject({ code: 0, out: "1\n" });
  replay = openReplay(trace);
});
afterAll(() => {
  replay?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function one(asked: string, options: Parameters<typeof whyAt>[2] = {}): Promise<WhyAnswer> {
  const { answers } = await whyAt(trace, asked, { paths: 5, ...options });
  expect(answers).toHaveLength(1);
  return answers[0]!;
}

const lastSteps = (answer: WhyAnswer): Map<string, WhyStep> =>
  new Map(answer.paths.map(({ expression, steps }) => [expression, steps.at(-1)!]));

/** Numbers of all objects of a type that were ever born, in order, with the events of their births. */
function born(type: string): { id: number; birth: number }[] {
  const ids: { id: number; birth: number }[] = [];
  let id = replay.reader.summary().baselineObjects;
  for (const { columns } of replay.range(0, replay.end)) {
    for (let row = 0; row < columns.count; row++) {
      if (columns.kind[row] !== Kind.new) continue;
      id++;
      if (replay.names.type(columns.a[row]!) === type) ids.push({ id, birth: columns.first + row });
    }
  }
  return ids;
}

describe("when and where references were made", () => {
  const expected: [expression: string, comment: string][] = [
    ["__main__.box.content", "stored in attribute"],
    ["__main__.rows[0]", "appended"],
    ["__main__.pair[0]", "in tuple"],
  ];

  it("is inferred from the ledger", async () => {
    const answer = await one("Item");
    expect(answer).toMatchObject({ alive: true, refcount: 3, explained: 3, unexplained: 0 });
    expect(answer.object.id).toBe(born("Item")[0]!.id);
    expect(answer.object.born!.event).toBe(born("Item")[0]!.birth);
    const steps = lastSteps(answer);
    for (const [expression, comment] of expected) {
      expect([expression, steps.get(expression)?.made]).toEqual([
        expression,
        expect.objectContaining({ certainty: "inferred", line: line(comment), file: program }),
      ]);
    }
    // The ledger's open references and the count are the same number.
    expect(answer.open!.length + answer.openElsewhere!).toBe(answer.refcount);
  });

  it("is seen in a second run, and nowhere earlier or later", async () => {
    const answer = await one("Item", { observe: true });
    const { expression, steps } = answer.paths[0]!;
    const wanted = new Map(expected).get(expression);
    expect(wanted).toBeDefined();
    expect(steps.at(-1)!.made).toMatchObject({ certainty: "observed", line: line(wanted!) });
    const { event } = steps.at(-1)!.made!;
    // Before that event the path was not there; after it, it is.
    const paths = async (at: number): Promise<string[]> =>
      (await one(`#${answer.object.id}`, { time: `#${at}`, paths: 9 })).paths.map((path) => path.expression);
    const holds = (found: string[]): boolean => found.some((one_) => one_.endsWith(expression.replace("__main__", "")));
    expect(holds(await paths(event! + 1))).toBe(true);
    expect(holds(await paths(event!))).toBe(false);
  });
});

describe("when and where references were made that the ledger alone would not tell", () => {
  it("a class is stored by its class statement, whatever was done with it later", async () => {
    const { steps } = (await one("Table")).paths[0]!;
    const step = steps.find(({ name }) => name === ".Table")!;
    expect(step.made).toMatchObject({ line: line("class statement"), opcode: "STORE_NAME", alternatives: 0 });
  });

  it("an attribute's reference was taken where the attribute is assigned", async () => {
    const { answers } = await whyAt(trace, "Link", { time: `line:${program}:${line("after the ring")}` });
    expect(answers).toMatchObject([{ alike: 3, garbage: true, cycle: [{ name: ".next" }, { name: ".next" }, {}] }]);
    const { cycle, object } = answers[0]!;
    expect(cycle!.map(({ made }) => made!.line)).toEqual([line("linked"), line("linked"), line("linked")]);
    expect(cycle!.at(-1)!.id).toBe(object.id);
  });
});

describe("when and where references were made that only the name of their slot tells", () => {
  const script = resolve(import.meta.dirname, "programs/stored-by-name.py");
  const text = readFileSync(script, "utf8").split("\n");
  const named = join(folder, "stored-by-name.trace.db");

  it("is the line that stores under the name, takes with a display, or puts into the container", async () => {
    expect(await refledger(["record", "-q", "-o", named, script])).toMatchObject({ code: 0 });
    const found = new Map<string, string>();
    for (const type of ["Held", "Field", "Model", "Colour", "KeyError[-1]"])
      for (const { paths } of (await whyAt(named, type, { paths: 9, detailed: 99 })).answers)
        for (const { expression, made } of paths.flatMap(({ steps }) => steps)) {
          const { certainty, line: at } = made!;
          found.set(expression, certainty === "unknown" ? certainty : (text[at! - 1] ?? "elsewhere"));
        }
    const expected: [expression: string, comment: string][] = [
      ["__main__.anchor", "anchor bound"],
      ["__main__.Model.field", "field bound"],
      ["__main__.model", "model bound"],
      ["__main__.Colour", "colour bound"],
      ["__main__.annotated['x']", "dict display"],
      ["__main__.error.args[1]", "arguments"],
      ["__main__.cell.cell_contents", "cell"],
      ["__main__.view.<mapping>['p']", "view"],
      ["list(__main__.frozen)[0]", "frozenset"],
      ["__main__.queue[0]", "deque"],
      ["__main__.first[0]", "first"],
      ["__main__.second[0]", "second"],
      ["__main__.built[0]", "built"],
      ["__main__.errors[19]", "error kept"],
      ["__main__.copied[0]", "copied"],
    ];
    for (const [expression, comment] of expected)
      expect([expression, found.get(expression)]).toEqual([expression, expect.stringMatching(`# ${comment}$`)]);
  });

  it("a module's own dictionary is as old as the module, whatever functions were made since", async () => {
    const { steps } = (await whyAt(named, "Model")).answers[0]!.paths[0]!;
    expect(steps.find(({ name }) => name === ".__dict__")!.made).toMatchObject({
      certainty: "unknown",
      reason: "made before the recording began",
    });
  });
});

describe("at another instant", () => {
  it("is garbage until the collector comes", async () => {
    const { id } = born("Pair")[0]!;
    const time = `line:${program}:${line("collects the pair")}[1]`;
    expect(await one(`#${id}`, { time })).toMatchObject({
      alive: true,
      garbage: true,
      cycle: [{ name: ".other", expression: "Pair.other", type: "Pair", id, made: { certainty: "inferred" } }],
      paths: [{ root: "garbage", expression: "Pair.other" }],
    });
  });

  it("is not born yet", async () => {
    const { id, birth } = born("Item")[0]!;
    const answer = await one(`#${id}`, { time: `#${birth}` });
    expect(answer).toMatchObject({ alive: false, refcount: 0, paths: [], object: { id, type: "Item" } });
    expect(answer.death).toBeUndefined();
    expect(answer.object.born!.event).toBe(birth);
    expect(await one(`#${id}`, { time: `#${birth + 1}` })).toMatchObject({ alive: true, refcount: 1 });
  });

  it("is held by what held it then", async () => {
    const stored = await whyAt(trace, "Item", { time: `line:${program}:${line("appended")}[1]`, paths: 5 });
    const expressions = stored.answers[0]!.paths.map(({ expression }) => expression);
    expect(expressions).toContain("__main__.registry['one']");
    expect(expressions).toContain("__main__.box.content");
    expect(expressions.some((text) => text.includes("pair"))).toBe(false);
  });

  it("is dead, by the line that dropped the last reference", async () => {
    const { id } = born("Doomed")[0]!;
    const answer = await one(`#${id}`);
    expect(answer).toMatchObject({ alive: false, paths: [], death: { collection: null } });
    expect(answer.death!.lastDecref).toMatchObject({ line: line("last reference"), file: program });
    const { out } = await refledger(["why", trace, `#${id}`]);
    expect(out).toContain("last reference dropped at");
    expect(out).toContain("doomed = None");
  });

  it("is dead, taken by a collection", async () => {
    const { id } = born("Pair")[0]!;
    const { death } = await one(`#${id}`);
    const collections = [...replay.reader.rows("collections")];
    const number = collections.findIndex(
      ({ start, stop }) => start < death!.time.event && death!.time.event < (stop ?? Infinity),
    );
    expect(number).toBeGreaterThanOrEqual(0);
    expect(death!.collection!.number).toBe(number + 1);
    expect((await refledger(["why", trace, `#${id}`])).out).toContain(`collection gc:${number + 1}`);
  });

  it("is what Python finds", async () => {
    const { answers, event } = await whyAt(trace, "expr:box.content", {
      time: `line:${program}:${line("taken out")}[1]`,
    });
    expect(event).toBeLessThan(replay.end);
    expect(answers[0]).toMatchObject({ alive: true, object: { type: "Item", id: born("Item")[0]!.id } });
    expect(await one("expr:rows[0]")).toMatchObject({ object: { id: born("Item")[0]!.id } });
    await expect(whyAt(trace, "expr:[1, 2]")).rejects.toThrow(/made by the question itself/);
    await expect(whyAt(trace, "expr:nothing_of_that_name")).rejects.toThrow(/NameError/);
  });

  it("of a type that has no objects there says what became of them", async () => {
    const [first] = born("Item");
    const doomed = born("Doomed").at(-1)!;
    await expect(whyAt(trace, "Doomed")).rejects.toThrow(
      `no object of that type is alive at the program's end; 1 lived and died, #${doomed.id}, born at #${doomed.birth} (`,
    );
    await expect(whyAt(trace, "Doomed")).rejects.toThrow(`refledger why TRACE '#${doomed.id}' tells how it ended`);
    await expect(whyAt(trace, "Item", { time: `#${first!.birth}` })).rejects.toThrow(
      `1 was born later, #${first!.id}, born at #${first!.birth}`,
    );
    await expect(whyAt(trace, "Nobody")).rejects.toThrow(/there are /);
  });

  it("names no path twice", async () => {
    const { answers } = await whyAt(trace, "module");
    for (const { paths } of answers) expect(new Set(paths.map(({ expression }) => expression)).size).toBe(paths.length);
  });

  it("answers on the command line, in words and in JSON", async () => {
    const { code, out, err } = await refledger(["why", trace, "Item[1]", "--json", "--time", "end"]);
    expect([code, err]).toEqual([0, ""]);
    const { answers } = JSON.parse(out) as { answers: WhyAnswer[] };
    expect(answers[0]).toMatchObject({
      object: { type: "Item", id: expect.any(Number), address: expect.any(Number), size: expect.any(Number) },
      alive: true,
      refcount: 3,
      explained: 3,
      unexplained: 0,
      retainedBytes: expect.any(Number),
    });
    expect(answers[0]!.paths[0]).toMatchObject({ root: "modules", expression: expect.any(String) });
    replay.seek(replay.end);
    expect(answers[0]!.object.id).toBe(resolveObject(replay, "Item[1]"));
    expect(await refledger(["why", trace, "Nobody"])).toMatchObject({ code: 1, out: "" });
    expect(await refledger(["why", trace, "#999999999"])).toMatchObject({ code: 2, out: "" });
  });
});
