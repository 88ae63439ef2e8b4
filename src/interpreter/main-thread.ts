/**
 * The main thread's side of a run: starting the worker, signals, the terminal's size, and where the interpreter's files are. The main
 * thread does no more than wait, so that a signal is seen at once even while the worker computes.
 */
import { createRequire } from "node:module";
import { type MessagePort, Worker } from "node:worker_threads";
import { InterpreterCrash } from "./failures.js";
import { PASSED_ON, SIGINT, signalBit } from "./kernel/interrupt.js";

/** Megabytes of stack for the interpreter's thread: the destruction of a chain of a million nodes needs about 100. */
export const stackSizeMb = 200;
/** After this many milliseconds without the interpreter taking notice of a signal, a second one ends it. */
export const patience = 3000;
/** A SIGTERM without such notice ends the interpreter after this many milliseconds: before `docker stop` loses its own patience, after 10 s. */
const lastPatience = 8000;

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
  /** A bit for each signal that waits for the interpreter (kernel/interrupt.ts). */
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
 * Passes signals on to the interpreter while a program runs. A first Ctrl-C becomes KeyboardInterrupt (or whatever the program's handler makes
 * of it), a SIGTERM what the program's handler makes of it, or its end (interpreter.ts). If the interpreter has not even taken notice
 * of one for `patience` milliseconds (C code that does not come back), the next one calls `giveUp`; of the others, which are often
 * sent once, nothing more than time is needed. Returns the function that stops listening.
 */
export function forwardSignals(words: SharedWords, giveUp: (signal: number) => void): () => void {
  const since = new Map<number, number>();
  let timer: NodeJS.Timeout | undefined;
  const isPending = (signal: number): boolean => (Atomics.load(words.interrupt, 0) & signalBit(signal)) !== 0;
  const listeners = Object.entries(PASSED_ON).map(([name, signal]) => {
    const passOn = (): void => {
      const pending = isPending(signal);
      if (pending && performance.now() - since.get(signal)! >= patience) {
        giveUp(signal);
        return;
      }
      if (!pending) since.set(signal, performance.now());
      Atomics.or(words.interrupt, 0, signalBit(signal));
      Atomics.notify(words.interrupt, 0);
      if (signal === SIGINT) return;
      clearTimeout(timer);
      timer = setTimeout(() => isPending(signal) && giveUp(signal), lastPatience);
    };
    return [name, passOn] as const;
  });
  const resized = (): void => readTerminalSize(words);
  readTerminalSize(words);
  for (const [name, passOn] of listeners) process.on(name, passOn);
  process.on("SIGWINCH", resized);
  return () => {
    clearTimeout(timer);
    for (const [name, passOn] of listeners) process.off(name, passOn);
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
  /** The interpreter was stopped from outside, since it took no notice of a signal. */
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
  let givenUp: number = SIGINT;
  const stop = forwardSignals(words, (signal) => {
    givenUp = signal;
    void worker.terminate();
  });
  try {
    return await new Promise((resolve, reject) => {
      worker.on("message", (report: WorkerReport) => {
        if (report.kind === "ended") resolve({ ...report, stopped: false });
        else reject(new InterpreterCrash(report.message, report.exitCode));
      });
      worker.on("error", reject);
      worker.on("exit", () => resolve({ exitCode: 128 + givenUp, limit: undefined, stopped: true }));
    });
  } finally {
    stop();
    await worker.terminate();
  }
}
