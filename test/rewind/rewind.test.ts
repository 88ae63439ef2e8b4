/**
 * Programs that are recorded as people do it, and then run again by the built program: the same to the last event, on other inputs' ruins; held at
 * random instants, with the memory that the trace says; asked for values. The random instants' seed is printed.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EventNumber, Past } from "../../dist/index.js";
import { compress, decompress } from "../../src/trace/compression.js";
import { seed } from "../support/seed.js";

const root = resolve(import.meta.dirname, "../..");
const command = join(root, "dist/cli/main.js");

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "refledger-rewind-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const refledger = (args: string[], cwd = folder, input = "", env: Record<string, string> = {}) =>
  spawnSync(process.execPath, [command, ...args], {
    cwd,
    input,
    encoding: "utf8",
    timeout: 100_000,
    env: { ...process.env, ...env },
  });

/** Records a script of this text in a folder of its own; the trace is outside of it. */
function recorded(name: string, text: string, input = ""): { trace: string; home: string; out: string } {
  const home = join(folder, name);
  mkdirSync(home);
  writeFileSync(join(home, "program.py"), text);
  const trace = join(folder, `${name}.trace.db`);
  const { status, stdout, stderr } = refledger(
    ["record", "-q", "--hash-seed", "7", "-o", trace, "program.py"],
    home,
    input,
  );
  expect([status, stderr]).toEqual([0, ""]);
  return { trace, home, out: stdout };
}

const same = (trace: string, env: Record<string, string> = {}): void => {
  const { status, stdout, stderr } = refledger(["rerun", trace], folder, "", env);
  expect([stderr, status]).toEqual(["", 0]);
  expect(stdout).toMatch(/^the same again: [\d,]+ events, hash for hash\n$/);
};

const worldly = `
import asyncio, json, os, random, sys, tempfile, time, uuid
with open("input.json") as f: data = json.load(f)
with tempfile.NamedTemporaryFile("w", dir=".", delete=False) as f: f.write("left by the program")
facts = [time.time(), time.perf_counter_ns(), random.random(), str(uuid.uuid4()), f.name, os.stat(f.name).st_ino, os.getcwd(), time.strftime("%H %Z")]
order = list({str(i) * 3 for i in range(50)})
lines = [line.strip() for line in sys.stdin]
async def tick(n):
    for _ in range(3): await asyncio.sleep(0.002 * n)
    return time.monotonic()
async def main(): return await asyncio.gather(*(tick(n) for n in range(4)))
ticks = asyncio.run(main())
print(json.dumps([facts, order, lines, ticks, data]))
`;

describe("a program that looks at the world", () => {
  let trace: string;
  let said: unknown[];
  let home: string;
  beforeAll(() => {
    const text = worldly.replace(/^/, "import pathlib; pathlib.Path('input.json').write_text('[1, 2]')\n");
    const made = recorded("worldly", text, "one\ntwo\n");
    home = made.home;
    said = JSON.parse(made.out) as unknown[];
    trace = join(folder, "elsewhere", "moved.db");
    mkdirSync(join(folder, "elsewhere"));
    renameSync(made.trace, trace);
    rmSync(home, { recursive: true });
  });

  it("runs again with its files gone, from another folder, and makes none", () => {
    same(trace, {
      TZ: "Pacific/Auckland",
      HOME: "/elsewhere",
      USER: "somebody",
      LANG: "de_DE.UTF-8",
      PYTHONHASHSEED: "3",
    });
    expect(existsSync(home)).toBe(false);
    expect(readdirSync(join(folder, "elsewhere"))).toEqual(["moved.db"]);
  });

  it("has the values that it printed", () => {
    const { stdout, status } = refledger(["eval", trace, "[facts, order, lines, ticks, data]", "--json"]);
    expect(status).toBe(0);
    const { text, ok } = JSON.parse(stdout) as { text: string; ok: boolean };
    expect(ok).toBe(true);
    expect(JSON.parse(text.replaceAll("'", '"'))).toEqual(said);
  });

  it("cannot reach the machine by what it is asked", () => {
    for (const question of ["open('/etc/passwd').read()", "__import__('os').listdir('/')", "open('made', 'w')"]) {
      const { stdout, stderr, status } = refledger(["eval", trace, question]);
      expect([stdout, status]).toEqual(["", 1]);
      expect(stderr).toMatch(/^Traceback [\s\S]*\n(OSError|FileNotFoundError): .*\n$/);
    }
  });

  it("is noticed when it does something else", () => {
    const twisted = join(folder, "twisted.db");
    writeFileSync(twisted, readFileSync(trace));
    const db = new Database(twisted);
    // The last line of standard input is another one.
    const rows = db.prepare("SELECT id, data FROM inputs").all() as { id: number; data: Uint8Array }[];
    let changed = 0;
    for (const { id, data } of rows) {
      const bytes = Buffer.from(decompress(data, 2 ** 20));
      const at = bytes.indexOf("one\ntwo\n");
      if (at < 0) continue;
      bytes.write("\n\n\n\n", at + 4);
      db.prepare("UPDATE inputs SET data = ? WHERE id = ?").run(compress(bytes), id);
      changed++;
    }
    db.close();
    expect(changed).toBe(1);
    const { stdout, stderr, status } = refledger(["rerun", twisted, "--json"]);
    expect([status, stderr]).toEqual([1, ""]);
    const { same: isSame, divergence } = JSON.parse(stdout) as {
      same: boolean;
      divergence: { event: number; found: string };
    };
    expect(isSame).toBe(false);
    expect(divergence.event).toBeGreaterThan(1000);
    expect(divergence.found).toMatch(/program\.py|the program calls /);
  });
});

describe("a program that is interrupted", () => {
  it("is interrupted again at the same events", async () => {
    const home = join(folder, "interrupted");
    mkdirSync(home);
    writeFileSync(
      join(home, "program.py"),
      `
import time
n = 0
def until_interrupted(wait):
    global n
    print("ready", flush=True)
    try: wait()
    except KeyboardInterrupt: n += 1
def spin():
    while True: str(n)
until_interrupted(spin)
until_interrupted(lambda: time.sleep(60))
until_interrupted(input)
print(n)
`,
    );
    const trace = join(folder, "interrupted.trace.db");
    const child = spawn(process.execPath, [command, "record", "-q", "-o", trace, "program.py"], { cwd: home });
    let out = "";
    child.stdout.on("data", (bytes) => {
      out += bytes;
      if (String(bytes).includes("ready")) setTimeout(() => child.kill("SIGINT"), 200);
    });
    await new Promise((done) => child.on("exit", done));
    expect(out).toBe("ready\nready\nready\n3\n");
    same(trace);
  });
});

describe("leaky-cache", () => {
  let past: Past;
  let trace: string;
  const progress: number[] = [];
  beforeAll(async () => {
    trace = join(folder, "leaky.trace.db");
    expect(refledger(["record", "-q", "-o", trace, join(root, "traces/leaky-cache.py")]).status).toBe(0);
    past = await Past.enter(trace, { onProgress: (event) => void progress.push(event) });
  });
  afterAll(() => past.close());

  it("runs again to the same end", () => same(trace));

  it(`has at random instants the memory that the trace says (REFLEDGER_SEED=${seed})`, async () => {
    let state = seed;
    const instantsEach = Number(process.env["REFLEDGER_INSTANTS"] ?? 8);
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const instants = Array.from({ length: instantsEach }, () => Math.floor(random() * past.events)).sort(
      (a, b) => a - b,
    );
    for (const instant of [0, 1, ...instants, past.events]) {
      expect(await past.goTo(instant as EventNumber)).toEqual({ event: instant, ended: instant === past.events });
      const { event, objects, differences, examples } = await past.check();
      expect([event, differences, examples]).toEqual([instant, 0, []]);
      expect(objects).toBeGreaterThan(10_000);
    }
    expect(progress.length).toBeGreaterThan(0);
  });

  it("goes back, answers, and goes on as if nothing had been asked", async () => {
    const instant = Math.floor(past.events / 2) as EventNumber;
    expect((await past.goTo(instant)).event).toBe(instant);
    const before = await past.evaluate("(__name__, [0] * 3)");
    expect(before).toMatchObject({ ok: true, output: "" });
    expect(before.event).toBeGreaterThanOrEqual(instant);
    expect(before.where).toMatch(/^\S+ \(.*:\d+\)$/);
    expect(await past.evaluate("import sys; sys.refledger_was_here = 1; print('printed')")).toMatchObject({
      ok: true,
      output: "printed\n",
    });
    expect(await past.evaluate("sys.refledger_was_here")).toMatchObject({ ok: false });
    expect(await past.evaluate("1 / 0")).toMatchObject({ ok: false, text: "ZeroDivisionError: division by zero" });
    expect(await past.evaluate("1", { frame: 1000 })).toMatchObject({ ok: false });
    expect(await past.goTo(past.events)).toEqual({ event: past.events, ended: true });
    expect((await past.check()).differences).toBe(0);
  });

  it("answers at marks and in callers' frames", () => {
    const { stdout } = refledger(["eval", trace, "1 + 1", "--time", "#400000", "--frame", "1", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, text: "2" });
    const wrong = refledger(["eval", trace, "1", "--time", "mark:no such mark"]);
    expect([wrong.status, wrong.stderr]).toEqual([
      2,
      'refledger: --time mark:no such mark: no mark has that name; marks are: "request"\n',
    ]);
  });
});

describe("what cannot be meant", () => {
  it("is refused in one line, with the name of the option", () => {
    const trace = join(folder, "short.trace.db");
    expect(refledger(["record", "-q", "-o", trace, "-c", "pass"]).status).toBe(0);
    const empty = refledger(["eval", trace, " "]);
    const give = "refledger: eval: give an expression, such as 'len(cache)'\n";
    expect([empty.status, empty.stdout, empty.stderr]).toEqual([2, "", give]);
    for (const object of ["expr:", "expr: ", "#abc", "0xzz", ""]) {
      const { status, stderr } = refledger(["why", trace, object]);
      expect([object, status, stderr]).toEqual([
        object,
        2,
        expect.stringMatching(/^refledger: .*: is no object; .*\n$/),
      ]);
    }
    for (const [name, ...line] of [
      ["--since", "cycles", trace, "--since", "bogus"],
      ["--from", "leaks", trace, "--from", "bogus"],
      ["--from", "pools", trace, "--from", "bogus"],
    ]) {
      const { status, stderr } = refledger(line);
      expect([status, stderr]).toEqual([2, expect.stringMatching(new RegExp(`^refledger: ${name} bogus: is no time`))]);
    }
  });
});

describe("a question that allocates much", () => {
  it("brings on no collection, unless it asks for one", () => {
    const trace = join(folder, "garbage.trace.db");
    const code = `
import gc, refledger, weakref
class Node: pass
gc.collect()
node = Node(); node.me = node
watch = weakref.ref(node)
del node
refledger.mark("orphaned")`;
    expect(refledger(["record", "-q", "-o", trace, "-c", code]).status).toBe(0);
    const asked = (question: string): string =>
      refledger(["eval", trace, "--module", "__main__", "--time", "mark:orphaned", question]).stdout;
    expect(asked("[bool(kept := [[] for _ in range(100_000)]), watch() is None]")).toBe("[True, False]\n");
    expect(asked("[gc.collect() > 0, watch() is None]")).toBe("[True, True]\n");
  });
});

describe("a recording that was killed", () => {
  it("runs again to its last event, and can be asked before it", async () => {
    const home = join(folder, "killed");
    mkdirSync(home);
    writeFileSync(
      join(home, "program.py"),
      "import time\nkept = {}\nfor i in range(10**9):\n    kept[i % 100] = [time.time()]\n",
    );
    const trace = join(folder, "killed.trace.db");
    const child = spawn(process.execPath, [command, "record", "-q", "-o", trace, "program.py"], { cwd: home });
    const ended = new Promise((done) => child.on("exit", done));
    const events = (): number => {
      const { stdout, status } = refledger(["info", trace, "--json"]);
      return status === 0 ? (JSON.parse(stdout) as { events: { total: number } }).events.total : 0;
    };
    while (events() < 300_000) await new Promise((done) => setTimeout(done, 300));
    child.kill("SIGKILL");
    await ended;
    same(trace);
    const { stdout } = refledger(["eval", trace, "len(kept), kept[5][0] > 1e9", "--time", "#200000"]);
    expect(stdout).toBe("(100, True)\n");
    // At the cut-off end itself Python cannot be asked; at the last moment before it can.
    const last = refledger(["eval", trace, "len(kept)", "--time", "end", "--json"]);
    expect(JSON.parse(last.stdout)).toMatchObject({ ok: true, text: "100" });
    const { event } = JSON.parse(last.stdout) as { event: number };
    expect(event).toBeGreaterThan(200_000);
  });
});
