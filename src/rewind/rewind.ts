/**
 * The past of a recorded program, to be entered at any event: the program runs again in a thread of its own, over the inputs that the trace has,
 * and is held at the instant asked for. What it did the first time it does again, to the byte; every event is compared with the
 * trace's on the way, and a difference is said at once.
 *
 * A later instant goes on from where the run is held, an earlier one starts it again.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { Failure } from "../base/failure.js";
import type { EventNumber } from "../base/ids.js";
import { cacheFolder, instrumentCached } from "../interpreter/cache.js";
import { readLibrary } from "../interpreter/library.js";
import { interpreterFiles, stackSizeMb } from "../interpreter/main-thread.js";
import { TraceReader } from "../trace/reader.js";
import type { GraphColumns, HeldReference } from "./graph-columns.js";
import type { HeapCheck } from "./heap-check.js";
import type { Answer, Divergence, Evaluation, GarbageAt, PastWorkerData, Request } from "./messages.js";
import type { Moment, MomentQuestion } from "./moment.js";

export interface RewindOptions {
  /** Folder of the rewritten interpreter; the platform's by default. */
  readonly cache?: string;
  /** Events that have happened again, now and then. */
  readonly onProgress?: (event: number) => void;
}

/** The second run was another than the first. */
export class Diverged extends Failure {
  constructor(
    readonly divergence: Divergence,
    advice: string,
  ) {
    const { event, expected, found } = divergence;
    super(
      `the program did not run as it was recorded: event #${event}: expected ${expected ?? "the end"}, found ${found ?? "the end"}${advice}`,
    );
  }
}

/** Where a run is held. */
export interface Held {
  /** Events that have happened. */
  readonly event: number;
  /** The program has ended and is not yet torn down. */
  readonly ended: boolean;
}

type AnswerOf<Kind extends Answer["kind"]> = Answer & { kind: Kind };

/** One run in its thread. */
class Run {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #requests: Int32Array<SharedArrayBuffer>;
  #waiting: { kind: Answer["kind"]; resolve(answer: Answer): void; reject(error: Error): void } | undefined;
  #over: Error | undefined;

  constructor(
    data: Omit<PastWorkerData, "port" | "requests">,
    advice: string,
    onProgress: ((event: number) => void) | undefined,
  ) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    this.#requests = new Int32Array(new SharedArrayBuffer(4));
    this.#worker = new Worker(new URL("./past-worker.js", import.meta.url), {
      workerData: { ...data, port: port2, requests: this.#requests } satisfies PastWorkerData,
      transferList: [port2],
      resourceLimits: { stackSizeMb, maxOldGenerationSizeMb: 4096 },
    });
    port1.on("message", (answer: Answer) => {
      if (answer.kind === "progress") onProgress?.(answer.event);
      else if (answer.kind === "diverged") this.#end(new Diverged(answer.divergence, advice));
      else if (answer.kind === "failed") this.#end(new Failure(`${data.trace}: ${answer.message}`));
      else if (this.#waiting?.kind === answer.kind) {
        const { resolve } = this.#waiting;
        this.#waiting = undefined;
        resolve(answer);
      }
    });
    this.#worker.on("error", (error) => this.#end(error));
  }

  #end(error: Error): void {
    this.#over ??= error;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.#over);
  }

  ask<Kind extends Answer["kind"]>(request: Request, kind: Kind): Promise<AnswerOf<Kind>> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#waiting = { kind, resolve: resolve as (answer: Answer) => void, reject };
      this.#port.postMessage(request);
      Atomics.add(this.#requests, 0, 1);
      Atomics.notify(this.#requests, 0);
    });
  }

  async close(): Promise<void> {
    this.#port.close();
    await this.#worker.terminate();
  }
}

/** A recorded program's past. One request at a time; `close` it. */
export class Past {
  readonly events: EventNumber;
  readonly #start: () => Run;
  #run: Run | undefined;
  #event = 0;

  private constructor(events: EventNumber, start: () => Run) {
    this.events = events;
    this.#start = start;
  }

  /** Throws a Failure where the trace cannot be run again. */
  static async enter(path: string, options: RewindOptions = {}): Promise<Past> {
    const reader = TraceReader.open(path);
    const { meta, events } = reader;
    const hasInputs = meta.library !== undefined && reader.inputs(0) !== undefined;
    reader.close();
    if (!hasInputs) throw new Failure(`${path}: has no log of inputs, so it cannot be run again: record again`);
    const standardLibrary = await readLibrary();
    const instrumented = instrumentCached(readFileSync(interpreterFiles().module), options.cache ?? cacheFolder());
    const library = createHash("sha256").update(standardLibrary).digest("hex");
    if (meta.interpreter !== instrumented.hash || meta.library !== library) {
      const version = `refledger ${meta.recorder ?? ""}`.trim();
      throw new Failure(
        `${path}: was recorded with another interpreter: run it again with ${version}, or record again`,
      );
    }
    const advice =
      meta.rewriter === instrumented.key ? "" : `; it was recorded by another build of refledger (${meta.recorder})`;
    const module = await WebAssembly.compile(instrumented.bytes as BufferSource);
    const data = { trace: path, module, plan: instrumented.plan, standardLibrary };
    return new Past(events, () => new Run(data, advice, options.onProgress));
  }

  /** Holds the program right before this event: all earlier ones have happened. */
  async goTo(event: EventNumber): Promise<Held> {
    if (event < 0 || event > this.events)
      throw new Failure(`#${event}: the trace has events #0 to #${this.events - 1}`, 2);
    if (this.#run && event < this.#event) await this.close();
    this.#run ??= this.#start();
    const { event: reached, ended } = await this.#run.ask({ kind: "go", to: event }, "held");
    this.#event = reached;
    return { event: reached, ended };
  }

  #held(): Run {
    if (!this.#run) throw new Failure("the past is entered by goTo", 2);
    return this.#run;
  }

  /** Compares the heap that the trace gives with the interpreter's memory. */
  async check(): Promise<HeapCheck> {
    return (await this.#held().ask({ kind: "check" }, "checked")).check;
  }

  /** Every live object and every reference that it owns, where the run is held. See `graphAt`, which keeps what it learns. */
  async graph(): Promise<GraphColumns> {
    return (await this.#held().ask({ kind: "graph" }, "graph")).graph;
  }

  /** The program's variables where the run is held, and what hangs on them. */
  async moment(question: MomentQuestion): Promise<Moment> {
    return (await this.#held().ask({ kind: "moment", question }, "moment")).moment;
  }

  /** Whether each of these references is there, where the run is held. */
  async holds(references: readonly HeldReference[]): Promise<readonly boolean[]> {
    return (await this.#held().ask({ kind: "holds", references }, "holds")).held;
  }

  /**
   * The value of an expression, or what a statement prints, in the frame that is running (or `frame` callers above). Python can be asked
   * where a function is entered, so the run goes on to the next such place; nothing of the question is left behind.
   */
  async evaluate(expression: string, frame = 0): Promise<Evaluation> {
    const { evaluation, spoiled } = await this.#held().ask({ kind: "evaluate", expression, frame }, "evaluated");
    this.#event = evaluation.event;
    if (spoiled) await this.close();
    return evaluation;
  }

  /**
   * What a full collection would free. `where`: "here" reads the heap right where the run is held, which must be a place where a
   * collection could run (such as one before which it did); "safe point" goes on to the first such place. `forced`: a collection is
   * then forced, and everything put back; only at a safe point.
   */
  async garbage(where: "here" | "safe point" = "safe point", forced = false): Promise<GarbageAt> {
    const { garbage, spoiled } = await this.#held().ask({ kind: "garbage", where, forced }, "garbage");
    this.#event = garbage.event;
    if (spoiled) await this.close();
    return garbage;
  }

  async close(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#event = 0;
    await run?.close();
  }
}

export interface RerunResult {
  readonly events: number;
  /** Whether every event was the same. */
  readonly same: boolean;
  readonly divergence: Divergence | null;
}

/** Runs a program again to its end and compares every event. */
export async function rerun(path: string, options: RewindOptions = {}): Promise<RerunResult> {
  const past = await Past.enter(path, options);
  try {
    const { event } = await past.goTo(past.events);
    return { events: event, same: true, divergence: null };
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    return { events: past.events, same: false, divergence: error.divergence };
  } finally {
    await past.close();
  }
}
