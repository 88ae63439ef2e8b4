/**
 * The heap as a fold over events: which objects live, with which type and count, and which blocks are in use. A pure state machine:
 * no clock, no file, nothing shared; the same events give the same state wherever chunks begin and end.
 *
 * Objects and blocks are rows of two tables in typed arrays, found by address through maps; row 0 is nobody. A row that
 * died is used again, so memory follows the largest heap and not the length of the trace.
 *
 * Where an object stands in its block: CPython puts up to two headers of 8 bytes each before it on a 32-bit machine (the
 * collector's, and managed dictionary and weak references; Include/internal/pycore_object.h, _PyType_PreHeaderSize),
 * so it is at the block's address + 0, + 8 or + 16.
 *
 * An object is numbered by the rank of its birth, those of the baseline first, from 1: its identity, and the same in every replay of the
 * trace. It carries the location and the call stack of its birth, the stack as a node of a tree (call-tree.ts).
 *
 * Nine events of ten are incref or decref. They take three dependent loads and two additions; everything else goes to functions
 * of its own. The loop is there twice: `applyNoting` also notes which objects had an event, for the index of chunks.
 * Measured on 17 million events of parsing and unparsing: see test/bench/replay.mjs.
 */
import { assert } from "../base/failure.js";
import { EVENT_KINDS, type EventColumns, Kind } from "../trace/events.js";
import type { Baseline } from "../trace/writer.js";
import {
  type AddressMap,
  cloneAddressMap,
  createAddressMap,
  getSlot,
  PAGE_BITS,
  PAGE_MASK,
  setSlot,
} from "./address-map.js";
import { type CallNodes, CallTree } from "./call-tree.js";
import { heldBytes } from "./dlmalloc.js";
import {
  type BlockTable,
  chosen,
  copied,
  createBlockTable,
  createObjectTable,
  createRows,
  DEALLOCATED,
  FREE_ROW,
  grown,
  LIVE,
  loadRows,
  type ObjectTable,
  rowsInUse,
  takeRow,
} from "./tables.js";

// Constants of this module: V8 folds them into the code, which it does not do with properties of an object.
const {
  alloc: ALLOC,
  realloc: REALLOC,
  free: FREE,
  new: NEW,
  dealloc: DEALLOC,
  incref: INCREF,
  decref: DECREF,
  setref: SETREF,
  settype: SETTYPE,
  resurrect: RESURRECT,
  "collect-start": COLLECT_START,
  "collect-stop": COLLECT_STOP,
  call: CALL,
  return: RETURN,
} = Kind;

/** `birth` of what was there before event 0. */
export const BEFORE_TRACE = -1;

/** Distances of an object from the start of its block. */
const OBJECT_OFFSETS = [0, 8, 16] as const;
const NEAR_OFFSETS = [0, 8] as const;

export const UNKNOWN_DOMAIN = 4;

/** What `applyNoting` takes down on the way. */
interface Noting {
  /** By row: 1 = the object there had an event. */
  noted: Uint8Array;
  /** Rows in the order in which they were noted; a row may come again with another object. */
  readonly rows: number[];
  /** Numbers of the objects that ended on the way. */
  readonly gone: number[];
}

/** An object as the fold knows it. */
export interface HeapObject {
  readonly address: number;
  readonly type: number;
  readonly count: number;
  readonly bytes: number;
  readonly birth: number;
  readonly alive: boolean;
  /** Rank of birth, from 1: the object's number. */
  readonly id: number;
  /** How often the count was written since birth. */
  readonly changes: number;
  /** Id in `locations` of the birth; 0 = unknown. */
  readonly location: number;
  /** Node of the call tree at birth; 0 = none. */
  readonly stack: number;
}

/** The cycle collector at one event. */
export interface CollectorState {
  /** Event of the collect-start of the collection under way; null = none. */
  readonly since: number | null;
  /** Of the collection under way, or of the last one; null = there was none. */
  readonly generation: number | null;
  readonly reason: number | null;
  /** Collections begun so far. */
  readonly started: number;
  /** Objects collected so far. */
  readonly collected: number;
}

/** The whole state as plain columns without gaps: what a keyframe holds. Objects in the order of their numbers. */
export interface HeapState {
  readonly next: number;
  /** Objects born so far, the baseline's included. */
  readonly born: number;
  readonly objects: ObjectTable;
  readonly blocks: BlockTable;
  readonly nodes: CallNodes;
  /** Node of the running frame. */
  readonly frame: number;
  readonly collector: CollectorState;
  readonly peakBytes: number;
  readonly peakAt: number;
  /** By kind. */
  readonly stray: Float64Array;
  readonly firstStray: number | undefined;
}

/** A block as the fold knows it. */
export interface HeapBlock {
  readonly address: number;
  readonly size: number;
  /** `size` is what the allocator holds, not what was requested. */
  readonly held: boolean;
  readonly domain: number;
  readonly birth: number;
}

export class Heap {
  #objectAt: AddressMap = createAddressMap(2);
  #blockAt: AddressMap = createAddressMap(3);
  #objects: ObjectTable;
  #blocks: BlockTable;
  #objectRows = createRows(1 << 12);
  #blockRows = createRows(1 << 12);
  #tree = new CallTree();
  #frame = 0;
  #born = 0;
  #collector: CollectorState = { since: null, generation: null, reason: null, started: 0, collected: 0 };
  #peakBytes = 0;
  #peakAt = BEFORE_TRACE;
  #noting: Noting | undefined;
  #liveObjects = 0;
  #liveBytes = 0;
  #liveBlocks = 0;
  #next = 0;
  /** By kind: events about an object or a block that is not there. */
  #stray = new Float64Array(EVENT_KINDS.length);
  #firstStray: number | undefined;

  readonly #alignment: number;

  /** `alignment`: granularity of the recorded allocator's blocks, bytes. */
  constructor(alignment: number) {
    this.#alignment = alignment;
    const n = this.#objectRows.capacity;
    this.#objects = createObjectTable(n);
    this.#blocks = createBlockTable(n);
  }

  /** The state before event 0 of a trace with this baseline. */
  static from(baseline: Baseline | undefined, alignment: number): Heap {
    const heap = new Heap(alignment);
    if (!baseline) return heap;
    const { objects, blocks } = baseline;
    blocks.address.forEach((address, i) => {
      heap.#addBlock(address, blocks.size[i]!, 1, UNKNOWN_DOMAIN, BEFORE_TRACE);
    });
    objects.address.forEach((address, i) => {
      heap.#addObject(address, objects.type[i]!, objects.count[i]!, objects.bytes[i]!, BEFORE_TRACE, 0);
    });
    heap.#peakBytes = heap.#liveBytes;
    return heap;
  }

  /** Number of the next event to apply. */
  get next(): number {
    return this.#next;
  }
  get liveObjects(): number {
    return this.#liveObjects;
  }
  /** Bytes of the live objects' own blocks. */
  get liveBytes(): number {
    return this.#liveBytes;
  }
  get liveBlocks(): number {
    return this.#liveBlocks;
  }
  /** Events, so far, about an object or a block that was not there: 0 in a correct trace. */
  get strayEvents(): number {
    return this.#stray.reduce((sum, n) => sum + n, 0);
  }
  /** Objects born so far, the baseline's included: the highest number given. */
  get born(): number {
    return this.#born;
  }
  /** Most bytes that the live objects had so far, and the event with which they first had them; BEFORE_TRACE = the baseline. */
  get peakBytes(): number {
    return this.#peakBytes;
  }
  get peakAt(): number {
    return this.#peakAt;
  }
  /** The peak is looked for from here on. */
  forgetPeak(): void {
    this.#peakBytes = this.#liveBytes;
    this.#peakAt = this.#next - 1;
  }
  get collector(): CollectorState {
    return this.#collector;
  }
  /** The running frame: a node of `calls`; 0 = no Python frame is known. */
  get frame(): number {
    return this.#frame;
  }
  /** The tree that `frame` and `HeapObject.stack` are nodes of, until the next event is applied. */
  get calls(): CallNodes {
    return this.#tree;
  }
  /** Number of the first such event. */
  get firstStray(): number | undefined {
    return this.#firstStray;
  }

  /** Applies rows `from` to `to` - 1 of the columns, which must be the next events. */
  apply(columns: EventColumns, from: number, to: number): void {
    assert(
      columns.first + from === this.#next && to <= columns.count,
      `events from ${columns.first + from} at ${this.#next}`,
    );
    const { kind, address } = columns;
    const { directory } = this.#objectAt;
    let { cells } = this.#objectAt;
    let { count, changes } = this.#objects;
    for (let i = from; i < to; i++) {
      const code = kind[i]!;
      if (code === INCREF || code === DECREF) {
        const at = address[i]!;
        const row = cells[directory[at >>> (PAGE_BITS + 2)]! + ((at >>> 2) & PAGE_MASK)]!;
        if (row === 0) this.#noteStray(code, columns.first + i);
        else {
          count[row]! += code === INCREF ? 1 : -1;
          changes[row]!++;
        }
        continue;
      }
      this.#applyRare(columns, i);
      cells = this.#objectAt.cells;
      ({ count, changes } = this.#objects);
    }
    this.#next += to - from;
  }

  /**
   * The same, and the numbers of the objects that had an event, in no particular order, each once. `rows` is given the row of the object of each
   * event about a count, a type or an end; 0 for other events.
   */
  applyNoting(columns: EventColumns, from: number, to: number, rows = new Uint32Array(to)): number[] {
    assert(columns.first + from === this.#next && to <= columns.count, `events from ${columns.first + from}`);
    const noting: Noting = { noted: new Uint8Array(this.#objectRows.capacity), rows: [], gone: [] };
    this.#noting = noting;
    try {
      const { kind, address } = columns;
      const { directory } = this.#objectAt;
      let { cells } = this.#objectAt;
      let { count, changes } = this.#objects;
      let { noted } = noting;
      for (let i = from; i < to; i++) {
        const code = kind[i]!;
        if (code === INCREF || code === DECREF) {
          const at = address[i]!;
          const row = cells[directory[at >>> (PAGE_BITS + 2)]! + ((at >>> 2) & PAGE_MASK)]!;
          rows[i] = row;
          if (row === 0) this.#noteStray(code, columns.first + i);
          else {
            count[row]! += code === INCREF ? 1 : -1;
            changes[row]!++;
            if (noted[row] === 0) {
              noted[row] = 1;
              noting.rows.push(row);
            }
          }
          continue;
        }
        rows[i] = code >= DEALLOC && code <= RESURRECT ? this.rowAt(address[i]!) : 0;
        this.#applyRare(columns, i);
        cells = this.#objectAt.cells;
        ({ count, changes } = this.#objects);
        // A row beyond what is noted so far is new, and #note has made room for it.
        noted = noting.noted;
      }
    } finally {
      this.#noting = undefined;
    }
    this.#next += to - from;
    const { id } = this.#objects;
    const ids = noting.gone;
    for (const row of noting.rows) {
      if (noting.noted[row] === 0) continue;
      noting.noted[row] = 0;
      ids.push(id[row]!);
    }
    return ids;
  }

  #note(row: number): void {
    const noting = this.#noting;
    if (noting === undefined) return;
    if (row >= noting.noted.length) noting.noted = grown(noting.noted, this.#objectRows.capacity);
    if (noting.noted[row] === 1) return;
    noting.noted[row] = 1;
    noting.rows.push(row);
  }

  #applyRare(columns: EventColumns, i: number): void {
    this.#change(columns, i);
    if (this.#liveBytes <= this.#peakBytes) return;
    this.#peakBytes = this.#liveBytes;
    this.#peakAt = columns.first + i;
  }

  #change({ kind, address, location, a, b, first }: EventColumns, i: number): void {
    const at = address[i]!;
    const event = first + i;
    const code = kind[i]!;
    const objects = this.#objects;
    switch (code) {
      case ALLOC:
        if (getSlot(this.#blockAt, at) !== 0) {
          this.#noteStray(code, event);
          this.#endBlock(at);
        }
        this.#addBlock(at, a[i]!, 0, b[i]!, event);
        return;
      case REALLOC:
        this.#realloc(at, a[i]!, b[i]!, event);
        return;
      case FREE:
        if (getSlot(this.#blockAt, at) === 0) this.#noteStray(code, event);
        else this.#endBlock(at);
        return;
      case NEW:
        this.#endObject(at);
        this.#addObject(at, a[i]!, 1, b[i]!, event, location[i]!);
        return;
      case DEALLOC:
      case RESURRECT:
      case SETREF:
      case SETTYPE: {
        const row = getSlot(this.#objectAt, at);
        if (row === 0) {
          this.#noteStray(code, event);
          return;
        }
        this.#note(row);
        if (code === SETREF) {
          objects.count[row] = a[i]!;
          objects.changes[row]!++;
        } else if (code === SETTYPE) objects.type[row] = a[i]!;
        else this.#setState(row, code === DEALLOC ? DEALLOCATED : LIVE);
        return;
      }
      case CALL:
        if (this.#tree.crowded) this.#dropUnusedCalls();
        this.#frame = this.#tree.enter(this.#frame, a[i]!, location[i]!);
        return;
      case RETURN:
        // The frames that were running when the recording began return without a call: node 0 is its own parent.
        this.#frame = this.#tree.parent[this.#frame]!;
        return;
      case COLLECT_START: {
        const { started, collected } = this.#collector;
        this.#collector = { since: event, generation: a[i]!, reason: b[i]!, started: started + 1, collected };
        return;
      }
      case COLLECT_STOP:
        this.#collector = { ...this.#collector, since: null, collected: this.#collector.collected + a[i]! };
        return;
      default:
        return;
    }
  }

  #realloc(to: number, size: number, old: number, event: number): void {
    const row = getSlot(this.#blockAt, old);
    if (row === 0) {
      this.#noteStray(REALLOC, event);
      this.#endBlock(to);
      this.#addBlock(to, size, 0, UNKNOWN_DOMAIN, event);
      return;
    }
    const blocks = this.#blocks;
    blocks.size[row] = size;
    blocks.held[row] = 0;
    // Row numbers first, places after: the new block may overlap the old one.
    const offsets = this.#offsetsIn(old);
    const moving = offsets.map((offset) => getSlot(this.#objectAt, old + offset));
    for (const object of moving) if (object !== 0) this.#setBytes(object, heldBytes(size, this.#alignment));
    if (to === old) return;
    for (const offset of offsets) setSlot(this.#objectAt, old + offset, 0);
    setSlot(this.#blockAt, old, 0);
    this.#endBlock(to);
    setSlot(this.#blockAt, to, row);
    blocks.address[row] = to;
    offsets.forEach((offset, i) => {
      if (moving[i] === 0) return;
      this.#endObject(to + offset);
      setSlot(this.#objectAt, to + offset, moving[i]!);
      this.#objects.address[moving[i]!] = to + offset;
    });
  }

  #noteStray(code: number, event: number): void {
    this.#stray[code]!++;
    this.#firstStray ??= event;
  }

  #dropUnusedCalls(): void {
    const used = new Uint8Array(this.#tree.size);
    const { state, stack } = this.#objects;
    used[this.#frame] = 1;
    for (let row = 1; row < this.#objectRows.end; row++) if (state[row] !== FREE_ROW) used[stack[row]!] = 1;
    const moved = this.#tree.keep(used);
    this.#frame = moved[this.#frame]!;
    for (let row = 1; row < this.#objectRows.end; row++) {
      if (state[row] !== FREE_ROW) stack[row] = moved[stack[row]!]!;
    }
  }

  #setState(row: number, state: number): void {
    const { state: states, bytes } = this.#objects;
    if (states[row] === state) return;
    const sign = state === LIVE ? 1 : states[row] === LIVE ? -1 : 0;
    this.#liveObjects += sign;
    this.#liveBytes += sign * bytes[row]!;
    states[row] = state;
  }

  #setBytes(row: number, bytes: number): void {
    const objects = this.#objects;
    if (objects.state[row] === LIVE) this.#liveBytes += bytes - objects.bytes[row]!;
    objects.bytes[row] = bytes;
    this.#note(row);
  }

  #addObject(address: number, type: number, count: number, bytes: number, birth: number, location: number): void {
    const row = takeRow(this.#objectRows, this.#objects);
    const objects = this.#objects;
    objects.address[row] = address;
    objects.type[row] = type;
    objects.count[row] = count;
    objects.bytes[row] = bytes;
    objects.birth[row] = birth;
    objects.id[row] = ++this.#born;
    objects.changes[row] = 0;
    objects.location[row] = location;
    objects.stack[row] = birth === BEFORE_TRACE ? 0 : this.#frame;
    this.#note(row);
    this.#setState(row, LIVE);
    setSlot(this.#objectAt, address, row);
  }

  #endObject(address: number): void {
    const row = getSlot(this.#objectAt, address);
    if (row === 0) return;
    const noting = this.#noting;
    if (noting !== undefined) {
      noting.gone.push(this.#objects.id[row]!);
      noting.noted[row] = 0;
    }
    this.#setState(row, FREE_ROW);
    setSlot(this.#objectAt, address, 0);
    this.#objectRows.free[this.#objectRows.freeCount++] = row;
  }

  #addBlock(address: number, size: number, held: number, domain: number, birth: number): void {
    const row = takeRow(this.#blockRows, this.#blocks);
    const blocks = this.#blocks;
    blocks.address[row] = address;
    blocks.size[row] = size;
    blocks.held[row] = held;
    blocks.domain[row] = domain;
    blocks.birth[row] = birth;
    blocks.used[row] = 1;
    setSlot(this.#blockAt, address, row);
    this.#liveBlocks++;
  }

  /** Where objects may stand in the block. Blocks lie at least 16 bytes apart: what stands at + 16 may belong to the next one. */
  #offsetsIn(block: number): readonly number[] {
    return getSlot(this.#blockAt, block + 16) === 0 ? OBJECT_OFFSETS : NEAR_OFFSETS;
  }

  /** The block at this address, if there is one, and the objects in it are gone. */
  #endBlock(address: number): void {
    const row = getSlot(this.#blockAt, address);
    if (row === 0) return;
    for (const offset of this.#offsetsIn(address)) this.#endObject(address + offset);
    setSlot(this.#blockAt, address, 0);
    this.#blocks.used[row] = 0;
    this.#blockRows.free[this.#blockRows.freeCount++] = row;
    this.#liveBlocks--;
  }

  /** The whole state as columns without gaps, nothing of it shared with the heap. */
  save(): HeapState {
    this.#dropUnusedCalls();
    const { id, state } = this.#objects;
    const { used, birth } = this.#blocks;
    const objectOrder = rowsInUse(this.#objectRows.end, state, id);
    const blockOrder = rowsInUse(this.#blockRows.end, used, birth);
    const nodes = this.#tree.clone();
    return {
      next: this.#next,
      born: this.#born,
      objects: chosen(this.#objects, objectOrder),
      blocks: chosen(this.#blocks, blockOrder),
      nodes: {
        parent: nodes.parent.slice(0, nodes.size),
        code: nodes.code.slice(0, nodes.size),
        location: nodes.location.slice(0, nodes.size),
      },
      frame: this.#frame,
      collector: this.#collector,
      peakBytes: this.#peakBytes,
      peakAt: this.#peakAt,
      stray: this.#stray.slice(),
      firstStray: this.#firstStray,
    };
  }

  /** The heap in a saved state. The state is not kept. */
  static load(saved: HeapState, alignment: number): Heap {
    const heap = new Heap(alignment);
    heap.#objectRows = loadRows(heap.#objects, saved.objects, saved.objects.address.length);
    heap.#blockRows = loadRows(heap.#blocks, saved.blocks, saved.blocks.address.length);
    const { address, state, bytes } = heap.#objects;
    for (let row = 1; row < heap.#objectRows.end; row++) {
      setSlot(heap.#objectAt, address[row]!, row);
      if (state[row] !== LIVE) continue;
      heap.#liveObjects++;
      heap.#liveBytes += bytes[row]!;
    }
    for (let row = 1; row < heap.#blockRows.end; row++) setSlot(heap.#blockAt, heap.#blocks.address[row]!, row);
    heap.#liveBlocks = heap.#blockRows.end - 1;
    heap.#tree = CallTree.from(saved.nodes);
    heap.#frame = saved.frame;
    heap.#next = saved.next;
    heap.#born = saved.born;
    heap.#collector = saved.collector;
    heap.#peakBytes = saved.peakBytes;
    heap.#peakAt = saved.peakAt;
    heap.#stray = saved.stray.slice();
    heap.#firstStray = saved.firstStray;
    return heap;
  }

  /** Another heap in the same state: copies memory as it lies, which is faster than save and load. */
  clone(): Heap {
    const copy = new Heap(this.#alignment);
    copy.#objectAt = cloneAddressMap(this.#objectAt);
    copy.#blockAt = cloneAddressMap(this.#blockAt);
    copy.#objects = copied(this.#objects);
    copy.#blocks = copied(this.#blocks);
    copy.#objectRows = { ...this.#objectRows, free: this.#objectRows.free.slice() };
    copy.#blockRows = { ...this.#blockRows, free: this.#blockRows.free.slice() };
    copy.#tree = this.#tree.clone();
    copy.#frame = this.#frame;
    copy.#born = this.#born;
    copy.#collector = this.#collector;
    copy.#peakBytes = this.#peakBytes;
    copy.#peakAt = this.#peakAt;
    copy.#liveObjects = this.#liveObjects;
    copy.#liveBytes = this.#liveBytes;
    copy.#liveBlocks = this.#liveBlocks;
    copy.#next = this.#next;
    copy.#stray = this.#stray.slice();
    copy.#firstStray = this.#firstStray;
    return copy;
  }

  /** The block that an object stands in; undefined for static memory. */
  blockOf(object: number): HeapBlock | undefined {
    return this.blockAt(object) ?? this.blockAt(object - 8) ?? this.blockAt(object - 16);
  }

  /** The object at this address, alive or deallocated. */
  objectAt(address: number): HeapObject | undefined {
    const row = getSlot(this.#objectAt, address);
    return row !== 0 && this.#objects.address[row] === address ? this.#object(row) : undefined;
  }

  /** Number of the object at this address, alive or deallocated; 0 = none. */
  idAt(address: number): number {
    const row = this.rowAt(address);
    return row === 0 ? 0 : this.#objects.id[row]!;
  }

  /** The row of the object at this address until the next event is applied; 0 = there is none. */
  rowAt(address: number): number {
    const row = getSlot(this.#objectAt, address);
    return row !== 0 && this.#objects.address[row] === address ? row : 0;
  }

  /** Whether the object in a row is there until the next event is applied: rows are used again. */
  isInPlace(row: number): boolean {
    return this.rowAt(this.#objects.address[row]!) === row;
  }

  /** The number of the object in a row. */
  idOf(row: number): number {
    return this.#objects.id[row]!;
  }

  /** Rows are below this. */
  get rows(): number {
    return this.#objectRows.capacity;
  }

  /** The block that starts at this address. */
  blockAt(address: number): HeapBlock | undefined {
    const row = getSlot(this.#blockAt, address);
    return row !== 0 && this.#blocks.address[row] === address ? this.#block(row) : undefined;
  }

  /** Objects, alive and deallocated, in no particular order. */
  *eachObject(): Generator<HeapObject> {
    for (let row = 1; row < this.#objectRows.end; row++) {
      if (this.#objects.state[row] !== FREE_ROW) yield this.#object(row);
    }
  }

  /**
   * Calls `visit` for every live object, in no particular order, with the row where it stands: the same for its whole life, and somebody else's
   * later. For those who look at every object many times: nothing is made for each.
   */
  visitLive(visit: (table: Readonly<ObjectTable>, row: number) => void): void {
    const objects = this.#objects;
    for (let row = 1; row < this.#objectRows.end; row++) if (objects.state[row] === LIVE) visit(objects, row);
  }

  /** The same for blocks in use. */
  visitBlocks(visit: (table: Readonly<BlockTable>, row: number) => void): void {
    const blocks = this.#blocks;
    for (let row = 1; row < this.#blockRows.end; row++) if (blocks.used[row] === 1) visit(blocks, row);
  }

  /** Blocks in use, in no particular order. */
  *eachBlock(): Generator<HeapBlock> {
    for (let row = 1; row < this.#blockRows.end; row++) if (this.#blocks.used[row] === 1) yield this.#block(row);
  }

  #object(row: number): HeapObject {
    const { address, type, count, bytes, birth, state, id, changes, location, stack } = this.#objects;
    return {
      address: address[row]!,
      type: type[row]!,
      count: count[row]!,
      bytes: bytes[row]!,
      birth: birth[row]!,
      alive: state[row] === LIVE,
      id: id[row]!,
      changes: changes[row]!,
      location: location[row]!,
      stack: stack[row]!,
    };
  }

  #block(row: number): HeapBlock {
    const { address, size, held, domain, birth } = this.#blocks;
    return {
      address: address[row]!,
      size: size[row]!,
      held: held[row] === 1,
      domain: domain[row]!,
      birth: birth[row]!,
    };
  }
}
