/**
 * What `refledger cycles` costs on 50 million events: the first time with and without running the program again, and the second time.
 *
 *     npm run bench -- cycles          or: node test/bench/analyze-cycles.mjs [TRACE]
 *
 * Without a trace it records two programs of some 50 million events: one whose objects die by their counts, and one whose three million
 * objects all die by the collector. A busy machine's seconds mean little: the load is printed with them. Exits 1 when a bound is missed.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import Database from "better-sqlite3";
import { TraceReader } from "../../dist/index.js";
import { measure, table } from "./_process.mjs";

const command = resolve(import.meta.dirname, "../../dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "refledger-bench-"));
let missed = 0;

async function recorded(program, argument) {
  const trace = join(folder, `${basename(program)}.trace.db`);
  process.stderr.write(`recording ${program}…\n`);
  await measure([command, "record", "--out", trace, resolve(import.meta.dirname, program), argument]);
  return trace;
}

/** Answers of earlier runs would be given again. */
function forget(trace) {
  const db = new Database(trace);
  db.exec("DELETE FROM answers");
  db.close();
}

async function figures(trace) {
  const rows = [];
  for (const [what, options, seconds] of [
    ["first time", [], 20],
    ["second time", [], 1],
    ["first time, --no-rerun", ["--no-rerun"], 20],
    ["second time, --no-rerun", ["--no-rerun"], 1],
  ]) {
    const { wall, peak } = await measure([command, "cycles", trace, "--json", ...options]);
    const held = wall <= seconds && peak <= 600e6;
    if (!held) missed++;
    const bound = `at most ${seconds} s and 600 MB${held ? "" : "  MISSED"}`;
    rows.push([what, `${wall.toFixed(2)} s`, `${Math.round(peak / 1e6)} MB`, bound]);
  }
  return rows;
}

try {
  const given = process.argv[1]?.endsWith("analyze-cycles.mjs") ? process.argv[2] : undefined;
  if (given !== undefined && !existsSync(given)) throw new Error(`${given}: no such file`);
  const traces = given
    ? [given]
    : [await recorded("workloads/parsing-and-unparsing.py", "10"), await recorded("reference-cycles.py", "5200")];
  for (const trace of traces) {
    forget(trace);
    const reader = TraceReader.open(trace);
    const { events } = reader;
    const { collections } = reader.summary();
    reader.close();
    const load = loadavg().map((n) => n.toFixed(2));
    console.log(
      `${trace}: ${(events / 1e6).toFixed(1)} million events, ${collections} collections; load ${load.join(" ")}`,
    );
    console.log(`${table(["cycles", "wall", "memory", "bound"], await figures(trace))}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;
