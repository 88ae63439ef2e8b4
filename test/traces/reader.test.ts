/**
 * A reader of chapter 4 before programs that the course does not have. With the chapter's commands, as text, he must find the line that closed the
 * cycle. The truth comes from the programs: the line marked "# closes", and that without it nothing becomes garbage.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refledger, unrecorded } from "../support/recording.js";

const folder = mkdtempSync(join(tmpdir(), "refledger-reader-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const programs = [
  { name: "orders", cycle: "Order and list", store: /Order\.bind .*orders\.py:\d+ +self\.stock = stock/ },
  {
    name: "registry",
    cycle: "list and Node",
    store: /Registry\.connect .*registry\.py:\d+ +first\.links\.append\(second\)/,
  },
];

describe.each(programs)("$name.py", ({ name, cycle, store }) => {
  const script = join(resolve(import.meta.dirname, "reader"), `${name}.py`);
  const trace = join(folder, `${name}.trace.db`);
  const source = readFileSync(script, "utf8").split("\n");
  const closing = source.findIndex((line) => line.endsWith("# closes"));
  let finding: string[];

  beforeAll(async () => {
    const recorded = await refledger(["record", "-o", trace, script], { cwd: folder });
    expect(recorded).toMatchObject({ code: 0, out: expect.stringContaining("garbage: True") });
    const { code, out } = await refledger(["cycles", trace], { cwd: folder });
    expect(code).toBe(0);
    const lines = out.split("\n");
    const at = lines.findIndex((line) => line.includes(`A cycle of ${cycle}`));
    expect(at, out).toBeGreaterThanOrEqual(0);
    finding = lines.slice(at, at + 24);
  });

  it("has no garbage without the line marked", async () => {
    const copy = join(folder, `${name}-open.py`);
    writeFileSync(copy, source.map((line, i) => (i === closing ? line.replace(/\S.*/, "pass") : line)).join("\n"));
    expect(await unrecorded([copy])).toMatchObject({ code: 0, out: expect.stringContaining("garbage: False") });
  });

  it("step 1 shows the circle and the line", () => {
    expect(finding.filter((line) => line.includes(" → ")).length).toBeGreaterThanOrEqual(6);
    expect(finding.find((line) => line.startsWith("      closed "))).toMatch(store);
  });

  it("step 2: the history of the arrow's end has that line's +1, and it stays", async () => {
    const [, event, id] = /closed +#([\d,]+) .*? {2}#(\d+) /.exec(finding.join("\n"))!;
    const { out } = await refledger(["history", trace, `#${id}`], { cwd: folder });
    const rows = out.split("\n");
    const row = rows.findIndex((line) => line.startsWith(`#${event!.replaceAll(",", "")} `));
    expect(rows[row]).toMatch(/ s +\+1 +\d/);
    expect(rows[row]).toMatch(store);
  });

  it("step 3: at its time the marked line was running", async () => {
    const event = /closed +(#[\d,]+)/.exec(finding.join("\n"))![1]!.replaceAll(",", "");
    const { out } = await refledger(["at", trace, "--time", event], { cwd: folder });
    const stack = out.split("\n").filter((line) => /^ {2}\S+ .*\.py:\d+ /.test(line));
    expect(stack[0]).toMatch(store);
    expect(stack.filter((line) => line.includes(`${name}.py:${closing + 1} `))).toHaveLength(1);
  });
});
