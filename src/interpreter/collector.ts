/**
 * What a full collection would free at this moment, by the collector's own method (Python/gc.c of CPython 3.14.2, gc_collect_full and
 * deduce_unreachable) over its own lists, but with notes instead of writes: copy the counts of all tracked objects, take off one for each
 * reference that a tracked object's `tp_traverse` shows, and what is left above zero is held from outside; what that leads to stays
 * as well, the rest is garbage. As in the collector,
 *
 * - frozen objects (the permanent generation) are outside, and so are immortal ones (update_refs drops them);
 * - tuples of the young generation that hold nothing which could be in a cycle are left to their counts (untrack_tuples);
 * - a reference that a suspended frame only borrows counts for reaching, not for counting (_PyGC_VisitStackRef);
 * - objects with a legacy finalizer (`tp_del`), and what they lead to, are garbage that is kept (move_legacy_finalizers).
 *
 * What the collector frees takes other things with it, which it does not look at itself: strings, numbers, untracked tuples. They are found by
 * taking off their counts what the garbage holds of them. A class that dies is also taken off the list of its bases' subclasses
 * (remove_subclass, Objects/typeobject.c), which ends a weak reference and the number that it is filed under. Memory is read, nothing else.
 *
 * It answers at any event. Where no collection could run, in the middle of some C function,
 *
 * - an object that is being deallocated may still be tracked: it is no garbage, and holds what it has not let go of yet;
 * - a reference may stand in two places, or be on its way between them: an object with more references than its count is held;
 * - while a collection runs, its lists are not whole: the tracked objects are found by their headers then.
 */
import { assert } from "../base/failure.js";
import { EdgeKind, GraphReader } from "./graph.js";
import type { HeapReader } from "./heap-reader.js";
import { GC_HEAD, TYPE_FLAGS } from "./layout.js";
import type { Probe } from "./probe.js";

/** Offsets in `PyTypeObject` that only the collector asks for (Include/cpython/object.h, 32-bit). */
const TYPE_SLOTS = { name: 12, traverse: 92, base: 128, isGc: 164, del: 188, finalize: 196 } as const;
/** The collector's state before its `collecting` flag: statistics of three generations, four lists before them (pycore_interp_structs.h). */
const STATISTICS = 36;
const LIST = 16;
const LIST_COUNT = 12;
/** Bits of `_gc_next` and `_gc_prev` that are flags (pycore_gc.h). */
const GC_FLAGS = 3;
const GC_PREV_FINALIZED = 1;
/** `PyWeakReference` (Include/internal/pycore_weakref.h): the referent and the callback. */
const WEAKREF = { object: 8, callback: 12 } as const;
const FUNCTION_QUALNAME = 20;
const IMMORTAL_MINIMUM = 2 ** 30;
const STACK_TAG = 3;
const STACK_BORROWED = 1;

/** An object that would go. */
export interface GarbageObject {
  readonly address: number;
  readonly type: string;
  readonly count: number;
  /** The collector's own: tracked, and found unreachable. False: it goes with those, by its count. */
  readonly tracked: boolean;
  /** It has a finalizer that has not run yet and would run first. */
  readonly finalizer: boolean;
  /** Kept for ever: a legacy finalizer, or reached from one. */
  readonly uncollectable: boolean;
}

/** A reference between two objects that would go. */
export interface GarbageEdge {
  readonly source: number;
  readonly target: number;
  /** As Python would write it behind the source: `.next`, `['k']`, `[3]`. */
  readonly name: string;
}

/** A weak reference to garbage that is itself reachable: its callback would run. */
export interface WeakrefCallback {
  readonly weakref: number;
  readonly object: number;
  /** Name of the function, or of the callback's type. */
  readonly callback: string;
}

export interface Garbage {
  readonly objects: readonly GarbageObject[];
  readonly edges: readonly GarbageEdge[];
  readonly callbacks: readonly WeakrefCallback[];
  /** Objects that the collector looks at, and those that it was told to leave alone (`gc.freeze`). */
  readonly tracked: number;
  readonly frozen: number;
  /**
   * Strings that the interpreter's own state refers to: names in the cache of looked up attributes (`type_cache`, Objects/typeobject.c).
   * A collection runs code that looks up attributes, and a name whose place in the cache another takes may die of it. It was no garbage.
   */
  readonly cachedNames: readonly number[];
}

export class CollectorReader {
  readonly #probe: Probe;
  readonly #heap: HeapReader;
  #visited: number[] = [];
  /** Whoever takes the references of the traversal under way. */
  #taker: { visit(object: number): void } = { visit: (object) => this.#visited.push(object) };
  readonly #tupleTypes = new Map<number, boolean>();
  readonly #typeNames = new Map<number, string>();
  readonly #weakTypes = new Map<number, boolean>();
  readonly #frameOffsets = new Map<number, "generator" | "frame" | null>();

  constructor(probe: Probe, heap: HeapReader) {
    this.#probe = probe;
    this.#heap = heap;
  }

  visit(object: number): void {
    this.#taker.visit(object);
  }

  /** Their places, without a look at what is on them. */
  #heads(): { young: number; others: number[]; permanent: number } {
    const { offsets, runtime } = this.#probe.plan.layout;
    const interpreter = this.#heap.u32(runtime + offsets.runtime.interpretersHead);
    const statistics = interpreter + offsets.interpreter.gc + offsets.gc.collecting - STATISTICS;
    const [young, old0, old1, permanent] = [4, 3, 2, 1].map((n) => statistics - n * LIST) as [
      number,
      number,
      number,
      number,
    ];
    return { young, others: [old0, old1], permanent };
  }

  #lists(): { young: number; others: number[]; permanent: number } {
    const { young, others, permanent } = this.#heads();
    for (const head of [young, ...others, permanent]) {
      const next = (this.#heap.u32(head) & ~GC_FLAGS) >>> 0;
      assert((this.#heap.u32(next + 4) & ~GC_FLAGS) >>> 0 === head, "the collector's lists are where 3.14 has them");
    }
    return { young, others, permanent };
  }

  *#members(head: number): Generator<number> {
    for (let at = (this.#heap.u32(head) & ~GC_FLAGS) >>> 0; at !== head; at = (this.#heap.u32(at) & ~GC_FLAGS) >>> 0)
      yield at + GC_HEAD;
  }

  /** Objects allocated less freed since the last collection of the young (`gcstate->young.count`). */
  get youngCount(): number {
    return this.#heap.u32(this.#lists().young + LIST_COUNT);
  }

  /** `isBoundary`: a collection could run here; the numbers must fit then. */
  read(isBoundary: boolean): Garbage {
    const heap = this.#heap;
    const { candidates, young, frozen } = this.#tracked();
    const untracked = this.#untrackedTuples(young);
    const tracked = candidates.filter((object) => heap.u32(object) < IMMORTAL_MINIMUM && !untracked.has(object));
    const index = new AddressIndex(this.#probe.plan.region.end, this.#probe.heapEnd, tracked);

    // update_refs, subtract_refs
    const refs = Int32Array.from(tracked, (object) => heap.u32(object));
    for (const object of tracked) {
      for (const target of this.#counted(object)) {
        const i = index.of(target);
        if (i >= 0) refs[i]!--;
      }
    }
    // move_unreachable
    const reachable = new Uint8Array(tracked.length);
    const work: number[] = [];
    for (let i = 0; i < tracked.length; i++) {
      assert(
        refs[i]! >= 0 || !isBoundary,
        `${this.#typeName(heap.typeOf(tracked[i]!))} at ${tracked[i]}: more references than its count`,
      );
      if (refs[i]! !== 0 || this.#isDying(tracked[i]!)) {
        reachable[i] = 1;
        work.push(i);
      }
    }
    while (work.length > 0) {
      for (const target of this.#references(tracked[work.pop()!]!)) {
        const i = index.of(target);
        if (i < 0 || reachable[i] === 1) continue;
        reachable[i] = 1;
        work.push(i);
      }
    }
    const unreachable = tracked.filter((_, i) => reachable[i] === 0);
    const found = new Set(unreachable);
    const kept = this.#legacy(unreachable, found);
    return {
      ...this.#describe(found, kept, !isBoundary),
      tracked: tracked.length,
      frozen,
      cachedNames: this.#cachedNames(),
    };
  }

  #cachedNames(): number[] {
    const heap = this.#heap;
    const { offsets, runtime } = this.#probe.plan.layout;
    const interpreter = heap.u32(runtime + offsets.runtime.interpretersHead);
    const names = new Set<number>();
    for (let at = 0; at + 4 <= offsets.interpreter.size; at += 4) {
      const target = heap.u32(interpreter + at);
      if (target !== 0 && this.#probe.isLive(target) && heap.flagsOf(heap.typeOf(target)) & TYPE_FLAGS.unicode)
        names.add(target);
    }
    return [...names];
  }

  /** What the collector has on its lists, which of that is young, and how many are frozen. */
  #tracked(): { candidates: number[]; young: Iterable<number>; frozen: number } {
    const heap = this.#heap;
    if (this.#probe.collectorField(0) === 0) {
      const { young, others, permanent } = this.#lists();
      let frozen = 0;
      for (const _ of this.#members(permanent)) frozen++;
      const candidates = [...others, young].flatMap((head) => [...this.#members(head)]);
      return { candidates, young: this.#members(young), frozen };
    }
    const permanent = new Set(this.#members(this.#heads().permanent));
    const candidates: number[] = [];
    for (const object of this.#probe.headers())
      if (this.#isGc(object) && heap.u32(object - GC_HEAD) !== 0 && !permanent.has(object)) candidates.push(object);
    return { candidates, young: candidates, frozen: permanent.size };
  }

  #isDying(object: number): boolean {
    return this.#heap.u32(object) === 0 || this.#probe.isDead(object);
  }

  /** All that `tp_traverse` shows. */
  #references(object: number): readonly number[] {
    this.#visited = [];
    const traverse = this.#heap.u32(this.#heap.typeOf(object) + TYPE_SLOTS.traverse);
    if (traverse !== 0) this.#probe.traverse(traverse, object);
    return this.#visited;
  }

  /** Without those that a suspended frame borrows. */
  #counted(object: number): readonly number[] {
    const references = this.#references(object);
    const frame = this.#frameOf(object);
    if (frame === 0) return references;
    const borrowed = this.#borrowed(frame);
    if (borrowed.length === 0) return references;
    const counted = [...references];
    for (const target of borrowed) {
      const at = counted.indexOf(target);
      if (at >= 0) counted.splice(at, 1);
    }
    return counted;
  }

  /** The interpreter frame that an object's `tp_traverse` looks into; 0 = none. */
  #frameOf(object: number): number {
    const type = this.#heap.typeOf(object);
    let kind = this.#frameOffsets.get(type);
    if (kind === undefined) {
      const name = this.#typeName(type);
      kind = GENERATORS.has(name) ? "generator" : name === "frame" ? "frame" : null;
      this.#frameOffsets.set(type, kind);
    }
    if (kind === null) return 0;
    if (kind === "generator") return object + this.#probe.plan.layout.offsets.generator.frame;
    return this.#heap.u32(object + FRAME_OBJECT_FRAME);
  }

  #borrowed(frame: number): number[] {
    const heap = this.#heap;
    const { frame: f } = this.#probe.plan.layout.offsets;
    const start = frame + f.localsplus;
    const top = heap.u32(frame + f.stackpointer);
    const found: number[] = [];
    if (top < start || top - start >= 2 ** 20) return found;
    for (let at = start; at < top; at += 4) {
      const word = heap.u32(at);
      if ((word & STACK_TAG) === STACK_BORROWED) found.push((word & ~STACK_TAG) >>> 0);
    }
    return found;
  }

  /** Tuples that a collection first takes off its list (untrack_tuples, _PyTuple_MaybeUntrack), in the list's order. */
  #untrackedTuples(young: Iterable<number>): Set<number> {
    const heap = this.#heap;
    const { tuple } = this.#probe.plan.layout.offsets;
    const untracked = new Set<number>();
    for (const object of young) {
      if (!this.#isTuple(heap.typeOf(object))) continue;
      const length = heap.u32(object + tuple.length);
      let mayBeInCycle = false;
      for (let i = 0; i < length && !mayBeInCycle; i++) {
        const item = heap.u32(object + tuple.items + 4 * i);
        mayBeInCycle = item === 0 || (this.#isGc(item) && !this.#isUntrackedTuple(item, untracked));
      }
      if (!mayBeInCycle) untracked.add(object);
    }
    return untracked;
  }

  #isUntrackedTuple(object: number, untracked: ReadonlySet<number>): boolean {
    if (!this.#isTuple(this.#heap.typeOf(object))) return false;
    return untracked.has(object) || this.#heap.u32(object - GC_HEAD) === 0;
  }

  /** Whether the type is `tuple` itself. */
  #isTuple(type: number): boolean {
    let is = this.#tupleTypes.get(type);
    if (is === undefined) {
      const flags = this.#heap.flagsOf(type);
      is =
        (flags & TYPE_FLAGS.tuple) !== 0 &&
        (flags & TYPE_FLAGS.heapType) === 0 &&
        this.#heap.cString(this.#heap.u32(type + TYPE_SLOTS.name)) === "tuple";
      this.#tupleTypes.set(type, is);
    }
    return is;
  }

  /** `_PyObject_IS_GC`: the types whose instances only sometimes are, are types themselves. */
  #isGc(object: number): boolean {
    const type = this.#heap.typeOf(object);
    const flags = this.#heap.flagsOf(type);
    if ((flags & TYPE_FLAGS.gc) === 0) return false;
    if (this.#heap.u32(type + TYPE_SLOTS.isGc) === 0 || (flags & TYPE_FLAGS.type) === 0) return true;
    return (this.#heap.flagsOf(object) & TYPE_FLAGS.heapType) !== 0;
  }

  /** Garbage with a legacy finalizer, and garbage that it leads to. */
  #legacy(unreachable: readonly number[], found: ReadonlySet<number>): Set<number> {
    const kept = new Set<number>();
    const work = unreachable.filter((object) => this.#heap.u32(this.#heap.typeOf(object) + TYPE_SLOTS.del) !== 0);
    for (const object of work) kept.add(object);
    while (work.length > 0) {
      for (const target of this.#references(work.pop()!)) {
        if (!found.has(target) || kept.has(target)) continue;
        kept.add(target);
        work.push(target);
      }
    }
    return kept;
  }

  #describe(
    found: ReadonlySet<number>,
    kept: ReadonlySet<number>,
    halfBuilt: boolean,
  ): Omit<Garbage, "tracked" | "frozen" | "cachedNames"> {
    const heap = this.#heap;
    const labels: string[] = [""];
    const numbers = new Map<string, number>();
    let sink: (target: number, kind: number, label: number) => void = () => {};
    const graphLabel = (text: string): number => {
      let number = numbers.get(text);
      if (number === undefined) {
        number = labels.push(text) - 1;
        numbers.set(text, number);
      }
      return number;
    };
    const graph = new GraphReader(
      this.#probe,
      heap,
      { edge: (_source, target, kind, label) => sink(target, kind, label), label: graphLabel },
      halfBuilt,
    );
    const taker = this.#taker;
    this.#taker = graph;
    const objects: GarbageObject[] = [];
    const edges: GarbageEdge[] = [];
    const going = new Set(found);
    const without = new Map<number, number>();
    const queue = [...found];
    for (const entry of this.#subclassEntries(found, kept)) {
      going.add(entry);
      queue.push(entry);
    }
    for (let head = 0; head < queue.length; head++) {
      const object = queue[head]!;
      const type = heap.typeOf(object);
      const tracked = found.has(object);
      const uncollectable = kept.has(object);
      objects.push({
        address: object,
        type: this.#typeName(type),
        count: heap.u32(object),
        tracked,
        finalizer:
          tracked &&
          !uncollectable &&
          heap.u32(type + TYPE_SLOTS.finalize) !== 0 &&
          (heap.u32(object - GC_HEAD + 4) & GC_PREV_FINALIZED) === 0,
        uncollectable,
      });
      sink = (target, kind, label) => {
        if (kind === EdgeKind.borrowed || heap.u32(target) >= IMMORTAL_MINIMUM) return;
        edges.push({ source: object, target, name: edgeName(kind, label, labels) });
        if (uncollectable || going.has(target) || !this.#probe.isLive(target) || this.#isTracked(target)) return;
        const gone = (without.get(target) ?? 0) + 1;
        without.set(target, gone);
        if (gone < heap.u32(target)) return;
        going.add(target);
        queue.push(target);
      };
      graph.readOne(object);
    }
    this.#taker = taker;
    return {
      objects,
      edges: edges.filter(({ target }) => going.has(target)),
      callbacks: this.#callbacks(found, kept),
    };
  }

  #isHeapType(object: number): boolean {
    const heap = this.#heap;
    if ((heap.flagsOf(heap.typeOf(object)) & TYPE_FLAGS.type) === 0) return false;
    return (heap.flagsOf(object) & TYPE_FLAGS.heapType) !== 0;
  }

  /**
   * Entries of dying classes in their bases' lists of subclasses: the class's address as a number, and the weak reference without callback
   * that is filed under it (an object has one such at most, shared by all who ask: PyWeakref_NewRef) if nobody else holds that one.
   */
  #subclassEntries(found: ReadonlySet<number>, kept: ReadonlySet<number>): number[] {
    const heap = this.#heap;
    const classes = new Set([...found].filter((object) => !kept.has(object) && this.#isHeapType(object)));
    if (classes.size === 0) return [];
    const weakrefs = new Map<number, number>();
    const numbers = new Map<number, number>();
    for (const object of this.#probe.headers()) {
      if (this.#probe.isDead(object)) continue;
      const type = heap.typeOf(object);
      if (heap.flagsOf(type) & TYPE_FLAGS.long) {
        const value = heap.longValue(object);
        if (value !== undefined && heap.u32(object) === 1 && classes.has(Number(value)))
          numbers.set(Number(value), object);
      } else if (this.#isWeakref(type) && heap.u32(object + WEAKREF.callback) === 0 && !found.has(object)) {
        const referent = heap.u32(object + WEAKREF.object);
        if (classes.has(referent)) weakrefs.set(referent, object);
      }
    }
    return [...numbers].flatMap(([referent, number]) => {
      const weakref = weakrefs.get(referent);
      if (weakref === undefined) return [];
      return heap.u32(weakref) === 1 ? [weakref, number] : [number];
    });
  }

  #isWeakref(type: number): boolean {
    let is = this.#weakTypes.get(type);
    if (is === undefined) {
      is = false;
      for (let t = type; t !== 0 && !is; t = this.#heap.u32(t + TYPE_SLOTS.base))
        is =
          (this.#heap.flagsOf(t) & TYPE_FLAGS.heapType) === 0 &&
          WEAK_TYPES.has(this.#heap.cString(this.#heap.u32(t + TYPE_SLOTS.name)));
      this.#weakTypes.set(type, is);
    }
    return is;
  }

  /** Whether the object is on one of the collector's lists: then the collector has decided about it. */
  #isTracked(object: number): boolean {
    return this.#isGc(object) && this.#heap.u32(object - GC_HEAD) !== 0 && !this.#isTuple(this.#heap.typeOf(object));
  }

  /** handle_weakref_callbacks: weak references to garbage that are no garbage themselves. */
  #callbacks(found: ReadonlySet<number>, kept: ReadonlySet<number>): WeakrefCallback[] {
    const heap = this.#heap;
    const callbacks: WeakrefCallback[] = [];
    if (found.size === 0) return callbacks;
    for (const weakref of this.#probe.headers()) {
      if (this.#probe.isDead(weakref) || !this.#isWeakref(heap.typeOf(weakref)) || found.has(weakref)) continue;
      const object = heap.u32(weakref + WEAKREF.object);
      const callback = heap.u32(weakref + WEAKREF.callback);
      if (callback === 0 || !found.has(object) || kept.has(object)) continue;
      const type = this.#typeName(heap.typeOf(callback));
      const name = type === "function" ? heap.text(heap.u32(callback + FUNCTION_QUALNAME)) : undefined;
      callbacks.push({ weakref, object, callback: name ?? type });
    }
    return callbacks;
  }

  #typeName(type: number): string {
    let name = this.#typeNames.get(type);
    if (name === undefined) {
      name = this.#heap.type(type).name;
      this.#typeNames.set(type, name);
    }
    return name;
  }
}

/** Static types of weak references, by `tp_name`. */
const WEAK_TYPES = new Set(["weakref.ReferenceType", "weakref.ProxyType", "weakref.CallableProxyType"]);
const GENERATORS = new Set(["generator", "coroutine", "async_generator"]);
/** Offset of `PyFrameObject.f_frame`. */
const FRAME_OBJECT_FRAME = 12;

/** Places of addresses in a list: an array over the heap's granules of 8 bytes, and a map for what stands in static memory. */
class AddressIndex {
  readonly #start: number;
  readonly #places: Uint32Array;
  readonly #low = new Map<number, number>();

  constructor(start: number, end: number, addresses: readonly number[]) {
    this.#start = start;
    this.#places = new Uint32Array(((end - start) >>> 3) + 1);
    addresses.forEach((address, i) => {
      if (address < start) this.#low.set(address, i);
      else this.#places[(address - start) >>> 3] = i + 1;
    });
  }

  /** -1 = not in the list. */
  of(address: number): number {
    if (address < this.#start) return this.#low.get(address) ?? -1;
    return (this.#places[(address - this.#start) >>> 3] ?? 0) - 1;
  }
}

/** A reference as Python would write it behind the object that holds it. */
function edgeName(kind: number, label: number, labels: readonly string[]): string {
  const text = labels[label] ?? "";
  switch (kind) {
    case EdgeKind.item:
      return `[${label}]`;
    case EdgeKind.attribute:
    case EdgeKind.local:
      return `.${text}`;
    case EdgeKind.value:
      return `[${text}]`;
    case EdgeKind.key:
      return `.keys() → ${text}`;
    case EdgeKind.member:
      return " (member)";
    case EdgeKind.type:
      return ".__class__";
    case EdgeKind.temporary:
      return `.<${text}>`;
    default:
      return label === 0 ? ".<unnamed>" : `.<field at +${label}>`;
  }
}
