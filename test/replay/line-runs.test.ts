/** How often a line ran, by its events, against programs whose loops are known. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openReplay, type Replay, resolveTime } from "../../dist/index.js";
import { refledger } from "../support/recording.js";

const program = join(import.meta.dirname, "programs/line-runs.py");
const lines = readFileSync(program, "utf8").split("\n");
let folder = "";
let replay: Replay;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "refledger-line-runs-"));
  const trace = join(folder, "line-runs.trace.db");
  expect(await refledger(["record", "-q", "-o", trace, program])).toMatchObject({ code: 0, err: "" });
  replay = openReplay(trace);
});
afterAll(() => {
  replay?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The last time that a line ran, from the answer to one that is too high. */
function runs(line: number): number {
  try {
    resolveTime(replay, `line:line-runs.py:${line}[999999]`);
  } catch (error) {
    const { message } = error as Error;
    return message.includes("occurs once:")
      ? 1
      : Number(/occurs ([\d,]+) times:/.exec(message)?.[1]?.replaceAll(",", ""));
  }
  return Number.NaN;
}

describe("runs of a line", () => {
  it("are as many as there were, in every kind of loop, generator and recursion", () => {
    const truth = lines.flatMap((text, i) => {
      const times = / # runs (\d+)$/.exec(text)?.[1];
      return times === undefined ? [] : [[i + 1, text, Number(times)] as const];
    });
    expect(truth.length).toBeGreaterThan(40);
    expect(truth.map(([line, text]) => [line, text, runs(line)])).toEqual(truth);
  });

  it("begin one after the other, each in its own round", () => {
    const line = lines.findIndex((text) => text.includes("# runs 300")) + 1;
    const at = (n: number): number => resolveTime(replay, `line:line-runs.py:${line}[${n}]`);
    expect([1, 2, 100, 101, 300].map(at)).toEqual([1, 2, 100, 101, 300].map(at).sort((x, y) => x - y));
    expect(new Set([1, 2, 100, 101, 300].map(at)).size).toBe(5);
    expect(at(-1)).toBe(at(300));
  });

  it("are said to be unknown where they left nothing", () => {
    const line = lines.findIndex((text) => text.includes("k = 0")) + 1;
    const asked = (text: string) => () => resolveTime(replay, text);
    expect(asked(`line:line-runs.py:${line}`)).toThrow(
      /line \d+ left no event, and a line is known by what it does .*; try call:FUNCTION\[k\] or a line near it: /,
    );
    expect(asked("line:line-runs.py:9999")).toThrow(/no code that ran is on line 9999; try a line near it: /);
    const head = lines.findIndex((text) => text.includes("for i in range(100)")) + 1;
    expect(asked(`line:line-runs.py:${head}[100]`)).toThrow(/runs that changed no count and no memory left no event/);
  });

  it("are rounds for leaks as well", async () => {
    const script = join(folder, "leak.py");
    writeFileSync(script, "log = []\ndef work(i):\n    log.append([i])\nfor i in range(200):\n    work(i)\n");
    const trace = join(folder, "leak.trace.db");
    expect(await refledger(["record", "-q", "-o", trace, script])).toMatchObject({ code: 0 });
    const { out } = await refledger(["leaks", trace, "--iterations", "line:leak.py:5"]);
    expect(out).toMatch(/^rounds +200 by line:leak\.py:5/m);
    expect(out).toMatch(/^ +remains +1 object a round/m);
    expect(await refledger(["at", trace, "--time", "line:leak.py:5[100]"])).toMatchObject({ code: 0 });
  });
});
