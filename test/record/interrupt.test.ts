/** Ctrl-C while a program is recorded, as a real signal: the program's KeyboardInterrupt, and a trace that is complete and exact. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exact, infoOf, startRecording, verified, withFolder } from "../support/recording.js";

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
