/**
 * A WebAssembly module taken apart far enough to append to it and to rewrite its code, and put together again.
 *
 *     magic version | section* ;  section = id:byte size:u32 payload
 *                                              1 type   2 import   3 function   4 table   5 memory   6 global
 *                                              7 export 8 start    9 element   10 code   11 data ... 0 custom
 *
 * Only what is asked for is decoded; sections that are not touched are copied byte for byte, and so are the instructions between
 * two replaced ones. Appended types, functions, globals and exports come last in their index spaces, so no existing index
 * changes and nothing that refers to one needs rewriting. This room knows nothing of Python.
 */
import { ByteWriter } from "../base/bytes.js";
import { assert } from "../base/failure.js";
import {
  ExternalKind,
  type FunctionIndex,
  functionIndex,
  type GlobalIndex,
  globalIndex,
  type TypeIndex,
  typeIndex,
  type ValueType,
} from "./indices.js";
import { Cursor, MalformedModule } from "./reader.js";

export interface Export {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
}

/** An active data segment at a constant address; `bytes` is a view into the module. */
export interface DataSegment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** Where a function's body stands in the module: from its local declarations to behind its final `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

const SectionId = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
  data: 11,
  tag: 13,
};
const MAGIC = 0x6d736100;

export class WasmModule {
  readonly bytes: Uint8Array;
  readonly #sections: { id: number; start: number; end: number }[] = [];
  readonly #types: Uint8Array[] = [];
  readonly #importedFunctions: TypeIndex[] = [];
  #importedGlobals = 0;
  readonly #functionTypes: TypeIndex[] = [];
  #definedGlobals = 0;
  readonly exports: readonly Export[];
  readonly #bodies: Span[] = [];
  readonly #displaced = new Map<FunctionIndex, FunctionIndex>();
  readonly #newBodies = new Map<number, Uint8Array>();
  readonly #addedTypes: Uint8Array[] = [];
  readonly #addedFunctions: { type: TypeIndex; body: Uint8Array }[] = [];
  readonly #addedGlobals: Uint8Array[] = [];
  readonly #addedExports: Export[] = [];

  /** @throws MalformedModule */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 8 || view.getUint32(0, true) !== MAGIC) throw new MalformedModule("no magic number", 0);
    if (view.getUint32(4, true) !== 1) throw new MalformedModule("unknown version", 4);
    const c = new Cursor(bytes, 8);
    while (!c.done) {
      const id = c.byte();
      const size = c.u32();
      const start = c.at;
      c.skip(size);
      this.#sections.push({ id, start, end: start + size });
    }
    this.#readTypes();
    this.#readImports();
    this.#readFunctions();
    this.#definedGlobals = this.#in(SectionId.global)?.u32() ?? 0;
    this.exports = this.#readExports();
    this.#readBodies();
  }

  #in(id: number): Cursor | undefined {
    const section = this.#sections.find((s) => s.id === id);
    return section && new Cursor(this.bytes, section.start, section.end);
  }

  #readTypes(): void {
    const c = this.#in(SectionId.type);
    for (let n = c?.count() ?? 0; c && n > 0; n--) {
      const start = c.at;
      if (c.byte() !== 0x60) c.fail("a type that is not a function type");
      for (let half = 0; half < 2; half++) c.skip(c.count());
      this.#types.push(this.bytes.subarray(start, c.at));
    }
  }

  #readImports(): void {
    const c = this.#in(SectionId.import);
    for (let n = c?.count() ?? 0; c && n > 0; n--) {
      c.name();
      c.name();
      const kind = c.byte();
      if (kind === ExternalKind.function) this.#importedFunctions.push(typeIndex(c.u32()));
      else if (kind === ExternalKind.table) {
        c.byte();
        skipLimits(c);
      } else if (kind === ExternalKind.memory) skipLimits(c);
      else if (kind === ExternalKind.global) {
        c.skip(2);
        this.#importedGlobals++;
      } else if (kind === ExternalKind.tag) {
        c.byte();
        c.u32();
      } else c.fail(`unknown import kind ${kind}`);
    }
  }

  #readFunctions(): void {
    const c = this.#in(SectionId.function);
    for (let n = c?.count() ?? 0; c && n > 0; n--) {
      const type = c.u32();
      if (type >= this.#types.length) c.fail(`function of unknown type ${type}`);
      this.#functionTypes.push(typeIndex(type));
    }
  }

  #readExports(): Export[] {
    const found: Export[] = [];
    const c = this.#in(SectionId.export);
    for (let n = c?.count() ?? 0; c && n > 0; n--) {
      const name = c.name();
      const kind = c.byte();
      if (kind > ExternalKind.tag) c.fail(`unknown export kind ${kind}`);
      found.push({ name, kind: kind as ExternalKind, index: c.u32() });
    }
    return found;
  }

  #readBodies(): void {
    const c = this.#in(SectionId.code);
    const n = c?.count() ?? 0;
    if (n !== this.#functionTypes.length)
      throw new MalformedModule(`${this.#functionTypes.length} functions declared and ${n} bodies`, c?.at ?? 0);
    for (let i = 0; c && i < n; i++) {
      const size = c.u32();
      const start = c.at;
      c.skip(size);
      if (size === 0 || this.bytes[c.at - 1] !== 0x0b) c.fail("a function body without its end");
      this.#bodies.push({ start, end: c.at });
    }
  }

  get importedFunctionCount(): number {
    return this.#importedFunctions.length;
  }

  /** Functions of the module as it was read, imported ones included. */
  get functionCount(): number {
    return this.#importedFunctions.length + this.#functionTypes.length;
  }

  typeOf(f: FunctionIndex): TypeIndex {
    const imported = this.#importedFunctions.length;
    if (f < imported) return this.#importedFunctions[f];
    const type =
      this.#functionTypes[f - imported] ?? this.#addedFunctions[f - imported - this.#functionTypes.length]?.type;
    assert(type !== undefined, `no function ${f}`);
    return type;
  }

  /** A cursor over the instructions of a function as it was read, its local declarations skipped. */
  code(f: FunctionIndex): Cursor {
    const body = this.#bodies[f - this.importedFunctionCount];
    assert(body !== undefined, `function ${f} has no body here`);
    const c = new Cursor(this.bytes, body.start, body.end);
    for (let n = c.count(); n > 0; n--) {
      c.u32();
      c.byte();
    }
    return c;
  }

  /** The bytes of a body as it was read, local declarations included. */
  body(f: FunctionIndex): Uint8Array {
    const body = this.#bodies[f - this.importedFunctionCount];
    assert(body !== undefined, `function ${f} has no body here`);
    return this.bytes.subarray(body.start, body.end);
  }

  exportedFunction(name: string): FunctionIndex | undefined {
    const found = this.exports.find((e) => e.kind === ExternalKind.function && e.name === name);
    return found && functionIndex(found.index);
  }

  /** The initial value of an exported global that is an `i32.const`: for data symbols, their address. */
  exportedConstant(name: string): number | undefined {
    const found = this.exports.find((e) => e.kind === ExternalKind.global && e.name === name);
    const c = this.#in(SectionId.global);
    if (!found || !c) return undefined;
    c.count();
    for (let i = this.#importedGlobals; ; i++) {
      c.skip(2);
      const constant = constantExpression(c);
      if (i === found.index) return constant;
    }
  }

  /** Smallest size of the first defined table, in elements. */
  tableSize(): number {
    const c = this.#in(SectionId.table);
    if (!c || c.count() === 0) return 0;
    c.byte();
    c.byte();
    return c.u32();
  }

  /** Limits of the first defined memory, in pages of 64 KiB. */
  memoryLimits(): { minimum: number; maximum: number | undefined } | undefined {
    const c = this.#in(SectionId.memory);
    if (!c || c.count() === 0) return undefined;
    const flags = c.byte();
    const minimum = c.u32();
    return { minimum, maximum: flags & 1 ? c.u32() : undefined };
  }

  dataSegments(): DataSegment[] {
    const found: DataSegment[] = [];
    const c = this.#in(SectionId.data);
    for (let n = c?.count() ?? 0; c && n > 0; n--) {
      const flags = c.u32();
      if (flags > 2) c.fail(`unknown data segment kind ${flags}`);
      if (flags === 2) c.u32();
      const address = flags === 1 ? undefined : constantExpression(c);
      const size = c.u32();
      const start = c.at;
      c.skip(size);
      if (address !== undefined) found.push({ address: address >>> 0, bytes: this.bytes.subarray(start, c.at) });
    }
    return found;
  }

  /** Functions by their place in the first table, from active segments at constant offsets; what nothing fills is absent. */
  tableFunctions(): Map<number, FunctionIndex> {
    const found = new Map<number, FunctionIndex>();
    const c = this.#in(SectionId.element);
    for (let n = c?.count() ?? 0; c && n > 0; n--) {
      if (c.u32() !== 0) c.fail("an element segment of a kind not expected here");
      const first = constantExpression(c);
      const size = c.count();
      for (let i = 0; i < size; i++) {
        const f = functionIndex(c.u32());
        if (first !== undefined) found.set(first + i, f);
      }
    }
    return found;
  }

  addType(parameters: readonly ValueType[], results: readonly ValueType[]): TypeIndex {
    const out = new ByteWriter();
    out.byte(0x60);
    for (const half of [parameters, results]) {
      out.unsigned(half.length);
      for (const t of half) out.byte(t);
    }
    const wanted = out.take();
    const existing = [...this.#types, ...this.#addedTypes].findIndex((t) => Buffer.compare(t, wanted) === 0);
    if (existing >= 0) return typeIndex(existing);
    this.#addedTypes.push(wanted);
    return typeIndex(this.#types.length + this.#addedTypes.length - 1);
  }

  /** `body` is local declarations and instructions, its `end` included. */
  addFunction(type: TypeIndex, body: Uint8Array): FunctionIndex {
    this.#addedFunctions.push({ type, body });
    return functionIndex(this.functionCount + this.#addedFunctions.length - 1);
  }

  /** A mutable i32 global with its initial value. */
  addGlobal(initial: number): GlobalIndex {
    const out = new ByteWriter();
    out.byte(0x7f);
    out.byte(1);
    out.byte(0x41);
    out.signed(initial);
    out.byte(0x0b);
    this.#addedGlobals.push(out.take());
    return globalIndex(this.#importedGlobals + this.#definedGlobals + this.#addedGlobals.length - 1);
  }

  addExport(name: string, kind: ExternalKind, index: number): void {
    this.#addedExports.push({ name, kind, index });
  }

  /** Gives a function of the module, or a declared one, another body. */
  setBody(f: FunctionIndex, body: Uint8Array): void {
    const added = this.#addedFunctions[f - this.functionCount];
    if (added) added.body = body;
    else {
      assert(f >= this.importedFunctionCount && f < this.functionCount, `function ${f} has no body here`);
      this.#newBodies.set(f - this.importedFunctionCount, body);
    }
  }

  /** The body that a function will have when emitted. */
  currentBody(f: FunctionIndex): Uint8Array {
    return this.#newBodies.get(f - this.importedFunctionCount) ?? this.body(f);
  }

  /**
   * Moves a function's body to a new index and leaves its own index without one, to be given to `setBody`: whoever called the
   * function, through whatever export, table or instruction, then calls the new body, which may call the old one.
   */
  displace(f: FunctionIndex): FunctionIndex {
    assert(!this.#displaced.has(f), `function ${f} is displaced once`);
    const to = this.addFunction(this.typeOf(f), this.currentBody(f));
    this.#displaced.set(f, to);
    return to;
  }

  /** Where the body that a function was read with stands now. */
  displacedTo(f: FunctionIndex): FunctionIndex {
    return this.#displaced.get(f) ?? f;
  }

  emit(): Uint8Array {
    const out = new ByteWriter(this.bytes.length + (this.bytes.length >> 2));
    out.bytes(this.bytes.subarray(0, 8));
    for (const section of this.#sections) {
      const payload = this.#payload(section);
      out.byte(section.id);
      out.unsigned(payload.length);
      out.bytes(payload);
    }
    return out.take();
  }

  #payload(section: { id: number; start: number; end: number }): Uint8Array {
    const raw = this.bytes.subarray(section.start, section.end);
    switch (section.id) {
      case SectionId.type:
        return appended(raw, this.#addedTypes);
      case SectionId.function:
        return appended(
          raw,
          this.#addedFunctions.map((f) => integer(f.type)),
        );
      case SectionId.global:
        return appended(raw, this.#addedGlobals);
      case SectionId.export:
        return appended(raw, this.#addedExports.map(exportEntry));
      case SectionId.code:
        return this.#codePayload();
      default:
        return raw;
    }
  }

  #codePayload(): Uint8Array {
    const out = new ByteWriter(this.bytes.length);
    out.unsigned(this.#bodies.length + this.#addedFunctions.length);
    const one = (body: Uint8Array): void => {
      out.unsigned(body.length);
      out.bytes(body);
    };
    this.#bodies.forEach((span, i) => {
      one(this.#newBodies.get(i) ?? this.bytes.subarray(span.start, span.end));
    });
    for (const f of this.#addedFunctions) one(f.body);
    return out.take();
  }
}

function skipLimits(c: Cursor): void {
  const flags = c.byte();
  c.u32();
  if (flags & 1) c.u32();
}

/** The value of an `i32.const` initialiser; undefined for any other constant expression. */
function constantExpression(c: Cursor): number | undefined {
  const opcode = c.byte();
  let value: number | undefined;
  if (opcode === 0x41) value = c.s32();
  else if (opcode === 0x42) c.skipInteger(10);
  else if (opcode === 0x43) c.skip(4);
  else if (opcode === 0x44) c.skip(8);
  else if (opcode === 0x23 || opcode === 0xd2 || opcode === 0xd0) c.skipInteger(5);
  else c.fail(`unknown constant expression 0x${opcode.toString(16)}`);
  if (c.byte() !== 0x0b) c.fail("a constant expression of several instructions");
  return value;
}

function integer(value: number): Uint8Array {
  const out = new ByteWriter(8);
  out.unsigned(value);
  return out.take();
}

function exportEntry(e: Export): Uint8Array {
  const out = new ByteWriter();
  out.name(e.name);
  out.byte(e.kind);
  out.unsigned(e.index);
  return out.take();
}

/** A vector's payload with more items behind those it has. */
function appended(raw: Uint8Array, more: readonly Uint8Array[]): Uint8Array {
  if (more.length === 0) return raw;
  const c = new Cursor(raw);
  const count = c.u32();
  const out = new ByteWriter(raw.length + 1024);
  out.unsigned(count + more.length);
  out.bytes(raw.subarray(c.at));
  for (const item of more) out.bytes(item);
  return out.take();
}
