/**
 * pymalloc as a state machine: the same block for the same request as CPython's Objects/obmalloc.c gives, in any of its forms.
 *
 *     arena   a piece of memory from the system, cut into pools
 *     pool    blocks of one size class; its header takes the place of the first of them
 *     block   what a request gets; free ones of a pool are a list through the pool itself
 *
 *     usable arenas, fewest free pools first ─▶ free pools of an arena, last freed first ─▶ pools never used, by address
 *     used pools of a size class, last freed into first ─▶ free blocks, last freed first ─▶ blocks never used, by address
 *
 * What decides where a block lies, and who does it there: pymalloc_alloc takes the first free block of the first used pool of its
 * class, and pymalloc_pool_extend carves the next one when there is none; allocate_from_new_pool takes a pool from the first usable arena,
 * and leaves its free blocks as they lie when it had the same class before; insert_to_usedpool puts a pool that was full in front;
 * insert_to_freepool moves an arena behind those with as few free pools and gives a whole one back; pymalloc_realloc
 * stays where it is unless more than a quarter would be wasted.
 *
 * The model has no memory of its own to hand out, only addresses: arenas lie where `ArenaSource` puts them. Pools are numbered
 * through all arenas, and everything about them is in typed arrays; a free block's link is one cell of `#links`.
 */
import { assert } from "../base/failure.js";
import type { PymallocProfile } from "./profiles.js";

/** The system that arenas come from. */
export interface ArenaSource {
  /** Address of a new piece of memory of this many bytes, at least 4096-aligned. */
  take(bytes: number): number;
  giveBack(address: number): void;
}

/** Arenas side by side from `start` on, as aligned as they are large; one given back last is taken first. */
export function adjacentArenas(start = 1 << 28): ArenaSource {
  const free: number[] = [];
  let next = start;
  return {
    take(bytes) {
      const again = free.pop();
      if (again !== undefined) return again;
      const address = Math.ceil(next / bytes) * bytes;
      next = address + bytes;
      return address;
    },
    giveBack: (address) => {
      free.push(address);
    },
  };
}

const NONE = -1;

interface Arena {
  readonly index: number;
  address: number;
  /** Number of the pool that stands at `firstPool`. */
  readonly base: number;
  firstPool: number;
  /** Pools never used begin here, by number. */
  nextPool: number;
  total: number;
  free: number;
  /** First of the pools that were used and are free again. */
  freePools: number;
  next: Arena | null;
  previous: Arena | null;
  blocks: number;
}

export interface SizeClass {
  /** Bytes of a block. */
  readonly size: number;
  pools: number;
  blocks: number;
  requested: number;
  requests: number;
}

/** One arena as it is now. */
export interface ArenaState {
  readonly address: number;
  readonly pools: number;
  readonly freePools: number;
  readonly blocks: number;
}

export class Pymalloc {
  readonly profile: PymallocProfile;
  /** By size class, smallest first. */
  readonly classes: readonly SizeClass[];
  readonly #source: ArenaSource;
  readonly #shift: number;
  readonly #poolBits: number;
  readonly #poolsPerArena: number;
  /** Cells of `#links` per pool. */
  readonly #cells: number;

  // Arenas by index; null = given back. By address of the arena's granules, to find them again.
  readonly #arenas: (Arena | null)[] = [];
  readonly #freeIndexes: number[] = [];
  readonly #arenaAt = new Map<number, Arena>();
  #usable: Arena | null = null;
  /** By number of free pools: the last arena in the usable ones that has so many (nfp2lasta). */
  readonly #last: (Arena | null)[];

  // Pools by number; the used pools of class c are a ring through the row -(c + 2), which stands for the list's head.
  #next: Int32Array;
  #previous: Int32Array;
  #count: Int32Array;
  /** Cell of the first free block; 0 = none. */
  #freeBlock: Int32Array;
  #nextOffset: Int32Array;
  /** NONE = never used. */
  #class: Int32Array;
  #arenaOf: Int32Array;
  #links: Uint16Array;
  /** Bytes requested, by cell. */
  #sizes: Uint16Array;
  readonly #head: Int32Array;
  readonly #tail: Int32Array;
  #capacity: number;

  /** Bytes requested of the blocks in use; the same rounded up to their classes; blocks in use. */
  requested = 0;
  rounded = 0;
  blocks = 0;
  poolsInUse = 0;
  arenas = 0;
  arenasTaken = 0;
  arenasReturned = 0;
  peakArenas = 0;
  requests = 0;

  constructor(profile: PymallocProfile, source: ArenaSource = adjacentArenas()) {
    this.profile = profile;
    this.#source = source;
    this.#shift = Math.log2(profile.alignment);
    this.#poolBits = Math.log2(profile.poolBytes);
    this.#poolsPerArena = profile.arenaBytes / profile.poolBytes;
    this.#cells = profile.poolBytes / profile.alignment;
    this.#last = new Array<Arena | null>(this.#poolsPerArena + 1).fill(null);
    const classes = profile.threshold / profile.alignment;
    this.classes = Array.from({ length: classes }, (_, i) => ({
      size: (i + 1) * profile.alignment,
      pools: 0,
      blocks: 0,
      requested: 0,
      requests: 0,
    }));
    this.#head = new Int32Array(classes).fill(NONE);
    this.#tail = new Int32Array(classes).fill(NONE);
    this.#capacity = this.#poolsPerArena * 4;
    const n = this.#capacity;
    this.#next = new Int32Array(n);
    this.#previous = new Int32Array(n);
    this.#count = new Int32Array(n);
    this.#freeBlock = new Int32Array(n);
    this.#nextOffset = new Int32Array(n);
    this.#class = new Int32Array(n).fill(NONE);
    this.#arenaOf = new Int32Array(n);
    this.#links = new Uint16Array(n * this.#cells);
    this.#sizes = new Uint16Array(n * this.#cells);
  }

  /** Address of a block for this request; 0 = the request is malloc's, not pymalloc's. */
  malloc(size: number): number {
    if (size === 0 || size > this.profile.threshold) return 0;
    const klass = (size - 1) >>> this.#shift;
    const head = this.#head[klass]!;
    const pool = head === NONE ? this.#newPool(klass) : head;
    const base = pool * this.#cells;
    const cell = this.#freeBlock[pool]!;
    this.#count[pool]!++;
    const following = this.#links[base + cell]!;
    this.#freeBlock[pool] = following;
    this.#sizes[base + cell] = size;
    if (following === 0 && head !== NONE) this.#extend(pool, klass);
    const row = this.classes[klass]!;
    row.blocks++;
    row.requests++;
    row.requested += size;
    this.requests++;
    this.requested += size;
    this.rounded += row.size;
    this.blocks++;
    const arena = this.#arenas[this.#arenaOf[pool]!]!;
    arena.blocks++;
    return arena.firstPool + (pool - arena.base) * this.profile.poolBytes + (cell << this.#shift);
  }

  free(address: number): void {
    const pool = this.#poolAt(address);
    const base = pool * this.#cells;
    const cell = (address & (this.profile.poolBytes - 1)) >>> this.#shift;
    const klass = this.#class[pool]!;
    const size = this.#sizes[base + cell]!;
    assert(size !== 0, `a block of the model at ${address}`);
    const arena = this.#arenas[this.#arenaOf[pool]!]!;
    const row = this.classes[klass]!;
    row.blocks--;
    row.requested -= size;
    this.requested -= size;
    this.rounded -= row.size;
    this.blocks--;
    arena.blocks--;
    this.#sizes[base + cell] = 0;
    const before = this.#freeBlock[pool]!;
    this.#links[base + cell] = before;
    this.#freeBlock[pool] = cell;
    const left = --this.#count[pool]!;
    if (before === 0) this.#putInFront(pool, klass);
    else if (left === 0) this.#freePool(pool, klass, arena);
  }

  /** The block after the request changed: the same address where it stays, 0 where it became malloc's. */
  realloc(address: number, size: number): number {
    const pool = this.#poolAt(address);
    const klass = this.#class[pool]!;
    const has = this.classes[klass]!.size;
    if (size <= has && 4 * size > 3 * has) {
      const at = pool * this.#cells + ((address & (this.profile.poolBytes - 1)) >>> this.#shift);
      const more = size - this.#sizes[at]!;
      this.#sizes[at] = size;
      this.classes[klass]!.requested += more;
      this.requested += more;
      return address;
    }
    const moved = this.malloc(size);
    this.free(address);
    return moved;
  }

  /** Arenas as they are, in no particular order. */
  *eachArena(): Generator<ArenaState> {
    for (const arena of this.#arenas) {
      if (arena) yield { address: arena.address, pools: arena.total, freePools: arena.free, blocks: arena.blocks };
    }
  }

  /** Address of the arena that a block lies in. */
  arenaOf(address: number): number {
    return this.#arenas[this.#arenaOf[this.#poolAt(address)]!]!.address;
  }

  /** Blocks of a size class that fit in a pool. */
  blocksPerPool(size: number): number {
    return Math.floor((this.profile.poolBytes - this.profile.headerBytes) / size);
  }

  #poolAt(address: number): number {
    const { arenaBytes } = this.profile;
    const granule = Math.floor(address / arenaBytes);
    // An arena that is not as aligned as it is large touches two granules.
    let arena = this.#arenaAt.get(granule);
    if (!arena || address < arena.address) arena = this.#arenaAt.get(granule - 0.5);
    assert(arena !== undefined, `an arena of the model at ${address}`);
    return arena.base + ((address - arena.firstPool) >>> this.#poolBits);
  }

  /** allocate_from_new_pool: a pool from the first usable arena becomes the only used one of its class. */
  #newPool(klass: number): number {
    this.#usable ??= this.#newArena();
    const arena = this.#usable;
    const { free } = arena;
    if (this.#last[free] === arena) this.#last[free] = null;
    if (free > 1) this.#last[free - 1] = arena;
    let pool = arena.freePools;
    if (pool !== NONE) arena.freePools = this.#next[pool]!;
    else pool = arena.nextPool++;
    arena.free--;
    if (arena.free === 0) {
      this.#usable = arena.next;
      if (this.#usable) this.#usable.previous = null;
    }
    this.#head[klass] = pool;
    this.#tail[klass] = pool;
    this.#next[pool] = NONE;
    this.#previous[pool] = NONE;
    this.#count[pool] = 0;
    this.poolsInUse++;
    this.classes[klass]!.pools++;
    if (this.#class[pool] !== klass) {
      // Two blocks are carved at once: the one asked for and the next free one.
      const { headerBytes, alignment } = this.profile;
      const first = Math.ceil(headerBytes / alignment);
      const cellsPerBlock = klass + 1;
      const base = pool * this.#cells;
      this.#class[pool] = klass;
      this.#freeBlock[pool] = first;
      this.#links[base + first] = first + cellsPerBlock;
      this.#links[base + first + cellsPerBlock] = 0;
      this.#nextOffset[pool] = first + 2 * cellsPerBlock;
    }
    return pool;
  }

  /** pymalloc_pool_extend: the next block that was never used, or the pool is full and leaves the used ones. */
  #extend(pool: number, klass: number): void {
    const cellsPerBlock = klass + 1;
    const next = this.#nextOffset[pool]!;
    if (next <= this.#cells - cellsPerBlock) {
      this.#freeBlock[pool] = next;
      this.#links[pool * this.#cells + next] = 0;
      this.#nextOffset[pool] = next + cellsPerBlock;
    } else this.#unlink(pool, klass);
  }

  #unlink(pool: number, klass: number): void {
    const [next, previous] = [this.#next[pool]!, this.#previous[pool]!];
    if (previous === NONE) this.#head[klass] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#tail[klass] = previous;
    else this.#previous[next] = previous;
  }

  /** insert_to_usedpool */
  #putInFront(pool: number, klass: number): void {
    const head = this.#head[klass]!;
    this.#next[pool] = head;
    this.#previous[pool] = NONE;
    if (head === NONE) this.#tail[klass] = pool;
    else this.#previous[head] = pool;
    this.#head[klass] = pool;
  }

  /** insert_to_freepool */
  #freePool(pool: number, klass: number, arena: Arena): void {
    this.#unlink(pool, klass);
    this.poolsInUse--;
    this.classes[klass]!.pools--;
    this.#next[pool] = arena.freePools;
    arena.freePools = pool;
    const before = arena.free;
    const last = this.#last[before]!;
    if (last === arena) {
      const { previous } = arena;
      this.#last[before] = previous !== null && previous.free === before ? previous : null;
    }
    const free = ++arena.free;
    if (free === arena.total && (arena.next !== null || !this.profile.keepsLastArena)) {
      this.#removeUsable(arena);
      this.#release(arena);
      return;
    }
    if (free === 1) {
      arena.next = this.#usable;
      arena.previous = null;
      if (this.#usable) this.#usable.previous = arena;
      this.#usable = arena;
      this.#last[1] ??= arena;
      return;
    }
    this.#last[free] ??= arena;
    if (last === arena || last === null) return;
    // The arenas behind it, up to `last`, have one free pool less now.
    this.#removeUsable(arena);
    arena.previous = last;
    arena.next = last.next;
    if (last.next) last.next.previous = arena;
    last.next = arena;
  }

  #removeUsable(arena: Arena): void {
    const { previous, next } = arena;
    if (previous) previous.next = next;
    else this.#usable = next;
    if (next) next.previous = previous;
  }

  #newArena(): Arena {
    const { arenaBytes, poolBytes } = this.profile;
    const address = this.#source.take(arenaBytes);
    const firstPool = Math.ceil(address / poolBytes) * poolBytes;
    const total = firstPool === address ? this.#poolsPerArena : this.#poolsPerArena - 1;
    const index = this.#freeIndexes.pop() ?? this.#arenas.length;
    const base = index * this.#poolsPerArena;
    if (base + this.#poolsPerArena > this.#capacity) this.#grow();
    this.#class.fill(NONE, base, base + this.#poolsPerArena);
    this.#arenaOf.fill(index, base, base + this.#poolsPerArena);
    const arena: Arena = {
      index,
      address,
      base,
      firstPool,
      nextPool: base,
      total,
      free: total,
      freePools: NONE,
      next: null,
      previous: null,
      blocks: 0,
    };
    this.#arenas[index] = arena;
    for (const key of keysOf(address, arenaBytes)) this.#arenaAt.set(key, arena);
    this.#last[total] = arena;
    this.arenas++;
    this.arenasTaken++;
    this.peakArenas = Math.max(this.peakArenas, this.arenas);
    return arena;
  }

  #release(arena: Arena): void {
    this.#arenas[arena.index] = null;
    this.#freeIndexes.push(arena.index);
    for (const key of keysOf(arena.address, this.profile.arenaBytes)) this.#arenaAt.delete(key);
    this.arenas--;
    this.arenasReturned++;
    this.#source.giveBack(arena.address);
  }

  #grow(): void {
    this.#capacity *= 2;
    const larger = <T extends Int32Array | Uint16Array>(old: T, length: number): T => {
      const copy = new (old.constructor as new (n: number) => T)(length);
      copy.set(old);
      return copy;
    };
    const n = this.#capacity;
    this.#next = larger(this.#next, n);
    this.#previous = larger(this.#previous, n);
    this.#count = larger(this.#count, n);
    this.#freeBlock = larger(this.#freeBlock, n);
    this.#nextOffset = larger(this.#nextOffset, n);
    this.#class = larger(this.#class, n);
    this.#arenaOf = larger(this.#arenaOf, n);
    this.#links = larger(this.#links, n * this.#cells);
    this.#sizes = larger(this.#sizes, n * this.#cells);
  }
}

/** Under which numbers an arena is found: of the granule where it begins, and + 0.5 in it for the one where it ends. */
function keysOf(address: number, bytes: number): number[] {
  const first = Math.floor(address / bytes);
  return address % bytes === 0 ? [first] : [first, first + 0.5];
}
