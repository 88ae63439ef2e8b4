/** The prompt in the past and the questions beside it, as people use them: lines from a pipe, and what Python would print. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Past } from "../../dist/index.js";
import { cache, infoOf, refledger } from "../support/recording.js";

const program = `import helper, refledger
cache = {}
def fill(n):
    for i in range(n):
        cache[i] = [str(i)] * 3
    local = "here"
    refledger.mark("filled")
    return local
helper.count = 7
fill(100)
cache.clear()
`;

let folder: string;
let trace: string;
let bytes: Buffer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "refledger-shell-"));
  writeFileSync(join(folder, "app.py"), program);
  writeFileSync(join(folder, "helper.py"), "count = 0\ndef fail(x):\n    raise ValueError(x)\n");
  trace = join(folder, "app.trace.db");
  const { code, err } = await refledger(["record", "-q", "-o", trace, "app.py"], { cwd: folder });
  expect([code, err]).toEqual([0, ""]);
  rmSync(join(folder, "helper.py")); // its lines in tracebacks come from the trace
  await infoOf(trace);
  bytes = readFileSync(trace);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("refledger shell", () => {
  it("is a prompt whose names persist, in the function that set the mark", async () => {
    const input = [
      "x = 5",
      "x * len(cache)",
      "local",
      "# nothing",
      "def double(n):",
      "    return n * 2",
      "",
      "double(x)",
      "_ + 1",
      "for i in range(2): print(i)",
      "",
      "(1 +",
      "2)",
      "cache[1].append('shell'); cache[1]",
      "import sys; print('to err', file=sys.stderr)",
      "import csv, json; json.dumps([csv.QUOTE_ALL])",
      "1 / 0",
      "helper.fail('on purpose')",
      "1 1",
      "exit()",
      "print('not reached')",
    ].join("\n");
    const { out, err, code } = await refledger(["shell", trace, "--time", "mark:filled"], { input });
    expect(out).toBe("500\n'here'\n10\n11\n0\n1\n3\n['1', '1', '1', 'shell']\n'[1]'\n");
    expect(err).toBe(`to err
Traceback (most recent call last):
  File "<shell-${17}>", line 1, in <module>
    1 / 0
    ~~^~~
ZeroDivisionError: division by zero
Traceback (most recent call last):
  File "<shell-${18}>", line 1, in <module>
    helper.fail('on purpose')
    ~~~~~~~~~~~^^^^^^^^^^^^^^
  File "${folder}/helper.py", line 3, in fail
    raise ValueError(x)
ValueError: on purpose
  File "<shell-${19}>", line 1
    1 1
      ^
SyntaxError: invalid syntax
`);
    expect(code).toBe(0);
    expect(readFileSync(trace).equals(bytes)).toBe(true);
  });

  it("begins each time with what the program had, in a caller's frame or a module", async () => {
    const at = ["--time", "mark:filled"];
    const first = await refledger(["shell", trace, ...at, "--frame", "1"], {
      input: "len(cache[1])\nlocal\nwhile True:",
    });
    expect(first.out).toBe("3\n");
    expect(first.err).toContain("NameError: name 'local' is not defined");
    expect(first.err).toMatch(/\nrefledger: the input ends in the middle of a statement\n$/);
    const module = await refledger(["shell", trace, ...at, "--module", "helper"], { input: "count\n" });
    expect([module.out, module.err]).toEqual(["7\n", ""]);
    const wrong = await refledger(["shell", trace, "--module", "nowhere"], { input: "1\n" });
    expect([wrong.out, wrong.err, wrong.code]).toEqual(["", "refledger: no module nowhere is loaded then\n", 2]);
  });
});

describe("a line", () => {
  const shell = (...lines: string[]) =>
    refledger(["shell", trace, "--time", "mark:filled"], { input: `${lines.join("\n")}\n` });

  it("that the interpreter does not survive is followed by a fresh one", async () => {
    const { out, err, code } = await shell("x = 5", "import os; os._exit(3)", "local", "x");
    expect(out).toBe("'here'\n");
    expect(err).toMatch(
      /^SystemExit: the question ended the process\nrefledger: the program has to be run again, so what you assigned is gone\nTraceback/,
    );
    expect(err).toMatch(/NameError: name 'x' is not defined\n$/);
    expect(code).toBe(1); // the last question failed
    expect((await shell("1 / 0", "1")).code).toBe(0);
    expect((await shell("1 / 0", "exit()")).code).toBe(0);
  });

  it("that defines a function has one that sees globals, as exec's: what is assigned under global, not what is at the prompt", async () => {
    const { out, err, code } = await shell(
      "y = 3",
      "global z; z = 4",
      "def g(): return z, len(cache)",
      "",
      "g()",
      "(lambda: y)()",
    );
    expect(out).toBe("(4, 100)\n");
    expect(err).toMatch(/NameError: name 'y' is not defined\n$/);
    expect(code).toBe(1);
  });

  it("that asks for what is not there gets an exception, as while recording", async () => {
    const { out, err, code } = await shell(
      "import subprocess, datetime, select, socket, threading, time, asyncio, mmap",
      "subprocess.run(['ls'])",
      "select.poll().poll(0)",
      "socket.socket()",
      "socket.getaddrinfo('example.com', 80)",
      "threading.Thread(target=print).start()",
      "asyncio.run(asyncio.sleep(0))",
      "time.strftime('%c')",
      "datetime.datetime.fromtimestamp(86400 * 365)",
      "local",
    );
    const said = [...err.matchAll(/^(?:\w+\.)?(\w+(?:Error|error)): .*$/gm)].map(([line]) => line);
    expect(said.slice(0, 5)).toEqual([
      "OSError: [Errno 138] emscripten does not support processes.",
      "OSError: [Errno 52] Function not implemented",
      "OSError: [Errno 52] Function not implemented",
      "socket.gaierror: [Errno -4] Non-recoverable error",
      "RuntimeError: can't start new thread",
    ]);
    expect(out).toBe("'Thu Jan  1 00:00:00 1970'\ndatetime.datetime(1971, 1, 1, 0, 0)\n'here'\n");
    expect(err).not.toContain("did not survive");
    expect(code).toBe(0);
  });
});

describe("questions", () => {
  let past: Past;
  beforeAll(async () => {
    past = await Past.enter(trace, { cache });
    await past.goTo(past.events);
  });
  afterAll(() => past.close());

  it("have a module's globals", async () => {
    expect(await past.evaluate("count, __name__", { module: "helper" })).toMatchObject({
      ok: true,
      text: "(7, 'helper')",
      where: "module helper",
    });
    expect(await past.evaluate("1", { module: "nowhere" })).toMatchObject({ ok: false, traceback: null });
  });

  it("that never end are stopped, and the next one is answered", async () => {
    for (const endless of [
      "while True: pass",
      "__import__('time').sleep(0) or sum(iter(int, 1))",
      "exec('while True:\\n try:\\n  while True: pass\\n except BaseException: pass')",
    ])
      await expect(past.evaluate(endless, { timeout: 1 })).rejects.toThrow(
        /^no answer within 1 s: the question was stopped; --timeout gives it more$/,
      );
    expect(await past.evaluate("len(cache)")).toMatchObject({ ok: true, text: "0" });
  });

  it("complete names", async () => {
    expect(await past.complete("cac")).toEqual(["cache"]);
    expect(await past.complete("helper.c")).toEqual(["helper.count"]);
    expect(await past.complete("helper.__na")).toEqual(["helper.__name__"]);
    expect(await past.complete("imp")).toContain("import");
    expect(await past.complete("no.such")).toEqual([]);
  });

  it("leave nothing behind", async () => {
    await past.line("cache['kept'] = 1");
    expect((await past.line("cache")).printed).toEqual([{ to: 1, text: "{'kept': 1}\n" }]);
    expect(await past.evaluate("cache")).toMatchObject({ text: "{}" });
    expect((await past.check()).differences).toBe(0);
  });
});

describe("an object named by an expression", () => {
  const asked = ["--time", "mark:filled", "--json"];

  it("has its history: what Python finds there, looked up in the trace", async () => {
    const { code, out, err } = await refledger(["history", trace, "expr:cache[7]", ...asked]);
    expect([code, err]).toEqual([0, ""]);
    const { object, death } = JSON.parse(out);
    expect(object).toMatchObject({ type: "list", born: { event: expect.any(Number) } });
    expect(death.lastDecref).toMatchObject({ function: "<module>", line: 11 });
    expect(await refledger(["history", trace, `#${object.id}`, "--json"])).toMatchObject({ code: 0, out });
    const why = JSON.parse((await refledger(["why", trace, "expr:cache[7]", ...asked])).out);
    expect(why.answers[0].object.id).toBe(object.id);
    const dump = await refledger(["dump", trace, "--object", "expr:cache[7]", ...asked]);
    expect(dump.out).toBe((await refledger(["dump", trace, "--object", `#${object.id}`, "--json"])).out);
  });

  it.each([
    ["expr:nope", "NameError: name 'nope' is not defined", 1],
    ["expr:[1, 2, 3]", "is made by the question itself", 1],
    ["expr:", "an expression must follow", 2],
  ])("or an answer in one line: %s", async (object, message, exitCode) => {
    const { code, out, err } = await refledger(["history", trace, object, "--time", "mark:filled"]);
    expect([code, out]).toEqual([exitCode, ""]);
    expect(err).toMatch(/^refledger: [^\n]*\n$/);
    expect(err).toContain(message);
  });
});
