/** Ctrl-C, as a real signal to a real process. */
import type { ChildProcess } from "node:child_process";
import { describe, expect, it } from "vitest";
import { start } from "../support/plain.js";

interface End {
  code: number | null;
  out: string;
  err: string;
  /** Milliseconds from the first signal. */
  after: number;
}

/** Starts a program, sends SIGINT when it says "ready" (after `delay` ms), and once more for each of `again` (ms later). */
function interrupted(code: string, { delay = 300, again = [] as number[] } = {}): Promise<End> {
  const child: ChildProcess = start(["-c", code]);
  let [out, err, sent] = ["", "", 0];
  return new Promise((resolve) => {
    child.stdout!.on("data", (data: Buffer) => {
      const first = !out.includes("ready");
      out += data.toString();
      if (!first || !out.includes("ready")) return;
      const signal = (): void => {
        if (sent === 0) sent = Date.now();
        child.kill("SIGINT");
      };
      setTimeout(signal, delay);
      for (const wait of again) setTimeout(signal, delay + wait);
    });
    child.stderr!.on("data", (data: Buffer) => {
      err += data.toString();
    });
    child.on("close", (exit) => resolve({ code: exit, out, err, after: Date.now() - sent }));
  });
}

const ready = "print('ready', flush=True)";

describe("Ctrl-C", () => {
  it.each([
    ["a loop", "while True: pass"],
    ["time.sleep", "import time; time.sleep(100)"],
    ["input()", "input()"],
    ["reading standard input", "import sys; sys.stdin.buffer.read()"],
    ["select", "import select, sys; select.select([sys.stdin], [], [], 100)"],
    ["select on nothing", "import select; select.select([], [], [], 100)"],
    ["a read of an empty pipe", "import os; r, w = os.pipe(); os.read(r, 1)"],
    ["asyncio.run", "import asyncio; asyncio.run(asyncio.sleep(100))"],
  ])("ends %s with KeyboardInterrupt", async (_name, code) => {
    // What asyncio imports is imported before the signal.
    const end = await interrupted(`import asyncio, traceback\n${ready}\n${code}`, { delay: 700 });
    expect(end.err).toMatch(/^Traceback[\s\S]*KeyboardInterrupt\n$/);
    expect(end.code).toBe(130);
    expect(end.after).toBeLessThan(60_000);
  });

  it("can be caught", async () => {
    const end = await interrupted(
      `import time\ntry:\n    ${ready}\n    time.sleep(100)\nexcept KeyboardInterrupt: print('caught')`,
    );
    expect(end).toMatchObject({ code: 0, out: "ready\ncaught\n", err: "" });
  });

  it("goes to the program's own handler, and the sleep goes on", async () => {
    const end = await interrupted(
      `
import signal, time
signal.signal(signal.SIGINT, lambda *a: print('handler', a[0], flush=True))
start = time.monotonic()
${ready}
time.sleep(5)
print(time.monotonic() - start >= 5)
for i in range(3000000): pass
`,
      { again: [2000] },
    );
    expect(end).toMatchObject({ code: 0, out: "ready\nhandler 2\nhandler 2\nTrue\n", err: "" });
  });

  it("can be ignored", async () => {
    const end = await interrupted(
      `import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n${ready}\ntime.sleep(1)\nprint('done')`,
    );
    expect(end).toMatchObject({ code: 0, out: "ready\ndone\n" });
  });

  it("a second time, ends a program whose C code does not come back", async () => {
    const end = await interrupted(`import itertools, collections\n${ready}\ncollections.deque(itertools.count(), 0)`, {
      again: [1000, 3500],
    });
    expect(end.code).toBe(130);
    expect(end.after).toBeLessThan(60_000);
  });
});
