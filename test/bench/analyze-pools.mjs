/**
 * What the analysis of pools costs: a trace of 50 million events (parsing-and-unparsing.py, 10 rounds) within 20 s and 600 MB, and within 1 s when
 * it is asked again. Each question is a process of its own; `npm run bench -- pools`.
 *
 *     node test/bench/analyze-pools.mjs [TRACE]
 */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { measure, table } from "./_process.mjs";

const cli = resolve(import.meta.dirname, "../../dist/cli/main.js");
const QUESTIONS = [
  ["pools", []],
  ["pools, again", []],
  ["--model 3.10-64", ["--model", "3.10-64"]],
  ["--compare: 16 models", ["--compare"]],
  ["--compare, again", ["--compare"]],
  ["--address", ["--address", "0x19100000"]],
];

export async function run({ quick = false, trace: given } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "refledger-bench-"));
  try {
    const trace = join(folder, "bench.trace.db");
    if (given) copyFileSync(given, trace);
    else {
      const target = resolve(import.meta.dirname, "workloads/parsing-and-unparsing.py");
      // In a process of its own: a child's peak memory is never told lower than its parent's was when it began.
      await measure([cli, "record", "--out", trace, target, quick ? "1" : "10"], { cwd: folder });
    }
    const { out } = await measure([cli, "info", trace, "--json"]);
    const { events } = JSON.parse(out);
    const rows = [];
    for (const [name, words] of QUESTIONS) {
      const { wall, peak } = await measure([cli, "pools", trace, ...words, "--json"]);
      rows.push({ question: name, seconds: wall, peakBytes: peak });
    }
    console.log(`${(events.total / 1e6).toFixed(1)} million events`);
    console.log(
      table(
        ["question", "s", "M events/s", "memory MB"],
        rows.map((row) => [
          row.question,
          row.seconds.toFixed(2),
          (events.total / row.seconds / 1e6).toFixed(1),
          Math.round(row.peakBytes / 1e6),
        ]),
      ),
    );
    return { events: events.total, rows };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await run({ trace: process.argv[2] });
