/** Runs programs in the plain interpreter, and in the machine's own Python where there is one, as real processes. */
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const plainCommand = resolve(import.meta.dirname, "../../dist/interpreter/run-plain-cli.js");

export interface RunOptions {
  input?: string | Buffer;
  env?: Record<string, string>;
  cwd?: string;
}

export interface Outcome {
  code: number | null;
  out: string;
  err: string;
  raw: Buffer;
}

function outcome(done: SpawnSyncReturns<Buffer>): Outcome {
  if (done.error !== undefined) throw done.error;
  return { code: done.status, out: done.stdout.toString(), err: done.stderr.toString(), raw: done.stdout };
}

function options({ input = "", env = {}, cwd }: RunOptions) {
  return {
    input,
    env: { PATH: process.env["PATH"] ?? "", HOME: "/root", ...env },
    maxBuffer: 64 * 1024 * 1024,
    timeout: 100_000,
    ...(cwd === undefined ? {} : { cwd }),
  };
}

export const plain = (args: string[], how: RunOptions = {}): Outcome =>
  outcome(spawnSync(process.execPath, [plainCommand, ...args], options(how)));

export const native = (args: string[], how: RunOptions = {}): Outcome =>
  outcome(spawnSync("python3", args, options({ ...how, env: { PYTHONDONTWRITEBYTECODE: "1", ...how.env } })));

export const hasNative = spawnSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"]).status === 0;

export function start(args: string[], cwd?: string): ChildProcess {
  return spawn(process.execPath, [plainCommand, ...args], { stdio: "pipe", ...(cwd === undefined ? {} : { cwd }) });
}

/** Runs `body` in a new folder and removes it. */
export async function inFolder(body: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "refledger-run-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
