/**
 * The decoded chunks of a trace, one at a time. Whoever reads them one after the other gets them from a second thread, which decodes a
 * few chunks ahead: decoding costs as much as folding, and beside it on a machine with two cores it costs nothing.
 *
 *     this thread    compressed bytes ─▶ slot      fold      fold      fold
 *     the other                           decode ─▶ slot      decode ─▶ slot
 *
 * A slot is free, queued, in work or done. What is still queued when it is wanted is decoded here: nobody waits for a thread that is slow to
 * start. Both sides sleep on the slots' words, so reading stays synchronous.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type ChunkNumber, chunkNumber, eventNumber } from "../base/ids.js";
import { createColumns, type EventColumns } from "./events.js";
import type { TraceReader } from "./reader.js";

/** Slots; two are decoded or waiting while the third is read. */
export const SLOTS = 3;
/** Largest compressed chunk that goes to the other thread, bytes. */
const SLOT_BYTES = 1 << 21;
/** Chunks in order after which more are expected, and chunks that must be left to make a thread worth its start. */
const IN_ORDER = 3;
const WORTH_IT = 8;
/** ms after which the other thread is given up. */
const PATIENCE = 20_000;

/** States of a slot. */
export const [FREE, QUEUED, IN_WORK, DONE, FAILED] = [0, 1, 2, 3, 4] as const;

/** Words of `control`: chunks queued so far; then for each slot its state, the bytes of its chunk and the events found in it. */
export const QUEUED_SO_FAR = 0;
export const stateWord = (slot: number): number => 1 + 3 * slot;

export interface SlotMemory {
  readonly control: SharedArrayBuffer;
  /** Compressed chunks, slot after slot. */
  readonly input: SharedArrayBuffer;
  readonly slotBytes: number;
  /** Columns, slot after slot. */
  readonly columns: SharedArrayBuffer;
  readonly capacity: number;
}

/** The columns of a slot. */
export function slotColumns({ columns, capacity }: SlotMemory, slot: number): EventColumns {
  const words = 4 * capacity;
  const start = slot * (5 * words + words);
  const column = (i: number): Uint32Array => new Uint32Array(columns, start + i * words, capacity);
  return {
    first: eventNumber(0),
    count: 0,
    site: column(0),
    location: column(1),
    address: column(2),
    a: column(3),
    b: column(4),
    kind: new Uint8Array(columns, start + 5 * words, capacity),
  };
}

export class ChunkSource {
  readonly #reader: TraceReader;
  #own: EventColumns | undefined;
  #held: { readonly chunk: number; readonly columns: EventColumns } | undefined;
  #ahead: Ahead | undefined;
  #inOrder = 0;

  constructor(reader: TraceReader) {
    this.#reader = reader;
  }

  /** A decoded chunk, in columns that are used again when the next one is asked for. Throws a Failure where it is damaged. */
  get(chunk: ChunkNumber): EventColumns {
    if (this.#held?.chunk === chunk) return this.#held.columns;
    this.#inOrder = this.#held?.chunk === chunk - 1 ? this.#inOrder + 1 : 0;
    this.#held = undefined;
    const columns = this.#aheadOf(chunk)?.take(chunk) ?? this.#decode(chunk);
    this.#held = { chunk, columns };
    return columns;
  }

  close(): void {
    this.#held = undefined;
    this.#ahead?.close();
    this.#ahead = undefined;
  }

  #decode(chunk: ChunkNumber): EventColumns {
    this.#own ??= createColumns(this.#reader.chunkCapacity);
    this.#reader.readChunk(chunk, this.#own);
    return this.#own;
  }

  #aheadOf(chunk: number): Ahead | undefined {
    if (this.#ahead?.next === chunk) return this.#ahead;
    if (this.#inOrder < IN_ORDER || this.#reader.chunks.length - chunk < WORTH_IT) return undefined;
    this.#ahead ??= Ahead.start(this.#reader);
    this.#ahead?.goTo(chunk);
    return this.#ahead;
  }
}

/** The other thread, and what was handed to it. */
class Ahead {
  readonly #reader: TraceReader;
  readonly #worker: Worker;
  readonly #control: Int32Array;
  readonly #input: Uint8Array;
  readonly #columns: readonly EventColumns[];
  /** Chunks queued and taken so far; the slot of each is its number modulo the slots. The one taken last is being read. */
  #queued = 0;
  #taken = 0;
  /** The next chunk to be queued, and the next to be taken. */
  #nextQueued = 0;
  next = -1;
  #isLost = false;

  private constructor(reader: TraceReader, script: URL) {
    this.#reader = reader;
    const capacity = Math.ceil(reader.chunkCapacity / 4) * 4;
    const memory: SlotMemory = {
      control: new SharedArrayBuffer(4 * stateWord(SLOTS)),
      input: new SharedArrayBuffer(SLOTS * SLOT_BYTES),
      slotBytes: SLOT_BYTES,
      columns: new SharedArrayBuffer(SLOTS * 6 * 4 * capacity),
      capacity,
    };
    this.#control = new Int32Array(memory.control);
    this.#input = new Uint8Array(memory.input);
    this.#columns = Array.from({ length: SLOTS }, (_, slot) => slotColumns(memory, slot));
    this.#worker = new Worker(script, {
      workerData: memory,
      // With a young generation below 16 MB decoding takes twice as long; without a bound the thread takes 15 MB more.
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
    });
    this.#worker.on("error", () => {
      this.#isLost = true;
    });
    this.#worker.unref();
  }

  /** Undefined where the thread's script is not compiled: run from sources. */
  static start(reader: TraceReader): Ahead | undefined {
    const script = new URL("./chunk-worker.js", import.meta.url);
    return existsSync(fileURLToPath(script)) ? new Ahead(reader, script) : undefined;
  }

  close(): void {
    void this.#worker.terminate();
  }

  goTo(chunk: number): void {
    while (this.#taken < this.#queued) {
      const slot = this.#taken++ % SLOTS;
      if (!this.#isOurs(slot)) this.#wait(slot);
    }
    this.next = this.#nextQueued = chunk;
    this.#fill();
  }

  /** The columns of the next chunk; undefined when this thread must decode it. Those taken before are free with this call. */
  take(chunk: ChunkNumber): EventColumns | undefined {
    this.next = chunk + 1;
    if (this.#taken === this.#queued) {
      // It did not fit a slot, or is damaged.
      this.#nextQueued = chunk + 1;
      this.#fill();
      return undefined;
    }
    const slot = this.#taken++ % SLOTS;
    this.#fill();
    if (this.#isOurs(slot) || !this.#wait(slot)) return undefined;
    const { first, last } = this.#reader.chunks[chunk]!;
    const columns = this.#columns[slot]!;
    columns.first = eventNumber(first);
    columns.count = this.#control[stateWord(slot) + 2]!;
    return columns.count === last - first + 1 ? columns : undefined;
  }

  /** Whether nobody has begun with what is queued there; then nobody will. */
  #isOurs(slot: number): boolean {
    return Atomics.compareExchange(this.#control, stateWord(slot), QUEUED, FREE) === QUEUED;
  }

  /** Until the slot is done; false when it failed. */
  #wait(slot: number): boolean {
    const word = stateWord(slot);
    while (Atomics.load(this.#control, word) === IN_WORK) {
      if (this.#isLost || Atomics.wait(this.#control, word, IN_WORK, PATIENCE) === "timed-out") return false;
    }
    return Atomics.load(this.#control, word) === DONE;
  }

  /** Hands over chunks while there are free slots. */
  #fill(): void {
    const { chunks } = this.#reader;
    while (this.#nextQueued < chunks.length && this.#queued - this.#taken < SLOTS - 1) {
      const slot = this.#queued % SLOTS;
      const data = this.#reader.chunkData(chunkNumber(this.#nextQueued));
      if (!data || data.length > SLOT_BYTES) return;
      this.#input.set(data, slot * SLOT_BYTES);
      this.#control[stateWord(slot) + 1] = data.length;
      Atomics.store(this.#control, stateWord(slot), QUEUED);
      this.#queued++;
      this.#nextQueued++;
      Atomics.store(this.#control, QUEUED_SO_FAR, this.#queued);
      Atomics.notify(this.#control, QUEUED_SO_FAR);
    }
  }
}
