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
import { assert, Failure } from "../base/failure.js";
import { type EventNumber, eventNumber } from "../base/ids.js";
import { cacheFolder, instrumentCached } from "../interpreter/cache.js";
import { readLibrary } from "../interpreter/library.js";
import { interpreterFiles, stackSizeMb } from "../interpreter/main-thread.js";
import { createChannel } from "../record/channel.js";
import { TraceReader } from "../trace/reader.js";
import type { VisitAnswer } from "./evaluate.js";
import type { GraphColumns, HeldReference } from "./graph-columns.js";
import type { HeapCheck } from "./heap-check.js";
import type {
  Answer,
  CompareWorkerData,
  Divergence,
  Evaluation,
  GarbageAt,
  PastWorkerData,
  Printed,
  Question,
  Request,
} from "./messages.js";
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

export interface QuestionOptions {
  /** 0: the frame that is running; 1: its caller; … */
  readonly frame?: number;
  /** The globals of this loaded module instead of a frame's names. */
  readonly module?: string;
  /** Seconds that an answer may take. */
  readonly timeout?: number;
}

/** What came of one line at the prompt in the past. */
export interface LineAnswer {
  /** done; more: the statement goes on in the next line; failed; left: the line asked to leave. */
  readonly status: "done" | "more" | "failed" | "left";
  /** What was printed, in order. */
  readonly printed: readonly Printed[];
  /** The exception as Python prints it; empty where there is none. */
  readonly traceback: string;
  /** Whether the interpreter did not survive the line: the next one finds the instant as it was, without what earlier ones assigned. */
  readonly died: boolean;
}

/** Seconds that an answer may take unless said otherwise. */
export const QUESTION_TIMEOUT = 10;
/** ms from the interrupt of a question that takes too long to the end of its thread. */
const GRACE = 2000;

/** A question took too long, and would not be interrupted: the run is over. */
export class TookTooLong extends Failure {
  constructor(seconds: number) {
    super(`no answer within ${seconds} s: the question was stopped; --timeout gives it more`);
  }
}

type AnswerOf<Kind extends Answer["kind"]> = Answer & { kind: Kind };

/** One run in its thread. */
class Run {
  readonly #worker: Worker;
  readonly #comparer: Worker;
  readonly #port: MessagePort;
  readonly #requests: Int32Array<SharedArrayBuffer>;
  readonly #interrupt: Int32Array<SharedArrayBuffer>;
  /** Requests without an answer, in order; the thread answers them in that order. */
  #waiting: {
    kinds: readonly Answer["kind"][];
    resolve(answer: Answer): void;
    reject(error: Error): void;
    asking?(): void;
  }[] = [];
  #over: Error | undefined;

  constructor(
    data: Omit<PastWorkerData, "port" | "comparison" | "requests" | "interrupt">,
    advice: string,
    onProgress: ((event: number) => void) | undefined,
  ) {
    const { port1, port2 } = new MessageChannel();
    const records = new MessageChannel();
    const channel = createChannel();
    const state = new Int32Array(new SharedArrayBuffer(4));
    this.#port = port1;
    this.#requests = new Int32Array(new SharedArrayBuffer(4));
    this.#interrupt = new Int32Array(new SharedArrayBuffer(4));
    this.#worker = new Worker(new URL("./past-worker.js", import.meta.url), {
      workerData: {
        ...data,
        port: port2,
        comparison: { channel, state, port: records.port1 },
        requests: this.#requests,
        interrupt: this.#interrupt,
      } satisfies PastWorkerData,
      transferList: [port2, records.port1],
      resourceLimits: { stackSizeMb, maxOldGenerationSizeMb: 4096 },
    });
    this.#comparer = new Worker(new URL("./compare-worker.js", import.meta.url), {
      workerData: {
        trace: data.trace,
        plan: data.plan,
        comparison: { channel, state, port: records.port2 },
      } satisfies CompareWorkerData,
      transferList: [records.port2],
    });
    const heard = (answer: Answer): void => {
      if (answer.kind === "progress") onProgress?.(answer.event);
      else if (answer.kind === "diverged") this.#end(new Diverged(answer.divergence, advice));
      else if (answer.kind === "failed") this.#end(new Failure(`${data.trace}: ${answer.message}`));
      else if (answer.kind === "asking") this.#waiting[0]?.asking?.();
      else if (this.#waiting[0]?.kinds.includes(answer.kind)) this.#waiting.shift()!.resolve(answer);
    };
    port1.on("message", heard);
    this.#comparer.on("message", heard);
    for (const worker of [this.#worker, this.#comparer]) worker.on("error", (error) => this.#end(error));
  }

  #end(error: Error): void {
    this.#over ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#over);
  }

  ask<Kind extends Answer["kind"]>(
    request: Request,
    kinds: readonly Kind[],
    asking?: () => void,
  ): Promise<AnswerOf<Kind>> {
    return new Promise((resolve, reject) => {
      if (this.#over) {
        reject(this.#over);
        return;
      }
      this.#waiting.push({ kinds, resolve: resolve as (answer: Answer) => void, reject, ...(asking && { asking }) });
      this.#port.postMessage(request);
      Atomics.add(this.#requests, 0, 1);
      Atomics.notify(this.#requests, 0);
    });
  }

  /** A question with its time limit: it is interrupted first, and where that does not help, its thread is ended. */
  async question(question: Question, seconds: number): Promise<AnswerOf<"evaluated" | "too late">> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await this.ask({ kind: "evaluate", question }, ["evaluated", "too late"], () => {
        timer = setTimeout(() => {
          this.interrupt();
          timer = setTimeout(() => {
            this.#end(new TookTooLong(seconds));
            void this.close();
          }, GRACE);
        }, 1000 * seconds);
      });
    } finally {
      clearTimeout(timer);
      Atomics.store(this.#interrupt, 0, 0);
    }
  }

  interrupt(): void {
    Atomics.store(this.#interrupt, 0, 1);
  }

  async close(): Promise<void> {
    this.#port.close();
    await Promise.all([this.#worker.terminate(), this.#comparer.terminate()]);
  }
}

interface Asked extends VisitAnswer {
  readonly event: number;
  readonly asked: number;
  readonly left: boolean;
  /** That ran at the instant; null: none did. */
  readonly function: string | null;
}

/** Why the function that was asked about cannot answer any more. */
function leftText({ event, asked, where, function: name }: Asked): string {
  const next = where === null ? "at the end of the program" : `in ${where}`;
  return (
    `${name ?? "the function"} was about to return at #${asked}, and Python can only be asked after that, at #${event}, ${next}: ` +
    `ask there with --time '#${event}', or choose an earlier time`
  );
}

/** In what way the answer is for another event than the one that was asked for. */
function noteOf({ event, asked, where, function: name }: Asked): string | null {
  if (event === asked) return null;
  const far = Math.abs(event - asked);
  const events = `${far} ${far === 1 ? "event" : "events"}`;
  const later = `${events} later, when ${name === null ? "the first function runs" : `the bytecode under way in ${name} is done`}`;
  const reason = event > asked ? later : `${events} earlier, for the recording was cut off there`;
  return `#${asked} is answered at #${event}, ${reason}${where === null ? "" : `, in ${where}`}`;
}

/** A recorded program's past. One request at a time; `close` it. */
export class Past {
  readonly events: EventNumber;
  readonly #start: () => Run;
  #run: Run | undefined;
  /** Events that have happened where it is held, and those that were asked for. */
  #event = 0;
  #asked = 0;
  /** Where a recording was cut off: the last event at which Python can be asked, and how much deeper in calls that is. */
  #cutOff: { readonly events: number; readonly deeper: number } | undefined;
  /** Whether lines have changed what is held. */
  #stays = false;
  /** Whether the line that runs was interrupted by whoever wrote it. */
  #interrupted = false;

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

  /** Holds the program right before this event: all earlier ones have happened. The run is in a thread of its own. */
  async goTo(event: EventNumber): Promise<Held> {
    if (event < 0 || event > this.events)
      throw new Failure(`#${event}: the trace has events #0 to #${this.events - 1}`, 2);
    this.#asked = event;
    this.#cutOff = undefined;
    return this.#goTo(event);
  }

  async #goTo(event: EventNumber): Promise<Held> {
    // With nothing to wait for, the run is on its way when this returns, and the caller can work meanwhile.
    if (this.#stays) await this.leave();
    if (this.#run && event < this.#event) await this.#drop();
    this.#run ??= this.#start();
    const { event: reached, ended } = await this.#run.ask({ kind: "go", to: event }, ["held"]);
    this.#event = reached;
    return { event: reached, ended };
  }

  /** The run, entered again where a question has spoiled it: at `event`, by default where it was held. */
  async #held(event = this.#event): Promise<Run> {
    if (!this.#run && this.#event > 0) await this.#goTo(eventNumber(event));
    if (!this.#run) throw new Failure("the past is entered by goTo", 2);
    return this.#run;
  }

  /** Compares the heap that the trace gives with the interpreter's memory. */
  async check(): Promise<HeapCheck> {
    await this.leave();
    return (await (await this.#held()).ask({ kind: "check" }, ["checked"])).check;
  }

  /** Every live object and every reference that it owns, where the run is held. See `graphAt`, which keeps what it learns. */
  async graph(): Promise<GraphColumns> {
    await this.leave();
    return (await (await this.#held()).ask({ kind: "graph" }, ["graph"])).graph;
  }

  /** The program's variables where the run is held, and what hangs on them. */
  async moment(question: MomentQuestion): Promise<Moment> {
    await this.leave();
    const { moment, at } = await (await this.#held()).ask({ kind: "moment", question }, ["moment"]);
    this.#event = at;
    return moment;
  }

  /** Whether each of these references is there, where the run is held. */
  async holds(references: readonly HeldReference[]): Promise<readonly boolean[]> {
    await this.leave();
    return (await (await this.#held()).ask({ kind: "holds", references }, ["holds"])).held;
  }

  /**
   * Python can be asked between two bytecodes, so the run goes on to the end of the one under way; where a recording was cut off before
   * that, the last place before is taken. The function that ran at the instant is asked, though it may have called others by then.
   */
  async #ask(
    mode: Question["mode"],
    source: string,
    { frame = 0, module = "", timeout = QUESTION_TIMEOUT }: QuestionOptions,
    stay: boolean,
  ): Promise<Asked> {
    const ask = async (): Promise<AnswerOf<"evaluated" | "too late">> => {
      const run = await this.#held(this.#cutOff?.events ?? this.#asked);
      return run.question({ mode, source, frame: frame + (this.#cutOff?.deeper ?? 0), module, stay }, timeout);
    };
    try {
      let found = await ask();
      if (found.kind === "too late" && found.last !== null && !this.#cutOff) {
        await this.#drop();
        this.#cutOff = { events: found.last.events, deeper: Math.max(0, found.last.deeper) };
        found = await ask();
      }
      if (found.kind === "too late")
        throw new Failure("the recording was cut off before Python could be asked even once");
      this.#event = found.event;
      this.#stays = stay;
      if (found.spoiled) await this.#drop();
      const { answer, event, place } = found;
      const asked = {
        ...answer,
        event,
        asked: this.#asked,
        left: answer.status === "left behind",
        function: place.function,
      };
      return asked.left ? { ...asked, text: leftText(asked) } : asked;
    } catch (error) {
      if (error instanceof TookTooLong) await this.#drop();
      throw error;
    }
  }

  /**
   * The value of an expression, or what a statement prints, in the frame that is running, in one of its callers', or in a module.
   * Nothing of the question is left behind. Throws TookTooLong.
   */
  async evaluate(expression: string, options: QuestionOptions = {}): Promise<Evaluation> {
    await this.leave();
    const asked = await this.#ask("value", expression, options, false);
    const { status, text, traceback, printed, where, interrupted, event, left } = asked;
    if (interrupted && status !== "value") throw new TookTooLong(options.timeout ?? QUESTION_TIMEOUT);
    return {
      ok: status === "value",
      text,
      traceback: traceback === "" ? null : traceback,
      output: printed.map((part) => part.text).join(""),
      event,
      asked: asked.asked,
      note: left ? null : noteOf(asked),
      left,
      where,
    };
  }

  /** One line at a prompt, or all lines so far of a statement that goes on. What it changes is there until `leave`. */
  async line(source: string, options: QuestionOptions = {}): Promise<LineAnswer> {
    const { status, text, traceback, printed, interrupted, died } = await this.#ask("line", source, options, true);
    if (status === "no place") throw new Failure(text, 2);
    if (status === "left behind") throw new Failure(text);
    const timedOut = interrupted && !this.#interrupted;
    this.#interrupted = false;
    const late = timedOut ? `stopped: no end within ${options.timeout ?? QUESTION_TIMEOUT} s\n` : "";
    return {
      status: status === "value" ? "done" : status,
      died,
      printed,
      traceback: `${traceback === "" && status === "failed" ? `${text}\n` : traceback}${late}`,
    };
  }

  /** Names that begin with this text, which may have dots. */
  async complete(text: string, options: QuestionOptions = {}): Promise<string[]> {
    const answer = await this.#ask("complete", text, options, true);
    return answer.status === "done" && answer.text !== "" ? answer.text.split("\n") : [];
  }

  /** Ctrl-C for the line that is running. */
  interrupt(): void {
    this.#interrupted = true;
    this.#run?.interrupt();
  }

  /** Events that have happened where the run is held. */
  get event(): number {
    return this.#event;
  }

  /** Forgets what lines have changed. */
  async leave(): Promise<void> {
    if (!this.#stays || !this.#run) return;
    this.#stays = false;
    const { spoiled } = await this.#run.ask({ kind: "leave" }, ["left"]);
    if (spoiled) await this.#drop();
  }

  /** Ends the run, which is no use any more; the next question starts another. */
  async #drop(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    this.#stays = false;
    await run?.close();
  }

  /**
   * What a full collection would free. `where`: "here" reads the heap right where the run is held, at whatever event; "safe point" goes
   * on to the first moment at which a collection could run, between two bytecodes. `forced`: a collection is then forced, and
   * everything put back; only at a safe point.
   */
  async garbage(where: "here" | "safe point" = "safe point", forced = false): Promise<GarbageAt> {
    await this.leave();
    const found = await (await this.#held()).ask({ kind: "garbage", where, forced }, ["garbage", "too late"]);
    if (found.kind === "too late") {
      await this.#drop();
      throw new Failure("the recording was cut off here, in the middle of something: choose an earlier time");
    }
    this.#event = found.garbage.event;
    if (found.spoiled) await this.#drop();
    return found.garbage;
  }

  /**
   * What a full collection would free at each of these events, ascending, at which a collection could run, and at the end of a complete
   * recording. All is asked at once: the run goes on from one to the next without this thread.
   */
  async garbageAlong(events: readonly EventNumber[]): Promise<GarbageAt[]> {
    // As in `goTo`: with nothing to wait for, the run is on its way when this returns.
    if (this.#stays) await this.leave();
    if (this.#run && (events[0] ?? this.events) < this.#event) await this.#drop();
    this.#run ??= this.#start();
    const run = this.#run;
    const asked = [...events, this.events].flatMap((event, i) => {
      const where = i < events.length ? "here" : "safe point";
      return [
        run.ask({ kind: "go", to: event }, ["held"]),
        run.ask({ kind: "garbage", where, forced: false }, ["garbage", "too late"]),
      ];
    });
    const found = (await Promise.all(asked)).flatMap((answer) => (answer.kind === "garbage" ? [answer.garbage] : []));
    assert(found.length === events.length + 1, "a complete recording can be asked at its end");
    this.#event = this.events;
    return found;
  }

  async close(): Promise<void> {
    this.#event = 0;
    await this.#drop();
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
