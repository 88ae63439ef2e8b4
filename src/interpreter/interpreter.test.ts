/** The interpreter inside this very thread: the order of the hooks, marks, and that two runs are the same. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Program } from "./configuration.js";
import { InterpreterCrash } from "./failures.js";
import { FunctionTable } from "./function-table.js";
import type { Guest } from "./guest.js";
import { type InterpreterHooks, type RunResult, runInterpreter } from "./interpreter.js";
import { interpreterFiles, sharedWords } from "./main-thread.js";
import { trampolineModule } from "./trampoline.js";

const module = new WebAssembly.Module(readFileSync(interpreterFiles().module));
const standardLibrary = new Uint8Array(readFileSync(interpreterFiles().standardLibrary));

function run(
  code: string,
  hooks: InterpreterHooks = {},
  program: Program = { kind: "code", target: code, args: [] },
): RunResult {
  return runInterpreter({
    module,
    standardLibrary,
    program,
    cwd: "/",
    env: {},
    hashSeed: 0,
    version: "1.2.3",
    hooks,
    ...sharedWords(),
  });
}

describe("hooks", () => {
  it("come in their order, each once", () => {
    const seen: string[] = [];
    const note = (name: string) => () => void seen.push(name);
    const result = run("import refledger, atexit; atexit.register(refledger.mark, 'exit'); refledger.mark('ü body')", {
      instantiated: (instance) => {
        const memory = instance.exports["memory"] as WebAssembly.Memory;
        const before = memory.buffer.byteLength;
        memory.grow(16);
        const address = (instance.exports["sbrk"] as (size: number) => number)(16 * 65536);
        expect(address).toBeGreaterThan(0);
        expect(memory.buffer.byteLength).toBeGreaterThan(before);
        (instance.exports["__indirect_function_table"] as WebAssembly.Table).grow(3);
        seen.push("instantiated");
      },
      initialised: note("initialised"),
      programStart: note("programStart"),
      programEnd: note("programEnd"),
      mark: (name) => void seen.push(`mark ${name}`),
    });
    expect(seen).toEqual(["instantiated", "initialised", "programStart", "mark ü body", "mark exit", "programEnd"]);
    expect(result).toEqual({ exitCode: 0, ended: true, limit: undefined });
  });

  it("see the end while everything is alive, also after sys.exit", () => {
    let alive = "";
    const programEnd = (guest: Guest): void =>
      guest.withStack(() => {
        const main = guest.call("PyImport_AddModule", guest.string("__main__"));
        const value = guest.call("PyObject_GetAttrString", main, guest.string("kept"));
        alive = guest.text(value);
        guest.call("Py_DecRef", value);
      });
    expect(run("import sys; kept = 'here'; sys.exit(9)", { programEnd })).toMatchObject({ exitCode: 9, ended: true });
    expect(alive).toBe("here");
  });

  it("leave the end out when there is none", () => {
    const programEnd = (): never => {
      throw new Error("called");
    };
    expect(run("import os; os._exit(3)", { programEnd })).toEqual({ exitCode: 3, ended: false, limit: undefined });
    expect(() => run("import os; os.abort()", { programEnd })).toThrow(InterpreterCrash);
  });

  it("hear of reads, writes and sleeps", () => {
    let calls = 0;
    run("import time\nfor i in range(20): time.sleep(0)", {
      programStart: () => {
        calls = 0;
      },
      programEnd: () => expect(calls).toBeGreaterThanOrEqual(20),
      systemCall: () => void calls++,
    });
    expect(calls).toBeGreaterThanOrEqual(20);
  });
});

describe("the refledger module", () => {
  it("refuses what is not a str, keeps no reference and returns None", () => {
    const code = `
import refledger, sys
assert refledger.version == '1.2.3' and 'refledger' in sys.builtin_module_names
class S(str): pass
name = S('x' * 50)
before = sys.getrefcount(name), sys.getrefcount(int)
for i in range(1000):
    assert refledger.mark(name) is None
    try: refledger.mark(i)
    except TypeError as e: assert str(e) == 'mark() argument must be str, not int', e
    else: assert False
assert (sys.getrefcount(name), sys.getrefcount(int)) == before
try: refledger.mark()
except TypeError: pass
else: assert False
`;
    const names = new Set<string>();
    expect(run(code, { mark: (name) => void names.add(name) }).exitCode).toBe(0);
    expect([...names]).toEqual(["x".repeat(50)]);
  });
});

describe("the trampoline", () => {
  it("passes as many arguments as a function takes, and notices when a slot changes", () => {
    const table = new FunctionTable(new WebAssembly.Table({ element: "anyfunc", initial: 1 }));
    let asked = 0;
    const learn = (pointer: number): number => {
      asked++;
      return table.get(pointer)!.length + 1;
    };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(trampolineModule()), {
      m: { table: table.table, learn },
    });
    const known = new Uint8Array((exports["memory"] as WebAssembly.Memory).buffer);
    const trampoline = exports["trampoline"] as (...values: number[]) => number;
    const i32s = (count: number) => Array<"i32">(count).fill("i32");
    for (const parameters of [0, 1, 2, 3]) {
      const pointer = table.add(
        (...values: number[]) => values.reduce((sum, value) => sum * 10 + value, 0),
        i32s(parameters),
        ["i32"],
      );
      for (let turn = 0; turn < 2; turn++) expect(trampoline(0, pointer, 1, 2, 3)).toBe([0, 1, 12, 123][parameters]);
      known[pointer] = parameters + 1;
      asked = 0;
      expect(trampoline(0, pointer, 4, 5, 6)).toBe([0, 4, 45, 456][parameters]);
      expect(asked).toBe(0);
    }
    const far = table.table.grow(70_000) + 69_999;
    table.setWrapped(far, (value: number) => -value, ["i32"], ["i32"]);
    expect(trampoline(0, far, 7, 8, 9)).toBe(-7);
    expect(asked).toBe(1);
  });
});

describe("two runs", () => {
  it("use the same addresses and the same memory", () => {
    const observe = (): unknown[] => {
      const seen: unknown[] = [];
      const code = `
import refledger, json, re
objects = [json.loads('{"a": [1, 2, {"b": null}]}'), re.compile('a+b'), object(), lambda: 1, {c: i for i, c in enumerate('hello')}]
for o in objects: refledger.mark(hex(id(o)))
`;
      run(code, {
        mark: (name) => void seen.push(name),
        programEnd: (guest) =>
          void seen.push(guest.memory.bytes.length, guest.call("sbrk", 0), guest.table.table.length),
      });
      return seen;
    };
    const first = observe();
    expect(first).toHaveLength(8);
    expect(observe()).toEqual(first);
  });
});
