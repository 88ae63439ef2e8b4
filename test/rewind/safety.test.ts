/**
 * What a stranger's trace cannot do when it is run again: the recorded program tries everything that it can think of, and so do the
 * questions. Canaries stand where they would be touched: changed files, a server that counts, a variable in the environment.
 */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Past, rerun } from "../../dist/index.js";
import { compress, decompress } from "../../src/trace/compression.js";
import { cache, refledger } from "../support/recording.js";

const CANARY = "canary-7f3a";

const hostile = (port: number): string => `
import os, sys, time
done = {}
def attempt(f):
    try: done[f.__name__] = repr(f())
    except BaseException as e: done[f.__name__] = type(e).__name__
    return f
@attempt
def javascript(): import js
@attempt
def bridge():
    from pyodide.code import run_js
    return run_js("process.exit(9)")
@attempt
def bridge_js(): import pyodide_js
@attempt
def core(): import _pyodide_core
@attempt
def read(): return open("secret.txt").read()
@attempt
def read_up(): return open("../outside.txt").read()
@attempt
def read_absolute(): return open(os.path.abspath("secret.txt")).read()
@attempt
def read_link(): return open("link.txt").read()
@attempt
def listing(): return sorted(os.listdir("."))
@attempt
def write(): return open("written.txt", "w").write("by the program")
@attempt
def write_up(): return open("../written.txt", "w").write("by the program")
@attempt
def remove(): os.remove("victim.txt")
@attempt
def rename(): os.rename("old.txt", "new.txt")
@attempt
def folder(): os.mkdir("made"); os.symlink("/etc/passwd", "made/link"); os.chmod("secret.txt", 0o600)
@attempt
def cut(): os.truncate("long.txt", 1)
@attempt
def environment(): return os.environ.get("CANARY")
@attempt
def system(): return os.system("touch ran.txt")
@attempt
def process():
    import subprocess
    subprocess.run(["touch", "ran.txt"])
@attempt
def fork(): return os.fork()
@attempt
def execute(): os.execv("/bin/touch", ["touch", "ran.txt"])
@attempt
def connect():
    import socket
    return socket.create_connection(("127.0.0.1", ${port}), timeout=1)
@attempt
def c():
    import ctypes
    libc = ctypes.CDLL(None)
    return libc.open(b"by-ctypes.txt", 0o101, 0o666), libc.unlink(b"victim2.txt")
@attempt
def script():
    import ctypes
    ctypes.CDLL(None).emscripten_run_script(b"process.exit(9)")
print(done)
`;

/** Every name below a folder with what it is: nothing was touched if this is the same. */
function picture(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const path = join(folder, name);
      const { mode, mtimeMs, size } = lstatSync(path);
      const isFile = lstatSync(path).isFile();
      const link = lstatSync(path).isSymbolicLink() ? readlinkSync(path) : "";
      return `${name} ${mode} ${mtimeMs} ${isFile ? `${size} ${readFileSync(path, "utf8")}` : link}`;
    });
}

let folder: string;
let home: string;
let trace: string;
let out: string;
let before: string[];
let server: Server;
let connections = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "refledger-safety-"));
  home = join(folder, "place", "home");
  mkdirSync(home, { recursive: true });
  const place = (text: string): void => {
    for (const name of ["secret.txt", "victim.txt", "victim2.txt", "old.txt", "long.txt", "../outside.txt"])
      writeFileSync(join(home, name), `${text} ${name}`);
  };
  server = createServer(() => void connections++);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  writeFileSync(join(home, "program.py"), hostile(port));
  place("recorded");
  symlinkSync("secret.txt", join(home, "link.txt"));
  trace = join(folder, "hostile.trace.db");
  const ended = await refledger(["record", "-q", "-o", trace, "program.py"], { cwd: home });
  expect([ended.code, ended.err]).toEqual([0, expect.stringMatching(/^refledger: .*os\.system ran nothing\n$/)]);
  out = ended.out;
  // The second run finds another world.
  rmSync(home, { recursive: true });
  mkdirSync(home);
  place(CANARY);
  symlinkSync("/etc/passwd", join(home, "link.txt"));
  rmSync(join(home, "../written.txt"), { force: true });
  before = picture(join(folder, "place"));
  process.env["CANARY"] = CANARY;
});
afterAll(() => {
  delete process.env["CANARY"];
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const isUntouched = (): void => {
  expect(picture(join(folder, "place"))).toEqual(before);
  expect(connections).toBe(0);
};

describe("a hostile program", () => {
  it("tried what it could when it was recorded", () => {
    expect(out).toContain(`'read': "'recorded secret.txt'"`);
    for (const [name, end] of [
      ["javascript", "ModuleNotFoundError"],
      ["bridge", "ModuleNotFoundError"],
      ["bridge_js", "ModuleNotFoundError"],
      ["environment", "None"],
      ["process", "OSError"],
      ["connect", "ConnectionRefusedError"],
      ["script", "AttributeError"],
      ["remove", "None"],
      ["write", "14"],
    ])
      expect(out).toContain(`'${name}': '${end}'`);
    expect(out).not.toContain(CANARY);
    isUntouched();
  });

  it("is the same when it is run again, and touches nothing", async () => {
    const { same, divergence } = await rerun(trace, { cache });
    expect([same, divergence]).toEqual([true, null]);
    isUntouched();
  });

  it("cannot touch anything by questions that it has prepared or that are asked", async () => {
    const past = await Past.enter(trace, { cache });
    try {
      await past.goTo(past.events);
      const absolute = JSON.stringify(join(home, "secret.txt"));
      for (const [question, end] of [
        [`open(${absolute}).read()`, /^FileNotFoundError/],
        ["open('secret.txt').read()", /^FileNotFoundError/],
        ["open('../outside.txt').read()", /^FileNotFoundError/],
        ["open('link.txt').read()", /^FileNotFoundError/],
        ["open('/etc/passwd').read()", /^FileNotFoundError/],
        ["open('/refledger-python/../etc/passwd').read()", /^FileNotFoundError/],
        ["open('/proc/self/environ').read()", /^FileNotFoundError/],
        ["open('/dev/urandom', 'rb').read(1)", /^FileNotFoundError/],
        ["open('made', 'w')", /^OSError.*Read-only/],
        ["open('program.py', 'a')", /^OSError.*Read-only/],
        ["os.listdir('/')", /^FileNotFoundError/],
        ["os.listdir('.')", /^FileNotFoundError/],
        ["os.stat('secret.txt')", /^FileNotFoundError/],
        ["os.remove('victim.txt')", /^OSError.*not implemented/],
        ["os.mkdir('made')", /^OSError.*not implemented/],
        ["os.rename('old.txt', 'new.txt')", /^OSError.*not implemented/],
        ["os.symlink('a', 'b')", /^OSError.*not implemented/],
        ["os.chmod('secret.txt', 0)", /^OSError.*not implemented/],
        ["os.truncate('long.txt', 0)", /^OSError.*not implemented/],
        ["os.urandom(4)", /^(OSError|NotImplementedError)/],
        ["__import__('socket').socket()", /^OSError/],
        ["__import__('socket').getaddrinfo('localhost', 80)", /^(OSError|gaierror|socket\.gaierror)|^\[\]$/],
        ["__import__('subprocess').run(['touch', 'ran.txt'])", /^OSError/],
        ["os.fork()", /^(OSError|PythonFinalizationError)/],
        ["os.execv('/bin/touch', ['touch', 'ran.txt'])", /^OSError/],
        ["__import__('js')", /^ModuleNotFoundError/],
        ["__import__('pyodide.code', fromlist=['run_js']).run_js('1')", /^ModuleNotFoundError/],
        ["__import__('ctypes').CDLL(None).emscripten_run_script(b'process.exit(9)')", /^AttributeError/],
        ["__import__('ctypes').CDLL(None).open(b'made.txt', 0o101, 0o666)", /^-1$/],
        ["__import__('ctypes').CDLL(None).unlink(b'victim.txt')", /^-1$/],
        ["__import__('ctypes').CDLL(None).system(b'touch ran.txt')", /^-?\d+$/],
        ["__import__('ctypes').CDLL('libc.so.6')", /^OSError/],
        ["os.environ.get('CANARY')", /^None$/],
        ["os._exit(0)", /^SystemExit: the question ended the process$/],
        ["__import__('ctypes').string_at(0xfffffff0)", /^the interpreter did not survive the question/],
        ["open('program.py').read(20)", /^'\\nimport os, sys, tim'$/],
      ] as const) {
        const { text, output, traceback } = await past.evaluate(question);
        expect([question, text]).toEqual([question, expect.stringMatching(end)]);
        expect(`${text}${output}${traceback}`).not.toContain(CANARY);
      }
    } finally {
      await past.close();
    }
    isUntouched();
  });
});

describe("a log of inputs that was tampered with", () => {
  /** The program's run over a log that `change` has changed, as [whether it was the same, what was said]. */
  async function tampered(name: string, change: (log: Buffer) => Buffer | undefined): Promise<[boolean, string]> {
    const copy = join(folder, `${name}.db`);
    writeFileSync(copy, readFileSync(trace));
    const db = new Database(copy);
    const rows = db.prepare("SELECT id, data FROM inputs ORDER BY id").all() as { id: number; data: Uint8Array }[];
    let changed = 0;
    for (const { id, data } of rows) {
      const log = change(Buffer.from(decompress(data, 2 ** 20)));
      if (!log) continue;
      changed++;
      db.prepare("UPDATE inputs SET data = ? WHERE id = ?").run(compress(log), id);
    }
    db.close();
    expect(changed).toBeGreaterThan(0);
    try {
      const { same, divergence } = await rerun(copy, { cache });
      return [same, `${divergence?.expected} / ${divergence?.found}`];
    } catch (error) {
      return [false, (error as Error).message];
    }
  }
  const replaced =
    (from: string, to: string) =>
    (log: Buffer): Buffer | undefined => {
      const at = log.indexOf(from);
      if (at < 0) return undefined;
      log.write(to, at);
      return log;
    };

  it.each([
    ["another file's contents", replaced("recorded secret.txt", "recorded secret\u0000txt")],
    ["a call of another name", replaced("__syscall_openat", "__syscall_openax")],
    ["a name that JavaScript has", replaced("clock_time_get", "toLocaleString")],
    ["an early end", (log: Buffer) => log.subarray(0, log.length >> 1)],
    ["noise", (log: Buffer) => log.fill(0xa5, 2000)],
  ])("is noticed, in one line, and touches nothing: %s", async (name, change) => {
    const [same, said] = await tampered(name.replaceAll(/\W/g, "-"), change);
    expect(same).toBe(false);
    expect(said).not.toBe("");
    expect(said).not.toContain("\n");
    expect(said).not.toContain(CANARY);
    isUntouched();
  });
});
