import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { writeSample } from "../../test/support/sample-trace.js";
import { EVENT_KINDS, Failure } from "../index.js";
import { runCommandLine } from "./command-line.js";
import { outputTo } from "./output.js";
import { printable } from "./printable.js";
import { bytes, count, plural, seconds } from "./quantity.js";

let folder: string;
let trace: string;
let wrong: string;
let unaudited: string;
const hostile = "int\x1b]0;owned\x07\u202eevil\n";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "refledger-test-"));
  [trace, wrong, unaudited] = ["a", "b", "c"].map((name) => join(folder, `${name}.trace.db`)) as [
    string,
    string,
    string,
  ];
  writeSample(trace);
  writeSample(wrong, { typeName: hostile, twist: ({ objects }) => void objects.count[0]!-- });
  writeSample(unaudited, { audits: false, finish: false }).close();
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
    expect(error.message).not.toContain("\n");
    return { out, failure: error };
  } finally {
    stdout.mockRestore();
  }
}

const lines = (out: string): string[] => out.trimEnd().split("\n");

describe("info", () => {
  it("prints every documented field as JSON", async () => {
    const info = JSON.parse((await run("info", trace, "--json")).out);
    expect(info).toMatchObject({
      python: "3.14.2",
      complete: true,
      exitCode: 0,
      wallSeconds: 0.03,
      eventsPerSecond: 200_000,
      collections: 3,
      marks: 3,
      audits: 2,
    });
    const { total, ...kinds } = info.events;
    expect(total).toBe(6000);
    expect(Object.keys(kinds)).toEqual(EVENT_KINDS.map(({ name }) => name));
    expect(Object.values(kinds as Record<string, number>).reduce((x, y) => x + y)).toBe(6000);
    expect(info.bytesPerEvent).toBeCloseTo(info.eventBytes / 6000);
    expect(info.objects.baseline).toBe(20);
    expect(info.lastAudit).toMatchObject({ event: 6000, objects: info.objects.end });
  });

  it("prints the same for people", async () => {
    const { out } = await run("info", trace);
    expect(out).toMatch(/^program +\/home\/user\/loop\.py --fast$/m);
    expect(out).toMatch(/^events +6,000, 200,000 a second, \d\.\d\d bytes each$/m);
    expect(out).toMatch(/^complete +yes$/m);
    expect((await run("info", unaudited)).out).toMatch(
      /^complete +no: not finished: it is still being recorded, or was cut off$/m,
    );
  });

  it("answers a missing trace in one line, exit status 2", async () => {
    expect((await run("info", join(folder, "none.db"))).failure).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("no such file"),
    });
  });
});

describe("verify", () => {
  it("says that a correct trace is exact", async () => {
    const { out, failure } = await run("verify", trace);
    expect(failure).toBeUndefined();
    expect(out).toMatch(/^objects +\d+ compared, 0 differ$/m);
    expect(JSON.parse((await run("verify", trace, "--json")).out)).toMatchObject({
      ok: true,
      mismatches: 0,
      unknownReferents: 0,
      blockMismatches: 0,
    });
  });

  it("answers no with the differences, escaped, and exit status 1", async () => {
    const { out, failure } = await run("verify", wrong);
    expect(failure).toMatchObject({ exitCode: 1, message: expect.stringMatching(/not exact: 2 objects differ/) });
    expect(out).toMatch(
      /audit 0 at #4000: count: 0x100000 int\\x1b\]0;owned\\x07\\u202eevil\\x0a, there from the start: expected 18790\d+, found 18790\d+/,
    );
    expect(out).not.toMatch(/\x1b|\u202e/);
    const json = await run("verify", wrong, "--json", "--limit", "1");
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      mismatches: 2,
      differences: [{ what: "count", type: hostile }],
    });
    expect(json.failure?.exitCode).toBe(1);
  });

  it("says when nothing could be compared", async () => {
    const { out, failure } = await run("verify", unaudited);
    expect(out).toBe("");
    expect(failure).toMatchObject({
      exitCode: 1,
      message: expect.stringContaining(
        "no audit in this trace: nothing could be compared (6,000 events decoded and folded)",
      ),
    });
  });
});

describe("dump", () => {
  it("prints one event a line, in columns", async () => {
    const all = lines((await run("dump", trace)).out);
    expect(all).toHaveLength(6000);
    expect(all[4]).toMatch(
      /^#4 {10}mark {11}- {11}- {17}mark=warm {17}Loop\.f\d+ \/home\/user\/loop\.py:\d+ +LOAD_FAST +-$/,
    );
    const born = all.find((line) => line.includes("  new  "))!;
    expect(born).toMatch(
      /^#\d+ +new +0x[0-9a-f]{8} +(Type\d+|int) +type=(Type\d+|int) bytes=\d+ +Loop\.f\d+ \S+:\d+ +LOAD_FAST +(PyObject_Malloc|-)$/,
    );
  });

  it("names the type of what is counted, as it was then", async () => {
    const events = lines((await run("dump", trace, "--json")).out).map((line) => JSON.parse(line));
    const types = new Map<number, string>();
    for (let i = 0; i < 20; i++) types.set(0x100000 + i * 48, "int");
    let checked = 0;
    for (const event of events) {
      if (event.kind === "new") types.set(event.address, event.operands.type);
      if (!["incref", "decref", "dealloc"].includes(event.kind) || !types.has(event.address)) continue;
      expect(event.type).toBe(types.get(event.address));
      checked++;
    }
    expect(checked).toBeGreaterThan(5000);
  });

  it("starts and stops where asked: the same lines as in the whole", async () => {
    const all = lines((await run("dump", trace)).out);
    expect(lines((await run("dump", trace, "--from", "1990", "--to", "#2010")).out)).toEqual(all.slice(1990, 2011));
    expect(lines((await run("dump", trace, "--from", "5999", "--to", "99999")).out)).toEqual(all.slice(5999));
  });

  it("filters by kind and by object", async () => {
    const all = lines((await run("dump", trace)).out);
    const some = lines((await run("dump", "--kind", "new,dealloc", trace)).out);
    expect(some.length).toBeGreaterThan(5);
    expect(some).toEqual(all.filter((line) => /^#\d+ +(new|dealloc) /.test(line)));
    const one = lines((await run("dump", trace, "--object", "0x100030", "--kind", "incref")).out);
    expect(one.length).toBeGreaterThan(3);
    expect(one).toEqual(all.filter((line) => /^#\d+ +incref +0x00100030 /.test(line)));
  });

  it("takes an object by its number or as the n-th of its type: its own events alone", async () => {
    const rows = lines((await run("sql", trace, "SELECT event, object, kind, address FROM events", "--json")).out).map(
      (line) => JSON.parse(line) as { event: number; object: number | null; kind: string; address: number },
    );
    const births = rows.filter(({ kind }) => kind === "new");
    const again = births[Math.floor(births.length / 2)]!;
    const own = rows.filter(({ object }) => object === again.object).map(({ event }) => event);
    const byNumber = lines((await run("dump", trace, "--object", `#${again.object}`)).out);
    expect(byNumber.map((line) => Number(/^#(\d+)/.exec(line)![1]))).toEqual(own);
    expect(byNumber).toEqual(
      lines((await run("dump", trace)).out).filter((line) => own.includes(Number(/^#(\d+)/.exec(line)![1]))),
    );
    const part = ["--kind", "new", "--to", `${again.event}`];
    expect(lines((await run("dump", trace, "--object", `#${again.object}`, ...part)).out)).toEqual(
      byNumber.slice(0, 1),
    );
    const query = "SELECT object, type FROM objects WHERE born IS NOT NULL ORDER BY object LIMIT 1";
    const { object, type } = JSON.parse((await run("sql", trace, query, "--json")).out);
    const all = JSON.parse((await run("objects", trace, "--all", "--type", type, "--json", "--limit", "9999")).out);
    const nth = all.rows.findIndex(({ id }: { id: number }) => id === object) + 1;
    expect(await run("dump", trace, "--object", `${type}[${nth}]`)).toEqual(
      await run("dump", trace, "--object", `#${object}`),
    );
  });

  it.each([
    [["--object", "0x999"], "--object 0x999: no event is about that address"],
    [
      ["--object", "0x100030", "--kind", "mark"],
      "--object 0x100030: no event is about that address among those asked for",
    ],
  ])("says that nothing was found, exit status 1: %j", async (options, message) => {
    expect(await run("dump", trace, ...options)).toMatchObject({ out: "", failure: { exitCode: 1, message } });
  });

  it("escapes hostile names in the text and keeps them in JSON", async () => {
    const text = await run("dump", wrong, "--object", "0x100000");
    expect(text.out).toContain("int\\x1b]0;owned\\x07\\u202eevil\\x0a");
    expect(text.out).not.toMatch(/\x1b|\u202e/);
    expect(JSON.parse(lines((await run("dump", wrong, "--object", "0x100000", "--json")).out)[0]!).type).toBe(hostile);
  });

  it.each([
    [["--from", "9", "--to", "3"], "--from 9 is after --to 3"],
    [["--from", "6000"], "the trace has 6000 events"],
    [["--from", "-1"], "must be an event number"],
    [["--to", "1e3"], "must be an event number"],
    [["--kind", "nwe"], "must be one of alloc, realloc"],
    [["--object", "dict"], "no type has that name"],
    [["--object", "#999999"], "no object has that number"],
    [["--object", "0x100000000"], "must be an address"],
  ])("answers wrong usage: %j", async (options, message) => {
    expect((await run("dump", trace, ...options)).failure).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining(message),
    });
  });
});

describe("output", () => {
  it("waits for a slow reader, and ends quietly when the reader goes", async () => {
    const pipe = new PassThrough({ highWaterMark: 10 });
    const output = outputTo(pipe);
    let written = false;
    const waiting = output.write("a".repeat(100)).then((more) => {
      written = true;
      return more;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(written).toBe(false);
    pipe.resume();
    expect(await waiting).toBe(true);
    pipe.pause();
    const stuck = output.write("b".repeat(100));
    pipe.destroy(Object.assign(new Error("gone"), { code: "EPIPE" }));
    expect(await stuck).toBe(false);
    expect(await output.write("c")).toBe(false);
  });
});

describe("what people read", () => {
  it.each([
    ["plain Ünïcödé 名前 🐍", "plain Ünïcödé 名前 🐍"],
    ["\x1b[31mred", "\\x1b[31mred"],
    ["a\u0085b\u009bc", "a\\x85b\\x9bc"],
    ["\u2066x\u2069\u200b\ufeff", "\\u2066x\\u2069\\u200b\\ufeff"],
    ["\ud800", "\\ud800"],
    ["\u{e0041}", "\\u{e0041}"],
  ])("shows %j as %j", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it("gives numbers their units", () => {
    expect([count(1234567), bytes(999), bytes(1_234_567), bytes(999_960), bytes(5e15)]).toEqual([
      "1,234,567",
      "999 B",
      "1.2 MB",
      "1.0 MB",
      "5000.0 TB",
    ]);
    expect([seconds(0.0123), seconds(0.9996), seconds(59.96), seconds(83)]).toEqual([
      "12 ms",
      "1.0 s",
      "1 min 0 s",
      "1 min 23 s",
    ]);
    expect([plural(1, "object"), plural(2000, "object")]).toEqual(["1 object", "2,000 objects"]);
  });
});
