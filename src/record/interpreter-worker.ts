/** The worker that runs the program in the rewritten interpreter and hands its records to the encoder. */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { InterpreterCrash } from "../interpreter/failures.js";
import type { Plan } from "../interpreter/instrument.js";
import { type InterpreterOptions, runInterpreter } from "../interpreter/interpreter.js";
import type { WorkerReport } from "../interpreter/main-thread.js";
import { type ChannelMemory, ChannelWriter } from "./channel.js";
import { giveWay } from "./line.js";
import { Observer } from "./observer.js";

export interface InterpreterWorkerData {
  readonly interpreter: InterpreterOptions;
  readonly plan: Plan;
  readonly channel: ChannelMemory;
  readonly port: MessagePort;
  /** Whether the object graph is taken at the program's end. */
  readonly graphs: boolean;
  /** The progress line's words, see line.ts. */
  readonly line: Int32Array;
  readonly from: "script" | "interpreter";
  /** Seconds; 0: at the end only. */
  readonly auditEvery: number;
}

function run(data: InterpreterWorkerData): WorkerReport {
  const observer = new Observer(
    data.plan,
    new ChannelWriter(data.channel),
    data.port,
    1000 * data.auditEvery,
    data.graphs,
  );
  const hooks = {
    instantiated: (instance: WebAssembly.Instance): void => {
      observer.attach(instance);
      if (data.from === "interpreter") observer.start(false);
    },
    programStart: (): void => observer.start(true),
    programEnd: (): void => observer.stop(),
    systemCall: (): void => observer.systemCall(),
    poll: (): void => observer.poll(),
    terminalOutput: (bytes: Uint8Array): void => giveWay(data.line, bytes),
    mark: (name: string): void => observer.mark(name),
  };
  try {
    const { exitCode, limit } = runInterpreter({ ...data.interpreter, hooks, log: observer.logInputs() });
    observer.stop(); // os._exit and signals leave without programEnd
    return { kind: "ended", exitCode, limit };
  } catch (error) {
    observer.salvage();
    if (error instanceof InterpreterCrash) return { kind: "crashed", message: error.message, exitCode: error.exitCode };
    throw error;
  }
}

parentPort!.postMessage(run(workerData as InterpreterWorkerData));
