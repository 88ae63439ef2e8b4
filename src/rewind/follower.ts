/**
 * The recorder's observer in a second run. The same hooks leave the same records in the same ring; but here they go to a thread that
 * compares them with the trace (compare-worker.ts) instead of storing them, and the run can be held: only when that thread is done with
 * all that came before.
 *
 * Exactly at an event: a record has 12 bytes at least, so when n events are left to the target, the ring is set to be handed out
 * after 12 n bytes. That never lets the target pass; it takes some twenty flushes to get there, the last of them after one record.
 * The interpreter is then in the middle of some C function: its memory can be read, and nothing else. To ask Python something, the
 * run goes on to the next boundary between two bytecodes: to the end of the bytecode under way, or to the first of a function that it calls.
 *
 * Types are numbered as the trace has them: an audit or a graph that was taken while recording numbers types that it is first to meet.
 */
import { assert } from "../base/failure.js";
import { type EventNumber, eventNumber } from "../base/ids.js";
import { CollectorReader, type Garbage } from "../interpreter/collector.js";
import type { TypeFacts } from "../interpreter/heap-reader.js";
import type { Plan } from "../interpreter/instrument.js";
import { FRAME_OWNED_BY_INTERPRETER } from "../interpreter/layout.js";
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
/** Low bits of a stack reference (pycore_stackref.h). */
const STACK_TAG = 3;
/** `_PyInterpreterFrame.owner` of a generator's frame (pycore_interpframe_structs.h). */
const FRAME_OWNED_BY_GENERATOR = 1;
/** Bytes from `_co_firsttraceable` of a code object to its instructions (Include/cpython/code.h, 32-bit). */
const FIRST_TRACEABLE = 8;
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
  /**
   * A boundary between two bytecodes of a Python function, where somebody waits for one: true to be held there (`boundary`), false to
   * come to the next. Records are not handed on yet.
   */
  wantsBoundary(): boolean;
  boundary(): void;
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
  /** Python functions that run, by calls and returns since the start, and the fewest of them since `#since`. */
  #depth = 0;
  #fewest = 0;
  #since = { depth: 0, isRunning: false };
  #isAtBoundary = false;
  /** Bytes of records that waited at the last boundary that was only noted; -1: they have been handed on since. */
  #noted = -1;
  #lastBoundary: { events: number; depth: number } | null = null;
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
    if (!this.#isInFunction()) return;
    if (this.#listener.wantsBoundary()) this.holdHere();
    else this.#noted = this.probe.pending;
  }

  /** To be called where Python can be asked. */
  holdHere(): void {
    this.probe.boundaryDue = false;
    this.#isAtBoundary = true;
    this.probe.flush();
    this.#isAtBoundary = false;
    this.#listener.boundary();
  }

  /** Whether the run is at a boundary with whatever event it tells of: `boundary` follows. */
  get isAtBoundary(): boolean {
    return this.#isAtBoundary;
  }

  /** The innermost frame that is a Python function's; 0 = none runs. */
  #frame(): number {
    const { offsets, currentThread } = this.probe.plan.layout;
    const thread = this.heap.u32(currentThread);
    let frame = thread && this.heap.u32(thread + offsets.thread.currentFrame);
    while (frame !== 0 && this.heap.u8(frame + offsets.frame.owner) === FRAME_OWNED_BY_INTERPRETER)
      frame = this.heap.u32(frame + offsets.frame.previous);
    return frame;
  }

  #codeOf(frame: number): number {
    return (this.heap.u32(frame + this.probe.plan.layout.offsets.frame.executable) & ~STACK_TAG) >>> 0;
  }

  /**
   * Whether a function's body runs. Until the instructions are over that make its cells, Python does not count the frame as begun
   * (_PyFrame_IsIncomplete, Include/internal/pycore_interpframe.h), and who asks would be answered by its caller.
   */
  #isInFunction(): boolean {
    const { offsets, currentThread } = this.probe.plan.layout;
    const frame = this.#frame();
    // The loop also runs the few instructions of a frame that stands for an entry from C: below it a C function is under way.
    if (frame === 0 || frame !== this.heap.u32(this.heap.u32(currentThread) + offsets.thread.currentFrame))
      return false;
    if (this.heap.u8(frame + offsets.frame.owner) === FRAME_OWNED_BY_GENERATOR) return true;
    const code = this.#codeOf(frame);
    const start = code + offsets.code.adaptive;
    return this.heap.u32(frame + offsets.frame.instrPtr) >= start + 2 * this.heap.u32(start - FIRST_TRACEABLE);
  }

  /** What runs now is what later places are told from (`sinceHere`). */
  here(): void {
    this.#fewest = this.#depth;
    this.#since = { depth: this.#depth, isRunning: this.#frame() !== 0 };
  }

  /** From the function that ran at `here`: whether it has been left since, and how many calls below it the run is. */
  sinceHere(): { readonly left: boolean; readonly deeper: number } {
    const { depth, isRunning } = this.#since;
    return isRunning
      ? { left: this.#fewest < depth, deeper: Math.max(0, this.#depth - depth) }
      : { left: false, deeper: 0 };
  }

  /** Qualified name of the function that runs; null: none does. */
  runningFunction(): string | null {
    const frame = this.#frame();
    if (frame === 0) return null;
    return this.heap.text(this.heap.u32(this.#codeOf(frame) + this.probe.plan.layout.offsets.code.qualname)) ?? null;
  }

  /**
   * The stack pointer in the running frame is that of its last call, while the evaluation loop keeps its own: whoever looks at frames
   * during a visit (a young collection does) is to see no temporaries rather than stale ones.
   */
  forgetTemporaries(): void {
    const { offsets } = this.probe.plan.layout;
    const frame = this.#frame();
    if (frame === 0) return;
    const names = this.heap.u32(this.#codeOf(frame) + offsets.code.localsplusnames);
    const base = frame + offsets.frame.localsplus + 4 * this.heap.u32(names + offsets.tuple.length);
    this.probe.words[(frame + offsets.frame.stackpointer) >>> 2] = base;
  }

  /** Events at the last boundary that was noted, and how many functions ran more there than do now; null = there was none. */
  get lastBoundary(): { readonly events: number; readonly deeper: number } | null {
    const last = this.#lastBoundary;
    return last && { events: last.events, deeper: last.depth - this.#depth };
  }

  /** The innermost frame and the line that its latest bytecode is of; null: no function runs. */
  place(): { readonly frame: number; readonly line: number | null } | null {
    const frame = this.#frame();
    if (frame === 0) return null;
    const code = this.#codeOf(frame);
    const { start, lines } = this.heap.code(code);
    const offset = this.heap.u32(frame + this.probe.plan.layout.offsets.frame.instrPtr) - start;
    return { frame, line: lines.find((range) => offset >= range.start && offset < range.stop)?.line ?? null };
  }

  /** The object graph as it is now: memory is read, nothing else. */
  graph(): GraphColumns {
    const typeIdAt = (address: number): number | undefined => this.typeIdAt(address);
    return readGraph(this.probe, this.heap, this.#reader, this.events, typeIdAt, (visitor) => {
      this.#visitor = visitor;
    });
  }

  /** What a full collection would free now: memory is read, nothing else. `isBoundary`: one could run here. */
  garbage(isBoundary: boolean): Garbage {
    const collector = new CollectorReader(this.probe, this.heap);
    this.#visitor = collector;
    try {
      // The traversals of ctypes count what they look at, up and down again: no events of the program's.
      return this.probe.aside(() => collector.read(isBoundary));
    } finally {
      this.#visitor = undefined;
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
    if (this.#noted >= 0) {
      this.#count(words.subarray(0, this.#noted >>> 2));
      this.#lastBoundary = { events: this.#events, depth: this.#depth };
      this.#count(words.subarray(this.#noted >>> 2));
      this.#noted = -1;
    } else this.#count(words);
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

  /** Every record but the introduction of a type or code object is one event. */
  #count(words: Int32Array): void {
    let events = 0;
    for (let i = 0; i < words.length; ) {
      const kind = words[i]! & KIND_MASK;
      if (kind === RawKind.incref || kind === RawKind.decref) {
        i += 3;
        events++;
        continue;
      }
      i += RAW_WORDS[kind]!;
      if (kind !== RawKind.intern) events++;
      if (kind === RawKind.call) this.#depth++;
      else if (kind === RawKind.return && --this.#depth < this.#fewest) this.#fewest = this.#depth;
    }
    this.#events += events;
  }
}

const bytesOf = (column: Uint32Array | undefined): Buffer =>
  column ? Buffer.from(column.buffer, column.byteOffset, column.byteLength) : Buffer.alloc(0);
