/** Runs a program in the plain interpreter with the process's own standard streams. */
import { readFileSync } from "node:fs";
import type { Program } from "./configuration.js";
import type { InterpreterOptions } from "./interpreter.js";
import { interpreterFiles, runWorker, sharedWords } from "./main-thread.js";

export interface PlainOptions {
  program: Program;
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** 0 to 4294967295. */
  hashSeed: number;
  version: string;
  /** See library.ts. */
  standardLibrary: Uint8Array;
}

/** The program's exit code, and the limit of this CPython that it died of. Rejects with InterpreterCrash. */
export async function runPlain(options: PlainOptions): Promise<{ exitCode: number; limit: string | undefined }> {
  const words = sharedWords();
  const module = await WebAssembly.compile(readFileSync(interpreterFiles().module));
  const data: InterpreterOptions = { ...options, ...words, module };
  return runWorker(new URL("./plain-worker.js", import.meta.url), data, words);
}
