import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { launch, refledgerCommand } from "../../test/support/recording.js";
import { writeSample } from "../../test/support/sample-trace.js";
import { Failure } from "../index.js";
import { runCommandLine } from "./command-line.js";
import { tableText } from "./explore.js";
import { csvLines } from "./sql.js";

let folder: string;
let trace: string;
const hostile = "int\x1b]0;owned\x07\u202eevil\n";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "refledger-test-"));
  trace = join(folder, "a.trace.db");
  writeSample(trace, { typeName: hostile });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs one command; what it printed, and the Failure that it ended with. */
async function run(...args: string[]): Promise<{ out: string; failure: Failure | undefined }> {
  let out = "";
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  try {
    await runCommandLine(args);
    return { out, failure: undefined };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.message).not.toMatch(/[\n\x1b\u202e]/);
    return { out, failure: error };
  } finally {
    stdout.mockRestore();
  }
}
const jsonOf = async (...args: string[]) => JSON.parse((await run(...args, "--json")).out);
const rowsOf = async (query: string): Promise<Record<string, unknown>[]> =>
  (await run("sql", trace, query, "--json")).out
    .trimEnd()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

describe("at", () => {
  it("prints the documented fields, which add up", async () => {
    const at = await jsonOf("at", trace, "--time", "#5000", "--all");
    expect(at.time).toMatchObject({ event: 5000 });
    for (const field of ["count", "bytes"] as const) {
      const total = at[field === "count" ? "objects" : "bytes"];
      expect(at.types.reduce((n: number, row: Record<string, number>) => n + row[field]!, 0)).toBe(total);
      expect(at.places.reduce((n: number, row: Record<string, number>) => n + row[field]!, 0)).toBe(total);
      for (const row of at.types) {
        expect(row.places.reduce((n: number, place: Record<string, number>) => n + place[field]!, 0)).toBe(row[field]);
      }
    }
    expect(at.alive.objects).toBe(at.objects);
    const own = await jsonOf("at", trace, "--time", "#5000");
    expect(own.objects).toBe(at.objects - 20);
    expect(own.stack.length).toBeGreaterThan(0);
  });

  it("filters by type, file, function, birth and number", async () => {
    const all = await jsonOf("at", trace);
    const one = all.types[0];
    expect(await jsonOf("at", trace, "--type", one.type)).toMatchObject({ objects: one.count, bytes: one.bytes });
    expect((await jsonOf("at", trace, "--file", "loop.py")).objects).toBe(all.objects);
    const place = all.places[0];
    const inFunction = await jsonOf("at", trace, "--function", place.function);
    expect(inFunction.objects).toBeGreaterThanOrEqual(place.count);
    expect(new Set(inFunction.places.map((row: { function: string }) => row.function))).toEqual(
      new Set([place.function]),
    );
    const late = await jsonOf("at", trace, "--born-after", "#3000");
    expect(late.objects).toBe((await jsonOf("diff", trace, "#3000", "end")).total.born);
    const many = await jsonOf("at", trace, "--min-count", "3");
    expect(many.types.length).toBe(all.types.filter(({ count }: { count: number }) => count >= 3).length);
  });

  it("tells whole call stacks apart", async () => {
    const { places } = await jsonOf("at", trace, "--stacks");
    expect(places.every((place: { stack: unknown[] }) => place.stack.length > 0)).toBe(true);
    expect((await run("at", trace, "--stacks")).out).toMatch(/\n1 object, \d+ B\n {2}Loop\.f\d+ /);
  });

  it("says of the others whether they were asked for", async () => {
    expect((await run("at", trace)).out).toMatch(
      /^objects +[\d,]+ \(.*\); 20 others, most of them the runtime's own: --all$/m,
    );
    const type = (await jsonOf("at", trace)).types[0].type;
    expect((await run("at", trace, "--type", type)).out).toMatch(
      /others were not asked for, the runtime's own among them: --all$/m,
    );
    expect((await run("at", trace, "--type", type, "--all")).out).toMatch(/others were not asked for$/m);
  });

  it("escapes what the program named", async () => {
    const { out } = await run("at", trace, "--all");
    expect(out).toContain("int\\x1b]0;owned\\x07\\u202eevil\\x0a");
    expect(out).not.toMatch(/\x1b|\u202e/);
  });

  it.each([
    [["--time", "mark:worm"], 'marks are: "warm"'],
    [["--time", "mark:warm"], "occurs 3 times"],
    [["--time", "noon"], "times are start, end, peak"],
    [["--time", "4000"], "--time 4000: is no time; an event's number is written '#4000'"],
    [["--time", "gc:"], "times are start, end, peak"],
    [["--time", "mark:"], "no mark has that name"],
    [["--time", "call:nobody"], "--time call:nobody: no function has that name"],
    [["--born-after", "noon"], "--born-after noon: is no time"],
    [["--type", ""], "--type: a value must follow, not an empty one"],
    [["--time", "gc:4"], "gc:1 to gc:3"],
    [["--time", "7s"], "last event was after 0.029s"],
    [["--type", "Typ"], "no type has that name; similar are: Type10"],
    [["--file", "oop.py"], "similar are: /home/user/loop.py"],
    [["--limit", "-1"], "whole number"],
  ])("answers %j", async (options, message) => {
    expect((await run("at", trace, ...options)).failure).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  });
});

describe("diff", () => {
  it("agrees with what is alive at both times", async () => {
    const before = await jsonOf("at", trace, "--time", "#1000");
    const after = await jsonOf("at", trace, "--time", "#5000");
    const { total, types } = await jsonOf("diff", trace, "#1000", "#5000");
    expect(total.survived + total.died).toBe(before.objects);
    expect(total.survived + total.born).toBe(after.objects);
    expect(total.growth).toBe(after.bytes - before.bytes);
    const growths = types.map(({ growth }: { growth: number }) => growth);
    expect(growths).toEqual([...growths].sort((x, y) => y - x));
  });
});

describe("objects", () => {
  it.each([
    ["size", "bytes"],
    ["changes", "changes"],
    ["refcount", "count"],
  ])("sorts by %s", async (key, field) => {
    const { rows, objects } = await jsonOf("objects", trace, "--sort", key, "--limit", "1000");
    expect(rows.length).toBe(objects);
    const values = rows.map((row: Record<string, number>) => row[field]!);
    expect(values).toEqual([...values].sort((x, y) => y - x));
  });

  it("shows immortal counts as such", async () => {
    const { rows } = await jsonOf("objects", trace, "--all", "--limit", "1");
    expect(rows[0]).toMatchObject({ id: 1, count: null, born: null });
    expect((await run("objects", trace, "--all", "--limit", "1")).out).toMatch(/ #1 +0x100000 .* immortal /);
  });
});

describe("history", () => {
  it("names an object by number, address and type alike", async () => {
    const [{ object, address, type }] = (await rowsOf(
      "SELECT object, address, type FROM objects WHERE born IS NOT NULL ORDER BY object LIMIT 1",
    )) as [{ object: number; address: number; type: string }];
    const byNumber = await jsonOf("history", trace, `#${object}`);
    expect(byNumber.object).toMatchObject({ id: object, address, type });
    expect(await jsonOf("history", trace, `0x${address.toString(16)}`)).toEqual(byNumber);
    const nth = (await rowsOf(`SELECT object FROM objects WHERE type = '${type}' ORDER BY object`)).findIndex(
      (row) => row["object"] === object,
    );
    expect(await jsonOf("history", trace, `${type}[${nth + 1}]`)).toEqual(byNumber);
  });

  it("prints the ledger for people", async () => {
    const long = join(folder, "long.trace.db");
    writeSample(long, { chunks: 3, chunkEvents: 30_000 });
    const query = "SELECT object FROM events WHERE kinds = 'dealloc' LIMIT 1";
    const { object } = JSON.parse((await run("sql", long, query, "--json")).out);
    const { out } = await run("history", long, `#${object}`);
    expect(out).toMatch(/^died +#[\d,]+ \(/m);
    expect(out).toMatch(/^last decref +#\d+ Loop\.f/m);
    expect((await run("history", trace, "#1")).out).toMatch(/It is immortal/);
  });

  it.each([
    ["expr: ", "an expression must follow"],
    ["#abc", "is no object"],
    ["0xzz", "is no object"],
    ["", "is no object"],
    ["#99999", "they go from #1 to #"],
    ["0x1", "no object lives there"],
    ["Type2", "are alive at #6000"],
    ["Nothing", "no type has that name"],
    ["24284", "24284: is no object; an object's number is written '#24284'"],
    ["#abc", "#abc: is no object; objects are #1234, 0x2d84010, TypeName,"],
    ["0x", "0x: is no object; objects are #1234,"],
    ["Type2[NaN]", "Type2[NaN]: is no object; objects are #1234,"],
  ])("answers %s", async (object, message) => {
    expect((await run("history", trace, object)).failure).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  });
});

describe("sql", () => {
  it("pushes ranges, kinds and objects down: the same rows as a filter over everything", async () => {
    const all = await rowsOf("SELECT * FROM events");
    expect(all.length).toBe(6000);
    expect(await rowsOf("SELECT * FROM events(1990, 2010)")).toEqual(all.slice(1990, 2011));
    expect(await rowsOf("SELECT * FROM events WHERE kinds = 'new,dealloc'")).toEqual(
      all.filter(({ kind }) => kind === "new" || kind === "dealloc"),
    );
    expect(await rowsOf("SELECT * FROM events WHERE kinds = 'mark' AND first = 100")).toEqual(
      all.filter(({ kind, event }) => kind === "mark" && Number(event) >= 100),
    );
    const one = all.find(({ kind }) => kind === "new")!["object"];
    expect(await rowsOf(`SELECT event, kind FROM events WHERE about = ${one}`)).toEqual(
      all.filter(({ object }) => object === one).map(({ event, kind }) => ({ event, kind })),
    );
    expect(all.filter(({ object, kind }) => object === null && ["incref", "new"].includes(String(kind)))).toEqual([]);
  });

  it("reads no more than a plain WHERE asks for, and gives the rows that a filter gives", async () => {
    const ids = (await rowsOf("SELECT DISTINCT object FROM events WHERE object IS NOT NULL")).map(
      ({ object }) => object,
    );
    expect(ids.length).toBeGreaterThan(50);
    const some = ids.filter((_, i) => i % Math.ceil(ids.length / 25) === 0);
    for (const where of [
      "event BETWEEN 1990 AND 2010",
      "event > 5990",
      "event >= 5990 AND event < 5995 AND kind = 'incref'",
      "event = 17",
      "event < 20 AND event > 30",
      "event > 100000",
      "kind = 'call'",
      "kind IN ('new', 'dealloc', 'mark') AND line > 0",
      "kind = 'birth'",
      "object = 0",
      "object = 99999999",
      ...some.map((id) => `object = ${id}`),
      ...some.map((id) => `object = ${id} AND event >= 3000 AND kind IN ('decref', 'realloc', 'dealloc')`),
    ]) {
      // A plus before a column keeps it from being pushed down.
      const filtered = where.replace(/\b(event|kind|object)\b/g, "+$1");
      const query = (terms: string) => `SELECT * FROM events WHERE ${terms}`;
      expect(await rowsOf(query(where)), where).toEqual(await rowsOf(query(filtered)));
    }
    const last = ids[ids.length - 1];
    expect(await rowsOf(`SELECT * FROM objects('#3000') WHERE object = ${ids[0]}`)).toEqual(
      await rowsOf(`SELECT * FROM objects('#3000') WHERE +object = ${ids[0]}`),
    );
    expect(
      await rowsOf(`SELECT count(*) n FROM events e, objects o WHERE e.object = ${last} AND o.object = ${last}`),
    ).toHaveLength(1);
  });

  it("joins virtual tables with each other, each cursor at its own time", async () => {
    const [{ n }] = (await rowsOf(
      "SELECT count(*) n FROM objects('#5000') late WHERE late.object NOT IN (SELECT object FROM objects('#1000'))",
    )) as [{ n: number }];
    expect(n).toBe((await jsonOf("diff", trace, "#1000", "#5000", "--all")).total.born);
    const [{ blocks }] = (await rowsOf("SELECT count(*) blocks FROM blocks('#5000')")) as [{ blocks: number }];
    expect(blocks).toBe((await jsonOf("at", trace, "--time", "#5000")).alive.blocks);
  });

  it("shows the first rows of many in a table", async () => {
    const { out, failure } = await run("sql", trace, "SELECT event FROM events");
    expect(failure).toBeUndefined();
    expect(out.trimEnd().split("\n")).toHaveLength(1002);
    expect(out).toMatch(/… more than 1,000 rows: use LIMIT/);
  });

  it.each(["--csv", "--json"])("ends quietly when its reader has seen enough: %s", async (form) => {
    const asked = launch(process.execPath, [refledgerCommand, "sql", trace, "SELECT * FROM events", form], {
      input: "",
    });
    asked.child.stdout!.once("data", () => asked.child.stdout!.destroy());
    expect(await asked.ended).toMatchObject({ code: 0, err: "" });
  });

  it("writes CSV with quotes where they are needed", async () => {
    const { out } = await run("sql", trace, `SELECT 1 AS "a,b", 'x"y' AS c, NULL AS d`, "--csv");
    expect(out).toBe('"a,b",c,d\n1,"x""y",\n');
  });

  it("takes an object's number in both forms, and a NULL for a parameter that is not given", async () => {
    const all = await rowsOf("SELECT * FROM events");
    const births = all.filter(({ kind }) => kind === "new");
    const id = births[0]!["object"];
    const own = all.filter(({ object }) => object === id);
    expect(await rowsOf(`SELECT * FROM events WHERE about = '#${id}'`)).toEqual(own);
    expect(await rowsOf(`SELECT * FROM events(null, NULL, 'new')`)).toEqual(births);
    expect(await rowsOf(`SELECT * FROM events(NULL, 9999999, null, '${id}')`)).toEqual(own);
    expect(await rowsOf("SELECT e.event FROM events(null, 99) AS e WHERE e.event = 7")).toHaveLength(1);
    expect(await rowsOf("SELECT 'events(null)' AS x, coalesce(null, 1) AS y")).toEqual([{ x: "events(null)", y: 1 }]);
    for (const where of ["object = 0", "object = 99999999"])
      expect(await rowsOf(`SELECT * FROM objects WHERE ${where}`)).toEqual([]);
  });

  it("writes integers in full and seconds in microseconds", async () => {
    const query = "SELECT 9007199254740993 AS a, -9223372036854775807 - 1 AS b, 7 AS c, 1/3.0 AS d";
    const [a, b] = ["9007199254740993", "-9223372036854775808"];
    expect((await run("sql", trace, query, "--json")).out).toBe(`{"a":${a},"b":${b},"c":7,"d":${1 / 3}}\n`);
    expect((await run("sql", trace, query, "--csv")).out).toBe(`a,b,c,d\n${a},${b},7,${1 / 3}\n`);
    expect((await run("sql", trace, query)).out).toMatch(new RegExp(`^ *${a} +${b} +7 +0\\.333333333333$`, "m"));
    expect((await run("sql", trace, "SELECT seconds FROM events WHERE event = 4321")).out).toMatch(/^0\.\d{6}$/m);
  });

  it("writes what a program named as it is into a pipe, and escaped to a terminal", () => {
    const rows = [["\x1b[31mred"]];
    expect([...csvLines(["x"], rows, false)]).toEqual(["x", "\x1b[31mred"]);
    expect([...csvLines(["x"], rows, true)]).toEqual(["x", "\\x1b[31mred"]);
  });

  it.each([
    ["SELECT * FROM events WHERE about = 'x'", "sql: x: an object is asked for by its number: 24284 or '#24284'"],
    ["SELECT * FROM events WHERE about = 99999999", "no object has that number"],
    ["SELECT * FROM objects WHERE number = 0", "no object has that number"],
    ["SELECT * FROM objects(1e99)", "the trace has 6000 events: times go from 0 to 6000"],
    ["SELECT * FROM blocks(6001)", "the trace has 6000 events: times go from 0 to 6000"],
    ["SELECT * FROM objects('#6001')", "sql: time #6001: the trace has 6000 events"],
    ["DELETE FROM meta", "only statements that read"],
    ["ATTACH 'x.db' AS x", "only statements that read"],
    ["SELECT 1; SELECT 2", "more than one statement"],
    ["SELECT nope", "no such column: nope"],
    ["SELECT * FROM events WHERE kinds = 'birth'", "kinds are alloc, realloc"],
    ["SELECT * FROM objects('noon')", "times are start, end"],
  ])("answers %s", async (query, message) => {
    expect((await run("sql", trace, query)).failure).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  });
});

describe("options", () => {
  const once = "is given more than once; it takes one value";
  it.each([
    [["at", "--type", "Foo", "--type", "dict"], `--type: ${once}`],
    [["at", "--file", "a", "--file=b"], `--file: ${once}`],
    [["at", "--function", "a", "--function", "a"], `--function: ${once}`],
    [["at", "--min-count", "1", "--min-count", "2"], `--min-count: ${once}`],
    [["at", "--min-count", "1", "--minCount", "2"], `--min-count: ${once}`],
    [["diff", "start", "end", "--type", "a", "--type", "b"], `--type: ${once}`],
    [["objects", "--sort", "age", "--sort", "size"], `--sort: ${once}`],
    [["history", "#1", "--time", "end", "--time", "peak"], `--time: ${once}`],
    [["at", "--min-count", "NaN"], "--min-count: must be a number"],
    [["at", "--min-count", "1.5"], "--min-count: must be a whole number from 0"],
    [["objects", "--min-count", "-1"], "--min-count: must be a whole number from 0"],
    [["at", "--limit"], "--limit: a value must follow"],
    [["at", "--limit="], "--limit: must be a number"],
    [["at", "--time", "--json"], "--time: a value must follow"],
    [["at", "--no-limit"], "--no-limit: --limit takes a value and has no opposite: leave it out"],
    [["at", "--all=foo"], "--all=foo: --all takes no value"],
    [
      ["objects", "--sort", "foo"],
      "--sort foo: must be one of age, size, refcount, changes; see refledger objects --help",
    ],
    [["diff"], "diff: <from> and <to> are missing; see refledger diff --help"],
    [["diff", "start"], "diff: <to> is missing; see refledger diff --help"],
    [["at", "--bogus"], "Unknown argument: bogus; see refledger at --help"],
  ])("%j: one line that says what is wrong", async ([verb, ...more], message) => {
    expect((await run(verb!, trace, ...more)).failure).toMatchObject({ exitCode: 2, message });
  });

  it.each([
    [["record", "--out", "a", "--out", "b", "x.py"], `--out: ${once}`],
    [["record", "-o", "a", "--out", "b", "x.py"], `--out: ${once}`],
    [["record", "--from", "script", "--from", "interpreter", "x.py"], `--from: ${once}`],
    [["record", "--no-out", "x.py"], "--no-out: --out takes a value and has no opposite: leave it out"],
    [["info", ""], "<trace>: is empty; name the trace file"],
    [["record", "--out", "", "x.py"], "--out: a value must follow, not an empty one"],
    [["diff", "t.db", "start", "end", "--type"], "--type: a value must follow"],
    [["bogus"], "bogus: no such verb; verbs are record, info, verify, why,"],
    [[], "name a verb; refledger --help lists them"],
  ])("%j: so without a trace", async (words, message) => {
    expect((await run(...words)).failure).toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
  });

  it("may stand together and be given as lists where they are lists", async () => {
    const [one, two] = [
      await run("dump", trace, "--kind", "mark"),
      await run("dump", trace, "--kind", "collect-start"),
    ];
    const both = await run("dump", trace, "--kind", "mark", "--kind", "collect-start");
    expect(both.out.split("\n")).toHaveLength(one.out.split("\n").length + two.out.split("\n").length - 1);
    expect((await run("at", trace, "--json", "--json", "--no-all")).failure).toBeUndefined();
  });

  it("are not what SQL begins with", async () => {
    expect((await run("sql", trace, "-- a comment\nSELECT 17 AS x", "--csv")).out).toBe("x\n17\n");
  });
});

it("tables have no lines and no spaces at the end", () => {
  expect(
    tableText(
      ["a", "long"],
      ["right", "left"],
      [
        ["1", "x"],
        ["22", "yy"],
      ],
    ),
  ).toBe(" a  long\n 1  x\n22  yy\n");
});
