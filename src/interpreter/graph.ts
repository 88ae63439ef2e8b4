/**
 * The object graph as it is at this moment, by reading memory only: for every live object the references that it owns, each with
 * the name that Python would give it. Which references there are comes from the type's own `tp_traverse`, so nothing is missed
 * that the collector knows; their names come from the layouts: keys of dicts, places in lists and tuples, attributes in inline
 * values and slots, cells, and the variables of frames and generators. What has no name is given its offset in the object.
 *
 * A reference is counted unless a frame borrows it (`LOAD_FAST_BORROW` and its like leave a tag on the stack reference).
 * To be called at a safe point, recording off or in a hook; no Python code runs.
 */
import type { HeapReader } from "./heap-reader.js";
import type { Plan } from "./instrument.js";
import { objectLabel } from "./labels.js";
import { GC_HEAD, PRE_HEADER, TYPE, TYPE_FLAGS } from "./layout.js";
import type { Probe } from "./probe.js";

/** What a reference is; the number is written to disk, see `EDGE_KINDS` in the trace's schema. */
export const EdgeKind = {
  field: 0,
  type: 1,
  item: 2,
  value: 3,
  key: 4,
  member: 5,
  attribute: 6,
  local: 7,
  temporary: 8,
  borrowed: 9,
  root: 10,
} as const;

/** One reference: from an object (0: from the interpreter itself), to an object, what it is, and its name or number. */
export interface EdgeSink {
  edge(source: number, target: number, kind: number, label: number): void;
  /** The number of a name. */
  label(text: string): number;
}

const INLINE_VALUES = 1 << 2;
const HEAP_TYPE_CACHED_KEYS = 440;
/** What a class made by a statement owns and its traversal does not visit (type_dealloc and type_traverse, Objects/typeobject.c), by offset. */
const HEAP_TYPE_FIELDS = { 428: "__name__", 432: "__slots__", 436: "__qualname__" } as const;
const KEYS = { log2IndexBytes: 5, kind: 6, entryCount: 16, indices: 20 } as const;
const SLOT_OBJECT = new Set([6, 16]); // T_OBJECT, T_OBJECT_EX (Include/descrobject.h)
const STACK_TAG = 3;
const STACK_BORROWED = 1;

/** Fields of built-in types that are no members of theirs, by offset in bytes (32-bit layouts of CPython 3.14). */
const FIELDS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  function: {
    8: "__globals__",
    12: "__builtins__",
    16: "__name__",
    20: "__qualname__",
    24: "__code__",
    28: "__defaults__",
    32: "__kwdefaults__",
    36: "__closure__",
    40: "__doc__",
    44: "__dict__",
    52: "__module__",
    56: "__annotations__",
    60: "__annotate__",
    64: "__type_params__",
  },
  method: { 8: "__func__", 12: "__self__" },
  module: { 8: "__dict__" },
  cell: { 8: "cell_contents" },
  weakref: { 12: "__callback__" },
  traceback: { 8: "tb_next", 12: "tb_frame" },
  builtin_function_or_method: { 12: "__self__", 16: "__module__" },
  property: { 8: "fget", 12: "fset", 16: "fdel", 20: "__doc__", 24: "__name__" },
  staticmethod: { 8: "__func__", 12: "__dict__" },
  classmethod: { 8: "__func__", 12: "__dict__" },
  Task: { 68: "_coro" },
  _local: { 20: "<values by thread>" },
  code: { 12: "co_consts", 16: "co_names", 20: "co_exceptiontable" },
  mappingproxy: { 8: "<mapping>" },
  // Modules/_asynciomodule.c, FutureObj_HEAD; Modules/_functoolsmodule.c, lru_cache_object; Modules/_io/bytesio.c.
  Future: { 12: "<first callback>", 16: "<context of the first callback>", 20: "_callbacks" },
  _lru_cache_wrapper: { 36: "<cache>", 44: "<function>", 60: "<type of links>", 64: "<type of cache_info>" },
  BytesIO: { 8: "<buffer>" },
};
/** What an `io.StringIO` collects until it is read: `stringio.writer` while its `state` is accumulating, whose first word is the text (Modules/_io/stringio.c). */
const STRING_IO = { state: 24, accumulating: 2, writer: 28 } as const;
const EXCEPTION_FIELDS: Readonly<Record<number, string>> = {
  8: "__dict__",
  12: "args",
  16: "__notes__",
  20: "__traceback__",
  24: "__context__",
  28: "__cause__",
};
const TYPE_FIELDS: Readonly<Record<number, string>> = {
  [TYPE.base]: "__base__",
  [TYPE.dict]: "__dict__",
  [TYPE.bases]: "__bases__",
  [TYPE.mro]: "__mro__",
  [TYPE.cache]: "tp_cache",
  [TYPE.subclasses]: "tp_subclasses",
};

export class GraphReader {
  readonly #probe: Probe;
  readonly #heap: HeapReader;
  readonly #sink: EdgeSink;
  /** By type: names of fields by offset. */
  readonly #fields = new Map<number, ReadonlyMap<number, string>>();
  /** References named so far of the object at hand, by target, and how often. */
  readonly #named = new Map<number, number>();
  #visited: number[] = [];
  readonly #anywhere: boolean;
  /** Objects that could not be read to their end, since they were half built. */
  readonly unread: number[] = [];
  /** Frames of the functions that are running. */
  readonly #running = new Set<number>();
  /** The dictionary of interned strings. */
  #interned = 0;
  readonly #typeNames = new Map<number, string>();
  /** By address of a name: its label. */
  readonly #attributes = new Map<number, number>();
  /** By type: whether it is `io.StringIO` or derived from it. */
  readonly #stringIO = new Map<number, boolean>();
  /** By type: whether it is one of PLAIN itself. */
  readonly #plain = new Map<number, boolean>();
  /** Whether it matters what was named of the object at hand. */
  #isNoting = true;

  /** `anywhere`: the interpreter may be in the middle of a C function, so that an object may be half built. */
  constructor(probe: Probe, heap: HeapReader, sink: EdgeSink, anywhere = false) {
    this.#probe = probe;
    this.#heap = heap;
    this.#sink = sink;
    this.#anywhere = anywhere;
  }

  /** The probe's visitor while this reader traverses. */
  visit(object: number): void {
    this.#visited.push(object);
  }

  /** All references: of the interpreter, then of each object by address. */
  read(): void {
    this.#tried(0, () => this.#roots());
    const all = this.#probe.headers();
    for (let i = 0; i < all.length; i++) {
      const object = all[i]!;
      if (this.#probe.isDead(object)) continue;
      if (this.#anywhere) this.#tried(object, () => this.#object(object));
      else this.#object(object);
    }
  }

  /** The references of one object; of the running frames for 0. */
  readOne(object: number): void {
    if (object === 0) this.#tried(0, () => this.#frames());
    else this.#tried(object, () => this.#object(object));
  }

  /** Where an object may be half built, what leads out of memory or traps ends the reading of this one object. */
  #tried(object: number, read: () => void): void {
    if (!this.#anywhere) {
      read();
      return;
    }
    try {
      read();
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof WebAssembly.RuntimeError)) throw error;
      this.unread.push(object);
    }
  }

  /** A table of so many bytes must fit into the block that begins there, or into that of the object that it is in. */
  #fits(at: number, bytes: number, within?: number): void {
    if (!this.#anywhere) return;
    const { plan } = this.#probe;
    const inHeap = at >= plan.region.end;
    const room = !inHeap
      ? plan.region.start - at
      : within === undefined
        ? this.#heap.u32(at - 4) & ~7
        : blockBytes(this.#heap, plan, within);
    if (bytes > room) throw new RangeError(`${bytes} bytes at ${at} are more than its block has`);
  }

  #name(source: number, target: number, kind: number, label: number): void {
    if (target === 0) return;
    if (this.#isNoting) this.#named.set(target, (this.#named.get(target) ?? 0) + 1);
    this.#sink.edge(source, target, kind, label);
  }

  #typeName(type: number): string {
    let name = this.#typeNames.get(type);
    if (name === undefined) {
      name = this.#heap.type(type).name;
      this.#typeNames.set(type, name);
    }
    return name;
  }

  #roots(): void {
    const heap = this.#heap;
    const { offsets, runtime, currentThread } = this.#probe.plan.layout;
    const interpreter = heap.u32(runtime + offsets.runtime.interpretersHead);
    const { modules, sysdict, builtins } = offsets.interpreter;
    for (const [at, text] of [
      [modules, "sys.modules"],
      [sysdict, "sys.__dict__"],
      [builtins, "builtins.__dict__"],
    ] as const) {
      const target = heap.u32(interpreter + at);
      if (target !== 0) this.#sink.edge(0, target, EdgeKind.root, this.#sink.label(text));
    }
    this.#stateRoots(interpreter, offsets.interpreter.size, STATE_ROOT, new Set([modules, sysdict, builtins]));
    const thread = heap.u32(currentThread);
    if (thread !== 0) this.#stateRoots(thread, offsets.thread.size, THREAD_ROOT, new Set());
    this.#frames();
  }

  /** The frames of the running functions, the innermost first. */
  #frames(): void {
    const heap = this.#heap;
    const { offsets, currentThread } = this.#probe.plan.layout;
    const thread = heap.u32(currentThread);
    let frame = thread && heap.u32(thread + offsets.thread.currentFrame);
    this.#running.clear();
    for (; frame !== 0; frame = heap.u32(frame + offsets.frame.previous)) {
      this.#running.add(frame);
      this.#frame(0, frame);
    }
  }

  /** Whether a generator has a frame still; what stands there later is left over (`FRAME_CLEARED`, pycore_frame.h). */
  #hasFrame(generator: number): boolean {
    const state = this.#heap.u8(generator + this.#probe.plan.layout.offsets.generator.frameState);
    return (state << 24) >> 24 < FRAME_CLEARED;
  }

  /** Whether a frame lives in its frame object, as it does once its function has returned (`FRAME_OWNED_BY_FRAME_OBJECT`). */
  #ownsItsFrame(frame: number): boolean {
    return frame !== 0 && this.#heap.u8(frame + this.#probe.plan.layout.offsets.frame.owner) === FRAME_OWNED_BY_OBJECT;
  }

  /**
   * What the interpreter's own state, or its thread's, holds besides: dictionaries of built-in types, caches, singletons. Its layout is private, so
   * each word of it that is the address of a live object counts as a reference; the reader takes as many as a count has room for.
   * The dictionary of interned strings is one of them: it does not count its references to mortal strings (PyUnicode_InternInPlace).
   */
  #stateRoots(state: number, size: number, name: string, known: ReadonlySet<number>): void {
    const heap = this.#heap;
    for (let at = 0; at + 4 <= size; at += 4) {
      const target = heap.u32(state + at);
      if (target === 0 || !this.#probe.isLive(target) || known.has(at)) continue;
      this.#sink.edge(0, target, EdgeKind.root, this.#sink.label(name));
      if (heap.flagsOf(heap.typeOf(target)) & TYPE_FLAGS.dict && this.#mapsToItself(target)) this.#interned = target;
    }
  }

  /** Whether the first keys of a dict are their own values. */
  #mapsToItself(dict: number): boolean {
    const { dict: d } = this.#probe.plan.layout.offsets;
    if (this.#heap.u32(dict + d.values) !== 0) return false;
    let same = 0;
    let other = 0;
    this.#entries(this.#heap.u32(dict + d.keys), (_i, key, value) => {
      if (value === key) same++;
      else if (value !== 0) other++;
    });
    return same > 0 && other === 0;
  }

  /** Variables and evaluation stack of a frame, as references of `source`. */
  #frame(source: number, frame: number, prefix = ""): void {
    const heap = this.#heap;
    const { frame: f, code: c, tuple } = this.#probe.plan.layout.offsets;
    const executable = heap.u32(frame + f.executable);
    const code = (executable & ~STACK_TAG) >>> 0;
    if (code === 0 || heap.typeOf(code) !== this.#probe.plan.layout.codeType) return;
    const where = heap.text(heap.u32(code + c.qualname)) ?? "?";
    const names = heap.u32(code + c.localsplusnames);
    const locals = heap.u32(names + tuple.length);
    const start = frame + f.localsplus;
    // The frame of a generator that is running has been named as a root: its references are counted once.
    const twice = source !== 0 && this.#running.has(frame);
    const reference = (word: number, kind: number, text: string): void => {
      if ((word & STACK_TAG) === STACK_TAG) return; // a tagged integer
      const target = (word & ~STACK_TAG) >>> 0;
      const borrowed = (word & STACK_BORROWED) !== 0 || twice;
      this.#name(source, target, borrowed ? EdgeKind.borrowed : kind, this.#sink.label(text));
    };
    reference(executable, EdgeKind.temporary, `code of ${where}()`);
    reference(heap.u32(frame + FRAME.function), EdgeKind.temporary, `function of ${where}()`);
    // Words without a tag. A frame's own frame object names it no more: that would be a circle.
    const namespace = heap.u32(frame + FRAME.locals);
    if (this.#probe.isLive(namespace)) reference(namespace, EdgeKind.temporary, `f_locals of ${where}()`);
    const frameObject = heap.u32(frame + FRAME.frameObject);
    if (frameObject !== source && this.#probe.isLive(frameObject))
      reference(frameObject, EdgeKind.temporary, `frame of ${where}()`);
    const top = heap.u32(frame + f.stackpointer);
    if (top < start || top - start >= 2 ** 20) return;
    // A frame that is being cleared gives up its variables from the last one down; what is above its stack pointer is gone.
    for (let i = 0; i < locals && start + 4 * i < top; i++) {
      const name = heap.text(heap.u32(names + tuple.items + 4 * i)) ?? "?";
      reference(
        heap.u32(start + 4 * i),
        EdgeKind.local,
        source === 0 ? `${name} in ${where}()` : `${prefix}f_locals['${name}']`,
      );
    }
    for (let at = start + 4 * locals; at < top; at += 4)
      reference(heap.u32(at), EdgeKind.temporary, `stack of ${where}()`);
  }

  #object(object: number): void {
    const heap = this.#heap;
    const { layout } = this.#probe.plan;
    const type = heap.typeOf(object);
    const flags = heap.flagsOf(type);
    this.#isNoting = !this.#isPlain(type, flags);
    if (this.#named.size > 0) this.#named.clear();
    if (flags & TYPE_FLAGS.dict) this.#dict(object);
    else if (flags & TYPE_FLAGS.list)
      this.#items(object, heap.u32(object + layout.offsets.list.items), layout.offsets.list.length);
    else if (flags & TYPE_FLAGS.tuple)
      this.#items(object, object + layout.offsets.tuple.items, layout.offsets.tuple.length, true);
    if (!this.#isNoting) return;
    if (flags & INLINE_VALUES) this.#inlineValues(object, type);
    const fields = this.#fieldsOf(type, flags);
    // A cache names the types of its links as its own references (lru_cache_tp_traverse, Modules/_functoolsmodule.c).
    const linked = (flags & TYPE_FLAGS.gc) === 0 && this.#typeName(type) === "_lru_list_elem";
    if (flags & TYPE_FLAGS.heapType) this.#name(object, type, linked ? EdgeKind.borrowed : EdgeKind.type, 0);
    if (flags & TYPE_FLAGS.type && heap.flagsOf(object) & TYPE_FLAGS.heapType) this.#unvisited(object);
    if (flags & TYPE_FLAGS.heapType && flags & TYPE_FLAGS.gc && this.#isStringIO(type)) this.#collectedText(object);
    if (flags & TYPE_FLAGS.type && (heap.flagsOf(object) & TYPE_FLAGS.heapType) === 0)
      this.#byFields(object, TYPE_FIELDS);
    else if (type === layout.codeType) this.#code(object);
    else if (type === layout.rangeType)
      ["start", "stop", "step", "length"].forEach((name, i) => {
        this.#name(object, heap.u32(object + 8 + 4 * i), EdgeKind.attribute, this.#sink.label(name));
      });
    else if (flags & TYPE_FLAGS.gc) this.#traverse(object, type, flags, fields);
  }

  #isPlain(type: number, flags: number): boolean {
    let plain = this.#plain.get(type);
    if (plain === undefined) {
      plain = (flags & TYPE_FLAGS.heapType) === 0 && PLAIN.has(this.#typeName(type));
      this.#plain.set(type, plain);
    }
    return plain;
  }

  #byFields(object: number, fields: Readonly<Record<number, string>>): void {
    for (const [at, name] of Object.entries(fields)) {
      const target = this.#heap.u32(object + Number(at));
      // tp_subclasses of a static type is an index, no pointer.
      if (this.#probe.isLive(target)) this.#name(object, target, EdgeKind.attribute, this.#sink.label(name));
    }
  }

  #code(object: number): void {
    const { code } = this.#probe.plan.layout.offsets;
    const fields: Record<number, string> = {
      ...FIELDS["code"],
      [code.filename]: "co_filename",
      [code.name]: "co_name",
      [code.qualname]: "co_qualname",
      [code.linetable]: "co_linetable",
      [code.localsplusnames]: "co_localsplusnames",
      [code.localspluskinds]: "co_localspluskinds",
    };
    for (const [at, name] of Object.entries(fields))
      this.#name(object, this.#heap.u32(object + Number(at)), EdgeKind.attribute, this.#sink.label(name));
  }

  #items(object: number, items: number, length: number, inside = false): void {
    const n = this.#heap.u32(object + length);
    if (n > 0) this.#fits(items, 4 * n, inside ? object : undefined);
    for (let i = 0; i < n; i++) this.#name(object, this.#heap.u32(items + 4 * i), EdgeKind.item, i);
  }

  #dict(dict: number): void {
    const heap = this.#heap;
    const { dict: d } = this.#probe.plan.layout.offsets;
    const keys = heap.u32(dict + d.keys);
    const values = heap.u32(dict + d.values);
    const embedded = values !== 0 && heap.u8(values + 2) !== 0;
    if (embedded) return; // they are the instance's
    this.#entries(keys, (i, key, value) => {
      const held = values === 0 ? value : heap.u32(values + 4 + 4 * i);
      if (held === 0) return;
      const text = this.#sink.label(objectLabel(heap, key));
      const counted = dict !== this.#interned;
      this.#name(dict, held, counted ? EdgeKind.value : EdgeKind.borrowed, text);
      if (values === 0) this.#name(dict, key, counted ? EdgeKind.key : EdgeKind.borrowed, text);
    });
  }

  /** Entries of a table of keys (pycore_dict.h): behind the indices, with the hash before them where keys are not all strings. */
  #entries(keys: number, entry: (i: number, key: number, value: number) => void): void {
    const heap = this.#heap;
    const general = heap.u8(keys + KEYS.kind) === 0;
    const first = keys + KEYS.indices + 2 ** heap.u8(keys + KEYS.log2IndexBytes);
    const count = heap.u32(keys + KEYS.entryCount);
    this.#fits(keys, first - keys + count * (general ? 12 : 8));
    for (let i = 0; i < count; i++) {
      const at = general ? first + 12 * i + 4 : first + 8 * i;
      const key = heap.u32(at);
      if (key !== 0) entry(i, key, heap.u32(at + 4));
    }
  }

  /** Attributes that an instance keeps in itself (`_dictvalues`: capacity, size, embedded, valid, then the values). */
  #inlineValues(object: number, type: number): void {
    const heap = this.#heap;
    const values = object + heap.u32(type + TYPE.basicsize);
    if (heap.u8(values + 3) === 0) return;
    const keys = heap.u32(type + HEAP_TYPE_CACHED_KEYS);
    if (keys === 0) return;
    this.#entries(keys, (i, key) => {
      const value = heap.u32(values + 4 + 4 * i);
      if (value !== 0) this.#name(object, value, EdgeKind.attribute, this.#attributeLabel(key));
    });
  }

  /** The number of an attribute's name; the same string names those of all instances. */
  #attributeLabel(key: number): number {
    let label = this.#attributes.get(key);
    if (label === undefined) {
      label = this.#sink.label(this.#heap.text(key) ?? "?");
      this.#attributes.set(key, label);
    }
    return label;
  }

  /** Whether a type is `io.StringIO` or one derived from it. */
  #isStringIO(type: number): boolean {
    let is = this.#stringIO.get(type);
    if (is === undefined) {
      is = false;
      for (let t = type; t !== 0 && !is; t = this.#heap.u32(t + TYPE.base)) is = this.#typeName(t) === "StringIO";
      this.#stringIO.set(type, is);
    }
    return is;
  }

  /** The text that an `io.StringIO` collects, which its traversal does not visit. */
  #collectedText(object: number): void {
    const heap = this.#heap;
    if (heap.u32(object + STRING_IO.state) !== STRING_IO.accumulating) return;
    const writer = heap.u32(object + STRING_IO.writer);
    const text = writer && heap.u32(writer);
    if (text !== 0 && this.#probe.isLive(text))
      this.#sink.edge(object, text, EdgeKind.attribute, this.#sink.label("<buffer>"));
  }

  /** What a class owns and its traversal does not visit: names, and the keys that it keeps for the dictionaries of its instances. */
  #unvisited(type: number): void {
    for (const [at, name] of Object.entries(HEAP_TYPE_FIELDS)) {
      const target = this.#heap.u32(type + Number(at));
      if (target !== 0) this.#sink.edge(type, target, EdgeKind.attribute, this.#sink.label(name));
    }
    const keys = this.#heap.u32(type + HEAP_TYPE_CACHED_KEYS);
    if (keys === 0) return;
    const label = this.#sink.label("<names of instance attributes>");
    this.#entries(keys, (_i, key) => this.#sink.edge(type, key, EdgeKind.attribute, label));
  }

  /** Names of an object's fields by offset: slots and members of its type and the bases, and what this file knows. */
  #fieldsOf(type: number, flags: number): ReadonlyMap<number, string> {
    const known = this.#fields.get(type);
    if (known) return known;
    const heap = this.#heap;
    const found = new Map<number, string>();
    if (flags & TYPE_FLAGS.exception)
      for (const [at, name] of Object.entries(EXCEPTION_FIELDS)) found.set(Number(at), name);
    if (flags & TYPE_FLAGS.type) for (const [at, name] of Object.entries(TYPE_FIELDS)) found.set(Number(at), name);
    for (let t = type; t !== 0; t = heap.u32(t + TYPE.base)) {
      const members = heap.u32(t + MEMBERS);
      // PyMemberDef: name, type, offset, flags, doc
      for (let at = members; at !== 0 && heap.u32(at) !== 0; at += 20) {
        const offset = heap.u32(at + 8);
        if (SLOT_OBJECT.has(heap.u32(at + 4)) && !found.has(offset)) found.set(offset, heap.cString(heap.u32(at)));
      }
      const fixed = FIELDS[this.#typeName(t)];
      for (const [at, name] of Object.entries(fixed ?? {})) if (!found.has(Number(at))) found.set(Number(at), name);
    }
    this.#fields.set(type, found);
    return found;
  }

  #traverse(object: number, type: number, flags: number, fields: ReadonlyMap<number, string>): void {
    const heap = this.#heap;
    const traverse = heap.u32(type + TYPE.traverse);
    if (traverse === 0) return;
    this.#visited = [];
    this.#probe.traverse(traverse, object);
    if (this.#visited.length === 0) return;
    const typeName = this.#typeName(type);
    const prefix = FRAME_OWNERS[typeName];
    if (prefix !== undefined && this.#hasFrame(object))
      this.#frame(object, object + this.#probe.plan.layout.offsets.generator.frame, prefix);
    else if (typeName === "frame" && this.#ownsItsFrame(heap.u32(object + FRAME_OBJECT_FRAME)))
      this.#frame(object, heap.u32(object + FRAME_OBJECT_FRAME));
    const size = Math.min(heap.u32(type + TYPE.basicsize), 4096);
    const isSet = SETS.has(typeName);
    const dict = (flags & TYPE_FLAGS.managedDict) !== 0 ? heap.u32(object - 12) : 0;
    let taken: Set<number> | undefined;
    let items = 0;
    for (const target of this.#visited) {
      const already = this.#named.get(target) ?? 0;
      if (already > 0) {
        this.#named.set(target, already - 1);
        continue;
      }
      let at = 8;
      while (at < size && (heap.u32(object + at) !== target || taken?.has(at) === true)) at += 4;
      taken ??= new Set();
      taken.add(at);
      const name = at < size ? fields.get(at) : undefined;
      if (target === dict) this.#sink.edge(object, target, EdgeKind.attribute, this.#sink.label("__dict__"));
      else if (name !== undefined) this.#sink.edge(object, target, EdgeKind.attribute, this.#sink.label(name));
      else if (isSet) this.#sink.edge(object, target, EdgeKind.member, 0);
      else if (typeName === "deque") this.#sink.edge(object, target, EdgeKind.item, items++);
      else this.#sink.edge(object, target, EdgeKind.field, at < size ? at : 0);
    }
  }
}

/** Names of the roots that are somewhere in `PyInterpreterState` and in `PyThreadState`. */
export const STATE_ROOT = "interpreter state";
export const THREAD_ROOT = "thread state";
/** Offset of `tp_members`. */
const MEMBERS = 120;
/** How Python reaches the frame of a suspended function. */
const FRAME_OWNERS: Readonly<Record<string, string>> = {
  generator: "gi_frame.",
  coroutine: "cr_frame.",
  async_generator: "ag_frame.",
};
/** `_PyInterpreterFrame` (pycore_interpframe_structs.h, 32-bit) where the table of offsets has none: f_funcobj, f_locals, frame_obj. */
const FRAME = { function: 8, locals: 20, frameObject: 24 } as const;
/** Offset of `PyFrameObject.f_frame`. */
const FRAME_OBJECT_FRAME = 12;
/** `_PyInterpreterFrame.owner` (pycore_interpframe_structs.h). */
const FRAME_OWNED_BY_OBJECT = 2;
/** `PyGenObject.gi_frame_state`, signed: from here on the frame is gone. */
const FRAME_CLEARED = 4;
const SETS = new Set(["set", "frozenset"]);
/** Built-in types of which every reference has a name before anything is traversed. */
const PLAIN = new Set(["list", "tuple", "dict"]);

/** Bytes of the block that an object stands in; 0 in static memory. As the hooks compute it. */
export function blockBytes(heap: HeapReader, plan: Plan, object: number): number {
  if (object < plan.region.end) return 0;
  const flags = heap.flagsOf(heap.typeOf(object));
  const before =
    (flags & TYPE_FLAGS.gc ? GC_HEAD : 0) +
    (flags & (TYPE_FLAGS.managedDict | TYPE_FLAGS.managedWeakref) ? PRE_HEADER : 0);
  return heap.u32(object - before - 4) & ~7;
}
