/** The command around the explanation: what it refuses before it writes anything, and what it says of programs that end badly. */
import { linkSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refledger } from "../support/recording.js";

const source = "x = [1]\ny = x\n";
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "refledger-command-"));
  writeFileSync(join(folder, "app.py"), source);
  symlinkSync("app.py", join(folder, "soft.html"));
  linkSync(join(folder, "app.py"), join(folder, "hard.html"));
  const made = await refledger(["record", "--quiet", "--no-graphs", "-o", "app.trace.db", "app.py"], { cwd: folder });
  expect(made.code, made.err).toBe(0);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) => refledger(["explain", ...args], { cwd: folder });

describe("--html", () => {
  it.each(["app.py", "./app.py", "soft.html", "hard.html"])("does not write over the program: %s", async (page) => {
    for (const input of ["app.py", "app.trace.db"]) {
      const { code, out, err } = await run(input, "--html", page);
      expect(code, err).toBe(2);
      expect(out).toBe("");
      expect(err.trim().split("\n")).toHaveLength(1);
      expect(err).toContain("give the page another name");
    }
    expect(readFileSync(join(folder, "app.py"), "utf8")).toBe(source);
  });

  it("nor over the trace", async () => {
    const before = readFileSync(join(folder, "app.trace.db"));
    expect(await run("app.trace.db", "--html", "app.trace.db")).toMatchObject({ code: 2 });
    expect(readFileSync(join(folder, "app.trace.db")).equals(before)).toBe(true);
  });
});

describe("--lines", () => {
  it.each(["app.py", "app.trace.db"])("behind the end of %s: says how many there are", async (input) => {
    const { code, out, err } = await run(input, "--lines", "100-200");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toMatch(/app\.py has 2 lines/);
    expect(await run(input, "--lines", "2-200")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^2 {2}y = x\n/),
    });
  });
});

describe("a program that ends badly", () => {
  const ends = async (text: string) => {
    writeFileSync(join(folder, "bad.py"), text);
    const { code, out } = await run("bad.py");
    return { code, out, last: out.trim().split("\n").at(-1) };
  };

  it("an exception that nothing caught is said", async () => {
    const { code, last } = await ends("def g(n):\n    return n[5]\ng([1])\n");
    expect(code).toBe(1);
    expect(last).toBe("The program ended by an exception that nothing caught (exit code 1).");
  });

  it("one that was caught and printed is not", async () => {
    const text = "import sys\ntry:\n    [][1]\nexcept IndexError:\n    sys.excepthook(*sys.exc_info())\n";
    expect(await ends(text)).toMatchObject({ code: 0, out: expect.not.stringContaining("ended") });
  });

  it("an exit code is said as one", async () => {
    expect(await ends("import sys\nx = [1]\nsys.exit(3)\n")).toMatchObject({
      code: 1,
      last: "The program ended with exit code 3.",
    });
  });

  it("a source that does not compile", async () => {
    const { code, out, last } = await ends("def f(:\n");
    expect(code).toBe(1);
    expect(last).toBe("The source does not compile: nothing of it ran (exit code 1).");
    expect(out).not.toContain("At the end:");
  });
});
