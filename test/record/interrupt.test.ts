/** Signals while a program is recorded, as real ones: what the program makes of them, and a trace that is complete and exact. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exact, infoOf, refledger, startRecording, verified, withFolder } from "../support/recording.js";

describe("Ctrl-C", () => {
  it.each([
    ["a loop", "while True: pass"],
    ["a sleep", "import time; time.sleep(60)"],
    ["input()", "input()"],
    ["a busy program", "while True: [str(i) for i in range(1000)]"],
  ])("in %s ends the program with KeyboardInterrupt and finishes the trace", (_name, code) =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      // What the traceback needs is imported before, so that the signal cannot hit an import.
      const recording = startRecording([
        "--out",
        trace,
        "-c",
        `import traceback, time\nprint('ready', flush=True)\n${code}`,
      ]);
      await recording.says("ready\n");
      recording.child.kill("SIGINT");
      const ended = await recording.ended;
      expect(ended.err).toMatch(/^Traceback[\s\S]*\nKeyboardInterrupt\n/);
      expect(ended).toMatchObject({ code: 130, out: "ready\n" });
      expect(await infoOf(trace)).toMatchObject({ complete: true, exitCode: 130, stopped: null });
      expect(await verified(trace)).toMatchObject({ ...exact, complete: true });
    }),
  );

  it("that the program handles lets it go on", () =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const code =
        "try:\n    print('ready', flush=True)\n    while True: pass\nexcept KeyboardInterrupt: print('caught')";
      const recording = startRecording(["--out", trace, "-c", code]);
      await recording.says("ready\n");
      recording.child.kill("SIGINT");
      expect(await recording.ended).toMatchObject({ code: 0, out: "ready\ncaught\n" });
      expect(await verified(trace)).toMatchObject({ ...exact, complete: true });
    }));
});

describe("a signal that ends a process", () => {
  it.each([
    ["SIGTERM", 143, "import time; time.sleep(60)"],
    ["SIGTERM", 143, "while True: [str(i) for i in range(1000)]"],
    ["SIGHUP", 129, "input()"],
    [
      "SIGINT",
      130,
      "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)\nprint('set', flush=True)\nwhile True: pass",
    ],
  ] as const)("%s gives exit code %i, and the trace is finished and runs again: %s", (signal, code, program) =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const recording = startRecording(["--out", trace, "-c", `import time\nprint('ready', flush=True)\n${program}`]);
      await recording.says(signal === "SIGINT" ? "set\n" : "ready\n");
      recording.child.kill(signal);
      const ended = await recording.ended;
      expect(ended).toMatchObject({ code, signal: null, err: expect.stringMatching(/^refledger: recorded .*\n$/) });
      expect(await infoOf(trace)).toMatchObject({ complete: true, exitCode: code, stopped: null });
      expect(await verified(trace)).toMatchObject({ ...exact, complete: true });
      const again = await refledger(["rerun", trace]);
      expect(again).toMatchObject({ code: 0, out: expect.stringMatching(/^the same again: /) });
    }),
  );

  it.each([
    "signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))\nprint('ready', flush=True)\nwhile True: time.sleep(1)",
    `async def main():
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    print('ready', flush=True)
    await asked.wait()
    sys.exit(15)
asyncio.run(main())`,
  ])("goes to the program's handler, if there is one: %s", (program) =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const recording = startRecording(["--out", trace, "-c", `import asyncio, signal, sys, time\n${program}`]);
      await recording.says("ready\n");
      recording.child.kill("SIGTERM");
      expect(await recording.ended).toMatchObject({ code: 15, out: "ready\n" });
      expect(await verified(trace)).toMatchObject({ ...exact, complete: true });
    }),
  );
});

describe("a Ctrl-C right behind the program's end", () => {
  it("does not cost the trace", () =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const code =
        "import atexit, os\natexit.register(print, 'over', flush=True)\nkept = [[i] for i in range(300_000)]";
      const recording = startRecording(["--out", trace, "-c", code]);
      await recording.says("over\n");
      recording.child.kill("SIGINT");
      await recording.ended;
      expect(await infoOf(trace)).toMatchObject({ complete: true, stopped: null });
      expect(await verified(trace)).toMatchObject({ ...exact, complete: true });
    }));
});
