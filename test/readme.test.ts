/**
 * The samples in the README and in docs/explore.md: each command that they show is run, and must print each line that is shown under it. Numbers, addresses and
 * little pictures may differ, for they do from machine to machine; words, names, lines of source and the order of columns may not.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refledger } from "./support/recording.js";

const root = resolve(import.meta.dirname, "..");

interface Sample {
  readonly command: string;
  readonly shown: readonly string[];
}

/** Commands of the indented blocks, each with the lines under it. */
function samplesOf(file: string): Sample[] {
  const found: { command: string; shown: string[] }[] = [];
  let open = false;
  for (const line of readFileSync(join(root, file), "utf8").split("\n")) {
    if (line.trim() === "") continue;
    open &&= line.startsWith("    ");
    const command = /^ {4}\$ (?:npx )?refledger (.*)$/.exec(line)?.[1];
    if (command !== undefined) {
      found.push({ command: command.replace(/\s+#.*$/, ""), shown: [] });
      open = true;
    } else if (open && line.trim() !== "…") found.at(-1)!.shown.push(line.slice(4));
  }
  return found;
}

/** Words of a command line, as a shell has them; what the README needs of that. */
const words = (command: string): string[] =>
  [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );

const normal = (line: string): string =>
  line
    .replace(/\/\S*\/(?=traces\/)/g, "")
    .replace(/0x[0-9a-f]+/g, "0x0")
    .replace(/\[[0-9a-f]{16}\]/g, "[0]")
    .replace(/[▁▂▃▄▅▆▇█]+/g, "█")
    .replace(/\d[\d,.]*/g, "0")
    .replace(/\b0 [kM]?B\b/g, "0 B")
    .replace(/\b0 (µs|ms|min)(?!\w)/g, "0 s")
    .replace(/\s+/g, " ")
    .trim();

const APP = `import gc
class Pair: pass

gc.collect()
gc.disable()
from refledger import mark

def pairs(n):
    for _ in range(n):
        a = Pair()
        b = Pair()
        a.other = b
        b.other = a
        del a
        del b
pairs(3)
gc.collect()
mark("warm")
pairs(2)
`;

describe.each(["README.md", "docs/explore.md"])("%s", (file) => {
  const samples = samplesOf(file).filter(({ command }) => !command.startsWith("record"));
  const folder = mkdtempSync(join(tmpdir(), "refledger-readme-"));
  beforeAll(async () => {
    mkdirSync(join(folder, "traces"));
    writeFileSync(join(folder, "traces/leaky-cache.py"), readFileSync(join(root, "traces/leaky-cache.py")));
    writeFileSync(join(folder, "app.py"), APP);
    writeFileSync(join(folder, "lists.py"), "a = [1.5, 2.5]\nb = a\ndel a\n");
    for (const [trace, program] of [
      ["cache.trace.db", "traces/leaky-cache.py"],
      ["app.trace.db", "app.py"],
    ] as const)
      expect(await refledger(["record", "-q", "-o", trace, program], { cwd: folder })).toMatchObject({ code: 0 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("shows commands", () => expect(samples.length).toBeGreaterThan(3));

  it.each(samples)("$command", async ({ command, shown }) => {
    const isShell = words(command)[0] === "shell";
    const input = shown.flatMap((line) => (line.startsWith(">>> ") ? [`${line.slice(4)}\n`] : [])).join("");
    const { code, out, err } = await refledger(words(command), { cwd: folder, ...(isShell ? { input } : {}) });
    const isError = shown[0]?.startsWith("refledger: ") === true;
    // What is asserted is not so, and the last line that was typed into the shell is an error.
    const fails = command.includes("--assert-") || isShell;
    expect([command, code, err]).toEqual([command, isError ? 2 : fails ? 1 : 0, expect.any(String)]);
    const printed = new Set((isShell || isError ? out + err : out).split("\n").map(normal));
    const missing = shown.filter((line) => !/^(>>> |… )/.test(line) && !printed.has(normal(line)));
    expect({ missing, out: missing.length === 0 ? "" : out }).toEqual({ missing: [], out: "" });
  });
});
