/** A child process and what it cost: wall time from start to exit, time to its first output, peak resident memory. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs in the child's main thread and leaves its own account: `maxRSS` in kilobytes covers all threads. */
const accountant = `data:text/javascript,${encodeURIComponent(`
import { isMainThread } from "node:worker_threads";
import { writeFileSync } from "node:fs";
if (isMainThread) process.on("exit", () => writeFileSync(process.env.BENCH_ACCOUNT, String(process.resourceUsage().maxRSS)));
`)}`;

/** Seconds and bytes; rejects when the process fails. */
export async function measure(args, { cwd, env = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "refledger-bench-"));
  const account = join(folder, "account");
  try {
    return await new Promise((resolve, reject) => {
      const started = performance.now();
      const child = spawn(process.execPath, ["--import", accountant, ...args], {
        cwd,
        env: { PATH: process.env.PATH, HOME: process.env.HOME, BENCH_ACCOUNT: account, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let firstOutput;
      const out = [];
      const err = [];
      child.stdout.on("data", (data) => {
        firstOutput ??= (performance.now() - started) / 1000;
        out.push(data);
      });
      child.stderr.on("data", (data) => err.push(data));
      child.on("error", reject);
      child.on("close", (code) => {
        const wall = (performance.now() - started) / 1000;
        if (code !== 0) return reject(new Error(`${args.join(" ")}: exit code ${code}\n${Buffer.concat(err)}`));
        resolve({
          wall,
          firstOutput,
          out: Buffer.concat(out).toString(),
          peak: 1024 * Number(readFileSync(account, "utf8")),
        });
      });
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export const geometricMean = (values) =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Rows of cells as text: the first column to the left, numbers to the right. The same text is Markdown. */
export function table(head, rows) {
  const all = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  const line = (row) =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(" | ")} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? "-".repeat(width) : `${"-".repeat(Math.max(1, width - 1))}:`)).join(" | ")} |`;
  return [line(all[0]), rule, ...all.slice(1).map(line)].join("\n");
}
