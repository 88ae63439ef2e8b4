/**
 * The main thread's side of a run: starting the worker, Ctrl-C, the terminal's size, and where the interpreter's files are. The main
 * thread does no more than wait, so that a signal is seen at once even while the worker computes.
 */
import { createRequire } from "node:module";
import { type MessagePort, Worker } from "node:worker_threads";
import { InterpreterCrash } from "./failures.js";

/** Megabytes of stack for the interpreter's thread: the destruction of a chain of a million nodes needs about 100. */
export const stackSizeMb = 200;
/** After this many milliseconds without the interpreter taking notice of a Ctrl-C, a second one ends it. */
export const patience = 3000;

export interface InterpreterFiles {
  /** Paths. */
  module: string;
  standardLibrary: string;
}

/** Where npm put the interpreter. */
export function interpreterFiles(): InterpreterFiles {
  const require = createRequire(import.meta.url);
  return {
    module: require.resolve("pyodide/pyodide.asm.wasm"),
    standardLibrary: require.resolve("pyodide/python_stdlib.zip"),
  };
}

/** The words that the two threads share. */
export interface SharedWords {
  /** 1 while a Ctrl-C waits for the interpreter. */
  interrupt: Int32Array<SharedArrayBuffer>;
  /** Columns and rows. */
  terminalSize: Int32Array<SharedArrayBuffer>;
}

export function sharedWords(): SharedWords {
  return {
    interrupt: new Int32Array(new SharedArrayBuffer(4)),
    terminalSize: new Int32Array(new SharedArrayBuffer(8)),
  };
}

/** Stores the terminal's size, the usual 80 by 24 where there is no terminal. */
function readTerminalSize(words: SharedWords): void {
  const stream = [process.stdout, process.stderr].find((one) => one.isTTY);
  Atomics.store(words.terminalSize, 0, stream?.columns ?? 80);
  Atomics.store(words.terminalSize, 1, stream?.rows ?? 24);
}

/**
 * Passes Ctrl-C on to the interpreter while a program runs. A first Ctrl-C becomes KeyboardInterrupt (or whatever the program's handler
 * makes of it). If the interpreter has not even taken notice of it for `patience` milliseconds (C code that does not come back),
 * the next one calls `giveUp`. Returns the function that stops listening.
 */
export function forwardInterrupts(words: SharedWords, giveUp: () => void): () => void {
  let since = 0;
  const interrupted = (): void => {
    const pending = Atomics.load(words.interrupt, 0) !== 0;
    if (pending && performance.now() - since >= patience) {
      giveUp();
      return;
    }
    if (!pending) since = performance.now();
    Atomics.store(words.interrupt, 0, 1);
    Atomics.notify(words.interrupt, 0);
  };
  const resized = (): void => readTerminalSize(words);
  readTerminalSize(words);
  process.on("SIGINT", interrupted);
  process.on("SIGWINCH", resized);
  return () => {
    process.off("SIGINT", interrupted);
    process.off("SIGWINCH", resized);
  };
}

/** What a worker says when its program has ended. */
export type WorkerReport =
  | { kind: "ended"; exitCode: number; limit: string | undefined }
  | { kind: "crashed"; message: string; exitCode: 134 | 139 };

/** How a run ended. */
export interface WorkerResult {
  /** 0 to 255. */
  readonly exitCode: number;
  readonly limit: string | undefined;
  /** The interpreter was stopped from outside, since it took no notice of Ctrl-C. */
  readonly stopped: boolean;
}

/** Starts a worker file with the stack that the interpreter needs and waits for its report. Rejects with InterpreterCrash. */
export async function runWorker(
  file: URL,
  data: unknown,
  words: SharedWords,
  transferList: readonly MessagePort[] = [],
): Promise<WorkerResult> {
  const worker = new Worker(file, {
    workerData: data,
    transferList: [...transferList],
    resourceLimits: { stackSizeMb, maxOldGenerationSizeMb: 4096 },
    env: process.env,
  });
  const stop = forwardInterrupts(words, () => void worker.terminate());
  try {
    return await new Promise((resolve, reject) => {
      worker.on("message", (report: WorkerReport) => {
        if (report.kind === "ended") resolve({ ...report, stopped: false });
        else reject(new InterpreterCrash(report.message, report.exitCode));
      });
      worker.on("error", reject);
      worker.on("exit", () => resolve({ exitCode: 130, limit: undefined, stopped: true }));
    });
  } finally {
    stop();
    await worker.terminate();
  }
}
