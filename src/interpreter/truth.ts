/**
 * The truth about the heap, read from the interpreter's memory alone, to be held against what the events say. It leans on the
 * recorder's own list of objects for nothing but the question which headers to look at; what lives is found independently:
 *
 * - objects: from the collector's own lists of tracked objects, the modules and the running frames, following what each object
 *   owns by its type's `tp_traverse` (a visitor that only takes notes) and, where a type has none, by its layout. Every object
 *   met must be known to the recorder, or be static data with an immortal count, which no event could have announced;
 * - blocks: by walking dlmalloc's heap from chunk to chunk, each of which says its own size and whether it is in use.
 *
 * Only memory is read; no Python code runs and nothing is counted. To be called at a safe point: where a collection could run.
 */
import { assert } from "../base/failure.js";
import type { HeapReader } from "./heap-reader.js";
import { GC_HEAD, TYPE, TYPE_FLAGS } from "./layout.js";
import type { Probe } from "./probe.js";

/** Object headers, by address: some of them, or all. */
export interface HeaderColumns {
  readonly address: Uint32Array;
  /** Address of its type. */
  readonly type: Uint32Array;
  /** `ob_refcnt` as stored. */
  readonly count: Uint32Array;
  /** 1 where following references led to it. */
  readonly reached: Uint32Array;
}

/** Blocks in use, by address of the payload; `size` is the chunk's. */
export interface ChunkColumns {
  readonly address: Uint32Array;
  readonly size: Uint32Array;
}

/** What following references found beside what the recorder knows. */
export interface Met {
  /** Objects that the recorder does not know, in the heap or not immortal. */
  readonly unknown: readonly { readonly address: number; readonly via: number }[];
  /** Objects in static memory whose counts never change. */
  readonly statics: readonly number[];
}

/** Rows of a part of a long list. */
const PART = 65536;

/** Smallest immortal count of a 32-bit CPython 3.14 (`_Py_IMMORTAL_MINIMUM_REFCNT`, Include/refcount.h). */
const IMMORTAL_MINIMUM = 2 ** 30;
/** Mask of the tag bits of `_PyStackRef` (Include/internal/pycore_stackref.h); both set: a tagged integer. */
const STACK_REF_TAG = 3;

/** A list of 32-bit numbers that grows. */
class Numbers {
  #values = new Uint32Array(4096);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const grown = new Uint32Array(2 * this.length);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.length++] = value;
  }

  pop(): number {
    return this.#values[--this.length];
  }
}

/** Follows references through the heap. The visitor's notes arrive through `visit`. */
export class Walker {
  readonly #probe: Probe;
  readonly #heap: HeapReader;
  #met = new Uint32Array(0);
  #work = new Numbers();
  #via = 0;
  #unknown: { address: number; via: number }[] = [];
  #statics: number[] = [];

  constructor(probe: Probe, heap: HeapReader) {
    this.#probe = probe;
    this.#heap = heap;
  }

  /** Follows references through the whole heap; `objects` tells what was reached until the next walk. */
  walk(): Met {
    this.#met = new Uint32Array(Math.ceil(this.#probe.memory.buffer.byteLength / 128) + 1);
    this.#work = new Numbers();
    this.#unknown = [];
    this.#statics = [];
    this.#roots();
    while (this.#work.length > 0) this.#follow(this.#work.pop());
    this.#work = new Numbers();
    return { unknown: this.#unknown, statics: this.#statics };
  }

  /** Every object header, in parts. */
  *objects(): Generator<HeaderColumns> {
    const heap = this.#heap;
    const all = this.#probe.headers();
    for (let from = 0; from < all.length; from += PART) {
      const address = all.slice(from, from + PART);
      const [type, count, reached] = [address, address, address].map(({ length }) => new Uint32Array(length));
      for (let i = 0; i < address.length; i++) {
        const at = address[i];
        type[i] = heap.typeOf(at);
        count[i] = heap.u32(at);
        reached[i] = this.#wasMet(at) ? 1 : 0;
      }
      yield { address, type, count, reached };
    }
  }

  #wasMet(object: number): boolean {
    return ((this.#met[object >>> 7] >>> (object >>> 2)) & 1) !== 0;
  }

  /** An object is referred to: by the walk's current one, or by a root. */
  visit(object: number): void {
    if (object === 0 || this.#wasMet(object)) return;
    this.#met[object >>> 7] |= 1 << ((object >>> 2) & 31);
    this.#work.push(object);
    if (this.#probe.isLive(object) || this.#probe.isDead(object)) return;
    const { region } = this.#probe.plan;
    if (object < region.start && this.#heap.u32(object) >= IMMORTAL_MINIMUM) this.#statics.push(object);
    else this.#unknown.push({ address: object, via: this.#via });
  }

  #roots(): void {
    const { layout } = this.#probe.plan;
    const { offsets, runtime } = layout;
    const heap = this.#heap;
    this.#via = 0;
    const interpreter = heap.u32(runtime + offsets.runtime.interpretersHead);
    const { modules, sysdict, builtins } = offsets.interpreter;
    for (const at of [modules, sysdict, builtins]) this.visit(heap.u32(interpreter + at));
    for (const head of this.#collectorLists(interpreter + offsets.interpreter.gc, offsets.gc.size)) {
      for (let at = (heap.u32(head) & ~3) >>> 0; at !== head; at = (heap.u32(at) & ~3) >>> 0) this.visit(at + GC_HEAD);
    }
    const thread = heap.u32(layout.currentThread);
    for (
      let frame = thread && heap.u32(thread + offsets.thread.currentFrame);
      frame !== 0;
      frame = heap.u32(frame + offsets.frame.previous)
    )
      this.#frame(frame);
  }

  /**
   * The heads of the collector's lists: words of its state that begin a ring of `PyGC_Head`s, whose `_gc_next` and `_gc_prev`
   * lead back here (Include/internal/pycore_gc.h). The lower two bits of both are flags.
   */
  #collectorLists(state: number, size: number): number[] {
    const heads: number[] = [];
    const end = this.#probe.memory.buffer.byteLength - 8;
    const plausible = (at: number): boolean => at >= 1024 && at < end && (at & 3) === 0;
    for (let at = state; at < state + size; at += 4) {
      const next = (this.#heap.u32(at) & ~3) >>> 0;
      const previous = (this.#heap.u32(at + 4) & ~3) >>> 0;
      if (!plausible(next) || !plausible(previous)) continue;
      if ((this.#heap.u32(next + 4) & ~3) >>> 0 === at && (this.#heap.u32(previous) & ~3) >>> 0 === at) heads.push(at);
    }
    assert(heads.length >= 3, "the collector has at least three lists");
    return heads;
  }

  #stackRef(word: number): void {
    if ((word & STACK_REF_TAG) !== STACK_REF_TAG) this.visit((word & ~STACK_REF_TAG) >>> 0);
  }

  /** Code, locals, and what the evaluation stack holds where the frame has saved its depth. */
  #frame(frame: number): void {
    const heap = this.#heap;
    const { frame: f, code: c, tuple } = this.#probe.plan.layout.offsets;
    const executable = heap.u32(frame + f.executable);
    this.#stackRef(executable);
    const code = (executable & ~STACK_REF_TAG) >>> 0;
    if (code === 0 || heap.typeOf(code) !== this.#probe.plan.layout.codeType) return;
    const locals = heap.u32(heap.u32(code + c.localsplusnames) + tuple.length);
    const start = frame + f.localsplus;
    for (let i = 0; i < locals; i++) this.#stackRef(heap.u32(start + 4 * i));
    const top = heap.u32(frame + f.stackpointer);
    if (top > start && top - start < 2 ** 20)
      for (let at = start + 4 * locals; at < top; at += 4) this.#stackRef(heap.u32(at));
  }

  #follow(object: number): void {
    const heap = this.#heap;
    const { layout } = this.#probe.plan;
    const type = heap.typeOf(object);
    this.#via = object;
    this.visit(type);
    const flags = heap.flagsOf(type);
    if (flags & TYPE_FLAGS.type && (heap.flagsOf(object) & TYPE_FLAGS.heapType) === 0) {
      // `type_traverse` is for heap types only; a static type's dictionary and subclasses are the interpreter's (tp_subclasses is an index).
      for (const at of [TYPE.base, TYPE.dict, TYPE.bases, TYPE.mro, TYPE.cache]) this.visit(heap.u32(object + at));
    } else if (type === layout.codeType) this.#code(object);
    else if (type === layout.rangeType) for (let i = 0; i < 4; i++) this.visit(heap.u32(object + 8 + 4 * i));
    else if (flags & TYPE_FLAGS.gc) {
      const traverse = heap.u32(type + TYPE.traverse);
      if (traverse !== 0) this.#probe.traverse(traverse, object);
    }
  }

  /** Code objects are not tracked: their fields by layout (Include/cpython/code.h: co_consts, co_names, co_exceptiontable come first). */
  #code(object: number): void {
    const { code } = this.#probe.plan.layout.offsets;
    const heap = this.#heap;
    for (const at of [
      12,
      16,
      20,
      code.filename,
      code.name,
      code.qualname,
      code.linetable,
      code.localsplusnames,
      code.localspluskinds,
    ])
      this.visit(heap.u32(object + at));
  }

  /**
   * Every block in use, in parts. dlmalloc's heap is one run of chunks from the first byte that it took from the system: `prev_foot`, `head`
   * (size | in use | previous in use), payload. Behind the topmost free chunk stands a word that is neither.
   */
  *blocks(): Generator<ChunkColumns> {
    const heap = this.#heap;
    const end = this.#probe.heapEnd;
    const IN_USE = 2;
    const PREVIOUS_IN_USE = 1;
    let chunk = this.#probe.plan.region.end;
    let [address, size] = [new Uint32Array(PART), new Uint32Array(PART)];
    let n = 0;
    while (chunk < end) {
      const head = heap.u32(chunk + 4);
      const bytes = head & ~7;
      if ((head & (IN_USE | PREVIOUS_IN_USE)) === 0) break;
      if (bytes < 16 || chunk + bytes > end) assert(false, `the allocator's chunk at ${chunk} has a size`);
      if (head & IN_USE) {
        address[n] = chunk + 8;
        size[n] = bytes;
        if (++n === PART) {
          yield { address, size };
          [address, size] = [new Uint32Array(PART), new Uint32Array(PART)];
          n = 0;
        }
      }
      chunk += bytes;
    }
    assert(end - chunk < 4096, "the allocator's heap was walked to its end");
    if (n > 0) yield { address: address.slice(0, n), size: size.slice(0, n) };
  }
}
