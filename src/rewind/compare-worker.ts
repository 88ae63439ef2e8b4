/**
 * The thread that compares a second run with the trace, while the interpreter goes on in its own: takes flushed records, makes events of
 * them as the recorder's encoder does, and holds them against the chunks. Synchronous; it sleeps on the channel.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert, Failure } from "../base/failure.js";
import { eventNumber } from "../base/ids.js";
import { ChannelReader } from "../record/channel.js";
import { RecordEncoder } from "../record/encoder.js";
import { TraceReader } from "../trace/reader.js";
import { EventComparer } from "./event-comparer.js";
import type { Answer, CompareWorkerData, Divergence, PlacedForComparer, ToComparer } from "./messages.js";

/** ms that a wait for records lasts before messages are looked at. */
const PATIENCE = 100;

class Comparing {
  readonly #state: Int32Array;
  readonly #port: MessagePort;
  readonly #slots: ChannelReader;
  readonly #encoder: RecordEncoder;
  readonly #comparer: EventComparer;
  readonly #codes = new Map<number, { start: number; bytes: number }>();
  readonly #waiting: PlacedForComparer[] = [];
  #differs = false;

  constructor({ trace, plan, comparison }: CompareWorkerData) {
    this.#state = comparison.state;
    this.#port = comparison.port;
    this.#slots = new ChannelReader(comparison.channel);
    this.#comparer = new EventComparer(TraceReader.open(trace));
    this.#encoder = new RecordEncoder(plan.region.start, plan.siteFunction.length, {
      location: () => {},
      site: () => {},
      sample: () => Number.POSITIVE_INFINITY,
    });
  }

  run(): void {
    while (!this.#differs) {
      const slot = this.#slots.next(PATIENCE);
      this.#takeMessages();
      if (!slot) continue;
      if (!this.#differs) this.#records(slot.words);
      this.#slots.release();
    }
  }

  #takeMessages(): void {
    const waiting = this.#waiting;
    for (let m = receiveMessageOnPort(this.#port); m; m = receiveMessageOnPort(this.#port))
      waiting.push(m.message as PlacedForComparer);
    const due = waiting.findIndex(({ after }) => after > this.#slots.consumed);
    for (const { message } of waiting.splice(0, due < 0 ? waiting.length : due)) this.#take(message);
  }

  #take(message: ToComparer): void {
    if (message.kind === "code") {
      this.#codes.set(message.id, message);
      return;
    }
    if (this.#differs) return;
    const comparer = this.#comparer;
    if (this.#isSame(message.kind === "settle" ? comparer.settle() : comparer.finish())) Atomics.add(this.#state, 0, 1);
    Atomics.notify(this.#state, 0);
  }

  #records(words: Int32Array): void {
    const columns = this.#encoder.encode(words, eventNumber(this.#comparer.events), (id) => {
      const place = this.#codes.get(id);
      assert(place !== undefined, `code object ${id} was announced`);
      return place;
    });
    this.#isSame(this.#comparer.take(columns));
  }

  #isSame(divergence: Divergence | undefined): boolean {
    if (!divergence) return true;
    this.#differs = true;
    parentPort!.postMessage({ kind: "diverged", divergence } satisfies Answer);
    this.#slots.fail();
    Atomics.store(this.#state, 0, -1);
    Atomics.notify(this.#state, 0);
    return false;
  }
}

try {
  new Comparing(workerData as CompareWorkerData).run();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  parentPort!.postMessage({ kind: "failed", message: error.message } satisfies Answer);
}
