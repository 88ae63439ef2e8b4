/** What a program sees of how it was started, and how its end is passed on: as with `python` itself. */
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hasNative, inFolder, native, plain } from "../support/plain.js";

const show =
  "import sys, os; print(__name__, sys.argv, sys.path[0], os.getcwd(), sys.path.count(os.environ.get('EXTRA', '?')))";

/** Exit codes and outputs of both interpreters, for one command line. */
function sameAsNative(args: string[], how: Parameters<typeof plain>[1] = {}): void {
  const [ours, theirs] = [plain(args, how), native(args, how)];
  expect({ code: ours.code, out: ours.out }).toEqual({ code: theirs.code, out: theirs.out });
}

describe.skipIf(!hasNative)("as the machine's own Python", () => {
  it("gives a script its arguments, its folder and the working directory", () =>
    inFolder((folder) => {
      mkdirSync(join(folder, "sub"));
      writeFileSync(join(folder, "sub", "show.py"), show);
      symlinkSync(join(folder, "sub", "show.py"), join(folder, "link.py"));
      for (const script of ["sub/show.py", join(folder, "sub", "show.py"), "link.py"])
        sameAsNative([script, "a", "--b", "ü c", ""], { cwd: realpathSync(folder) });
    }));

  it("runs modules, packages, folders and code", () =>
    inFolder((folder) => {
      mkdirSync(join(folder, "pack"));
      writeFileSync(join(folder, "pack", "__main__.py"), `${show}\nprint(__file__, __package__)`);
      writeFileSync(join(folder, "pack", "__init__.py"), "print('package')");
      writeFileSync(join(folder, "module.py"), show);
      const cwd = realpathSync(folder);
      for (const args of [
        ["-m", "pack", "x"],
        ["-m", "module", "-y"],
        ["pack", "z"],
        ["-c", show, "1", "-m"],
        ["-c", "print(__name__, '__file__' in globals())"],
      ])
        sameAsNative(args, { cwd });
    }));

  it("honours PYTHONPATH", () =>
    inFolder((folder) => {
      mkdirSync(join(folder, "extra"));
      writeFileSync(join(folder, "extra", "found.py"), "print('found')");
      const extra = join(realpathSync(folder), "extra");
      sameAsNative(["-c", `import found; ${show}`], { cwd: folder, env: { PYTHONPATH: extra, EXTRA: extra } });
    }));

  it.each([
    ["nothing", "pass"],
    ["a number", "import sys; sys.exit(7)"],
    ["more than a byte", "import sys; sys.exit(256 + 3)"],
    ["None", "import sys; sys.exit(None)"],
    ["text", "import sys; sys.exit('text')"],
    ["an exception", "1/0"],
    ["an exception's group", "raise ExceptionGroup('g', [ValueError(1)])"],
    ["os._exit", "import os; print('lost', end=''); os._exit(3)"],
    ["an exit callback's exception", "import atexit; atexit.register(lambda: 1/0)"],
    [
      "exit callbacks in their order",
      "import atexit, sys; atexit.register(print, 'a'); atexit.register(print, 'b'); sys.exit(4)",
    ],
    ["finalizers at the end", "class D:\n def __del__(self): print('gone')\nd = D()"],
    [
      "finalizers after exit callbacks",
      "import atexit\nclass D:\n def __del__(self): print('gone')\nd = D()\natexit.register(print, 'bye')",
    ],
    ["a syntax error", "def"],
  ])("ends with the same code: %s", (_name, code) => sameAsNative(["-c", code]));

  it("says the same of programs that are not there", () =>
    inFolder((folder) => {
      for (const args of [["nosuch.py"], ["-m", "nosuch"], ["."]])
        expect(plain(args, { cwd: folder }).code).toBe(native(args, { cwd: folder }).code);
    }));

  it("prints the traceback of an uncaught exception", () =>
    inFolder((folder) => {
      writeFileSync(
        join(folder, "fails.py"),
        "def inner(x):\n    return 1 / x\n\ndef outer():\n    inner(0)\n\nouter()\n",
      );
      const lines = (text: string) => text.split("\n").filter((line) => !/^\s*[\^~]+\s*$/.test(line));
      expect(lines(plain(["fails.py"], { cwd: folder }).err)).toEqual(lines(native(["fails.py"], { cwd: folder }).err));
    }));
});

describe("the interpreter", () => {
  it("has prefixes of its own and writes no bytecode", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "other.py"), "");
      const code =
        "import sys, os, other; print(sys.prefix == sys.base_prefix, sys.prefix, sys.dont_write_bytecode, sys.flags.utf8_mode, os.listdir('.'))";
      expect(plain(["-c", code], { cwd: folder }).out).toBe("True /refledger-python True 1 ['other.py']\n");
    }));

  it("has in os.environ what it was given and nothing else", () => {
    const result = plain(["-c", "import os; print(dict(sorted(os.environ.items())))"], {
      env: { PATH: "/x", HOME: "/h", ONE: "ü=1" },
    });
    expect(result.out).toBe("{'HOME': '/h', 'ONE': 'ü=1', 'PATH': '/x'}\n");
  });

  it("takes the hash seed from its configuration", () => {
    const of = (seed: string) => plain(["-c", "print(hash('refledger'))"], { env: { PYTHONHASHSEED: seed } }).out;
    expect(of("1")).toBe(of("1"));
    expect(of("1")).not.toBe(of("2"));
    if (hasNative) expect(plain(["-c", "print(hash(1.5))"]).code).toBe(0);
  });

  it("passes KeyboardInterrupt on as a shell shows it", () => {
    expect(plain(["-c", "raise KeyboardInterrupt"]).code).toBe(130);
  });

  it("imports its library compiled, the same as from source, with source lines for tracebacks", () => {
    const code = `
import json.decoder, sys, traceback, zipimport
loader = json.decoder.__loader__
assert json.decoder.__spec__.origin.endswith('.pyc'), json.decoder.__spec__.origin
source = loader.get_source('json.decoder')
path = json.decoder.__spec__.origin[:-1]
assert compile(source, path, 'exec', dont_inherit=True) == loader.get_code('json.decoder')
assert loader.get_code('json.decoder').co_filename == path
try: json.loads('{')
except ValueError as e: print(traceback.extract_tb(e.__traceback__)[-1].line)
`;
    expect(plain(["-c", code])).toMatchObject({ code: 0, out: "obj, end = self.scan_once(s, idx)\n", err: "" });
  });

  it("runs unittest.main", () =>
    inFolder((folder) => {
      writeFileSync(
        join(folder, "t.py"),
        "import unittest\nclass T(unittest.TestCase):\n def test_ok(self): pass\n def test_bad(self): self.assertEqual(1, 2)\nunittest.main()\n",
      );
      const result = plain(["t.py", "-v"], { cwd: folder });
      expect(result.code).toBe(1);
      expect(result.err).toMatch(/test_ok .*ok\n/);
      expect(result.err).toMatch(/Ran 2 tests in .*\n\nFAILED \(failures=1\)\n$/);
    }));

  it("destroys a chain of a million nodes and recurses deeply", () => {
    const code = `
class N: pass
h = None
for i in range(1_000_000):
    n = N(); n.next = h; h = n
del h, n
t = None
for i in range(1_000_000): t = (t,)
del t
import sys
sys.setrecursionlimit(60_000)
def f(n): return 0 if n == 0 else 1 + f(n - 1)
print(f(50_000))
sys.setrecursionlimit(1000)
try: f(5000)
except RecursionError: print('limited')
import json
try: json.loads('[' * 1_000_000)
except RecursionError: print('limited in C')
`;
    expect(plain(["-c", code])).toMatchObject({ code: 0, out: "50000\nlimited\nlimited in C\n", err: "" });
  });

  it("ends an aborting program at once, with one line", () => {
    const result = plain(["-c", "import os; print('x', flush=True); os.abort()"]);
    expect(result).toMatchObject({ code: 134, out: "x\n", err: "refledger: the interpreter aborted\n" });
  });

  it("ends at once after a fatal error and after a trap", () => {
    const fatal = plain(["-c", "import _testcapi; _testcapi.fatal_error(b'over')"]);
    expect(fatal.code).toBe(134);
    expect(fatal.err).toMatch(/^Fatal Python error: .*over\n/);
    expect(fatal.err).toMatch(/refledger: the interpreter aborted\n$/);
    const trap = plain(["-c", "import ctypes; ctypes.CFUNCTYPE(None)(123456789)()"]);
    expect(trap).toMatchObject({ code: 139, err: "refledger: ctypes called a function pointer that is NULL\n" });
    expect(plain(["-c", "import signal; signal.raise_signal(signal.SIGABRT)"]).code).toBe(134);
  });
});
