/**
 * What a trace says about a program whose every line is known: where counts change, what is reused, moved, brought back. The programs are
 * small, so that each expectation can be read off them.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { beforeAll, describe, expect, it } from "vitest";
import { TraceReader } from "../../dist/index.js";
import { readLibrary } from "../../dist/interpreter/library.js";
import type { DescribedEvent } from "../../src/index.js";
import { dumped, exact, infoOf, refledger, unrecorded, verified, withFolder } from "../support/recording.js";

/** Records a program; gives what it printed and every event. */
async function recorded(source: string, options: readonly string[] = []) {
  return withFolder(async (folder) => {
    writeFileSync(join(folder, "p.py"), source);
    const ended = await refledger(["record", ...options, "p.py"], { cwd: folder });
    expect(ended).toMatchObject({ code: 0 });
    const trace = join(folder, "p.trace.db");
    expect(await verified(trace)).toMatchObject(exact);
    return { out: ended.out, events: await dumped(trace), info: await infoOf(trace) };
  });
}

/** The events between two marks. */
function between(events: readonly DescribedEvent[], from: string, to: string): DescribedEvent[] {
  const at = (name: string): number =>
    events.findIndex(({ kind, operands }) => kind === "mark" && operands["mark"] === name);
  expect(at(from)).toBeGreaterThanOrEqual(0);
  expect(at(to)).toBeGreaterThan(at(from));
  return events.slice(at(from) + 1, at(to));
}

const kinds = (events: readonly DescribedEvent[]): string[] => events.map(({ kind }) => kind);
const of = (events: readonly DescribedEvent[], kind: string): DescribedEvent[] => events.filter((e) => e.kind === kind);
const about = (events: readonly DescribedEvent[], address: number): DescribedEvent[] =>
  events.filter((e) => e.address === address);
/** Count after these events of an object that had `count` before. */
const sum = (events: readonly DescribedEvent[], count: number): number =>
  events.reduce((n, { kind }) => n + (kind === "incref" ? 1 : kind === "decref" ? -1 : 0), count);

describe("the counts of one object", () => {
  it("change at the lines, in the functions and by the instructions of the program", async () => {
    const { events } = await recorded(`import refledger
class Thing:
    pass

def work(t):
    a = t
    b = [t, t]
    del b
    return None

refledger.mark("before")
t = Thing()
work(t)
kept = {"k": t}
kept.clear()
t = None
refledger.mark("after")
`);
    const [birth] = of(between(events, "before", "after"), "new").filter(({ type }) => type === "Thing");
    const ledger = about(events, birth!.address!).filter(({ event }) => event >= birth!.event);
    const told = ledger.map(({ kind, function: f, line, opcode }) => [kind, f, line, opcode]);
    const module = "<module>";
    expect(told).toEqual([
      ["new", module, 12, "CALL"],
      ["incref", module, 12, "STORE_NAME"],
      ["decref", module, 12, "STORE_NAME"],
      ["incref", module, 13, "LOAD_NAME"],
      ["incref", "work", 6, "LOAD_FAST"],
      ["incref", "work", 7, "BUILD_LIST"],
      ["incref", "work", 7, "BUILD_LIST"],
      ["decref", "work", 8, "DELETE_FAST"],
      ["decref", "work", 8, "DELETE_FAST"],
      ["decref", module, 13, "CALL"], // a, released when the frame is cleared
      ["decref", module, 13, "CALL"], // t
      ["incref", module, 14, "LOAD_NAME"],
      ["incref", module, 14, "BUILD_MAP"],
      ["decref", module, 14, "BUILD_MAP"],
      ["decref", module, 15, "CALL"],
      ["decref", module, 16, "STORE_NAME"],
      ["dealloc", module, 16, "STORE_NAME"],
    ]);
    expect(sum(ledger, 1)).toBe(0);
    expect(new Set(ledger.map(({ file }) => file?.endsWith("p.py")))).toEqual(new Set([true]));
    expect(ledger.find(({ opcode, kind }) => opcode === "LOAD_NAME" && kind === "incref")!.cFunction).toBe(
      "PyDict_GetItemRef",
    );
  });

  it("are what sys.getrefcount says", async () => {
    const { out, events } = await recorded(`import refledger, sys
class Thing: pass
t = Thing()
held = []
for i in range(50):
    held.append(t)
    if i % 7 == 0:
        refledger.mark(f"at {i}")
        print(id(t), sys.getrefcount(t))
`);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" ").map(Number));
    expect(lines).toHaveLength(8);
    const address = lines[0]![0]!;
    const birth = events.findLast(({ kind, address: a }) => kind === "new" && a === address)!;
    lines.forEach(([id, said], turn) => {
      expect(id).toBe(address);
      const mark = events.find(({ operands }) => operands["mark"] === `at ${turn * 7}`)!;
      const count = sum(
        events.slice(birth.event, mark.event).filter((e) => e.address === address),
        1,
      );
      // The argument is loaded from a global after the mark: one reference more.
      expect(said).toBe(count + 1);
      expect(count).toBe(turn * 7 + 2);
    });
  });
});

describe("marks", () => {
  it("are there by name, in order, as often as they were made", async () => {
    const { events, info } = await recorded(`import refledger
for i in range(300): refledger.mark("turn" if i % 3 else "Ünïcödé 名前")
refledger.mark("")
refledger.mark("x" * 20000)
`);
    const names = of(events, "mark").map(({ operands }) => operands["mark"]);
    expect(info.marks).toBe(302);
    expect(names.slice(0, 300)).toEqual(Array.from({ length: 300 }, (_, i) => (i % 3 ? "turn" : "Ünïcödé 名前")));
    expect(names[300]).toBe("");
    expect(names[301]).toMatch(/^x+$/);
  });
});

describe("memory", () => {
  let events: DescribedEvent[];
  let out: string;
  beforeAll(async () => {
    const source = `import refledger, gc
refledger.mark("float")
y = 3.0
x = 1.5 * y
del x
z = 2.5 * y
refledger.mark("str")
def grow():
    s = "a" * 1000
    for i in range(20): s += "x"
    return s
s = grow()
refledger.mark("list")
l = []
for i in range(40): l.append(None)
refledger.mark("class")
class A: pass
class B: pass
a = A()
refledger.mark("change")
a.__class__ = B
refledger.mark("resurrect")
class Phoenix:
    def __del__(self):
        global saved
        saved = self
p = Phoenix()
del p
refledger.mark("repeat")
o = object()
many = [o] * 1000
refledger.mark("end")
print(id(s), id(a), id(saved), id(o), id(z))
`;
    ({ events, out } = await recorded(source));
  });
  const ids = (): number[] => out.split(" ").map(Number);

  it("reused through a free list: a dealloc without a free, a new without an alloc", () => {
    const here = between(events, "float", "str");
    const floats = here.filter(({ type, kind }) => type === "float" && (kind === "new" || kind === "dealloc"));
    expect(kinds(floats)).toEqual(["new", "dealloc", "new"]);
    const address = ids()[4]!;
    expect(floats.map((e) => [e.address, e.line])).toEqual([
      [address, 4],
      [address, 5],
      [address, 6],
    ]);
    const death = floats[1]!.event;
    expect(
      about(here, address).filter(({ event, kind }) => event > death && (kind === "free" || kind === "alloc")),
    ).toEqual([]);
  });

  it("of a str that grows in place: reallocs, and one object from birth on", () => {
    const here = between(events, "str", "list");
    const address = ids()[0]!;
    const moves = of(here, "realloc").filter(({ address: to }) => to === address);
    expect(moves.length).toBeGreaterThanOrEqual(15);
    expect(moves.map(({ operands }) => operands["size"])).toEqual(
      moves.map((_, i) => (moves[0]!.operands["size"] as number) + i),
    );
    const births = of(here, "new").filter(({ type, function: f }) => type === "str" && f === "grow");
    expect(births.length).toBeLessThanOrEqual(2);
    expect(about(here, address).some(({ kind }) => kind === "dealloc")).toBe(false);
  });

  it("of a list's items: a block that moves while the list stays", () => {
    const here = between(events, "list", "class");
    const [list] = of(here, "new").filter(({ type }) => type === "list");
    const sizes = of(here, "realloc").map(({ operands }) => operands["size"]);
    expect(sizes).toEqual([32, 64, 96, 128, 160]); // list_resize: 8, 16, 24, 32, 40 items of 4 bytes
    const moves = of(here, "realloc");
    moves.slice(1).forEach(({ operands }, i) => {
      expect(Number(operands["old"])).toBe(moves[i]!.address);
    });
    expect(kinds(about(here, list!.address!)).filter((kind) => kind !== "incref" && kind !== "decref")).toEqual([
      "new",
    ]);
  });

  it("changes type with __class__", () => {
    const [change, ...more] = of(between(events, "change", "resurrect"), "settype");
    expect(more).toEqual([]);
    expect(change).toMatchObject({
      address: ids()[1],
      type: "A",
      operands: { type: "B" },
      line: 21,
      opcode: "STORE_ATTR",
    });
    const later = about(events.slice(change!.event + 1), ids()[1]!);
    for (const { type } of later) expect(type).toBe("B");
  });

  it("comes back when a finalizer keeps it", () => {
    const here = between(events, "resurrect", "repeat");
    const life = about(here, ids()[2]!).filter(({ kind }) => ["new", "dealloc", "resurrect"].includes(kind));
    expect(kinds(life)).toEqual(["new", "dealloc", "resurrect"]);
    expect(here.filter(({ function: f }) => f === null)).toEqual([]);
    // Also behind the finalizer's return to C, where no Python frame is current, the place is the caller's.
    for (const event of life.slice(1))
      expect(event).toMatchObject({ type: "Phoenix", function: "<module>", line: 28, opcode: "DELETE_NAME" });
    const body = here.filter(({ kind, operands }) => kind === "call" && operands["code"] === "Phoenix.__del__");
    expect(body).toHaveLength(1);
    expect(body[0]!.event).toBeGreaterThan(life[1]!.event);
    expect(body[0]!.event).toBeLessThan(life[2]!.event);
  });

  it("gets a thousand references at once", () => {
    const [bulk, ...more] = of(about(between(events, "repeat", "end"), ids()[3]!), "setref");
    expect(more).toEqual([]);
    expect(bulk).toMatchObject({ type: "object", line: 31 });
    expect(bulk!.operands["count"]).toBeGreaterThanOrEqual(1001);
    expect(bulk!.operands["count"]).toBeLessThanOrEqual(1003);
  });
});

describe("calls and collections", () => {
  it("are balanced, and nest as the program's functions do", async () => {
    const { events } = await recorded(`import refledger
def leaf(n): return n
def gen():
    yield leaf(1)
    yield leaf(2)
def fails():
    raise ValueError
def outer():
    for x in gen(): leaf(x)
    try: fails()
    except ValueError: pass
    return leaf(3)
refledger.mark("begin")
outer()
refledger.mark("end")
`);
    const stack: string[] = [];
    const seen: string[] = [];
    for (const { kind, operands } of between(events, "begin", "end")) {
      const code = String(operands["code"]);
      if (kind === "call") {
        seen.push(`${"  ".repeat(stack.length)}${code}`);
        stack.push(code);
      } else if (kind === "return") expect(stack.pop()).toBe(code);
    }
    expect(stack).toEqual([]);
    // gen: once to be made, then for each value and for its end.
    expect(seen).toEqual([
      "outer",
      "  gen",
      "  gen",
      "    leaf",
      "  leaf",
      "  gen",
      "    leaf",
      "  leaf",
      "  gen",
      "  fails",
      "  leaf",
    ]);
  });

  it("agree with gc.callbacks", async () => {
    const { out, events, info } = await recorded(`import gc, refledger
seen = []
gc.callbacks.append(lambda phase, info: seen.append((phase, info['generation'], info.get('collected', 0), info.get('uncollectable', 0))))
class Node: pass
refledger.mark("begin")
for turn in range(5):
    for i in range(10):
        a, b = Node(), Node()
        a.b, b.a = b, a
    a = b = None
    gc.collect(turn % 3)
kept = [[] for i in range(20000)]
gc.collect()
refledger.mark("end")
gc.callbacks.clear()
for line in seen: print(*line)
`);
    const said = out
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" "));
    expect(said.length).toBeGreaterThanOrEqual(12);
    const here = between(events, "begin", "end");
    const told = here
      .filter(({ kind }) => kind === "collect-start" || kind === "collect-stop")
      .map(({ kind, operands: o }) =>
        kind === "collect-start" ? ["start", o["generation"], 0, 0] : ["stop", o["collected"], o["uncollectable"]],
      );
    expect(told.map(([phase]) => phase)).toEqual(said.map(([phase]) => phase));
    told.forEach(([phase, ...numbers], i) => {
      const [, generation, collected, uncollectable] = said[i]!.map(Number);
      if (phase === "start") expect(numbers[0]).toBe(generation);
      else expect(numbers).toEqual([collected, uncollectable]);
    });
    expect(info.collections).toBeGreaterThanOrEqual(said.length / 2);
    const manual = of(here, "collect-start").filter(({ operands }) => operands["reason"] === "manual");
    expect(manual).toHaveLength(6);
  });
});

describe("the program's start", () => {
  const peakOf = async (trace: string) =>
    JSON.parse((await refledger(["at", trace, "--time", "peak", "--json"])).out) as {
      time: { event: number };
      stack: { function: string; file: string }[];
    };

  it.each([
    ["an empty script", ["p.py"], ""],
    ["a folder", ["-q", "folder"], ""],
    ["an archive", ["p.zip"], ""],
    ["code", ["-c", "pass"], undefined],
    ["a module", ["-m", "p"], ""],
    ["an empty script from the interpreter's first instruction on", ["--from", "interpreter", "p.py"], ""],
  ])("is behind the interpreter's set-up, and the peak is the program's: %s", async (_name, words, text) => {
    await withFolder(async (folder) => {
      if (text !== undefined) writeFileSync(join(folder, "p.py"), text);
      mkdirSync(join(folder, "folder"));
      writeFileSync(join(folder, "folder/__main__.py"), "pass\n");
      writeFileSync(join(folder, "p.zip"), zipSync({ "__main__.py": [Buffer.from("pass\n"), { level: 0 }] }));
      const trace = join(folder, "t.db");
      const ended = await refledger(["record", "-q", "--out", trace, ...words], { cwd: folder });
      expect(ended).toMatchObject({ code: 0, out: "", err: "" });
      const { staticObjects, ...result } = await verified(trace);
      expect(result).toMatchObject(exact);
      // A recording from the first instruction on has no baseline for what is never created; another may meet a few more later.
      if (words[0] === "--from") expect(staticObjects).toBeGreaterThan(100);
      else expect(staticObjects).toBeLessThan(100);
      expect(await refledger(["rerun", trace])).toMatchObject({ code: 0 });
      const events = await dumped(trace);
      if (words[0] !== "--from") expect(events.filter((e) => e.function === "_read_directory")).toEqual([]);
      const { time, stack } = await peakOf(trace);
      expect(stack.length).toBeGreaterThan(0);
      expect(stack.some(({ file }) => file.startsWith("<frozen import") || file === "<frozen zipimport>")).toBe(false);
      const main = events.findLast(({ kind, operands }) => kind === "call" && operands["code"] === "<module>")!;
      expect(time.event).toBeGreaterThan(main.event);
    });
  });
});

it("counts seconds from the first event on, not from the taking of the baseline", async () => {
  await withFolder(async (folder) => {
    writeFileSync(join(folder, "p.py"), "print(1)\n");
    expect(await refledger(["record", "-q", "p.py"], { cwd: folder })).toMatchObject({ code: 0 });
    const query = "SELECT wall_start FROM chunks WHERE id = 0";
    const { out } = await refledger(["sql", join(folder, "p.trace.db"), query, "--json"]);
    expect(JSON.parse(out).wall_start).toBeLessThan(50);
  });
});

it("records a script from standard input, as `python -` runs it, and finds its marks whatever they are called", async () => {
  await withFolder(async (folder) => {
    const input = `import refledger, sys
print(sys.argv, repr(sys.path[0]), __name__, globals().get("__file__"))
refledger.mark("")
refledger.mark("y" * 300)
sys.exit(3)
`;
    const ended = await refledger(["record", "-q", "-", "a", "--out"], { cwd: folder, input });
    const { code, out, err } = await unrecorded(["-", "a", "--out"], { cwd: folder, input });
    expect([code, out, err]).toEqual([3, "['-', 'a', '--out'] '' __main__ <stdin>\n", ""]);
    expect(ended).toMatchObject({ code, out, err });
    const trace = join(folder, "stdin.trace.db");
    expect(await verified(trace)).toMatchObject(exact);
    expect(await refledger(["rerun", trace])).toMatchObject({ code: 0 });
    const [mark] = (await dumped(trace, ["--kind", "mark"])).map(({ event }) => event);
    for (const time of ["mark:", "line:<stdin>:3[1]"]) {
      const at = JSON.parse((await refledger(["at", trace, "--time", time, "--json"])).out);
      expect(at.time.event).toBeLessThanOrEqual(mark!);
      expect(at.stack[0]).toMatchObject({ function: "<module>", file: "<stdin>", line: 3 });
    }
    const answer = async (time: string): Promise<string> => (await refledger(["at", trace, "--time", time])).err;
    expect(await answer("mark:z")).toBe(
      `refledger: --time mark:z: no mark has that name; marks are: "", "${"y".repeat(39)}…"\n`,
    );
    expect(await answer("mark:[2]")).toBe('refledger: --time mark:[2]: mark "" occurs once: choose mark:\n');
  });
});

describe("source text", () => {
  it("is there for the library's modules of which code ran, and the program runs again as before", async () => {
    await withFolder(async (folder) => {
      writeFileSync(join(folder, "in.json"), '{"a": [1, 2]}');
      const trace = join(folder, "json.tool.trace.db");
      expect(await refledger(["record", "-q", "-m", "json.tool", "in.json"], { cwd: folder })).toMatchObject({
        code: 0,
      });
      expect(await verified(trace)).toMatchObject(exact);
      expect(await refledger(["rerun", trace])).toMatchObject({ code: 0 });
      const sql = async (query: string): Promise<Record<string, string>[]> =>
        (await refledger(["sql", trace, query, "--json"])).out
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line));
      const called = await sql(
        "SELECT DISTINCT c.file FROM codes c JOIN events('start', 'end', 'call') e ON c.id = e.a WHERE c.file LIKE '%.zip/%' ORDER BY c.file",
      );
      const files = await sql("SELECT path AS file FROM files WHERE role = 'library' ORDER BY path");
      expect(files).toEqual(called);
      const tool = files.find(({ file }) => file!.endsWith("/json/tool.py"))!["file"]!;
      const reader = TraceReader.open(trace);
      try {
        expect(reader.files().map(({ path }) => path)).not.toContain(tool);
        const name = "json/tool.py";
        const library = unzipSync(await readLibrary(), { filter: (entry) => entry.name === name })[name]!;
        expect(Buffer.from(reader.file(tool)!).equals(library)).toBe(true);
      } finally {
        reader.close();
      }
      const at = JSON.parse((await refledger(["at", trace, "--file", "json/tool.py", "--json"])).out);
      expect(at.places.length).toBeGreaterThan(0);
      expect(at.places.map((place: { source: string }) => place.source)).not.toContain(null);
      // Places as they are printed are names, too.
      const { out } = await refledger(["at", trace, "--file", "<lib>/json/tool.py"]);
      const line = /main (<lib>\/json\/tool\.py:\d+)/.exec(out)![1]!;
      const then = JSON.parse((await refledger(["at", trace, "--time", `line:${line}[1]`, "--json"])).out);
      expect(then.stack[0]).toMatchObject({ function: "main", file: tool, line: Number(line.split(":")[1]) });
      expect((await refledger(["at", trace, "--file", "ool.py"])).err).toContain("similar are: <lib>/");
    });
  });
});
