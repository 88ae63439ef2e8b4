/**
 * What is left of a recording that did not come to its end: killed, out of disk space, a fatal error. All as real processes. And the ends that
 * only look abrupt, os._exit and two recordings at once, which must leave complete traces.
 */
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  dumped,
  exact,
  infoOf,
  refledger,
  refledgerCommand,
  run,
  splitError,
  startRecording,
  unrecorded,
  verified,
  withFolder,
} from "../support/recording.js";

/** Makes objects of several types for ever, and says so now and then. */
const busy = `
import refledger
refledger.mark('begun')
kept, turn = [], 0
while True:
    turn += 1
    kept.append({'turn': turn, 'text': str(turn) * 3})
    if len(kept) > 5000: kept = []
    if turn % 100_000 == 0: print(turn, flush=True)
`;

describe("killed", () => {
  it("leaves a trace that says so, and that can be read up to its last chunk", () =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const recording = startRecording(["--out", trace, "-c", busy]);
      await recording.says("200000\n");
      recording.child.kill("SIGKILL");
      expect((await recording.ended).signal).toBe("SIGKILL");

      const info = await infoOf(trace);
      expect(info).toMatchObject({ complete: false, exitCode: null, stopped: null, audits: 0, marks: 1 });
      expect(info.events.total).toBeGreaterThan(1_000_000);
      expect((await refledger(["info", trace])).out).toMatch(
        /^complete +no: not finished: it is still being recorded, or was cut off$/m,
      );

      const last = await dumped(trace, ["--from", `${info.events.total - 100}`]);
      expect(last).toHaveLength(100);
      expect(last.at(-1)!.event).toBe(info.events.total - 1);
      expect(last.some(({ file }) => file === "<string>")).toBe(true);

      const result = await verified(trace);
      expect(result).toMatchObject({ ok: false, code: 1, audits: 0, events: info.events.total, strayEvents: 0 });
      expect(splitError(result.err).ours).toEqual([
        expect.stringMatching(/no audit in this trace: nothing could be compared/),
      ]);
    }));

  it.each([
    ["waits", "time.sleep(100)"],
    ["reads", "input()"],
    ["computes", "while True: pass"],
  ])("while it %s and nothing happens: what happened before is there", (_name, code) =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const program = `import time\nkept = [[i] for i in range(1000)]\nprint('ready', flush=True)\n${code}`;
      const recording = startRecording(["--out", trace, "-c", program]);
      await recording.says("ready\n");
      // At once the trace says what it is of; soon it has the events.
      expect(await infoOf(trace)).toMatchObject({ complete: false, python: "3.14.2", program: { kind: "code" } });
      while ((await infoOf(trace)).events.total === 0);
      recording.child.kill("SIGKILL");
      await recording.ended;
      const lists = (await dumped(trace, ["--kind", "new"])).filter(({ type, line }) => type === "list" && line === 2);
      expect(lists.length).toBeGreaterThanOrEqual(1000);
      expect(await verified(trace)).toMatchObject({ ok: false, audits: 0, strayEvents: 0 });
    }),
  );

  it("with audits on the way: those are checked", () =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const recording = startRecording(["--audit-every", "0.3", "--out", trace, "-c", busy]);
      await recording.says("400000\n");
      recording.child.kill("SIGKILL");
      await recording.ended;
      const result = await verified(trace);
      expect(result).toMatchObject({ ...exact, complete: false });
      expect(result.audits).toBeGreaterThanOrEqual(1);
      expect(result.objectsChecked).toBeGreaterThan(1000);
      expect((await refledger(["verify", trace])).out).toMatch(/^events +.* folded; the recording is incomplete$/m);
    }));
});

describe("a full disk", () => {
  it("costs the trace its end, and the program nothing", () =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const code = `
kept = []
for i in range(400_000):
    kept.append([i, str(i)])
print(len(kept), sum(len(s) for _, s in kept))
`;
      // What the process may write to one file, in units of 1024 bytes: a few chunks, and far too little for the whole.
      const limited = `ulimit -f 6000; exec "$0" "$@"`;
      // CPython's own modules do not write; SIGXFSZ is ignored by Node, so that the write fails as on a full disk.
      const ended = await run("bash", [
        "-c",
        limited,
        process.execPath,
        refledgerCommand,
        "record",
        "--out",
        trace,
        "-c",
        code,
      ]);
      const plain = await unrecorded(["-c", code]);
      expect(ended.out).toBe(plain.out);
      const { ours, program } = splitError(ended.err);
      expect(program).toBe("");
      expect(ours).toEqual([expect.stringMatching(/^refledger: the trace is incomplete: .*stays readable$/)]);
      expect(ended.code).toBe(1);

      const info = await infoOf(trace);
      expect(info).toMatchObject({ complete: false, exitCode: null });
      expect(info.events.total).toBeGreaterThan(10_000);
      expect(await dumped(trace, ["--from", `${info.events.total - 5}`])).toHaveLength(5);
      expect(await verified(trace)).toMatchObject({ ok: false, code: 1, strayEvents: 0 });
    }));
});

describe("a fatal error", () => {
  it.each([
    ["os.abort()", "import os; os.abort()", 134],
    ["an access outside of memory", "import ctypes; ctypes.string_at(0xfffffff0, 4)", 139],
  ])("leaves a trace that says why: %s", (_name, end, exitCode) =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const code = `x = [str(i) for i in range(1000)]\nprint('before', flush=True)\n${end}`;
      const ended = await refledger(["record", "--out", trace, "-c", code]);
      const plain = await unrecorded(["-c", code]);
      expect({ out: ended.out, code: ended.code }).toEqual({ out: "before\n", code: exitCode });
      expect(plain).toMatchObject({ out: ended.out, code: exitCode });
      const { ours } = splitError(ended.err);
      expect(ours).toEqual([
        expect.stringMatching(/^refledger: the trace is incomplete: the interpreter ended with a fatal error: /),
      ]);
      expect(splitError(ended.err).program).toBe(splitError(plain.err).program);
      const info = await infoOf(trace);
      expect(info).toMatchObject({ complete: false, exitCode: null, stopped: expect.stringMatching(/fatal error/) });
      // The records that the ring still held are there: the strings were made right before the end.
      const births = await dumped(trace, ["--kind", "new"]);
      expect(births.filter(({ type, line }) => type === "str" && line === 1).length).toBeGreaterThanOrEqual(990);
      expect(await verified(trace)).toMatchObject({ ok: false, code: 1, strayEvents: 0 });
    }),
  );
});

describe("os._exit", () => {
  it("passes its code on and leaves a complete trace", () =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const ended = await refledger(["record", "--out", trace, "-c", "import os; print('x', flush=True); os._exit(3)"]);
      expect(ended).toMatchObject({ code: 3, out: "x\n" });
      expect(await infoOf(trace)).toMatchObject({ complete: true, exitCode: 3 });
      expect(await verified(trace)).toMatchObject({ ...exact, complete: true });
    }));
});

describe("two recordings at once", () => {
  it("do not disturb each other", () =>
    withFolder(async (folder) => {
      const cache = join(folder, "cache"); // none yet: both make it
      writeFileSync(
        join(folder, "p.py"),
        "import sys, json\nprint(json.dumps([sys.argv[1]] * 3))\nx = [str(i) for i in range(200_000)]\n",
      );
      const both = await Promise.all(
        ["one", "two"].map((name) =>
          refledger(["record", "--out", `${name}.trace.db`, "p.py", name], {
            cwd: folder,
            env: { REFLEDGER_CACHE: cache },
          }),
        ),
      );
      expect(both.map(({ code, out }) => [code, out])).toEqual([
        [0, '["one", "one", "one"]\n'],
        [0, '["two", "two", "two"]\n'],
      ]);
      for (const name of ["one", "two"]) expect(await verified(join(folder, `${name}.trace.db`))).toMatchObject(exact);
    }));

  it("into one trace: the second is refused and the first goes on", () =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const code = "print('ready', flush=True)\ninput()\nprint('end')";
      const first = startRecording(["--out", trace, "-c", code]);
      await first.says("ready\n");
      for (const options of [[], ["--overwrite"]]) {
        const second = await refledger(["record", "--out", trace, ...options, "-c", "print('no')"]);
        expect(second).toMatchObject({ code: 2, out: "" });
        expect(splitError(second.err)).toEqual({ ours: [expect.stringContaining(trace)], program: "" });
      }
      first.child.stdin!.end("\n");
      expect(await first.ended).toMatchObject({ code: 0, out: "ready\nend\n" });
      expect(await verified(trace)).toMatchObject(exact);
      expect(statSync(`${trace}-wal`, { throwIfNoEntry: false })).toBeUndefined();
    }));
});
