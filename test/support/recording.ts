/**
 * Recordings as real processes: `refledger` with its own temporary folder for each test, and one cache of the rewritten interpreter for all
 * of them. What a process printed is kept as bytes, since "unperturbed" means every byte.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { DescribedEvent, TraceInfo, VerifyResult } from "../../src/index.js";

const dist = resolve(import.meta.dirname, "../../dist");
export const refledgerCommand = join(dist, "cli/main.js");
export const plainCommand = join(dist, "interpreter/run-plain-cli.js");

/** Shared by all tests and runs: the first of them makes it. */
export const cache = join(tmpdir(), "refledger-test-cache");

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
  raw: Buffer;
}

export interface ProcessOptions {
  cwd?: string;
  input?: string;
  env?: Record<string, string>;
  /** Milliseconds after which the process is killed, and the test fails. */
  timeout?: number;
}

/** What a child sees of the environment: nothing of the machine's but where to find programs. */
export function environment(more: Record<string, string> = {}): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", REFLEDGER_CACHE: cache, ...more };
}

/** A started process, its output gathered; `ended` settles when it is gone and its pipes are closed. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What stdout had so far. */
  readonly out: () => string;
  /** Waits until stdout contains the text. */
  readonly says: (text: string) => Promise<void>;
}

export function launch(command: string, args: readonly string[], how: ProcessOptions = {}): Running {
  const child = spawn(command, args, {
    stdio: "pipe",
    env: environment(how.env),
    ...(how.cwd === undefined ? {} : { cwd: how.cwd }),
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const wakers = new Set<() => void>();
  const text = (pieces: Buffer[]): string => Buffer.concat(pieces).toString();
  child.stdout.on("data", (data: Buffer) => {
    out.push(data);
    for (const wake of wakers) wake();
  });
  child.stderr.on("data", (data: Buffer) => err.push(data));
  child.stdin.on("error", () => {}); // a program need not read its input
  if (how.input !== undefined) child.stdin.end(how.input);
  const timer = setTimeout(() => child.kill("SIGKILL"), how.timeout ?? 110_000);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, out: text(out), err: text(err), raw: Buffer.concat(out) });
    });
  });
  const says = async (wanted: string): Promise<void> => {
    let gone = false;
    void ended.then(() => {
      gone = true;
      for (const wake of wakers) wake();
    });
    while (!text(out).includes(wanted)) {
      if (gone)
        throw new Error(`the process ended without saying ${JSON.stringify(wanted)}:\n${text(out)}${text(err)}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          wakers.delete(wake);
          resolve();
        };
        wakers.add(wake);
      });
    }
  };
  return { child, ended, out: () => text(out), says };
}

/** Runs to the end with an empty standard input, unless one is given. */
export const run = (command: string, args: readonly string[], how: ProcessOptions = {}): Promise<Ended> =>
  launch(command, args, { input: "", ...how }).ended;

export const refledger = (args: readonly string[], how: ProcessOptions = {}): Promise<Ended> =>
  run(process.execPath, [refledgerCommand, ...args], how);

/** The same interpreter without the recorder. */
export const unrecorded = (args: readonly string[], how: ProcessOptions = {}): Promise<Ended> =>
  run(process.execPath, [plainCommand, ...args], how);

/** A started recording; its standard input stays open. */
export const startRecording = (args: readonly string[], how: ProcessOptions = {}): Running =>
  launch(process.execPath, [refledgerCommand, "record", ...args], how);

/** `info --json`. */
export async function infoOf(trace: string): Promise<TraceInfo> {
  const { out, err, code } = await refledger(["info", trace, "--json"]);
  if (code !== 0) throw new Error(`info ${trace}: ${code} ${err}`);
  return JSON.parse(out) as TraceInfo;
}

/** `verify --json`, whatever it answers; `code` is its exit code. */
export async function verified(trace: string): Promise<VerifyResult & { code: number | null; err: string }> {
  const { out, err, code } = await refledger(["verify", trace, "--json"]);
  if (out === "") throw new Error(`verify ${trace}: ${code} ${err}`);
  return { ...(JSON.parse(out) as VerifyResult), code, err };
}

/** What `verify` answers of an exact trace, to be matched. */
export const exact = {
  code: 0,
  ok: true,
  mismatches: 0,
  unknownReferents: 0,
  blockMismatches: 0,
  strayEvents: 0,
  differences: [],
} as const;

/** `dump --json`, one event a line. */
export async function dumped(trace: string, options: readonly string[] = []): Promise<DescribedEvent[]> {
  const { out, err, code } = await refledger(["dump", trace, "--json", ...options]);
  if (code !== 0) throw new Error(`dump ${trace}: ${code} ${err}`);
  return out
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as DescribedEvent);
}

/** Lines of ours on stderr, and the rest, which is the program's. */
export function splitError(err: string): { ours: string[]; program: string } {
  const lines = err.split(/(?<=\n)/);
  return {
    ours: lines.filter((line) => line.startsWith("refledger: ")).map((line) => line.trimEnd()),
    program: lines.filter((line) => !line.startsWith("refledger: ")).join(""),
  };
}

/** A new folder, removed when the body is done. */
export async function withFolder<T>(body: (folder: string) => T | Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "refledger-rec-"));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An empty folder at this path, whatever was there. */
export function emptied(path: string): string {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}
