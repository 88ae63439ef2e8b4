/**
 * The thread that compares a second run with the trace, while the interpreter goes on in its own: takes flushed records, makes events of
 * them as the recorder's encoder does, and holds them against the chunks. Synchronous; it sleeps on the channel.
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert, Failure } from "../base/failure.js";
import { eventNumber } from "../base/ids.js";
import { ChannelReader, PlacedMessages } from "../record/channel.js";
import { type CodePlace, RecordEncoder } from "../record/encoder.js";
import { TraceReader } from "../trace/reader.js";
import { EventComparer } from "./event-comparer.js";
import type { Answer, CompareWorkerData, Divergence, ToComparer } from "./messages.js";

/** ms that a wait for records lasts before messages are looked at. */
const PATIENCE = 100;

class Comparing {
  readonly #state: Int32Array;
  readonly #messages: PlacedMessages<ToComparer>;
  readonly #slots: ChannelReader;
  readonly #encoder: RecordEncoder;
  readonly #comparer: EventComparer;
  readonly #codes = new Map<number, CodePlace>();
  #differs = false;

  constructor({ trace, plan, comparison }: CompareWorkerData) {
    this.#state = comparison.state;
    this.#messages = new PlacedMessages(comparison.port);
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
      for (const message of this.#messages.due(this.#slots.consumed)) this.#take(message);
      if (!slot) continue;
      if (!this.#differs) this.#records(slot.words);
      this.#slots.release();
    }
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
