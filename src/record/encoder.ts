/**
 * From raw records to the columns of a chunk: addresses of types and code objects become numbers, instruction pointers become
 * locations, and the live objects and bytes by type are counted on the way for the time series.
 *
 * Instruction pointers repeat, so a direct-mapped cache answers nearly all of them. A pointer into static memory is that of a
 * frame which stands for an entry from C: it is current only between the end of a function that C called and its return to C,
 * so the location is the caller's, remembered when the call was made.
 */
import { assert } from "../base/failure.js";
import { KIND_BITS, RAW_WORDS, RawKind } from "../interpreter/raw-events.js";
import { createColumns, type EventColumns } from "../trace/events.js";

const KIND_MASK = (1 << KIND_BITS) - 1;
const CACHE_BITS = 16;
const CACHE_SIZE = 1 << CACHE_BITS;
/** Code objects are found by pages of this many bytes. */
const PAGE_BITS = 9;
/** A flush of the interpreter's ring holds at most this many records: its bytes over the shortest record's. */
const MOST_RECORDS = 2 ** 21 / 12;

/** Where a code object's instructions stand, and how many bytes they take. */
export interface CodePlace {
  readonly start: number;
  readonly bytes: number;
}

interface CodeRange {
  readonly id: number;
  readonly start: number;
  readonly stop: number;
}

/** What the encoder tells of as it goes. */
export interface EncoderSink {
  /** A new location: offset in bytes from the code object's first instruction. */
  location(id: number, code: number, offset: number): void;
  /** A site is seen for the first time. */
  site(id: number): void;
  /** A sample of the totals is due, before this event; returns the event at which the next one is. */
  sample(event: number, part: number): number;
}

/** Numbers by type at one moment. */
export interface TypeTotals {
  objects: number;
  bytes: number;
}

export class RecordEncoder {
  readonly columns: EventColumns = createColumns(Math.ceil(MOST_RECORDS));
  readonly #sink: EncoderSink;
  readonly #staticEnd: number;
  readonly #typeIds = new Map<number, number>();
  readonly #codeIds = new Map<number, number>();
  readonly #pages = new Map<number, CodeRange[]>();
  readonly #cachedPointers = new Int32Array(CACHE_SIZE);
  readonly #cachedLocations = new Uint32Array(CACHE_SIZE);
  readonly #locations = new Map<number, number>();
  #lastLocation = 0;
  /** Locations of the calls under way, innermost last. */
  #callers = new Uint32Array(1024);
  #depth = 0;
  /** The location of the call that ended last. */
  #returnedTo = 0;
  readonly #sites: Uint8Array;
  readonly totals: TypeTotals[] = [];
  /** Types whose totals changed since the set was last cleared. */
  readonly changed = new Set<number>();
  liveObjects = 0;
  liveBytes = 0;
  /** Event at which the next sample of the totals is due. */
  #sampleAt = 0;
  /** Records whose instruction pointer was in no code object known. */
  unlocated = 0;

  constructor(staticEnd: number, sites: number, sink: EncoderSink) {
    this.#staticEnd = staticEnd;
    this.#sites = new Uint8Array(sites + 1);
    this.#sink = sink;
  }

  /** Counts what was alive before the first event. */
  begin(types: Uint32Array, bytes: Uint32Array): void {
    for (let i = 0; i < types.length; i++) this.#count(types[i], bytes[i], 1);
  }

  /** The number of a type that an audit or the baseline names by its address. */
  adoptType(address: number, id: number): void {
    this.#typeIds.set(address, id);
  }

  #count(type: number, bytes: number, sign: 1 | -1): void {
    let totals = this.totals[type];
    if (totals === undefined) {
      totals = { objects: 0, bytes: 0 };
      this.totals[type] = totals;
    }
    totals.objects += sign;
    totals.bytes += sign * bytes;
    this.liveObjects += sign;
    this.liveBytes += sign * bytes;
    this.changed.add(type);
  }

  #grow(type: number, bytes: number): void {
    this.totals[type].bytes += bytes;
    this.liveBytes += bytes;
    this.changed.add(type);
  }

  /** A code object's instructions stand at these addresses from now on; what stood there before is gone. */
  #addCode(id: number, address: number, start: number, bytes: number): void {
    const range: CodeRange = { id, start, stop: start + bytes };
    for (let page = start >>> PAGE_BITS; page <= (range.stop - 1) >>> PAGE_BITS; page++) {
      const here = (this.#pages.get(page) ?? []).filter((other) => other.stop <= start || other.start >= range.stop);
      here.push(range);
      this.#pages.set(page, here);
    }
    for (let at = start; at < range.stop; at += 2) this.#locations.delete(at);
    this.#cachedPointers.fill(0);
    this.#codeIds.set(address, id);
  }

  #locate(pointer: number): number {
    if (pointer < this.#staticEnd) return pointer === 0 ? 0 : this.#returnedTo;
    let location = this.#locations.get(pointer);
    if (location === undefined) {
      const range = this.#pages.get(pointer >>> PAGE_BITS)?.find((r) => pointer >= r.start && pointer < r.stop);
      if (range === undefined) {
        this.unlocated++;
        return 0;
      }
      location = ++this.#lastLocation;
      this.#locations.set(pointer, location);
      this.#sink.location(location, range.id, pointer - range.start);
    }
    const slot = (pointer >>> 1) & (CACHE_SIZE - 1);
    this.#cachedPointers[slot] = pointer;
    this.#cachedLocations[slot] = location;
    return location;
  }

  #typeId(address: number): number {
    const id = this.#typeIds.get(address);
    assert(id !== undefined, `the type at ${address} was written down before its first use`);
    return id;
  }

  #codeId(address: number): number {
    const id = this.#codeIds.get(address);
    assert(id !== undefined, `the code object at ${address} was written down before its first use`);
    return id;
  }

  #enter(location: number): void {
    if (this.#depth === this.#callers.length) {
      const grown = new Uint32Array(2 * this.#depth);
      grown.set(this.#callers);
      this.#callers = grown;
    }
    this.#callers[this.#depth++] = location;
  }

  /** Fills `columns` with the events of a flush; `code` says where the numbered code objects are. */
  encode(words: Int32Array, first: EventColumns["first"], code: (id: number) => CodePlace): EventColumns {
    const { columns } = this;
    const { kind, site, location, address, a, b } = columns;
    const pointers = this.#cachedPointers;
    const locations = this.#cachedLocations;
    const sites = this.#sites;
    let n = 0;
    for (let i = 0; i < words.length; ) {
      const head = words[i];
      const k = head & KIND_MASK;
      if (k === RawKind.intern) {
        this.#intern(words, i, code);
        i += 5;
        continue;
      }
      const at = head >>> KIND_BITS;
      if (sites[at] === 0) {
        sites[at] = 1;
        if (at !== 0) this.#sink.site(at);
      }
      const pointer = words[i + 1];
      const slot = (pointer >>> 1) & (CACHE_SIZE - 1);
      const where = pointers[slot] === pointer && pointer !== 0 ? locations[slot] : this.#locate(pointer >>> 0);
      kind[n] = k;
      site[n] = at;
      location[n] = where;
      address[n] = words[i + 2];
      a[n] = 0;
      b[n] = 0;
      if (k !== RawKind.incref && k !== RawKind.decref) {
        if (first + n >= this.#sampleAt) this.#sampleAt = this.#sink.sample(first + n, i / words.length);
        this.#operands(k, words, i, n, where);
      }
      n++;
      i += RAW_WORDS[k];
    }
    columns.first = first;
    columns.count = n;
    return columns;
  }

  #operands(k: number, words: Int32Array, i: number, n: number, where: number): void {
    const { a, b } = this.columns;
    switch (k) {
      case RawKind.new:
      case RawKind.dealloc: {
        const type = this.#typeId(words[i + 3] >>> 0);
        a[n] = type;
        b[n] = words[i + 4];
        this.#count(type, words[i + 4] >>> 0, k === RawKind.new ? 1 : -1);
        return;
      }
      case RawKind.resurrect:
        this.#count(this.#typeId(words[i + 3] >>> 0), words[i + 4] >>> 0, 1);
        return;
      case RawKind.settype: {
        const type = this.#typeId(words[i + 3] >>> 0);
        const bytes = words[i + 5] >>> 0;
        a[n] = type;
        if (words[i + 4] === 0) return; // an object in its destructor
        this.#count(this.#typeId(words[i + 4] >>> 0), bytes, -1);
        this.#count(type, bytes, 1);
        return;
      }
      case RawKind.realloc: {
        a[n] = words[i + 3];
        b[n] = words[i + 4];
        if (words[i + 5] !== 0) this.#grow(this.#typeId(words[i + 5] >>> 0), words[i + 6]);
        return;
      }
      case RawKind.call: {
        a[n] = this.#codeId(words[i + 3] >>> 0);
        this.#enter(where);
        return;
      }
      case RawKind.return: {
        a[n] = this.#codeId(words[i + 3] >>> 0);
        if (this.#depth > 0) this.#returnedTo = this.#callers[--this.#depth];
        return;
      }
      case RawKind.free:
        return;
      case RawKind.setref:
      case RawKind.mark:
        a[n] = words[i + 3];
        return;
      default:
        // alloc, collect-start, collect-stop
        a[n] = words[i + 3];
        b[n] = words[i + 4];
    }
  }

  #intern(words: Int32Array, i: number, code: (id: number) => CodePlace): void {
    const address = words[i + 2] >>> 0;
    const id = words[i + 3];
    if (words[i + 1] === 0) this.#typeIds.set(address, id);
    else {
      const { start, bytes } = code(id);
      this.#addCode(id, address, start, bytes);
    }
  }
}
