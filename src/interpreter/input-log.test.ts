/**
 * The log of inputs: its bytes, and with a real interpreter in this thread that it is complete. For completeness the whole memory is compared
 * before and after each system call: what changed must be what was noted.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AnyFunction } from "./function-table.js";
import { InputLog } from "./input-log.js";
import { InputMismatch, InputReplay, InputsEnded } from "./input-replay.js";
import { type InterpreterHooks, runInterpreter } from "./interpreter.js";
import type { GuestFunctions } from "./kernel/runtime-calls.js";
import { interpreterFiles, sharedWords } from "./main-thread.js";
import { GuestMemory } from "./memory.js";

const library = Uint8Array.from({ length: 100 }, (_, i) => i);
const guest: GuestFunctions = {
  emscripten_builtin_memalign: () => 65536,
  malloc: () => 512,
  __errno_location: () => 16,
};

/** A log of some calls on a memory of one page, as parts. */
function logged(
  calls: Record<string, AnyFunction>,
  run: (calls: Record<string, AnyFunction>) => void,
  on: GuestMemory,
) {
  const parts: Uint8Array[] = [];
  const log = new InputLog((part) => parts.push(part));
  const wrapped = log.wrap(calls);
  guestOf.current = log.attach(on, guest);
  run(wrapped);
  log.stop();
  return parts;
}
const guestOf: { current: GuestFunctions } = { current: guest };
const page = (): GuestMemory => new GuestMemory(new WebAssembly.Memory({ initial: 1 }));

function replayed(parts: readonly Uint8Array[], on: GuestMemory, functions = guest): InputReplay {
  const left = [...parts];
  const replay = new InputReplay(() => left.shift(), library);
  replay.attach(on, functions);
  return replay;
}

describe("the log's bytes", () => {
  it("are those of the example in the format's description", () => {
    const memory = page();
    const calls = { a: () => 1, b: () => 1, write: () => Number(memory.put(256, Uint8Array.of(7, 0)) ?? 0) };
    const [part] = logged(calls, ({ write }) => void write!(), memory);
    const names = [0, 3, 1, 0x61, 1, 0x62, 5, ...Buffer.from("write")];
    expect([...part!]).toEqual([...names, 0x06, 0x00, 0x01, 0x00, 0x01, 0x80, 0x02, 0x04, 0x07, 0x00]);
  });

  it("bring every kind of result back, in parts of any size", () => {
    const values = [
      0,
      -1,
      63,
      64,
      -64,
      -65,
      2 ** 31 - 1,
      -(2 ** 31),
      2 ** 31,
      0.5,
      -0,
      Number.NaN,
      5n,
      -(2n ** 63n),
      null,
      undefined,
    ];
    const rest = [...values];
    const memory = page();
    const parts = logged({ next: () => rest.shift() }, ({ next }) => values.forEach(() => void next!()), memory);
    const bytes = [...parts].flatMap((part) => [...part]).map((byte) => Uint8Array.of(byte));
    const { next } = replayed(bytes, page()).calls();
    for (const value of values) expect(next!()).toBe(value);
    expect(() => next!()).toThrow(InputsEnded);
  });

  it("repeat writes, growth and calls of the interpreter, and take the library's bytes from the library", () => {
    const memory = page();
    const call = () => {
      memory.fill(guestOf.current.malloc(20), 4, 9);
      memory.grow(1);
      memory.slice(8, 3).set(library.subarray(40, 43));
      memory.wrote(8, 3, 40);
      return 1;
    };
    const parts = logged({ call }, ({ call: one }) => void one!(), memory);
    const again = page();
    const asked: number[] = [];
    const replay = replayed(parts, again, { ...guest, malloc: (size) => 511 + asked.push(size) });
    expect(replay.calls()["call"]!()).toBe(1);
    expect(Buffer.compare(again.bytes, memory.bytes)).toBe(0);
    expect(asked).toEqual([20]);
    const other = replayed(parts, page(), { ...guest, malloc: () => 513 });
    expect(() => other.calls()["call"]!()).toThrow(InputMismatch);
  });

  it("count quiet answers: the signal comes at the same question", () => {
    const answers = [0, 0, 0, 2, 0, 0, 2, 2, 0];
    const helper = "_Py_CheckEmscriptenSignals_Helper";
    const rest = [...answers];
    const ask = (calls: Record<string, AnyFunction>): unknown[] =>
      answers.map((_, i) => {
        if (i === 1 || i === 5) calls["other"]!();
        return calls[helper]!();
      });
    const parts = logged({ [helper]: () => rest.shift(), other: () => 3 }, (calls) => void ask(calls), page());
    expect(ask(replayed(parts, page()).calls())).toEqual(answers);
  });

  it("do not answer another call, nor write outside of memory", () => {
    const memory = page();
    const parts = logged({ a: () => 1, b: () => memory.setU32(65532, 1) }, ({ a, b }) => [a!(), b!()], memory);
    expect(() => replayed(parts, page()).calls()["b"]!()).toThrow("calls b where it called a");
    const small = new GuestMemory(new WebAssembly.Memory({ initial: 0 }));
    const calls = replayed(parts, small).calls();
    calls["a"]!();
    expect(() => calls["b"]!()).toThrow("outside of the interpreter's memory");
  });
});

/** Compares the whole memory around each system call with what was noted. */
class CheckingLog extends InputLog {
  readonly unnoted: string[] = [];
  calls = 0;
  #memory: GuestMemory | undefined;
  #before = Buffer.alloc(0);
  #ranges: [number, number, number][] = [];

  override wrap(calls: Readonly<Record<string, AnyFunction>>): Record<string, AnyFunction> {
    const quiet = "_Py_CheckEmscriptenSignals_Helper"; // thousands of times
    const checked = (name: string, call: AnyFunction): AnyFunction =>
      name === quiet ? call : (...args) => this.#around(name, () => call(...args));
    return super.wrap(Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, checked(name, call)])));
  }

  override attach(memory: GuestMemory, functions: GuestFunctions): GuestFunctions {
    const wrapped = super.attach(memory, functions);
    this.#memory = memory;
    const note = memory.onWrite!;
    memory.onWrite = (address, length, libraryOffset) => {
      this.#ranges.push([address, length, libraryOffset]);
      note(address, length, libraryOffset);
    };
    // What the interpreter's own functions write is repeated by calling them again.
    return Object.fromEntries(
      Object.entries(wrapped).map(([name, target]) => [
        name,
        (...args: number[]) => {
          const result = (target as AnyFunction)(...args);
          this.#before = Buffer.from(memory.bytes);
          return result;
        },
      ]),
    ) as unknown as GuestFunctions;
  }

  #around(name: string, call: () => unknown): unknown {
    const memory = this.#memory!;
    this.calls++;
    this.#before = Buffer.from(memory.bytes);
    this.#ranges = [];
    const result = call();
    const { bytes } = memory;
    for (const [address, length, libraryOffset] of this.#ranges) {
      const now = bytes.subarray(address, address + length);
      this.#before.set(now.subarray(0, Math.max(0, this.#before.length - address)), address);
      if (
        libraryOffset >= 0 &&
        Buffer.compare(now, standardLibrary.subarray(libraryOffset, libraryOffset + length)) !== 0
      )
        this.unnoted.push(`${name}: not the library's bytes`);
    }
    if (Buffer.compare(this.#before, bytes.subarray(0, this.#before.length)) !== 0) this.unnoted.push(name);
    return result;
  }
}

const standardLibrary = new Uint8Array(readFileSync(interpreterFiles().standardLibrary));
const module = new WebAssembly.Module(readFileSync(interpreterFiles().module));

const program = (folder: string): string => `
import os, time, _socket, select, mmap, sys
d = ${JSON.stringify(folder)}
p = d + '/made'
with open(p, 'w') as f: f.write('hello' * 2000)
with open(p, 'r+b') as f:
    f.seek(3); f.read(7); os.pread(f.fileno(), 4, 1)
    m = mmap.mmap(f.fileno(), 0); m[0] = 65; m.flush(); m.close()
    os.ftruncate(f.fileno(), 9)
os.symlink('made', d + '/link')
seen = [os.readlink(d + '/link'), os.stat(p).st_ino, os.lstat(d + '/link').st_mtime_ns, os.listdir(d), [e.name for e in os.scandir(d)]]
seen += [os.statvfs(d).f_bsize, os.access(p, 4), os.urandom(3), time.time(), time.monotonic(), time.process_time(), time.localtime()[5]]
seen += [time.mktime((2020, 7, 1, 1, 1, 1, 0, 0, -1)), os.getcwd(), os.isatty(0), open(d + '/input').read()]
os.utime(p, (1, 2)); os.chmod(p, 0o600)
r, w = os.pipe(); os.write(w, b'abc')
poll = select.poll(); poll.register(r, 1)
seen += [poll.poll(0), os.read(r, 2), _socket.getaddrinfo('127.0.0.1', 80), select.select([r], [], [], 0)]
s = _socket.socket(); s.bind(('127.0.0.1', 0)); seen.append(s.getsockname()); s.listen()
time.sleep(0.001)
try: os.stat(d + '/nothing')
except OSError as e: seen.append(e.errno)
x = [bytes(1 << 20) for _ in range(40)]
os.unlink(d + '/link')
import refledger; refledger.mark(repr(seen))
`;

describe("the log of an interpreter", () => {
  let folder: string;
  const parts: Uint8Array[] = [];
  const first: string[] = [];
  let log: CheckingLog;
  const options = (marks: string[], code: string, hooks: InterpreterHooks = {}) => ({
    module,
    standardLibrary,
    program: { kind: "code" as const, target: code, args: [] },
    cwd: "/",
    env: { LANG: "C.UTF-8" },
    hashSeed: 0,
    version: "1",
    hooks: { mark: (name: string) => void marks.push(name), ...hooks },
    ...sharedWords(),
  });

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "refledger-log-"));
    writeFileSync(join(folder, "input"), "kept in the log");
    log = new CheckingLog((part) => parts.push(part));
    const result = runInterpreter({ ...options(first, program(folder)), log });
    log.stop();
    expect(result.exitCode).toBe(0);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("has every write of every system call", () => {
    expect(log.calls).toBeGreaterThan(100);
    expect(log.unnoted).toEqual([]);
  });

  it("is enough to run the program again, without its files and without leaving any", () => {
    const inThere = join(folder, "input");
    rmSync(folder, { recursive: true });
    const again: string[] = [];
    const left = [...parts];
    const replay = new InputReplay(() => left.shift(), standardLibrary);
    const result = runInterpreter({ ...options(again, program(folder)), replay });
    expect(result).toEqual({ exitCode: 0, ended: true, limit: undefined });
    expect(again).toEqual(first);
    expect(first[0]).toContain("kept in the log");
    expect(() => readFileSync(inThere)).toThrow("ENOENT");
  });

  it("does not fit another program", () => {
    const left = [...parts];
    const replay = new InputReplay(() => left.shift(), standardLibrary);
    expect(() => runInterpreter({ ...options([], "import os; os.stat('/')"), replay })).toThrow(InputMismatch);
  });
});
