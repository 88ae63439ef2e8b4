/** Standard input, output and error: the process's own, binary-clean, buffered by Python alone. */
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { hasNative, inFolder, native, plain, plainCommand, start } from "../support/plain.js";

describe("streams", () => {
  it("reads input() from a pipe and stops at its end", () => {
    const result = plain(["-c", "print([input('? '), input()]); input()"], { input: "first\nsecond" });
    expect(result).toMatchObject({ code: 1, out: "? ['first', 'second']\n" });
    expect(result.err).toMatch(/EOFError: EOF when reading a line\n$/);
  });

  it("is binary-clean both ways and in large amounts", () => {
    const bytes = Buffer.alloc(3_000_000, Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
    const code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())";
    expect(plain(["-c", code], { input: bytes }).raw.equals(bytes)).toBe(true);
  });

  it("reads and tells positions in redirected files as Python does", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "in"), "one\ntwo\nthree\n");
      const code =
        "import sys; a = sys.stdin.readline(); sys.stdin.seek(0); print(a, sys.stdin.read(), sys.stdin.seekable(), sys.stdout.tell(), sys.stdout.isatty(), file=sys.stdout)";
      const run = (command: string[], to: string): string => {
        const [input, output] = [openSync(join(folder, "in"), "r"), openSync(join(folder, to), "w")];
        spawnSync(command[0]!, [...command.slice(1), "-c", code], { stdio: [input, output, "inherit"] });
        closeSync(input);
        closeSync(output);
        return readFileSync(join(folder, to), "utf8");
      };
      const ours = run([process.execPath, plainCommand], "ours");
      expect(ours).toMatch(/^one\n one\ntwo\nthree\n True 0 False\n$/);
      if (hasNative) expect(ours).toBe(run(["python3"], "theirs"));
    }));

  it("adds no buffering: what is flushed is there while the program runs", async () => {
    const child = start(["-c", "import time; print('early', flush=True); time.sleep(60)"]);
    let text = "";
    await new Promise<void>((resolve) => {
      child.stdout!.on("data", (data: Buffer) => {
        text += data.toString();
        if (text.endsWith("\n")) resolve();
      });
    });
    child.kill("SIGKILL");
    expect(text).toBe("early\n");
  });

  it("turns a closed pipe into BrokenPipeError", () => {
    const script = `${process.execPath} ${plainCommand} -c "import sys
try:
    while True: print('x' * 1000)
except BrokenPipeError as e: sys.stderr.write(type(e).__name__)
import os; os._exit(0)" | head -n 1`;
    expect(spawnSync("sh", ["-c", script]).stderr.toString()).toBe("BrokenPipeError");
  });

  it("runs with its streams closed", () => {
    const script = `${process.execPath} ${plainCommand} -c "import sys; sys.exit(5 if sys.stdin is None else 6)" <&-`;
    const nativeToo = hasNative
      ? spawnSync("sh", ["-c", "python3 -c 'import sys; sys.exit(5 if sys.stdin is None else 6)' <&-"]).status
      : 5;
    // Node itself opens /dev/null where a standard stream is missing, so the program finds an empty one.
    expect([nativeToo, 6]).toContain(spawnSync("sh", ["-c", script]).status);
  });

  it("selects on standard input", () => {
    const code = "import select, sys; print(len(select.select([sys.stdin], [], [], 20)[0]), sys.stdin.readline())";
    expect(plain(["-c", code], { input: "line\n" }).out).toBe("1 line\n\n");
  });

  it.skipIf(!hasNative)("knows a terminal, its size, and Ctrl-C at a question", () => {
    const code = `
import os, sys
print(sys.stdin.isatty(), sys.stdout.isatty(), tuple(os.get_terminal_size()))
print(ascii(input('name? ')))
try: input('again? ')
except KeyboardInterrupt: print('interrupted')
print('end')
`;
    const terminal = resolve(import.meta.dirname, "programs/terminal.py");
    const shown = native([terminal, process.execPath, plainCommand, "-c", code]).out.replaceAll("\r", "");
    expect(shown).toMatch(/^True True \(99, 33\)\nname\? jöe\n'j\\xf6e'\nagain\? (\^C)?\s*interrupted\nend/);
  });

  it.skipIf(!hasNative)("sleeps as long as Python does, and refuses what Python refuses", () => {
    const code = `
import time
for bad in (-1, 'x', float('nan'), 1e30):
    try: time.sleep(bad)
    except Exception as e: print(type(e).__name__, str(e)[:30])
start, cpu = time.monotonic(), time.process_time()
print(time.sleep(0.5), 0.5 <= time.monotonic() - start < 40)
`;
    expect(plain(["-c", code]).out.replace(/as an integer.*/, "")).toBe(
      native(["-c", code]).out.replace(/as an integer.*/, ""),
    );
  });

  it("does not burn the processor while it sleeps", () => {
    const code = "import time; c = time.process_time(); time.sleep(2); print(time.process_time() - c < 1)";
    expect(plain(["-c", code]).out).toBe("True\n");
  });
});
