/**
 * A trace that can be wound to any event. Time n is the state before event n: all earlier events have happened.
 *
 * Wherever one goes, the way is: the nearest state before it (where one stands, a copy left behind while stepping back, a keyframe,
 * the baseline), and the events from there folded. Keyframes and the index of objects are derived in one pass over the trace when they
 * are first needed, and kept in it (src/trace/derived.ts).
 *
 * How far apart keyframes lie follows from what they cost: one is due when folding since the last one took so long that waiting for
 * it would be felt, as measured by the clock that the caller gives, and when the bytes of all keyframes stay a fraction of the events' own. So a
 * slow machine and a small heap get many, a fast one and a large heap few; what replay shows does not depend on it.
 *
 * Memory: the heap (twice, after stepping back), one chunk, one keyframe while it is read; whatever the trace's length.
 */
import { assert, Failure } from "../base/failure.js";
import { type ChunkNumber, chunkNumber, type EventNumber, eventNumber } from "../base/ids.js";
import { ChunkSource } from "../trace/chunk-source.js";
import { type ChunkObjectsRow, DerivedStore } from "../trace/derived.js";
import { createColumns, type EventColumns, KIND_COUNT, Kind } from "../trace/events.js";
import { TraceReader } from "../trace/reader.js";
import { FewEvents, OLD_CHUNKS } from "./few-events.js";
import { Heap, type HeapObject } from "./heap.js";
import { KEYFRAME_WIDTHS, keyframeLists, stateOfLists } from "./keyframe.js";
import { createNames, type Names } from "./names.js";
import { programStart } from "./program-start.js";
import { alignmentOf } from "./verify.js";

/** Folding between two keyframes takes about this long: as long as reading one. A seek folds half of it on average. */
const SPACING_SECONDS = 0.06;
/** No keyframe is written that would make keyframes and index together take more than this part of the events' bytes. */
const DERIVED_SHARE = 0.45;
/** While stepping back, a copy of the state is kept at most this many events behind: 1 ms of folding. */
const NEAR = 1 << 14;

export interface ReplayOptions {
  /** Milliseconds of a clock that only goes forward; measures what folding costs. */
  readonly clock?: () => number;
  /** Events between keyframes instead of what the measurement gives. */
  readonly spacing?: number;
  /** Called while keyframes and index are derived, which happens once in a trace's life. */
  readonly progress?: (eventsDone: number, eventsInAll: number) => void;
}

/** What is known of a birth from the index alone. */
export interface Birth {
  readonly id: number;
  /** BEFORE_TRACE for objects of the baseline. */
  readonly event: number;
  readonly address: number;
  readonly type: number;
}

/** Opens a trace at its start. Reads no events yet. */
export function openReplay(path: string, options: ReplayOptions = {}): Replay {
  const reader = TraceReader.open(path);
  try {
    return new Replay(reader, options);
  } catch (error) {
    reader.close();
    throw error;
  }
}

export class Replay {
  readonly reader: TraceReader;
  readonly names: Names;
  readonly #clock: () => number;
  readonly #options: ReplayOptions;
  #heap: Heap | undefined;
  #near: Heap | undefined;
  #store: DerivedStore | undefined;
  #keyframes: readonly number[] = [];
  #index: readonly ChunkObjectsRow[] = [];
  readonly #source: ChunkSource;
  #few: EventColumns | undefined;
  #peak: { time: EventNumber; bytes: number } | undefined;

  constructor(reader: TraceReader, options: ReplayOptions = {}) {
    this.reader = reader;
    this.names = createNames(reader);
    this.#source = new ChunkSource(reader);
    this.#options = options;
    this.#clock = options.clock ?? (() => performance.now());
  }

  close(): void {
    this.release();
    this.reader.close();
  }

  /** Lets go of all but the reader. */
  release(): void {
    this.#store?.close();
    this.#store = undefined;
    this.#keyframes = [];
    this.#source.close();
  }

  /** Where the replay stands: the number of the next event. */
  get time(): EventNumber {
    return eventNumber(this.#heap?.next ?? 0);
  }
  /** Number of events; the last time. */
  get end(): EventNumber {
    return this.reader.events;
  }
  /** The state now. It is wound on in place: what was taken from it before a seek is not brought up to date. */
  get heap(): Heap {
    this.#heap ??= this.#start();
    return this.#heap;
  }

  /** Goes to the state before this event. */
  seek(event: EventNumber): Heap {
    if (!(Number.isInteger(event) && event >= 0 && event <= this.end)) {
      throw new Failure(`#${event}: the trace has ${this.end} events: times go from #0 to #${this.end}`, 2);
    }
    if (event !== this.heap.next) this.#go(event);
    return this.heap;
  }

  /** Applies the next event; false at the end. */
  forward(): boolean {
    if (this.time >= this.end) return false;
    this.#fold(this.heap, this.time + 1);
    return true;
  }

  /** Takes the latest event back; false at the start. */
  back(): boolean {
    const to = this.time - 1;
    if (to < 0) return false;
    if (this.#near === undefined || this.#near.next > to || to - this.#near.next > NEAR) {
      this.#go(eventNumber(Math.max(0, to - NEAR)));
      this.#near = this.heap.clone();
    } else this.#heap = this.#near.clone();
    this.#fold(this.heap, to);
    return true;
  }

  /** The columns and the row of an event. The columns are used again by whatever is asked next. */
  event(event: EventNumber): { columns: EventColumns; row: number } {
    const chunk = this.reader.chunkAt(event);
    if (chunk === undefined) throw new RangeError(`no event ${event}`);
    const columns = this.#chunk(chunk);
    return { columns, row: event - columns.first };
  }

  /** The chunks with the events from `from` to `to` - 1, in columns that the next turn overwrites, and the rows meant. */
  *range(from: number, to: number): Generator<{ columns: EventColumns; first: number; last: number }> {
    if (from >= to) return;
    const start = this.reader.chunkAt(eventNumber(from));
    if (start === undefined) return;
    for (let chunk: number = start; chunk < this.reader.chunks.length; chunk++) {
      const row = this.reader.chunks[chunk]!;
      if (row.first >= to) return;
      const columns = this.#chunk(chunkNumber(chunk));
      yield { columns, first: Math.max(0, from - row.first), last: Math.min(columns.count, to - row.first) };
    }
  }

  /** Numbers of the chunks from that of `from` on, up to that of `to`, in which the object had an event. */
  chunksOf(id: number, from: number, to: number): ChunkNumber[] {
    this.prepare();
    const first = this.reader.chunkAt(eventNumber(Math.max(0, from)));
    const last = this.reader.chunkAt(eventNumber(Math.max(0, to - 1)));
    if (first === undefined || last === undefined) return [];
    return this.#store!.chunksOf(id, first, last).map(chunkNumber);
  }

  /**
   * The rows in a chunk with events of an object that stands at `address`, from the index; undefined where the chunk itself must be
   * read. Only these rows of the columns are filled, and they are used again.
   */
  fewEvents(id: number, chunk: ChunkNumber, address: number): { columns: EventColumns; rows: Uint32Array } | undefined {
    this.prepare();
    const found = this.#store!.fewEvents(id, chunk);
    if (!found) return undefined;
    const [rows, kind, site, location, a] = found as [Uint32Array, Uint32Array, Uint32Array, Uint32Array, Uint32Array];
    this.#few ??= createColumns(this.reader.chunkCapacity);
    const columns = this.#few;
    const { first, last } = this.reader.chunks[chunk]!;
    columns.first = eventNumber(first);
    columns.count = last - first + 1;
    rows.forEach((row, i) => {
      if (row >= columns.count || kind[i]! >= KIND_COUNT) {
        throw new Failure(
          `${this.reader.path}: the index of chunk ${chunk} is damaged: empty the tables keyframes and chunk_objects`,
        );
      }
      columns.kind[row] = kind[i]!;
      columns.site[row] = site[i]!;
      columns.location[row] = location[i]!;
      columns.address[row] = address;
      columns.a[row] = a[i]!;
      columns.b[row] = 0;
    });
    return { columns, rows };
  }

  /** One chunk, decoded, in columns that are used again. */
  chunk(chunk: ChunkNumber): EventColumns {
    return this.#chunk(chunk);
  }

  /** When and where an object was born; undefined for numbers that no object has. */
  birthOf(id: number): Birth | undefined {
    if (!Number.isInteger(id) || id < 1) return undefined;
    const baseline = this.reader.summary().baselineObjects;
    if (id <= baseline) {
      const objects = this.reader.baseline()!.objects;
      return { id, event: -1, address: objects.address[id - 1]!, type: objects.type[id - 1]! };
    }
    this.prepare();
    let low = 0;
    let high = this.#index.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#index[middle]!.born < id) low = middle + 1;
      else high = middle;
    }
    // The last chunk before which fewer objects had been born.
    if (low === 0) return undefined;
    const { kind, address, a, first, count } = this.#chunk(chunkNumber(low - 1));
    let rank = this.#index[low - 1]!.born;
    for (let row = 0; row < count; row++) {
      if (kind[row] === Kind.new && ++rank === id)
        return { id, event: first + row, address: address[row]!, type: a[row]! };
    }
    return undefined;
  }

  /**
   * Most bytes that live objects had since the program's own code began, and the first time with that state. What compiles a script or finds
   * a module before that is not the program's.
   */
  peak(): { time: EventNumber; bytes: number } {
    this.#peak ??= this.#findPeak();
    return this.#peak;
  }

  #findPeak(): { time: EventNumber; bytes: number } {
    this.prepare();
    const last = this.#index[this.#index.length - 1];
    if (!last) return { time: eventNumber(0), bytes: this.#start().liveBytes };
    const begun = programStart(this);
    if (last.peak_event >= begun || begun === 0)
      return { time: eventNumber(last.peak_event + 1), bytes: last.peak_bytes };
    // The index knows the peak of all events only: a program that stays below what its start took is folded once more.
    const stand = this.#heap;
    this.#heap = undefined;
    const heap = this.seek(eventNumber(begun + 1));
    heap.forgetPeak();
    this.#fold(heap, this.end);
    this.#heap = stand;
    return { time: eventNumber(heap.peakAt + 1), bytes: heap.peakBytes };
  }

  /** Live objects in the order of their birth. */
  liveObjects(): HeapObject[] {
    const objects: HeapObject[] = [];
    for (const object of this.heap.eachObject()) if (object.alive) objects.push(object);
    return objects.sort((x, y) => x.id - y.id);
  }

  /** What keyframes and index take, and how many keyframes there are. */
  derived(): { bytes: number; keyframes: number } {
    this.prepare();
    return { bytes: this.#store!.bytes(), keyframes: this.#keyframes.length };
  }

  /**
   * Makes sure of keyframes and index: a pass over the whole trace when it has none yet. `chunk` is given every chunk of that pass; false where there
   * was none.
   */
  prepare(chunk?: (columns: EventColumns) => void): boolean {
    if (this.#store) return false;
    let derived = false;
    const store = DerivedStore.open(this.reader);
    try {
      if (store.chunks().length < this.reader.chunks.length) {
        this.#derive(store, chunk);
        derived = true;
        store.keep();
      }
      this.#keyframes = store.keyframes();
      this.#index = store.chunks();
      assert(this.#index.length === this.reader.chunks.length, "an index of all chunks");
    } catch (error) {
      store.close();
      throw error;
    }
    this.#store = store;
    return derived;
  }

  #derive(store: DerivedStore, also?: (columns: EventColumns) => void): void {
    const { reader } = this;
    const heap = this.#start();
    const bytesPerEvent = reader.eventBytes / Math.max(1, this.end);
    const few = new FewEvents();
    const rows = new Uint32Array(reader.chunkCapacity);
    const bornBefore: number[] = [];
    let derivedBytes = 0;
    let lastBytes = 0;
    let lastEvent = 0;
    let milliseconds = 0;
    for (let chunk = 0; chunk < reader.chunks.length; chunk++) {
      const { first } = reader.chunks[chunk]!;
      const due =
        this.#options.spacing === undefined
          ? milliseconds >= SPACING_SECONDS * 1000 &&
            derivedBytes + Math.max(lastBytes, heap.liveObjects) <= DERIVED_SHARE * bytesPerEvent * first
          : first - lastEvent >= this.#options.spacing;
      if (due) {
        lastBytes = store.putKeyframe(first, keyframeLists(heap.save()));
        derivedBytes += lastBytes;
        lastEvent = first;
        milliseconds = 0;
      }
      const { born } = heap;
      const begun = this.#clock();
      const columns = this.#chunk(chunkNumber(chunk));
      const ids = heap.applyNoting(columns, 0, columns.count, rows);
      milliseconds += this.#clock() - begun;
      const objects = Uint32Array.from(ids).sort();
      bornBefore.push(born);
      const oldest = bornBefore[chunk - OLD_CHUNKS] ?? 0;
      derivedBytes += store.putChunk(
        { chunk, born, peak_bytes: heap.peakBytes, peak_event: heap.peakAt },
        objects,
        few.of(heap, columns, rows, oldest),
      );
      also?.(columns);
      this.#options.progress?.(heap.next, this.end);
    }
  }

  #start(): Heap {
    return Heap.from(this.reader.baseline(), alignmentOf(this.reader));
  }

  #chunk(chunk: ChunkNumber): EventColumns {
    return this.#source.get(chunk);
  }

  /** Winds from the nearest state before the event. */
  #go(event: EventNumber): void {
    const inFirstChunk = event <= (this.reader.chunks[0]?.last ?? 0);
    if (!inFirstChunk) this.prepare();
    const keyframe = this.#keyframes.findLast((at) => at <= event);
    const here = this.heap.next;
    const best = Math.max(here <= event ? here : -1, keyframe ?? 0);
    const near = this.#near;
    if (near !== undefined && near.next <= event && near.next >= best && near.next !== here) this.#heap = near.clone();
    else if (best !== here) this.#heap = keyframe === undefined ? this.#start() : this.#load(keyframe);
    this.#fold(this.heap, event);
  }

  #load(keyframe: number): Heap {
    const lists = this.#store!.keyframe(keyframe, KEYFRAME_WIDTHS);
    return Heap.load(stateOfLists(lists, this.reader.path, keyframe), alignmentOf(this.reader));
  }

  #fold(heap: Heap, to: number): void {
    for (const { columns, first, last } of this.range(heap.next, to)) heap.apply(columns, first, last);
    assert(heap.next === to, `folded to ${heap.next} instead of ${to}`);
  }
}
