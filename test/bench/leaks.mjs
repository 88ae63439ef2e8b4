/**
 * `npm run bench -- leaks`: what looking for leaks costs on some 50 million events, the first time and the second, and its memory.
 * Bounds: 20 s and 600 MB; 1 s from the stored answer. The analysis runs in this process; recording does too, before it, so the
 * memory figure is taken in a process of its own.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { record } from "../../dist/record/record.js";

const library = resolve(import.meta.dirname, "../../dist/index.js");
const script = `
const { findLeaks } = await import(process.argv[1]);
const begun = performance.now();
const { findings } = findLeaks(process.argv[2]);
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ seconds: (performance.now() - begun) / 1000, cpuSeconds: (user + system) / 1e6, megabytes: process.resourceUsage().maxRSS / 1024, findings: findings.length }));
`;

export async function run({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), "refledger-bench-"));
  try {
    const trace = join(folder, "bench.trace.db");
    const { events } = await record({
      program: {
        kind: "script",
        target: resolve(import.meta.dirname, "workloads/parsing-and-unparsing.py"),
        args: [quick ? "1" : "10"],
      },
      out: trace,
      cwd: folder,
      env: {},
      version: "bench",
    });
    const ask = () =>
      JSON.parse(
        execFileSync(process.execPath, ["--input-type=module", "-e", script, library, trace], { encoding: "utf8" }),
      );
    const first = ask();
    const second = ask();
    console.log(`events  ${(events / 1e6).toFixed(1)} million`);
    console.log(
      `first   ${first.seconds.toFixed(1)} s (${first.cpuSeconds.toFixed(1)} s of CPU), ${Math.round(first.megabytes)} MB (at most 20 s, 600 MB)`,
    );
    console.log(`second  ${second.seconds.toFixed(2)} s (at most 1 s)`);
    return { events, first, second };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
