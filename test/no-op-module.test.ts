/**
 * The one-file no-op of the `refledger` module (docs/refledger.py) on the machine's own Python, where there is one: the same
 * calls, the same checks, and the sample program runs with it and without it.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const oldest = [3, 8];

function findPython(): string | undefined {
  const code = `import sys; sys.exit(sys.version_info < (${oldest.join(", ")}))`;
  return ["python3", "python"].find((name) => spawnSync(name, ["-I", "-c", code]).status === 0);
}

const python = findPython();

function run(args: readonly string[], modulePath: string | undefined) {
  const env: NodeJS.ProcessEnv = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  delete env["PYTHONPATH"];
  if (modulePath !== undefined) env["PYTHONPATH"] = modulePath;
  const { status, stdout, stderr } = spawnSync(python!, args, { cwd: root, env, encoding: "utf8" });
  return { status, stdout, stderr };
}

const inModule = (code: string) => run(["-c", code], resolve(root, "docs"));

describe.skipIf(python === undefined)("docs/refledger.py (skipped where no python3 is installed)", () => {
  it("takes any str as a mark and gives None", () => {
    const code =
      "import refledger as r; print([r.mark(x) for x in ('warm', '', 'a b', '\\u0416\\0', type('S', (str,), {})('s'))])";
    expect(inModule(code)).toEqual({ status: 0, stdout: "[None, None, None, None, None]\n", stderr: "" });
  });

  it.each([
    ["None", "NoneType"],
    ["3", "int"],
    ["b'warm'", "bytes"],
    ["['warm']", "list"],
  ])("refuses mark(%s) with a TypeError", (argument, type) => {
    const { stderr, status } = inModule(`import refledger; refledger.mark(${argument})`);
    expect(status).toBe(1);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(`TypeError: mark() argument must be str, not ${type}`);
  });

  it.each(["refledger.mark()", "refledger.mark('a', 'b')", "refledger.mark(name='a')"])("refuses %s", (call) => {
    const { stderr, status } = inModule(`import refledger; ${call}`);
    expect(status).toBe(1);
    expect(stderr).toContain("TypeError");
  });

  it("has the version of the package, and exports two names", () => {
    const { version } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as { version: string };
    const { stdout } = inModule("import refledger; print(refledger.version, refledger.__all__)");
    expect(stdout).toBe(`${version} ['mark', 'version']\n`);
  });

  it("lets the sample program run as it does without the module", () => {
    const script = resolve(root, "traces/leaky-cache.py");
    const withModule = run([script, "20"], resolve(root, "docs"));
    const without = run([script, "20"], undefined);
    expect(withModule).toEqual(without);
    expect(withModule.stdout).toContain("sessions   0 logged in, 20 in memory");
  });
});
