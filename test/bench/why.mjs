/**
 * What `why` costs at the end of a long trace: whole processes from start to exit, with the index of the trace made before and without it,
 * and at an instant in the middle, entered once and kept afterwards.
 *
 *     npm run bench -- why
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { record } from "../../dist/record/record.js";

const main = resolve(import.meta.dirname, "../../dist/cli/main.js");
const BOUND_SECONDS = 2;

export async function run({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), "refledger-bench-why-"));
  try {
    const trace = join(folder, "bench.trace.db");
    const workload = resolve(import.meta.dirname, "workloads/parsing-and-unparsing.py");
    await record({
      program: { kind: "script", target: workload, args: [quick ? "1" : "10"] },
      out: trace,
      cwd: folder,
      env: {},
      version: "bench",
    });
    const { events } = JSON.parse(
      execFileSync(process.execPath, [main, "info", trace, "--json"], { encoding: "utf8" }),
    );
    const timed = (what, ...words) => {
      const begun = performance.now();
      execFileSync(process.execPath, [main, "why", trace, ...words], { stdio: "ignore" });
      const seconds = (performance.now() - begun) / 1000;
      console.log(`${what.padEnd(52)} ${seconds.toFixed(2)} s`);
      return seconds;
    };
    console.log(`${(events.total / 1e6).toFixed(1)} million events`);
    const first = timed("at the end, with the trace's index to be made", "module[1]");
    const again = timed("at the end", "module[1]");
    const type = timed("at the end, all objects of a type", "function");
    const entered = timed("in the middle, entered", "module[1]", "--time", "50%");
    const kept = timed("in the middle, kept", "module[1]", "--time", "50%");
    if (again > BOUND_SECONDS) console.log(`MISSED: at most ${BOUND_SECONDS} s at the end`);
    return { events: events.total, seconds: { first, again, type, entered, kept } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
