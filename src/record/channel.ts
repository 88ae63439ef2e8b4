/**
 * The way from the interpreter's thread to the encoder's: a ring of slots in shared memory, one writer, one reader, both
 * synchronous (neither thread has an event loop to spare while a program runs).
 *
 *     control:  published │ consumed │ failed │ ended │ parts under way │ words of slot 0 … 7
 *     slots:    8 × 2 MiB of raw records, each a whole flush of the interpreter's ring
 *     times:    per slot: ms since the program's start when its first record could have been written, and when it was flushed
 *     figures:  for the progress line: events, live objects, bytes of the trace
 *
 * A full channel makes the interpreter wait, so memory stays bounded however slow the disk is. What is not records (names,
 * baseline, audits) travels as messages posted before the slot that needs them is published, each with the
 * number of slots that come before it; the reader keeps that order.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { assert } from "../base/failure.js";

const SLOTS = 8;
/** Words of a slot: more than the interpreter's ring ever holds. */
const SLOT_WORDS = 2 ** 19;
const PUBLISHED = 0;
const CONSUMED = 1;
const FAILED = 2;
const ENDED = 3;
/** Parts of audits and inputs that were sent and not yet taken. */
const PARTS = 4;
const LENGTHS = 5;
/** A part has a megabyte at most, and a program waits while its graph is read: it shall not wait for the compression as well. */
const MOST_PARTS = 24;

/** The shared memory behind a channel; can be sent to workers. */
export interface ChannelMemory {
  readonly control: SharedArrayBuffer;
  readonly slots: SharedArrayBuffer;
  readonly times: SharedArrayBuffer;
  readonly figures: SharedArrayBuffer;
}

export function createChannel(): ChannelMemory {
  return {
    control: new SharedArrayBuffer(4 * (LENGTHS + SLOTS)),
    slots: new SharedArrayBuffer(4 * SLOT_WORDS * SLOTS),
    times: new SharedArrayBuffer(16 * SLOTS),
    figures: new SharedArrayBuffer(32),
  };
}

/** What the progress line shows; written by the encoder, read by the main thread. */
export class Figures {
  readonly #values: Float64Array;
  constructor(memory: ChannelMemory) {
    this.#values = new Float64Array(memory.figures);
  }
  set(events: number, objects: number, traceBytes: number): void {
    this.#values.set([events, objects, traceBytes]);
  }
  get(): { events: number; objects: number; traceBytes: number } {
    const [events, objects, traceBytes] = this.#values;
    return { events, objects, traceBytes };
  }
}

export class ChannelWriter {
  readonly #control: Int32Array;
  readonly #slots: Int32Array;
  readonly #times: Float64Array;

  constructor(memory: ChannelMemory) {
    this.#control = new Int32Array(memory.control);
    this.#slots = new Int32Array(memory.slots);
    this.#times = new Float64Array(memory.times);
  }

  /** Hands over records. Waits for a free slot; false when the reader has given up. */
  publish(words: Int32Array, wallStart: number, wallStop: number): boolean {
    assert(words.length <= SLOT_WORDS, "a flush fits a slot");
    const control = this.#control;
    const published = Atomics.load(control, PUBLISHED);
    for (;;) {
      if (Atomics.load(control, FAILED) !== 0) return false;
      const consumed = Atomics.load(control, CONSUMED);
      if (published - consumed < SLOTS) break;
      Atomics.wait(control, CONSUMED, consumed, 1000);
    }
    const slot = published % SLOTS;
    this.#slots.set(words, slot * SLOT_WORDS);
    this.#times[2 * slot] = wallStart;
    this.#times[2 * slot + 1] = wallStop;
    control[LENGTHS + slot] = words.length;
    Atomics.store(control, PUBLISHED, published + 1);
    Atomics.notify(control, PUBLISHED);
    return true;
  }

  /** A message with part of an audit or of the inputs was posted: waits until few are under way. False when the reader has given up. */
  partSent(): boolean {
    const control = this.#control;
    Atomics.add(control, PARTS, 1);
    this.wake();
    for (;;) {
      if (Atomics.load(control, FAILED) !== 0) return false;
      const parts = Atomics.load(control, PARTS);
      if (parts < MOST_PARTS) return true;
      Atomics.wait(control, PARTS, parts, 1000);
    }
  }

  /** Slots handed over so far. */
  get published(): number {
    return Atomics.load(this.#control, PUBLISHED);
  }

  /** Wakes the reader to look at messages. */
  wake(): void {
    Atomics.notify(this.#control, PUBLISHED);
  }
}

/** Nothing comes any more: whoever knows it says so, be it that the writer is gone. */
export function endChannel(memory: ChannelMemory): void {
  const control = new Int32Array(memory.control);
  Atomics.store(control, ENDED, 1);
  Atomics.notify(control, PUBLISHED);
}

export interface Slot {
  readonly words: Int32Array;
  readonly wallStart: number;
  readonly wallStop: number;
}

export class ChannelReader {
  readonly #control: Int32Array;
  readonly #slots: Int32Array;
  readonly #times: Float64Array;

  constructor(memory: ChannelMemory) {
    this.#control = new Int32Array(memory.control);
    this.#slots = new Int32Array(memory.slots);
    this.#times = new Float64Array(memory.times);
  }

  /** The next slot when one is there within `patience` ms; its words are valid until `release`. */
  next(patience: number): Slot | undefined {
    const control = this.#control;
    const consumed = Atomics.load(control, CONSUMED);
    if (Atomics.load(control, PUBLISHED) === consumed) Atomics.wait(control, PUBLISHED, consumed, patience);
    if (Atomics.load(control, PUBLISHED) === consumed) return undefined;
    const slot = consumed % SLOTS;
    const start = slot * SLOT_WORDS;
    return {
      words: this.#slots.subarray(start, start + control[LENGTHS + slot]),
      wallStart: this.#times[2 * slot],
      wallStop: this.#times[2 * slot + 1],
    };
  }

  /** Slots taken so far. */
  get consumed(): number {
    return Atomics.load(this.#control, CONSUMED);
  }

  release(): void {
    Atomics.add(this.#control, CONSUMED, 1);
    Atomics.notify(this.#control, CONSUMED);
  }

  /** A part was taken. */
  partTaken(): void {
    Atomics.sub(this.#control, PARTS, 1);
    Atomics.notify(this.#control, PARTS);
  }

  /** Tells the writer that nobody reads any more. */
  fail(): void {
    Atomics.store(this.#control, FAILED, 1);
    Atomics.notify(this.#control, CONSUMED);
    Atomics.notify(this.#control, PARTS);
  }

  get ended(): boolean {
    return (
      Atomics.load(this.#control, ENDED) !== 0 &&
      Atomics.load(this.#control, PUBLISHED) === Atomics.load(this.#control, CONSUMED)
    );
  }
}

/** Messages that were posted with a place among the slots (`after`: how many come before), in their order. */
export class PlacedMessages<M> {
  readonly #port: MessagePort;
  readonly #waiting: { readonly after: number; readonly message: M }[] = [];

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Those whose turn it is when so many slots are taken. */
  due(consumed: number): M[] {
    const waiting = this.#waiting;
    for (let m = receiveMessageOnPort(this.#port); m; m = receiveMessageOnPort(this.#port)) waiting.push(m.message);
    const later = waiting.findIndex(({ after }) => after > consumed);
    return waiting.splice(0, later < 0 ? waiting.length : later).map(({ message }) => message);
  }
}
