/**
 * Reading Python objects out of the interpreter's memory, by the offsets that it gives itself, without running any of its code:
 * strings, dictionaries by name, what a type and a code object say of themselves. Safe at any moment at which the object asked
 * for is complete; a pointer that leads out of memory is an error of the caller's, not checked for each step.
 */
import { assert } from "../base/failure.js";
import { type Layout, TYPE, TYPE_FLAGS } from "./layout.js";

/** A type as the trace describes it. */
export interface TypeFacts {
  readonly address: number;
  /** Name without the module; nested classes as Python's `__qualname__`. */
  readonly name: string;
  readonly module: string | null;
  /** Bytes of an instance without items, and of an item. */
  readonly basicsize: number;
  readonly itemsize: number;
  readonly flags: number;
}

/** One run of instructions of a code object: [start, stop) in bytes, and the line, or null where it has none. */
export interface LineRange {
  readonly start: number;
  readonly stop: number;
  readonly line: number | null;
}

export interface CodeFacts {
  readonly address: number;
  readonly name: string;
  readonly qualname: string;
  readonly file: string;
  readonly firstLine: number;
  /** Address of the first instruction. */
  readonly start: number;
  /** The instructions as they are now: two bytes each, specialised perhaps, caches among them. */
  readonly instructions: Uint8Array;
  readonly lines: readonly LineRange[];
}

/** Fields of `PyHeapTypeObject` behind `PyTypeObject` (Include/cpython/object.h, 32-bit). */
const HEAP_TYPE_QUALNAME = 436;
/** `PyVarObject.ob_size`. */
const OB_SIZE = 8;
/** Longest name that is kept, in characters: names come from the program. */
const LONGEST_NAME = 10_000;

/** `_dictkeysobject` (Include/internal/pycore_dict.h, 32-bit). */
const KEYS = { log2IndexBytes: 5, kind: 6, entryCount: 16, indices: 20, general: 0 } as const;

export class HeapReader {
  readonly #layout: Layout;
  readonly #memory: WebAssembly.Memory;
  #view: DataView;
  #bytes: Uint8Array;
  #words: Uint32Array;
  #buffer: Buffer;

  constructor(memory: WebAssembly.Memory, layout: Layout) {
    this.#memory = memory;
    this.#layout = layout;
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#buffer = Buffer.from(memory.buffer);
  }

  get view(): DataView {
    if (this.#view.buffer !== this.#memory.buffer) {
      this.#view = new DataView(this.#memory.buffer);
      this.#bytes = new Uint8Array(this.#memory.buffer);
      this.#words = new Uint32Array(this.#memory.buffer);
      this.#buffer = Buffer.from(this.#memory.buffer);
    }
    return this.#view;
  }

  get bytes(): Uint8Array {
    void this.view;
    return this.#bytes;
  }

  /** Reading is what graphs are made of: a view that memory has outgrown gives undefined, and only then it is asked for anew. */
  u32(at: number): number {
    return ((at & 3) === 0 ? this.#words[at >>> 2] : undefined) ?? this.view.getUint32(at, true);
  }

  u8(at: number): number {
    return this.#bytes[at] ?? this.view.getUint8(at);
  }

  typeOf(object: number): number {
    return this.u32(object + this.#layout.offsets.object.type);
  }

  flagsOf(type: number): number {
    return this.u32(type + TYPE.flags);
  }

  /** A string that ends with a zero byte. */
  cString(at: number): string {
    const end = this.bytes.indexOf(0, at);
    assert(end >= at, "a C string ends");
    return new TextDecoder().decode(this.bytes.subarray(at, Math.min(end, at + LONGEST_NAME)));
  }

  /** A `str`'s text, cut at 10,000 characters; undefined for any other object. */
  text(object: number): string | undefined {
    if (object === 0 || (this.flagsOf(this.typeOf(object)) & TYPE_FLAGS.unicode) === 0) return undefined;
    const { unicode } = this.#layout.offsets;
    const length = Math.min(this.u32(object + unicode.length), LONGEST_NAME);
    const state = unicodeState(this.u32(object + unicode.state));
    if (!state.compact) return undefined;
    // PyCompactUnicodeObject has the UTF-8 length and pointer between the header and the characters.
    const start = object + unicode.asciiSize + (state.ascii ? 0 : 8);
    const { view } = this;
    if (state.kind === 1) return this.#buffer.toString("latin1", start, start + length);
    const characters: string[] = [];
    for (let i = 0; i < length; i += 4096) {
      const points: number[] = [];
      for (let k = i; k < Math.min(length, i + 4096); k++) {
        if (state.kind === 2) points.push(view.getUint16(start + 2 * k, true));
        else points.push(view.getUint32(start + 4 * k, true));
      }
      characters.push(String.fromCodePoint(...points));
    }
    return characters.join("");
  }

  /** The value under a string key in a dict's own key table; 0 where there is none. Split tables (of instances) are not read. */
  dictItem(dict: number, key: string): number {
    const { dict: d } = this.#layout.offsets;
    const keys = this.u32(dict + d.keys);
    if (this.u32(dict + d.values) !== 0) return 0;
    const general = this.u8(keys + KEYS.kind) === KEYS.general;
    const width = general ? 12 : 8;
    const entries = keys + KEYS.indices + 2 ** this.u8(keys + KEYS.log2IndexBytes) + (general ? 4 : 0);
    const count = this.u32(keys + KEYS.entryCount);
    for (let i = 0; i < count; i++) {
      const at = entries + i * width;
      const value = this.u32(at + 4);
      if (value !== 0 && this.text(this.u32(at)) === key) return value;
    }
    return 0;
  }

  /** Addresses of the first keys and values of a dict with a key table of its own. */
  dictItems(dict: number, most: number): [number, number][] {
    const { dict: d } = this.#layout.offsets;
    const keys = this.u32(dict + d.keys);
    if (this.u32(dict + d.values) !== 0) return [];
    const general = this.u8(keys + KEYS.kind) === KEYS.general;
    const width = general ? 12 : 8;
    const entries = keys + KEYS.indices + 2 ** this.u8(keys + KEYS.log2IndexBytes) + (general ? 4 : 0);
    const count = this.u32(keys + KEYS.entryCount);
    const items: [number, number][] = [];
    for (let i = 0; i < count && items.length < most; i++) {
      const key = this.u32(entries + i * width);
      const value = this.u32(entries + i * width + 4);
      if (key !== 0 && value !== 0) items.push([key, value]);
    }
    return items;
  }

  /** The value of an `int` of at most 4 digits of 30 bits; undefined for larger ones. `lv_tag`: digits << 3 | sign (0 +, 1 zero, 2 −). */
  longValue(object: number): bigint | undefined {
    const { long } = this.#layout.offsets;
    const tag = this.u32(object + long.tag);
    const digits = tag >>> 3;
    if (digits > 4) return undefined;
    let value = 0n;
    for (let i = digits - 1; i >= 0; i--) value = (value << 30n) | BigInt(this.u32(object + long.digits + 4 * i));
    return (tag & 3) === 2 ? -value : (tag & 3) === 1 ? 0n : value;
  }

  /** Addresses of a tuple's first items. */
  tupleItems(object: number, most: number): number[] {
    const { tuple } = this.#layout.offsets;
    const n = Math.min(this.u32(object + tuple.length), most);
    return Array.from({ length: n }, (_, i) => this.u32(object + tuple.items + 4 * i));
  }

  type(address: number): TypeFacts {
    const flags = this.flagsOf(address);
    const full = this.cString(this.u32(address + this.#layout.offsets.type.name));
    let name: string;
    let module: string | null;
    if (flags & TYPE_FLAGS.heapType) {
      name = this.text(this.u32(address + HEAP_TYPE_QUALNAME)) ?? full;
      const dict = this.u32(address + TYPE.dict);
      module = (dict !== 0 ? this.text(this.dictItem(dict, "__module__")) : undefined) ?? null;
      if (module !== null && name.startsWith(`${module}.`)) name = name.slice(module.length + 1);
    } else {
      const dot = full.lastIndexOf(".");
      name = full.slice(dot + 1);
      module = dot < 0 ? "builtins" : full.slice(0, dot);
    }
    return {
      address,
      name,
      module,
      basicsize: this.u32(address + TYPE.basicsize),
      itemsize: this.u32(address + TYPE.itemsize),
      flags,
    };
  }

  /** Where a code object's instructions are. */
  codeRange(address: number): { start: number; bytes: number } {
    return { start: address + this.#layout.offsets.code.adaptive, bytes: 2 * this.u32(address + OB_SIZE) };
  }

  code(address: number): CodeFacts {
    const { code, bytes: b } = this.#layout.offsets;
    const { start, bytes } = this.codeRange(address);
    const firstLine = this.view.getInt32(address + code.firstlineno, true);
    const table = this.u32(address + code.linetable);
    const tableBytes = this.bytes.subarray(table + b.value, table + b.value + this.u32(table + b.length));
    return {
      address,
      name: this.text(this.u32(address + code.name)) ?? "?",
      qualname: this.text(this.u32(address + code.qualname)) ?? "?",
      file: this.text(this.u32(address + code.filename)) ?? "?",
      firstLine,
      start,
      instructions: this.bytes.slice(start, start + bytes),
      lines: decodeLines(tableBytes, firstLine),
    };
  }

  /** Whether the object is a code object: its type is the one that `PyCode_Type` is. */
  isCode(object: number, codeType: number): boolean {
    return this.typeOf(object) === codeType;
  }
}

/** Bits of `PyASCIIObject.state` (Include/cpython/unicodeobject.h): interned 2, kind 3, compact 1, ascii 1, static 1; the rest is not set. */
function unicodeState(word: number): { kind: number; compact: boolean; ascii: boolean } {
  return { kind: (word >>> 2) & 7, compact: ((word >>> 5) & 1) === 1, ascii: ((word >>> 6) & 1) === 1 };
}

/**
 * The location table of a code object (PEP 657, Objects/locations.md): entries of 1 + n bytes. The first byte is
 * `1 | kind:4 | length-1:3`, the length in instructions; the kinds differ in how the line follows from the one before.
 */
export function decodeLines(table: Uint8Array, firstLine: number): LineRange[] {
  const ranges: { start: number; stop: number; line: number | null }[] = [];
  let at = 0;
  let line = firstLine;
  let offset = 0;
  const varint = (): number => {
    let value = 0;
    let shift = 0;
    for (;;) {
      const byte = table[at++];
      value |= (byte & 63) << shift;
      if ((byte & 64) === 0) return value;
      shift += 6;
    }
  };
  const signed = (): number => {
    const value = varint();
    return value & 1 ? -(value >>> 1) : value >>> 1;
  };
  while (at < table.length) {
    const head = table[at++];
    const kind = (head >> 3) & 15;
    const stop = offset + 2 * ((head & 7) + 1);
    let here: number | null = null;
    if (kind < 15) {
      if (kind < 10) at += 1;
      else if (kind < 13) {
        line += kind - 10;
        at += 2;
      } else {
        line += signed();
        if (kind === 14) for (let n = 0; n < 3; n++) varint();
      }
      here = line;
    }
    const last = ranges.at(-1);
    if (last && last.line === here) last.stop = stop;
    else ranges.push({ start: offset, stop, line: here });
    offset = stop;
  }
  return ranges;
}
