/**
 * The blocks of the heap with what is in each, as the analysis of pools follows them: a smaller fold than that of src/replay/heap.ts, because
 * it needs no counts, and a larger one, because it must see each birth and death as it happens. Rows of typed arrays, found by
 * address; row 0 is nobody; rows of dead blocks are used again, so memory follows the largest heap.
 */
import { type AddressMap, createAddressMap, getSlot, setSlot } from "../replay/address-map.js";
import { grown } from "../replay/tables.js";

/** Values of `content`: what is known of the object in the block. */
export const EMPTY = 0;
export const LIVE = 1;
/** Handed to its destructor a moment ago: it may still be freed by it. */
export const DYING = 2;
/** Dead, and the program has gone on since: it lies in a free list. */
export const KEPT = 3;

export interface BlockRows {
  address: Uint32Array;
  /** Bytes requested; of blocks from before the recording: held less the allocator's own 4. */
  size: Uint32Array;
  /** Bytes that the allocator holds, its own 4 included. */
  held: Uint32Array;
  /** 0 none, 1 raw, 2 mem, 3 object, 4 = from before the recording. */
  domain: Uint8Array;
  content: Uint8Array;
  /** Type of the object, alive or dead; 0 while there is none. */
  type: Uint32Array;
  /** Distance of the object from the block: 0, 8 or 16. */
  offset: Uint8Array;
  /** Place of the alloc, or of the object's birth when that was later. */
  location: Uint32Array;
  /** Which row of the free-list table the object counts in. */
  kind: Uint32Array;
}

export const BEFORE_DOMAIN = 4;

/** What the allocator's 4 bytes before the block are. */
export const OVERHEAD = 4;

export class Blocks {
  rows: BlockRows;
  /** First row never used. */
  end = 1;
  capacity = 1 << 14;
  live = 0;
  #free: Uint32Array;
  #freeCount = 0;
  readonly #at: AddressMap = createAddressMap(3);

  constructor() {
    const n = this.capacity;
    this.rows = {
      address: new Uint32Array(n),
      size: new Uint32Array(n),
      held: new Uint32Array(n),
      domain: new Uint8Array(n),
      content: new Uint8Array(n),
      type: new Uint32Array(n),
      offset: new Uint8Array(n),
      location: new Uint32Array(n),
      kind: new Uint32Array(n),
    };
    this.#free = new Uint32Array(n);
  }

  add(address: number, size: number, held: number, domain: number, location: number): number {
    const row =
      this.#freeCount > 0 ? this.#free[--this.#freeCount]! : this.end === this.capacity ? this.#grow() : this.end++;
    const { rows } = this;
    rows.address[row] = address;
    rows.size[row] = size;
    rows.held[row] = held;
    rows.domain[row] = domain;
    rows.content[row] = EMPTY;
    rows.type[row] = 0;
    rows.offset[row] = 0;
    rows.location[row] = location;
    setSlot(this.#at, address, row);
    this.live++;
    return row;
  }

  remove(row: number): void {
    setSlot(this.#at, this.rows.address[row]!, 0);
    this.rows.address[row] = 0;
    this.#free[this.#freeCount++] = row;
    this.live--;
  }

  move(row: number, to: number): void {
    setSlot(this.#at, this.rows.address[row]!, 0);
    setSlot(this.#at, to, row);
    this.rows.address[row] = to;
  }

  /** The block that starts here; 0 = none. */
  at(address: number): number {
    const row = getSlot(this.#at, address);
    return this.rows.address[row] === address ? row : 0;
  }

  /** The block that an object stands in, at its start, 8 or 16 bytes into it (see src/replay/heap.ts); 0 = static memory. */
  of(object: number): number {
    const { address, held } = this.rows;
    const here = getSlot(this.#at, object);
    if (here !== 0 && address[here] === object) return here;
    const near = getSlot(this.#at, object - 8);
    if (near !== 0 && address[near] === object - 8 && held[near]! > 8 + OVERHEAD) return near;
    const far = getSlot(this.#at, object - 16);
    return far !== 0 && address[far] === object - 16 && held[far]! > 16 + OVERHEAD ? far : 0;
  }

  /** Rows in use, by address. */
  sorted(): Uint32Array {
    const addresses = new Uint32Array(this.live);
    let next = 0;
    for (let row = 1; row < this.end; row++)
      if (this.rows.address[row] !== 0) addresses[next++] = this.rows.address[row]!;
    addresses.sort();
    for (let i = 0; i < addresses.length; i++) addresses[i] = getSlot(this.#at, addresses[i]!);
    return addresses;
  }

  #grow(): number {
    this.capacity *= 2;
    const rows = this.rows as unknown as Record<string, Uint8Array | Uint32Array>;
    for (const [name, column] of Object.entries(rows)) rows[name] = grown(column, this.capacity);
    this.#free = grown(this.#free, this.capacity);
    return this.end++;
  }
}
