/**
 * One pass over a trace with the eyes of the cycle collector: which objects there are, when each was last counted, and for every collection
 * which of them died in it and who let go of whom on the way.
 *
 * **How garbage comes apart.** For each object that a collection frees (delete_garbage, Python/gc.c), the collector takes a reference, calls
 * `tp_clear`, and gives the reference back. Between the two, and until the next object's turn, every decref is the end of a reference that
 * garbage held: of the object itself, or of one that died just then. So the events of the collection tell the structure that it took apart,
 * without anything being run again. Which of several dying objects held a reference is inferred (the innermost whose block is not yet freed);
 * that all of one turn hang together is certain.
 *
 * The collector's own function has no name; it is found in the trace itself: `collectorFunction`.
 *
 * Memory: a row of 88 bytes for each object alive, and for those that died until their block is freed.
 */
import type { EventNumber } from "../base/ids.js";
import { createAddressMap, getSlot, PAGE_BITS, PAGE_MASK, setSlot } from "../replay/address-map.js";
import { BEFORE_TRACE } from "../replay/heap.js";
import type { Replay } from "../replay/replay.js";
import { grown } from "../replay/tables.js";
import { Kind } from "../trace/events.js";
import type { TraceReader } from "../trace/reader.js";
import type { Row } from "../trace/schema.js";
import type { StructureEdge } from "./cycle-structures.js";

const {
  alloc: ALLOC,
  realloc: REALLOC,
  free: FREE,
  new: NEW,
  dealloc: DEALLOC,
  incref: INCREF,
  decref: DECREF,
  settype: SETTYPE,
  resurrect: RESURRECT,
  "collect-start": COLLECT_START,
  "collect-stop": COLLECT_STOP,
  call: CALL,
  return: RETURN,
} = Kind;

/** Flags of types, and the bytes that they put before an object (Include/object.h, pycore_object.h, 32-bit). */
const FLAG_GC = 1 << 14;
const FLAG_PRE_HEADER = (1 << 3) | (1 << 4);
const NEVER = -1;

/** An object that a scan came upon. */
export interface Member {
  /** Rank of its birth: its number. */
  readonly id: number;
  readonly address: number;
  /** Id in `types`. */
  readonly type: number;
  readonly bytes: number;
  /** Event; BEFORE_TRACE = older than the recording. */
  readonly birth: number;
  /** Id in `locations`. */
  readonly location: number;
  /** The last decref before the collection, or before the scan's end; -1 = none. */
  readonly lastDecref: number;
  readonly lastDecrefLocation: number;
  /** The last incref likewise. */
  readonly lastIncref: number;
}

/** What a collection took apart. */
export interface Dismantled {
  /** Row of `collections` that it is, from 1. */
  readonly collection: Row<"collections">;
  /** Objects from before the collection that died in it. */
  readonly members: readonly Member[];
  /** By places in `members`: who held whom. Inferred, so without names. */
  readonly edges: readonly StructureEdge[];
  /** Whether the collector itself dismantled them; the others died of what finalizers and callbacks did. */
  readonly byCollector: Uint8Array;
}

export interface CollectionCounts {
  /** Objects that died in it and were there before, and the bytes of their blocks. */
  readonly freed: number;
  readonly freedBytes: number;
  /** Container objects put into new memory since the collection before, less those given back: what the threshold is compared with. */
  readonly allocated: number;
}

export interface Scan {
  /** By number of the collection, from 1. */
  readonly counts: ReadonlyMap<number, CollectionCounts>;
  /** The object at an address when the scan ended. */
  memberAt(address: number): Member | undefined;
}

/**
 * The C function that takes garbage apart (gc_collect_region, with delete_garbage and finalize_garbage inlined), as an id in `functions`: among those
 * which take and give back a reference outside of any Python call, the one that does so with most objects that die on the way. undefined
 * where no collection freed anything.
 */
export function collectorFunction(replay: Replay, most = 64): number | undefined {
  const { reader } = replay;
  const functionOf = new Map([...reader.rows("sites")].map(({ id, function: f }) => [id, f]));
  const turns = new Map<number, number>();
  let looked = 0;
  for (const { start, stop, collected } of reader.rows("collections")) {
    if (stop === null || !collected) continue;
    const opened = new Map<number, Set<number>>();
    const closed = new Map<number, Set<number>>();
    const born = new Set<number>();
    let depth = 0;
    for (const { columns, first, last } of replay.range(start + 1, stop)) {
      const { kind, address, site } = columns;
      for (let i = first; i < last; i++) {
        const code = kind[i]!;
        const at = address[i]!;
        if (code === CALL) depth++;
        else if (code === RETURN) depth--;
        else if (code === NEW) born.add(at);
        else if (code === DEALLOC && !born.has(at)) {
          // Who dies takes its turns with it: only what came before counts.
          for (const f of closed.get(at) ?? []) turns.set(f, (turns.get(f) ?? 0) + 1);
          closed.delete(at);
          opened.delete(at);
        } else if (depth === 0 && (code === INCREF || code === DECREF)) {
          const f = functionOf.get(site[i]!);
          if (f === undefined) continue;
          const kept = code === INCREF ? opened : closed;
          if (code === DECREF && !opened.get(at)?.has(f)) continue;
          const list = kept.get(at);
          if (list) list.add(f);
          else kept.set(at, new Set([f]));
        }
      }
    }
    if (++looked >= most) break;
  }
  return [...turns].sort((x, y) => y[1] - x[1])[0]?.[0];
}

/**
 * Scans the events before `to`. `dismantled` gets each collection that freed something, in order.
 * `progress`: events done, now and then.
 */
export function scanCollector(
  replay: Replay,
  to: EventNumber,
  dismantled: (one: Dismantled) => void,
  progress: (done: number) => void = () => {},
): Scan {
  const scanner = new Scanner(replay, dismantled);
  scanner.run(to, progress);
  return { counts: scanner.counts, memberAt: (address) => scanner.memberAt(address) };
}

/** An object that is being destroyed, and the site of the decref that began it. */
interface Dying {
  readonly row: number;
  readonly killer: number;
}

class Scanner {
  readonly counts = new Map<number, CollectionCounts>();
  readonly #replay: Replay;
  readonly #dismantled: (one: Dismantled) => void;
  readonly #map = createAddressMap(2);
  readonly #flags: Uint32Array;
  /** By site: 1 = of the collector's own function. */
  readonly #own: Uint8Array;

  // By row; row 0 is nobody.
  #address = new Uint32Array(1 << 12);
  #type = new Uint32Array(1 << 12);
  #bytes = new Uint32Array(1 << 12);
  #location = new Uint32Array(1 << 12);
  #id = new Uint32Array(1 << 12);
  #birth = new Float64Array(1 << 12);
  #lastDecref = new Float64Array(1 << 12);
  #lastDecrefAt = new Uint32Array(1 << 12);
  #lastIncref = new Float64Array(1 << 12);
  #rows = 1;
  readonly #free: number[] = [];
  #born = 0;

  #lastAlloc = 0;
  #allocated = 0;

  // The collection under way.
  #collection: Row<"collections"> | undefined;
  #depth = 0;
  #turn = 0;
  #dying: Dying[] = [];
  #lastSite = 0;
  #dead: number[] = [];
  #released: number[] = [];
  #edges: number[] = [];
  /** By row: numbers of the collections in which it was first counted, died, and was taken apart; and what its columns held before. */
  #countedIn = new Uint32Array(1 << 12);
  #diedIn = new Uint32Array(1 << 12);
  #turnIn = new Uint32Array(1 << 12);
  #place = new Uint32Array(1 << 12);
  #decrefBefore = new Float64Array(1 << 12);
  #decrefAtBefore = new Uint32Array(1 << 12);
  #increfBefore = new Float64Array(1 << 12);

  constructor(replay: Replay, dismantled: (one: Dismantled) => void) {
    this.#replay = replay;
    this.#dismantled = dismantled;
    this.#flags = typeFlags(replay.reader);
    const sites = [...replay.reader.rows("sites")];
    this.#own = new Uint8Array(sites.reduce((most, { id }) => Math.max(most, id), 0) + 1);
    const collector = collectorFunction(replay);
    for (const { id, function: f } of sites) if (f === collector) this.#own[id] = 1;
  }

  run(to: number, progress: (done: number) => void): void {
    const baseline = this.#replay.reader.baseline();
    if (baseline) {
      const { address, type, bytes } = baseline.objects;
      for (let i = 0; i < address.length; i++) this.#add(address[i]!, type[i]!, bytes[i]!, BEFORE_TRACE, 0);
    }
    const collections = [...this.#replay.reader.rows("collections")];
    let next = 0;
    const { directory } = this.#map;
    for (const { columns, first, last } of this.#replay.range(0, to)) {
      const { kind, address, location, site, a, b } = columns;
      const base = columns.first;
      let { cells } = this.#map;
      for (let i = first; i < last; i++) {
        const code = kind[i]!;
        if (code === INCREF || code === DECREF) {
          const at = address[i]!;
          const row = cells[directory[at >>> (PAGE_BITS + 2)]! + ((at >>> 2) & PAGE_MASK)]!;
          if (row === 0) continue;
          if (this.#collection !== undefined) this.#countInCollection(code, row, site[i]!);
          if (code === DECREF) {
            this.#lastDecref[row] = base + i;
            this.#lastDecrefAt[row] = location[i]!;
          } else this.#lastIncref[row] = base + i;
          continue;
        }
        if (code === CALL) this.#depth++;
        else if (code === RETURN) this.#depth--;
        else if (code === ALLOC) this.#lastAlloc = address[i]!;
        else if (code === COLLECT_START) this.#begin(collections[next++]);
        else if (code === COLLECT_STOP) this.#end();
        else {
          this.#rare(code, base + i, address[i]!, a[i]!, b[i]!, location[i]!);
          cells = this.#map.cells;
        }
      }
      progress(base + last);
    }
  }

  #rare(code: number, event: number, at: number, a: number, b: number, location: number): void {
    if (code === NEW) {
      const old = getSlot(this.#map, at);
      if (old !== 0) this.#remove(old);
      this.#add(at, a, b, event, location);
      const flags = this.#flags[a] ?? 0;
      if ((flags & FLAG_GC) !== 0 && this.#lastAlloc === at - offsetOf(flags)) this.#allocated++;
      this.#lastAlloc = 0;
      return;
    }
    if (code === FREE) {
      for (let offset = 0; offset <= 16; offset += 8) {
        const row = getSlot(this.#map, at + offset);
        if (row === 0 || offsetOf(this.#flags[this.#type[row]!] ?? 0) !== offset) continue;
        if (((this.#flags[this.#type[row]!] ?? 0) & FLAG_GC) !== 0 && this.#allocated > 0) this.#allocated--;
        this.#remove(row);
        break;
      }
      return;
    }
    if (code === REALLOC) {
      for (let offset = 0; offset <= 16; offset += 8) {
        const row = getSlot(this.#map, b + offset);
        if (row === 0 || offsetOf(this.#flags[this.#type[row]!] ?? 0) !== offset) continue;
        this.#bytes[row] = (a + 4 + 7) & ~7;
        if (at === b) break;
        setSlot(this.#map, b + offset, 0);
        const there = getSlot(this.#map, at + offset);
        if (there !== 0 && there !== row) this.#remove(there);
        setSlot(this.#map, at + offset, row);
        this.#address[row] = at + offset;
        break;
      }
      return;
    }
    const row = getSlot(this.#map, at);
    if (row === 0) return;
    if (code === SETTYPE) this.#type[row] = a;
    else if (code === DEALLOC && this.#collection !== undefined) this.#died(row);
    else if (code === RESURRECT) this.#diedIn[row] = 0;
  }

  #add(address: number, type: number, bytes: number, birth: number, location: number): void {
    let row = this.#free.pop();
    if (row === undefined) {
      row = this.#rows++;
      if (row === this.#address.length) this.#grow();
    }
    this.#address[row] = address;
    this.#type[row] = type;
    this.#bytes[row] = bytes;
    this.#location[row] = location;
    this.#id[row] = ++this.#born;
    this.#birth[row] = birth;
    this.#lastDecref[row] = NEVER;
    this.#lastDecrefAt[row] = 0;
    this.#lastIncref[row] = NEVER;
    this.#countedIn[row] = 0;
    this.#diedIn[row] = 0;
    this.#turnIn[row] = 0;
    setSlot(this.#map, address, row);
  }

  #grow(): void {
    const n = 2 * this.#rows;
    this.#address = grown(this.#address, n);
    this.#type = grown(this.#type, n);
    this.#bytes = grown(this.#bytes, n);
    this.#location = grown(this.#location, n);
    this.#id = grown(this.#id, n);
    this.#birth = grown(this.#birth, n);
    this.#lastDecref = grown(this.#lastDecref, n);
    this.#lastDecrefAt = grown(this.#lastDecrefAt, n);
    this.#lastIncref = grown(this.#lastIncref, n);
    this.#countedIn = grown(this.#countedIn, n);
    this.#diedIn = grown(this.#diedIn, n);
    this.#turnIn = grown(this.#turnIn, n);
    this.#place = grown(this.#place, n);
    this.#decrefBefore = grown(this.#decrefBefore, n);
    this.#decrefAtBefore = grown(this.#decrefAtBefore, n);
    this.#increfBefore = grown(this.#increfBefore, n);
  }

  #remove(row: number): void {
    setSlot(this.#map, this.#address[row]!, 0);
    if (this.#collection === undefined) {
      this.#free.push(row);
      return;
    }
    // Rows stay what they are until the collection is over.
    this.#released.push(row);
    const at = this.#dying.findLastIndex((dying) => dying.row === row);
    if (at >= 0) this.#dying.length = at;
  }

  #begin(collection: Row<"collections"> | undefined): void {
    this.#collection = collection;
    this.#depth = 0;
    this.#turn = 0;
  }

  #countInCollection(code: number, row: number, site: number): void {
    const { id } = this.#collection!;
    if (this.#countedIn[row] !== id) {
      this.#countedIn[row] = id;
      this.#decrefBefore[row] = this.#lastDecref[row]!;
      this.#decrefAtBefore[row] = this.#lastDecrefAt[row]!;
      this.#increfBefore[row] = this.#lastIncref[row]!;
    }
    if (this.#depth !== 0) return;
    if (code === INCREF) {
      if (this.#own[site] !== 1) return;
      this.#turn = row;
      this.#dying.length = 0;
      this.#turnIn[row] = id;
      return;
    }
    this.#lastSite = site;
    if (this.#turn === 0 || (this.#own[site] === 1 && row === this.#turn)) return;
    // A free-listed object is done when its killer goes on.
    for (let top = this.#dying.at(-1); top !== undefined && top.killer === site; top = this.#dying.at(-1)) {
      const below = this.#dying.at(-2)?.row ?? this.#turn;
      if (this.#type[below] === this.#type[top.row]) break;
      this.#dying.pop();
    }
    const holder = this.#dying.at(-1)?.row ?? this.#turn;
    this.#edges.push(holder, row);
  }

  #died(row: number): void {
    const { id } = this.#collection!;
    if (this.#diedIn[row] === id) return;
    this.#diedIn[row] = id;
    this.#dead.push(row);
    if (this.#turn === 0 || this.#depth !== 0) return;
    this.#turnIn[row] = id;
    if (((this.#flags[this.#type[row]!] ?? 0) & FLAG_GC) !== 0) this.#dying.push({ row, killer: this.#lastSite });
  }

  #end(): void {
    const collection = this.#collection;
    this.#collection = undefined;
    if (collection) {
      const { start, id } = collection;
      const members: Member[] = [];
      const turns: number[] = [];
      let freedBytes = 0;
      for (const row of this.#dead) {
        if (this.#diedIn[row] !== id || this.#birth[row]! >= start) continue;
        // Once, even if it came back and died again; and from here on known by its place.
        this.#diedIn[row] = 0;
        this.#place[row] = members.length + 1;
        members.push(this.#member(row, this.#countedIn[row] === id));
        turns.push(this.#turnIn[row] === id ? 1 : 0);
        freedBytes += this.#bytes[row]!;
      }
      this.counts.set(id, { freed: members.length, freedBytes, allocated: this.#allocated });
      if (members.length > 0) {
        const edges: StructureEdge[] = [];
        for (let i = 0; i < this.#edges.length; i += 2) {
          const from = this.#place[this.#edges[i]!]! - 1;
          const to = this.#place[this.#edges[i + 1]!]! - 1;
          if (from >= 0 && to >= 0) edges.push({ from, to, name: null });
        }
        for (const row of this.#dead) this.#place[row] = 0;
        this.#dismantled({ collection, members, edges, byCollector: Uint8Array.from(turns) });
      }
    }
    this.#allocated = 0;
    this.#dead = [];
    this.#edges = [];
    this.#dying = [];
    this.#turn = 0;
    for (const row of this.#released) this.#free.push(row);
    this.#released = [];
  }

  /** `before`: as its columns were before the collection. */
  #member(row: number, before: boolean): Member {
    return {
      id: this.#id[row]!,
      address: this.#address[row]!,
      type: this.#type[row]!,
      bytes: this.#bytes[row]!,
      birth: this.#birth[row]!,
      location: this.#location[row]!,
      lastDecref: before ? this.#decrefBefore[row]! : this.#lastDecref[row]!,
      lastDecrefLocation: before ? this.#decrefAtBefore[row]! : this.#lastDecrefAt[row]!,
      lastIncref: before ? this.#increfBefore[row]! : this.#lastIncref[row]!,
    };
  }

  memberAt(address: number): Member | undefined {
    const row = getSlot(this.#map, address);
    return row !== 0 && this.#address[row] === address ? this.#member(row, false) : undefined;
  }
}

/** Bytes between the start of an object's block and the object. */
const offsetOf = (flags: number): number =>
  ((flags & FLAG_GC) !== 0 ? 8 : 0) + ((flags & FLAG_PRE_HEADER) !== 0 ? 8 : 0);

/** `tp_flags` by type id. */
export function typeFlags(reader: TraceReader): Uint32Array {
  const rows = [...reader.rows("types")];
  const flags = new Uint32Array(rows.reduce((most, { id }) => Math.max(most, id), 0) + 1);
  for (const { id, flags: f } of rows) flags[id] = f;
  return flags;
}

export const isContainer = (flags: Uint32Array, type: number): boolean => ((flags[type] ?? 0) & FLAG_GC) !== 0;
