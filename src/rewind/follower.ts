/**
 * The recorder's observer in a second run. The same hooks leave the same records in the same ring; but here they go to a thread that
 * compares them with the trace (compare-worker.ts) instead of storing them, and the run can be held: only when that thread is done with
 * all that came before.
 *
 * Exactly at an event: a record has 12 bytes at least, so when n events are left to the target, the ring is set to be handed out
 * after 12 n bytes. That never lets the target pass; it takes some twenty flushes to get there, the last of them after one record.
 * The interpreter is then in the middle of some C function: its memory can be read, and nothing else. To ask Python something, the
 * run goes on to the next safe point: where a function is entered, or where CPython looks for signals, which it does in loops.
 *
 * Types are numbered as the trace has them: an audit or a graph that was taken while recording numbers types that it is first to meet.
 */
import { assert } from "../base/failure.js";
import { type EventNumber, eventNumber } from "../base/ids.js";
import { CollectorReader, type Garbage } from "../interpreter/collector.js";
import type { TypeFacts } from "../interpreter/heap-reader.js";
import type { Plan } from "../interpreter/instrument.js";
import { KIND_BITS, RAW_WORDS, RawKind } from "../interpreter/raw-events.js";
import { ChannelWriter } from "../record/channel.js";
import type { Placed } from "../record/messages.js";
import { Observer } from "../record/observer.js";
import type { TraceReader } from "../trace/reader.js";
import type { Baseline } from "../trace/writer.js";
import { type GraphColumns, type HeldReference, readGraph, readHeld } from "./graph-columns.js";
import type { Comparison, Divergence, ToComparer } from "./messages.js";
import { type Moment, type MomentQuestion, readMoment } from "./moment.js";

const KIND_MASK = (1 << KIND_BITS) - 1;
const SHORTEST = 4 * RAW_WORDS[RawKind.incref]!;
/** ms between two words about progress. */
const PROGRESS_EVERY = 100;

/** What the follower tells of; each call returns when the run may go on. */
export interface FollowerListener {
  progress(event: number): void;
  /** The baseline is not the trace's. */
  diverged(divergence: Divergence): void;
  /** The comparing thread has found a difference, and told of it: the run is over. */
  lost(): void;
  /** The target is reached, in the middle of some C function. */
  arrived(): void;
  safePoint(): void;
  /** Records were handed on. */
  flushed(): void;
  /** The program is over: the interpreter is about to begin its end. */
  ended(): void;
}

export class Follower extends Observer {
  readonly #channel: ChannelWriter;
  readonly #comparison: Comparison;
  /** Words that the comparing thread was asked for. */
  #asked = 0;
  #events = 0;
  readonly #reader: TraceReader;
  readonly #listener: FollowerListener;
  readonly #types = new Map<number, { id: number; name: string }[]>();
  #lastType = 0;
  #target = Number.POSITIVE_INFINITY;
  #told = 0;
  /** Who traverses at the moment, if not the audit. */
  #visitor: { visit(object: number): void } | undefined;

  constructor(plan: Plan, reader: TraceReader, comparison: Comparison, listener: FollowerListener) {
    const channel = new ChannelWriter(comparison.channel);
    super(
      plan,
      {
        get published() {
          return channel.published;
        },
        publish: (words) => this.#records(words),
        partSent: () => true,
        wake: () => {},
      },
      { postMessage: (placed: Placed) => this.#message(placed) },
      0,
      false,
    );
    this.#channel = channel;
    this.#comparison = comparison;
    this.#reader = reader;
    this.#listener = listener;
    for (const { id, name, address } of reader.rows("types")) {
      this.#lastType = id;
      const here = this.#types.get(address);
      if (here) here.push({ id, name });
      else this.#types.set(address, [{ id, name }]);
    }
  }

  /** Events that have happened. */
  get events(): EventNumber {
    return eventNumber(this.#events);
  }

  /** Where to stop; Infinity: nowhere. */
  set target(event: number) {
    this.#target = event;
    this.#aim();
  }

  #aim(): void {
    this.probe.flushAfter(SHORTEST * (this.#target - this.#events));
  }

  /** Waits until all that has happened is compared; whether it was the same. Where not, that thread has told of it. */
  settle(): boolean {
    this.probe.flush();
    return this.#compared({ kind: "settle" });
  }

  /** The run is over, and a complete trace must be, too; as `settle`. */
  finish(): boolean {
    return this.#compared({ kind: "finish" });
  }

  #compared(message: ToComparer): boolean {
    const { port, state } = this.#comparison;
    port.postMessage({ after: this.#channel.published, message });
    this.#asked++;
    // Empty, but it wakes the other thread, and what comes before it is done first.
    if (!this.#channel.publish(new Int32Array(0), 0, 0)) return false;
    for (;;) {
      const done = Atomics.load(state, 0);
      if (done === this.#asked) return true;
      if (done < 0) return false;
      Atomics.wait(state, 0, done);
    }
  }

  protected override typeNumber({ address, name }: TypeFacts): number {
    const here = this.#types.get(address);
    const at = here?.findIndex((type) => type.name === name) ?? -1;
    return at >= 0 ? here!.splice(at, 1)[0]!.id : ++this.#lastType;
  }

  /** What ends a recording holds the second run: everything is still alive. */
  override stop(): void {
    this.#listener.ended();
  }

  override safePoint(): void {
    this.probe.safePointDue = false;
    this.probe.flush();
    this.#listener.safePoint();
  }

  /** The object graph as it is now: memory is read, nothing else. */
  graph(): GraphColumns {
    const typeIdAt = (address: number): number | undefined => this.typeIdAt(address);
    return readGraph(this.probe, this.heap, this.#reader, this.events, typeIdAt, (visitor) => {
      this.#visitor = visitor;
    });
  }

  /** What a full collection would free now: memory is read, nothing else. */
  garbage(): Garbage {
    const collector = new CollectorReader(this.probe, this.heap);
    const wasRecording = this.probe.recording;
    this.#visitor = collector;
    // The traversals of ctypes count what they look at, up and down again: no events of the program's.
    this.probe.pause();
    try {
      return collector.read();
    } finally {
      this.#visitor = undefined;
      if (wasRecording) this.probe.resume();
    }
  }

  /** The program's variables as they are now. */
  moment(question: MomentQuestion): Moment {
    return readMoment(this.probe, this.heap, this.events, question, (visitor) => {
      this.#visitor = visitor;
    });
  }

  /** Whether each of these references is there now. */
  holds(references: readonly HeldReference[]): boolean[] {
    return readHeld(this.probe, this.heap, references, (visitor) => {
      this.#visitor = visitor;
    });
  }

  override visit(object: number): void {
    if (this.#visitor) this.#visitor.visit(object);
    else super.visit(object);
  }

  #message({ after, message }: Placed): void {
    if (message.kind === "baseline") this.#compareBaseline(message);
    else if (message.kind === "code") {
      const { id, facts } = message;
      const { start, instructions } = facts;
      const place: ToComparer = { kind: "code", id, start, bytes: instructions.length };
      this.#comparison.port.postMessage({ after, message: place });
    }
  }

  #compareBaseline(found: Baseline): void {
    const expected = this.#reader.baseline();
    const lists = [
      ["objects", expected?.objects, found.objects],
      ["blocks", expected?.blocks, found.blocks],
    ] as const;
    for (const [what, old, now] of lists) {
      const columns = Object.entries(now) as [keyof typeof now, Uint32Array][];
      const differs = ([name, column]: [string, Uint32Array]): boolean =>
        Buffer.compare(bytesOf((old as Record<string, Uint32Array> | undefined)?.[name]), bytesOf(column)) !== 0;
      if (!columns.some(differs)) continue;
      this.#listener.diverged({
        event: 0,
        expected: `${old?.address.length ?? 0} ${what} alive at the start`,
        found: `${now.address.length} ${what}, not the same`,
      });
    }
  }

  #records(words: Int32Array): boolean {
    if (!this.#channel.publish(words, 0, 0)) this.#listener.lost();
    this.#events += countEvents(words);
    const now = performance.now();
    if (now - this.#told >= PROGRESS_EVERY) {
      this.#told = now;
      this.#listener.progress(this.events);
    }
    assert(this.events <= this.#target, `event ${this.#target} is not passed, as ${this.events} was`);
    if (this.events === this.#target) this.#listener.arrived();
    else this.#listener.flushed();
    this.#aim();
    return true;
  }
}

/** Every record but the introduction of a type or code object is one event. */
function countEvents(words: Int32Array): number {
  let events = 0;
  for (let i = 0; i < words.length; ) {
    const kind = words[i]! & KIND_MASK;
    if (kind === RawKind.incref || kind === RawKind.decref) {
      i += 3;
      events++;
    } else {
      i += RAW_WORDS[kind]!;
      if (kind !== RawKind.intern) events++;
    }
  }
  return events;
}

const bytesOf = (column: Uint32Array | undefined): Buffer =>
  column ? Buffer.from(column.buffer, column.byteOffset, column.byteLength) : Buffer.alloc(0);
