/**
 * The fold behind the analysis of pools: one pass over the events, looking only at those about blocks and at births and deaths. It keeps
 * the blocks with their contents, the counts of free lists, how full each region of 64 KiB is, and it feeds the models.
 *
 * References are passed over: nine events of ten cost one look into a table.
 */

import { heldBytes } from "../replay/dlmalloc.js";
import { type EventColumns, KIND_COUNT, Kind } from "../trace/events.js";
import type { Baseline } from "../trace/writer.js";
import { FreeListCounts } from "./free-list-counts.js";
import { type Feed, isPython, type PrivateFeed, type PymallocFeed } from "./model-feed.js";
import { BEFORE_DOMAIN, Blocks, DYING, EMPTY, KEPT, LIVE, OVERHEAD } from "./pools-blocks.js";

const {
  alloc: ALLOC,
  realloc: REALLOC,
  free: FREE,
  new: NEW,
  dealloc: DEALLOC,
  settype: SETTYPE,
  resurrect: RESURRECT,
} = Kind;

const WANTED = new Uint8Array(KIND_COUNT);
for (const kind of [ALLOC, REALLOC, FREE, NEW, DEALLOC, SETTYPE, RESURRECT]) WANTED[kind] = 1;

/** log2 of a region's bytes. */
export const REGION_BITS = 16;

export class PoolsFold {
  readonly blocks = new Blocks();
  readonly counts = new FreeListCounts();
  readonly #pymallocs: readonly PymallocFeed[];
  readonly #privates: readonly PrivateFeed[];
  readonly #alignment: number;
  readonly #typeName: (id: number) => string;
  /** Builtin types by id that private pools ask for; "" = another. */
  readonly #names: string[] = [];

  /** By region: bytes that blocks hold in it. */
  readonly region = new Int32Array(1 << (32 - REGION_BITS));
  used = 0;
  requested = 0;
  peakUsed = 0;
  peakAt = 0;
  /** Lowest start and highest end that a block had; the latter so far, and in the time asked about. */
  start = 2 ** 32;
  highestTop = 0;
  requests = 0;
  reallocs = 0;
  otherRequests = 0;
  blocksBefore = 0;
  bytesBefore = 0;

  // Rows whose object died since the program's place changed, and that place.
  #dying: number[] = [];
  #dyingAt = 0;

  constructor(feeds: readonly Feed[], alignment: number, typeName: (id: number) => string) {
    this.#pymallocs = feeds.filter((feed) => feed.kind === "pymalloc");
    this.#privates = feeds.filter((feed) => feed.kind === "private-pool");
    this.#alignment = alignment;
    this.#typeName = typeName;
  }

  /** What was there before event 0. */
  begin(baseline: Baseline | undefined): void {
    if (!baseline) return;
    const { blocks, objects } = baseline;
    for (let i = 0; i < blocks.address.length; i++) {
      const held = blocks.size[i]!;
      if (this.blocks.at(blocks.address[i]!) !== 0) continue;
      this.#addBlock(blocks.address[i]!, Math.max(0, held - OVERHEAD), held, BEFORE_DOMAIN, 0, 0);
      this.blocksBefore++;
      this.bytesBefore += held;
    }
    const { rows } = this.blocks;
    for (let i = 0; i < objects.address.length; i++) {
      const row = objects.bytes[i] === 0 ? 0 : this.blocks.of(objects.address[i]!);
      if (row === 0) continue;
      rows.content[row] = LIVE;
      rows.type[row] = objects.type[i]!;
      rows.offset[row] = objects.address[i]! - rows.address[row]!;
      rows.kind[row] = this.counts.rowOf(objects.type[i]!, rows.held[row]!);
    }
  }

  /** Peaks are those of the time from here on. */
  beginWindow(event: number): void {
    this.settle(event);
    this.counts.begin(event);
    this.peakUsed = this.used;
    this.peakAt = event;
  }

  /** Applies rows `from` to `to` - 1. */
  apply(columns: EventColumns, from: number, to: number): void {
    const { kind } = columns;
    for (let i = from; i < to; i++) if (WANTED[kind[i]!] === 1) this.#change(columns, i);
  }

  #change({ kind, address, location, a, b, first }: EventColumns, i: number): void {
    const at = address[i]!;
    const event = first + i;
    const place = location[i]!;
    if (this.#dying.length > 0 && place !== this.#dyingAt) this.settle(event);
    switch (kind[i]) {
      case ALLOC: {
        const there = this.blocks.at(at);
        if (there !== 0) this.#free(there);
        this.#addBlock(at, a[i]!, heldBytes(a[i]!, this.#alignment), b[i]!, place, event);
        if (isPython(b[i]!)) this.requests++;
        else this.otherRequests++;
        return;
      }
      case REALLOC:
        this.#realloc(at, a[i]!, b[i]!, place, event);
        return;
      case FREE: {
        const row = this.blocks.at(at);
        if (row !== 0) this.#free(row);
        return;
      }
      case NEW:
        this.#new(at, a[i]!, b[i]!, place, event);
        return;
      default: {
        const row = this.blocks.of(at);
        const { rows } = this.blocks;
        if (row === 0 || rows.content[row] === EMPTY || rows.address[row]! + rows.offset[row]! !== at) return;
        if (kind[i] === DEALLOC) this.#dealloc(row, place);
        else if (kind[i] === SETTYPE) this.#setType(row, a[i]!);
        else this.#revive(row, event);
      }
    }
  }

  #addBlock(at: number, size: number, held: number, domain: number, location: number, event: number): void {
    const row = this.blocks.add(at, size, held, domain, location);
    this.requested += size;
    this.#hold(at, held, 1, event);
    for (const feed of this.#pymallocs) feed.alloc(row, size, domain, event);
  }

  /** Bytes come into use, or go out of it (`sign` -1), by region. */
  #hold(at: number, held: number, sign: 1 | -1, event: number): void {
    const begin = at - OVERHEAD;
    const end = begin + held;
    this.used += sign * held;
    let from = begin;
    while (from < end) {
      const region = from >>> REGION_BITS;
      const to = Math.min(end, (region + 1) * 2 ** REGION_BITS);
      if (region < this.region.length) this.region[region]! += sign * (to - from);
      from = to;
    }
    if (sign < 0) return;
    if (begin < this.start) this.start = begin;
    if (end > this.highestTop) this.highestTop = end;
    if (this.used > this.peakUsed) {
      this.peakUsed = this.used;
      this.peakAt = event;
    }
  }

  #free(row: number): void {
    const { rows } = this.blocks;
    this.#endObject(row);
    this.requested -= rows.size[row]!;
    this.#hold(rows.address[row]!, rows.held[row]!, -1, 0);
    for (const feed of this.#pymallocs) feed.free(row, rows.size[row]!);
    this.blocks.remove(row);
  }

  /** Whatever object the block has is no more. */
  #endObject(row: number): void {
    const { rows } = this.blocks;
    const content = rows.content[row]!;
    if (content === KEPT) this.counts.taken(rows.kind[row]!, rows.held[row]!);
    else if (content === LIVE) for (const feed of this.#privates) feed.died(row);
    rows.content[row] = EMPTY;
  }

  #realloc(to: number, size: number, old: number, place: number, event: number): void {
    const row = this.blocks.at(old);
    if (row === 0) return;
    const { rows } = this.blocks;
    const before = rows.size[row]!;
    const python = isPython(rows.domain[row]!);
    if (python) this.reallocs++;
    for (const feed of this.#pymallocs) feed.realloc(row, size, before, event);
    // The block's first object keeps its row: what it counts in goes by the size at its birth.
    if (rows.content[row] === KEPT) this.#endObject(row);
    this.requested += size - before;
    this.#hold(old, rows.held[row]!, -1, event);
    if (to !== old) {
      const there = this.blocks.at(to);
      if (there !== 0) this.#free(there);
      this.blocks.move(row, to);
    }
    rows.size[row] = size;
    rows.held[row] = heldBytes(size, this.#alignment);
    this.#hold(to, rows.held[row]!, 1, event);
    if (rows.content[row] === EMPTY) rows.location[row] = place;
    else rows.kind[row] = this.counts.rowOf(rows.type[row]!, rows.held[row]!);
  }

  #new(at: number, type: number, held: number, place: number, event: number): void {
    const row = held === 0 ? 0 : this.blocks.of(at);
    if (row === 0) {
      if (this.counts.window >= 0) this.counts.elsewhere++;
      return;
    }
    const { rows } = this.blocks;
    const content = rows.content[row]!;
    const isHit = content === DYING || content === KEPT || (content === EMPTY && rows.domain[row] === BEFORE_DOMAIN);
    this.#endObject(row);
    if (rows.held[row] !== held) {
      this.#hold(rows.address[row]!, rows.held[row]!, -1, event);
      rows.held[row] = held;
      this.#hold(rows.address[row]!, held, 1, event);
    }
    const kind = this.counts.rowOf(type, held);
    if (content !== LIVE) this.counts.birth(kind, isHit);
    else if (this.counts.window >= 0) this.counts.elsewhere++;
    rows.content[row] = LIVE;
    rows.type[row] = type;
    rows.offset[row] = at - rows.address[row]!;
    rows.location[row] = place;
    rows.kind[row] = kind;
    this.#feedBirth(row, event);
  }

  #feedBirth(row: number, event: number): void {
    if (this.#privates.length === 0) return;
    const { type, held } = this.blocks.rows;
    this.#names[type[row]!] ??= this.#typeName(type[row]!);
    for (const feed of this.#privates) feed.born(row, this.#names[type[row]!]!, held[row]!, event);
  }

  #dealloc(row: number, place: number): void {
    const { rows } = this.blocks;
    if (rows.content[row] !== LIVE) return;
    for (const feed of this.#privates) feed.died(row);
    rows.content[row] = DYING;
    this.#dying.push(row);
    this.#dyingAt = place;
  }

  #setType(row: number, type: number): void {
    const { rows } = this.blocks;
    if (rows.content[row] === KEPT) this.counts.taken(rows.kind[row]!, rows.held[row]!);
    rows.type[row] = type;
    rows.kind[row] = this.counts.rowOf(type, rows.held[row]!);
    if (rows.content[row] === KEPT) rows.content[row] = DYING;
  }

  #revive(row: number, event: number): void {
    const { rows } = this.blocks;
    if (rows.content[row] === KEPT) this.counts.taken(rows.kind[row]!, rows.held[row]!);
    if (rows.content[row] !== LIVE) this.#feedBirth(row, event);
    rows.content[row] = LIVE;
  }

  /** The program went on: what died before and was not freed is kept. */
  settle(event: number): void {
    const { rows } = this.blocks;
    for (const row of this.#dying) {
      // The row may be somebody else's by now, or noted twice.
      if (rows.address[row] === 0 || rows.content[row] !== DYING) continue;
      rows.content[row] = KEPT;
      this.counts.kept(rows.kind[row]!, rows.held[row]!, event);
    }
    this.#dying = [];
  }
}
