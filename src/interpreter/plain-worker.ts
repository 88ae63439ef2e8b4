/**
 * The worker that runs a program in the interpreter as it is, without the recorder: the reference for tests and benchmarks.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InterpreterCrash } from "./failures.js";
import { type InterpreterOptions, runInterpreter } from "./interpreter.js";
import type { WorkerReport } from "./main-thread.js";

function report(): WorkerReport {
  try {
    const { exitCode, limit } = runInterpreter(workerData as InterpreterOptions);
    return { kind: "ended", exitCode, limit };
  } catch (error) {
    if (error instanceof InterpreterCrash) return { kind: "crashed", message: error.message, exitCode: error.exitCode };
    throw error;
  }
}

parentPort!.postMessage(report());
