/**
 * Call stacks as nodes of a tree, so that an object can carry the stack of its birth as one number. A node is a frame: its caller's
 * node, its code object, and the location in the caller from which it was called; node 0 is "no frame". The same call made again
 * from the same place is the same node, found through a hash table with open addressing.
 *
 *     0 ◀── <module> ◀── main (called at line 167) ◀── serve (called at line 158)
 *                  └◀── atexit callback
 *
 * A program makes new paths for as long as it runs, but what refers to them is the live objects and the stack of the moment: `keep` drops
 * the others and numbers the rest anew, parents always before their children. So the tree follows the heap, not the trace.
 */
import { Failure } from "../base/failure.js";

/** Frames that a tree has at most after unused ones were dropped; a trace that needs more is no program's. */
const MOST_NODES = 1 << 22;
/** The tree is searched for unused nodes at this size at first; then at twice what was left. */
const FIRST_LIMIT = 1 << 16;

export interface CallNodes {
  /** By node: the caller's node, always a smaller number. Entry 0 stands for "no frame". */
  readonly parent: Uint32Array;
  /** Ids in `codes`. */
  readonly code: Uint32Array;
  /** Ids in `locations`: where in the caller the call was made. */
  readonly location: Uint32Array;
}

export class CallTree {
  parent: Uint32Array<ArrayBufferLike> = new Uint32Array(1 << 10);
  code: Uint32Array<ArrayBufferLike> = new Uint32Array(1 << 10);
  location: Uint32Array<ArrayBufferLike> = new Uint32Array(1 << 10);
  /** Nodes in use, node 0 included. */
  size = 1;
  #slots = new Uint32Array(1 << 11);
  #limit = FIRST_LIMIT;

  static from(nodes: CallNodes): CallTree {
    const tree = new CallTree();
    for (let node = 1; node < nodes.parent.length; node++) {
      tree.enter(nodes.parent[node]!, nodes.code[node]!, nodes.location[node]!);
    }
    tree.#limit = Math.max(FIRST_LIMIT, tree.size * 2);
    return tree;
  }

  /** Whether it is time to call `keep`. */
  get crowded(): boolean {
    return this.size >= this.#limit;
  }

  /** The node of a call of `code` from `location` in the frame `parent`. */
  enter(parent: number, code: number, location: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(parent, code, location) & mask;
    for (;;) {
      const node = this.#slots[slot]!;
      if (node === 0) break;
      if (this.parent[node] === parent && this.code[node] === code && this.location[node] === location) return node;
      slot = (slot + 1) & mask;
    }
    const node = this.size++;
    if (node === this.parent.length) this.#grow();
    this.parent[node] = parent;
    this.code[node] = code;
    this.location[node] = location;
    if (this.size * 2 > this.#slots.length) this.#rehash(this.#slots.length * 2);
    else this.#slots[slot] = node;
    return node;
  }

  /** Drops every node that is no ancestor of those in `used` (by node, 1 = used); gives the new number of each old one. */
  keep(used: Uint8Array): Uint32Array {
    // Children have higher numbers, so one pass downwards marks all ancestors.
    for (let node = this.size - 1; node > 0; node--) if (used[node] === 1) used[this.parent[node]!] = 1;
    const moved = new Uint32Array(this.size);
    let next = 1;
    for (let node = 1; node < this.size; node++) {
      if (used[node] !== 1) continue;
      moved[node] = next;
      this.parent[next] = moved[this.parent[node]!]!;
      this.code[next] = this.code[node]!;
      this.location[next] = this.location[node]!;
      next++;
    }
    this.size = next;
    if (next > MOST_NODES) {
      throw new Failure(
        `the trace has more than ${MOST_NODES} call paths in use at once: it is damaged, or no program's; record again`,
      );
    }
    this.#limit = Math.max(FIRST_LIMIT, next * 2);
    this.#rehash(this.#slots.length);
    return moved;
  }

  clone(): CallTree {
    const copy = new CallTree();
    copy.parent = this.parent.slice();
    copy.code = this.code.slice();
    copy.location = this.location.slice();
    copy.size = this.size;
    copy.#slots = this.#slots.slice();
    copy.#limit = this.#limit;
    return copy;
  }

  #grow(): void {
    const larger = (column: Uint32Array<ArrayBufferLike>): Uint32Array<ArrayBufferLike> => {
      const grown = new Uint32Array(column.length * 2);
      grown.set(column);
      return grown;
    };
    this.parent = larger(this.parent);
    this.code = larger(this.code);
    this.location = larger(this.location);
  }

  #rehash(length: number): void {
    this.#slots = new Uint32Array(length);
    const mask = length - 1;
    for (let node = 1; node < this.size; node++) {
      let slot = hash(this.parent[node]!, this.code[node]!, this.location[node]!) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = node;
    }
  }
}

function hash(parent: number, code: number, location: number): number {
  const mixed = Math.imul(parent ^ Math.imul(code, 0x9e3779b1) ^ Math.imul(location, 0x85ebca6b), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
