/**
 * The private memory of Python 2's integers, floats and lists, as state machines over births and deaths.
 *
 * Integers and floats (Objects/intobject.c and floatobject.c: fill_free_list, PyInt_FromLong, PyFloat_FromDouble, int_dealloc, float_dealloc):
 * each type takes blocks of some 1,000 bytes from malloc, cuts them into objects and links these into its free list, the highest address
 * first. A dead object goes to the front of the list. No block is given back, none is shared with another type. (From 2.6 on
 * a full collection gives back blocks without a live object: PyInt_ClearFreeList, PyFloat_ClearFreeList. The model is of the time before.)
 *
 * Lists (Objects/listobject.c: PyList_New, list_dealloc): up to 80 dead list objects are kept, last in, first out; their items are not.
 */
import { Failure } from "../base/failure.js";

export interface PrivatePoolProfile {
  readonly name: string;
  readonly title: string;
  readonly pointerBytes: 4 | 8;
  /** Builtin type that it serves. */
  readonly type: "int" | "float" | "list";
  /** Bytes of an object. */
  readonly objectBytes: number;
  /** Bytes of a block (BLOCK_SIZE less what is left over); 0 = single objects from the allocator. */
  readonly blockBytes: number;
  /** Objects in a block; 0 likewise. */
  readonly perBlock: number;
  /** Most dead objects that are kept. */
  readonly mostKept: number;
}

/** BLOCK_SIZE less BHEAD_SIZE, both of intobject.c and floatobject.c. */
const BLOCK_SIZE = 1000;
const HEAD_SIZE = 8;
/** MAXFREELISTS, later PyList_MAXFREELIST, of listobject.c. */
const MOST_LISTS = 80;

/** A block's link to the next and its objects, as the compiler lays them out: struct _intblock. */
function blocks(type: "int" | "float", pointerBytes: 4 | 8): PrivatePoolProfile {
  // ob_refcnt, ob_type, and a long or a double (8 bytes, which no header before it makes larger).
  const objectBytes = 2 * pointerBytes + (type === "float" ? 8 : pointerBytes);
  const perBlock = Math.floor((BLOCK_SIZE - HEAD_SIZE) / objectBytes);
  return {
    name: `python2-${type}-${pointerBytes * 8}`,
    title: `Python 2's block pool of ${type}, ${pointerBytes * 8}-bit`,
    pointerBytes,
    type,
    objectBytes,
    blockBytes: pointerBytes + perBlock * objectBytes,
    perBlock,
    mostKept: Number.POSITIVE_INFINITY,
  };
}

function lists(pointerBytes: 4 | 8): PrivatePoolProfile {
  return {
    name: `python2-list-${pointerBytes * 8}`,
    title: `Python 2's free list of list, ${pointerBytes * 8}-bit`,
    pointerBytes,
    type: "list",
    // The collector's head (12 bytes, made 16 by its long double, or 32), ob_refcnt, ob_type, ob_size, ob_item, allocated.
    objectBytes: pointerBytes === 4 ? 16 + 20 : 32 + 40,
    blockBytes: 0,
    perBlock: 0,
    mostKept: MOST_LISTS,
  };
}

export const PRIVATE_POOL_PROFILES: readonly PrivatePoolProfile[] = ([4, 8] as const).flatMap((pointerBytes) => [
  blocks("int", pointerBytes),
  blocks("float", pointerBytes),
  lists(pointerBytes),
]);

export function privatePoolProfile(name: string): PrivatePoolProfile {
  const found = PRIVATE_POOL_PROFILES.find((one) => one.name === name);
  if (!found) {
    throw new Failure(
      `${name}: no such model; models are ${PRIVATE_POOL_PROFILES.map((one) => one.name).join(", ")}`,
      2,
    );
  }
  return found;
}

export class PrivatePool {
  readonly profile: PrivatePoolProfile;
  /** By place: the next free one; NONE = the last. Places of block n are n * perBlock and those that follow. */
  #next = new Int32Array(1 << 10);
  #first = -1;
  #places = 0;
  births = 0;
  /** Births in a place that a dead object had left. */
  fromFreeList = 0;
  live = 0;
  peakLive = 0;
  /** Free places that an object had been in before, or that were never used yet. */
  free = 0;
  highestFree = 0;
  blocks = 0;
  #used = new Uint8Array(1 << 10);

  constructor(profile: PrivatePoolProfile) {
    this.profile = profile;
  }

  /** Bytes taken and not given back; of lists, bytes of the dead ones kept. */
  get bytes(): number {
    const { perBlock, blockBytes, objectBytes } = this.profile;
    return perBlock > 0 ? this.blocks * blockBytes : this.free * objectBytes;
  }

  /** The place of a new object: block and position are its quotient and remainder by perBlock; of lists a number for the memory. */
  born(): number {
    this.births++;
    if (++this.live > this.peakLive) this.peakLive = this.live;
    if (this.#first === -1) this.#fill();
    const place = this.#first;
    this.#first = this.#next[place]!;
    this.free--;
    if (this.#used[place] === 1) this.fromFreeList++;
    this.#used[place] = 1;
    return place;
  }

  died(place: number): void {
    this.live--;
    // Beyond the limit the memory goes back to the allocator: its number is not given again.
    if (this.free >= this.profile.mostKept) return;
    this.#next[place] = this.#first;
    this.#first = place;
    if (++this.free > this.highestFree) this.highestFree = this.free;
  }

  /** fill_free_list: a new block, its last object first in the list. */
  #fill(): void {
    const many = this.profile.perBlock || 1;
    const begin = this.#places;
    this.#places += many;
    if (this.#places > this.#next.length) {
      const next = new Int32Array(this.#next.length * 2);
      next.set(this.#next);
      this.#next = next;
      const used = new Uint8Array(next.length);
      used.set(this.#used);
      this.#used = used;
    }
    for (let i = 0; i < many; i++) this.#next[begin + i] = begin + i - 1;
    this.#next[begin] = -1;
    this.#first = begin + many - 1;
    this.free += many;
    this.blocks++;
    if (this.profile.perBlock > 0 && this.free > this.highestFree) this.highestFree = this.free;
  }
}
