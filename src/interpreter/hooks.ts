/**
 * The hooks: WebAssembly functions appended to the interpreter, called in place of the stores and at the entries of the functions
 * that change reference counts, blocks and frames. They run millions of times a second, allocate nothing and touch only memory
 * that the recorder took from the system before the interpreter's first instruction:
 *
 *     heapBase  live bitmap | dead bitmap | known bitmap | ring of records | the interpreter's own heap ...
 *               one bit for each 4 bytes of a 32-bit address space: 128 MiB each, of which only touched pages exist
 *
 * live: an object header begins here. dead: it does, but the object was handed to its destructor. known: a type or code object
 * begins here that the recorder has written down. A granule of 4 bytes makes a plain store at a header unmistakable: whatever
 * the address, its word's bit is the bit of the reference count that the store hits.
 *
 * Births and deaths come from CPython's own reference tracer (`PyRefTracer_SetTracer`, Objects/object.c), which also sees the
 * places where `_Py_NewReference` and `_Py_Dealloc` are inlined; the one death that it is told late or never, that of an object
 * left to the trashcan, is seen at the entry of `_Py_Dealloc` (gh-156371). There is one such tracer at a time, and programs want it too:
 * tracemalloc sets one. Theirs is kept aside and called behind ours.
 */
import { Assembler } from "../wasm/assembler.js";
import { ExternalKind, type FunctionIndex, type GlobalIndex, type TypeIndex, ValueType } from "../wasm/indices.js";
import { Opcode } from "../wasm/instructions.js";
import type { WasmModule } from "../wasm/module.js";
import { FRAME_OWNED_BY_INTERPRETER, GC_HEAD, type Layout, PRE_HEADER, TYPE_FLAGS } from "./layout.js";
import { KIND_BITS, RAW_LONGEST, RawKind } from "./raw-events.js";

const BITMAP = 2 ** 27;
const RING = 2 ** 21;
const { i32 } = ValueType;
/** Bytes of dlmalloc's smallest chunk on a 32-bit machine. */
const SMALLEST_CHUNK = 16;

/** Where the recorder's own memory stands in the interpreter's address space; all in bytes. */
export interface Region {
  readonly start: number;
  readonly live: number;
  readonly dead: number;
  readonly known: number;
  readonly ring: number;
  /** Records end before this; behind it is room for the one being written. */
  readonly ringLimit: number;
  readonly end: number;
}

export function planRegion(heapBase: number): Region {
  const start = Math.ceil(heapBase / 65536) * 65536;
  const ring = start + 3 * BITMAP;
  const end = ring + RING;
  return { start, live: start, dead: start + BITMAP, known: start + 2 * BITMAP, ring, ringLimit: end - 4096, end };
}

/** Places behind the module's own in its function table, filled when it is instantiated. */
export const TABLE = {
  flush: 0,
  internType: 1,
  internCode: 2,
  frames: 3,
  collectStart: 4,
  collectStop: 5,
  tracer: 6,
  safePoint: 7,
  visit: 8,
  size: 9,
} as const;

export interface Hooks {
  /** (address, value, site << 4): in place of `i32.store` at offset 0 */
  readonly store: FunctionIndex;
  /** (object, type, site << 4): in place of `i32.store` at offset 4, where types change */
  readonly storeType: FunctionIndex;
  /** (thread, frame, site << 4): in place of a store to the current frame */
  readonly storeFrame: FunctionIndex;
  /** (object): an object is handed to its destructor */
  readonly destroyed: FunctionIndex;
  /** Instructions for the evaluation loop, between two bytecodes: whoever waits for such a moment is called. */
  readonly boundary: Uint8Array;
  readonly domain: GlobalIndex;
}

export const EXPORTS = {
  ring: "refledger_ring",
  limit: "refledger_limit",
  recording: "refledger_recording",
  safePointDue: "refledger_safe_point_due",
  boundaryDue: "refledger_boundary_due",
  tracer: "refledger_tracer",
} as const;

/** Adds the hooks to a module whose function table has `tableSize` places. */
export function addHooks(module: WasmModule, layout: Layout, region: Region, tableSize: number): Hooks {
  const build = new HookBuilder(module, layout, region, tableSize);
  return build.all();
}

class HookBuilder {
  readonly #module: WasmModule;
  readonly #layout: Layout;
  readonly #region: Region;
  readonly #tableSize: number;
  readonly #ring: GlobalIndex;
  readonly #limit: GlobalIndex;
  readonly #recording: GlobalIndex;
  readonly #safePointDue: GlobalIndex;
  readonly #boundaryDue: GlobalIndex;
  readonly #depth: GlobalIndex;
  readonly #domain: GlobalIndex;
  /** The program's own reference tracer, a place in the function table or 0, and its data. */
  readonly #programTracer: GlobalIndex;
  readonly #programData: GlobalIndex;
  readonly #nothing: TypeIndex;
  readonly #one: TypeIndex;
  readonly #two: TypeIndex;
  readonly #three: TypeIndex;

  constructor(module: WasmModule, layout: Layout, region: Region, tableSize: number) {
    this.#module = module;
    this.#layout = layout;
    this.#region = region;
    this.#tableSize = tableSize;
    this.#ring = module.addGlobal(region.ring);
    this.#limit = module.addGlobal(region.ringLimit);
    this.#recording = module.addGlobal(0);
    this.#safePointDue = module.addGlobal(0);
    this.#boundaryDue = module.addGlobal(0);
    this.#depth = module.addGlobal(0);
    this.#domain = module.addGlobal(0);
    this.#programTracer = module.addGlobal(0);
    this.#programData = module.addGlobal(0);
    this.#nothing = module.addType([], []);
    this.#one = module.addType([i32], []);
    this.#two = module.addType([i32, i32], []);
    this.#three = module.addType([i32, i32, i32], []);
    module.addExport(EXPORTS.ring, ExternalKind.global, this.#ring);
    module.addExport(EXPORTS.limit, ExternalKind.global, this.#limit);
    module.addExport(EXPORTS.recording, ExternalKind.global, this.#recording);
    module.addExport(EXPORTS.safePointDue, ExternalKind.global, this.#safePointDue);
    module.addExport(EXPORTS.boundaryDue, ExternalKind.global, this.#boundaryDue);
  }

  all(): Hooks {
    const destroyed = this.#destroyed();
    this.#tracer(destroyed);
    this.#programsTracer();
    this.#allocator();
    this.#collector();
    this.#finalizer();
    const frameChanged = this.#frameChanged();
    return {
      store: this.#store(frameChanged),
      storeType: this.#storeType(),
      storeFrame: this.#storeFrame(frameChanged),
      destroyed,
      boundary: this.#boundary(),
      domain: this.#domain,
    };
  }

  /** Leaves the operand stack as it is. One test of a global for each bytecode; nobody waits while recording. */
  #boundary(): Uint8Array {
    const a = new Assembler();
    a.global_get(this.#boundaryDue).if();
    this.#callTable(a, TABLE.safePoint, this.#nothing);
    return a.end().fragment();
  }

  /** Pushes 1 when the bit for the address in a local is set. */
  #bit(a: Assembler, bitmap: number, local: number): Assembler {
    return a.get(local).i32(5).shr().load8(bitmap).get(local).i32(2).shr().i32(7).and().shr().i32(1).and();
  }

  /** Sets or clears the bit for the address in a local. `scratch` is a local. */
  #change(a: Assembler, bitmap: number, local: number, scratch: number, set: boolean): Assembler {
    a.get(local).i32(5).shr().tee(scratch).get(scratch).load_unaligned(bitmap);
    a.i32(1).get(local).i32(2).shr().i32(7).and().shl();
    if (set) a.or();
    else a.i32(-1).op(0x73).and();
    return a.store_unaligned(bitmap);
  }

  /** Pushes the instruction pointer of the current Python frame; what it reads where there is no thread or frame is zero. */
  #where(a: Assembler): Assembler {
    const { thread, frame } = this.#layout.offsets;
    return a.i32(0).load(this.#layout.currentThread).load(thread.currentFrame).load(frame.instrPtr);
  }

  /**
   * Writes a record and flushes a full ring. `head` pushes word 0, `operands` each push one more word behind the instruction
   * pointer (`where` pushes another one than the current frame's); `p` is a local for the ring's pointer.
   */
  #record(
    a: Assembler,
    p: number,
    head: (a: Assembler) => void,
    operands: ((a: Assembler) => void)[],
    where?: (a: Assembler) => void,
  ): void {
    a.global_get(this.#ring).tee(p);
    head(a);
    a.store(0).get(p);
    if (where) where(a);
    else this.#where(a);
    a.store(4);
    operands.forEach((operand, i) => {
      a.get(p);
      operand(a);
      a.store(8 + 4 * i);
    });
    a.get(p)
      .i32(8 + 4 * operands.length)
      .add()
      .tee(p)
      .global_set(this.#ring);
    a.get(p).global_get(this.#limit).ge().if();
    this.#callTable(a, TABLE.flush, this.#nothing);
    a.end();
  }

  #callTable(a: Assembler, place: number, type: TypeIndex): void {
    a.i32(this.#tableSize + place).call_indirect(type);
  }

  /** Makes sure that the type whose address is in a local is written down. */
  #knowType(a: Assembler, type: number): void {
    this.#bit(a, this.#region.known, type).eqz().if().get(type);
    this.#callTable(a, TABLE.internType, this.#one);
    a.end();
  }

  #store(frameChanged: FunctionIndex): FunctionIndex {
    const [address, value, site, old, p] = [0, 1, 2, 3, 4];
    const a = new Assembler();
    a.block();
    a.global_get(this.#recording).eqz().br_if(0);
    this.#bit(a, this.#region.live, address).eqz().br_if(0);
    a.get(address).load().set(old);
    a.get(address).get(value).store();
    a.get(value).get(old).sub().i32(1).eq().if();
    this.#record(a, p, (x) => x.get(site).i32(RawKind.incref).or(), [(x) => x.get(address)]);
    a.return().end();
    a.get(old).get(value).sub().i32(1).eq().if();
    this.#record(a, p, (x) => x.get(site).i32(RawKind.decref).or(), [(x) => x.get(address)]);
    a.return().end();
    // The compiler reaches `current_frame` through a pointer of its own in places: the probe marks that word in the bitmap too.
    a.get(address)
      .i32(0)
      .load(this.#layout.currentThread)
      .i32(this.#layout.offsets.thread.currentFrame)
      .add()
      .eq()
      .if();
    a.get(old).get(value).get(site).call(frameChanged).return().end();
    // No change is no event. A count of 0 only ever becomes 1 (finalizers); anything else is a link in a free list or the trashcan.
    a.get(old).get(value).eq().get(old).eqz().or().if().return().end();
    // The trashcan puts its link back to 0: the object is dead, and its count was 0 for every event.
    this.#bit(a, this.#region.dead, address).get(value).eqz().and().if().return().end();
    this.#record(a, p, (x) => x.get(site).i32(RawKind.setref).or(), [(x) => x.get(address), (x) => x.get(value)]);
    a.return();
    a.end();
    a.get(address).get(value).store();
    return this.#module.addFunction(this.#three, a.body(2));
  }

  #storeType(): FunctionIndex {
    const [object, type, site, p, old, scratch] = [0, 1, 2, 3, 4, 5];
    const a = new Assembler();
    a.block();
    a.global_get(this.#recording).eqz().br_if(0);
    this.#bit(a, this.#region.live, object).eqz().br_if(0);
    a.get(object).load(4).tee(old).get(type).eq().br_if(0);
    a.get(object).get(type).store(4);
    this.#knowType(a, type);
    // Who is in its destructor counts for no type any more; it will for the new one if it comes back.
    this.#bit(a, this.#region.dead, object).if().i32(0).set(old).end();
    const operands: ((x: Assembler) => void)[] = [object, type, old].map((local) => (x) => void x.get(local));
    operands.push((x) => this.#blockSize(x, object, type, scratch));
    this.#record(a, p, (x) => x.get(site).i32(RawKind.settype).or(), operands);
    a.return().end();
    a.get(object).get(type).store(4);
    return this.#module.addFunction(this.#three, a.body(3));
  }

  /**
   * (frame) → 1 for a frame that is not Python's: one that stands for an entry from C, or the stub under an `__init__` that the
   * interpreter entered by itself (`_Py_InitCleanup`, the only code object in static memory).
   */
  #isStub(): FunctionIndex {
    const { frame } = this.#layout.offsets;
    const a = new Assembler();
    a.get(0).load8(frame.owner).i32(FRAME_OWNED_BY_INTERPRETER).eq();
    a.get(0).load(frame.executable).i32(this.#region.end).lt().or();
    return this.#module.addFunction(this.#module.addType([i32], [i32]), a.body(0));
  }

  /**
   * A frame is entered when the new one's predecessor is the old one, perhaps with a stub between them, and left when it is the
   * other way round. Anything else is told to the host.
   */
  #frameChanged(): FunctionIndex {
    const [old, frame, site, p, code] = [0, 1, 2, 3, 4];
    const { frame: f } = this.#layout.offsets;
    const isStub = this.#isStub();
    const event = (x: Assembler, kind: number, of: number): void => {
      x.get(of).load(f.executable).i32(-4).and().set(code);
      this.#bit(x, this.#region.known, code).eqz().if().get(code);
      this.#callTable(x, TABLE.internCode, this.#one);
      x.end();
      const from = (y: Assembler): void => void y.get(old).load(f.instrPtr);
      this.#record(x, p, (y) => y.get(site).i32(kind).or(), [(y) => y.i32(0), (y) => y.get(code)], from);
    };
    const a = new Assembler();
    a.get(frame).get(old).eq().if().return().end();
    a.block();
    a.get(old).load(f.previous).get(frame).eq().get(old).i32(0).ne().and().if();
    a.get(old).call(isStub).eqz().if();
    event(a, RawKind.return, old);
    a.end().return().end();
    a.get(frame).eqz().br_if(0);
    a.block();
    a.get(frame).load(f.previous).get(old).eq().br_if(0);
    a.get(frame).load(f.previous).call(isStub).eqz().br_if(1);
    a.get(frame).load(f.previous).load(f.previous).get(old).eq().br_if(0);
    a.br(1);
    a.end();
    a.get(frame).call(isStub).eqz().if();
    event(a, RawKind.call, frame);
    a.global_get(this.#safePointDue).if();
    this.#callTable(a, TABLE.safePoint, this.#nothing);
    a.end();
    a.end();
    a.return();
    a.end();
    a.get(old).get(frame);
    this.#callTable(a, TABLE.frames, this.#two);
    return this.#module.addFunction(this.#three, a.body(2));
  }

  #storeFrame(frameChanged: FunctionIndex): FunctionIndex {
    const [thread, frame, site, old] = [0, 1, 2, 3];
    const { currentFrame } = this.#layout.offsets.thread;
    const a = new Assembler();
    a.get(thread).load(currentFrame).set(old);
    a.get(thread).get(frame).store(currentFrame);
    a.global_get(this.#recording).eqz().if().return().end();
    a.get(thread).i32(0).load(this.#layout.currentThread).ne().if().return().end();
    a.get(old).get(frame).get(site).call(frameChanged);
    return this.#module.addFunction(this.#three, a.body(1));
  }

  /** Pushes the size in bytes of the block that the object in a local stands in, as the allocator holds it; 0 outside the heap. */
  #blockSize(a: Assembler, object: number, type: number, scratch: number): void {
    const managed = TYPE_FLAGS.managedDict | TYPE_FLAGS.managedWeakref;
    a.get(type).load(this.#layout.offsets.type.flags).set(scratch);
    a.get(object);
    a.get(scratch).i32(TYPE_FLAGS.gc).and().i32(0).ne().i32(GC_HEAD).op(0x6c).sub();
    a.get(scratch).i32(managed).and().i32(0).ne().i32(PRE_HEADER).op(0x6c).sub();
    a.i32(4).sub().load().i32(-8).and();
    a.get(object).i32(this.#region.end).ge().op(0x6c);
  }

  /** (object): the destructor is about to run. Twice for one object counts once. */
  #destroyed(): FunctionIndex {
    const [object, type, scratch, p] = [0, 1, 2, 3];
    const a = new Assembler();
    // An object that is resized is announced as destroyed too (_PyBytes_Resize), but its count is not 0: it lives on.
    a.get(object).load().if().return().end();
    this.#bit(a, this.#region.live, object).eqz().if().return().end();
    this.#bit(a, this.#region.dead, object).if().return().end();
    this.#change(a, this.#region.dead, object, scratch, true);
    a.global_get(this.#recording).eqz().if().return().end();
    a.get(object).load(4).set(type);
    this.#knowType(a, type);
    this.#record(a, p, (x) => x.i32(RawKind.dealloc), [
      (x) => x.get(object),
      (x) => x.get(type),
      (x) => this.#blockSize(x, object, type, scratch),
    ]);
    return this.#module.addFunction(this.#one, a.body(3));
  }

  /** int tracer(PyObject *, PyRefTracerEvent, void *): event 0 is a birth, 1 a death. */
  #tracer(destroyed: FunctionIndex): void {
    const [object, event, type, scratch, p] = [0, 1, 3, 4, 5];
    const a = new Assembler();
    a.get(event).if();
    a.get(object).call(destroyed).i32(0).return();
    a.end();
    this.#bit(a, this.#region.live, object).if();
    // A live object that is initialised again was resized in place or moved (_PyBytes_Resize and its like): no birth.
    this.#bit(a, this.#region.dead, object).eqz().if().i32(0).return().end();
    this.#change(a, this.#region.dead, object, scratch, false);
    a.else();
    this.#change(a, this.#region.live, object, scratch, true);
    a.end();
    a.global_get(this.#recording).if();
    a.get(object).load(4).set(type);
    this.#knowType(a, type);
    this.#record(a, p, (x) => x.i32(RawKind.new), [
      (x) => x.get(object),
      (x) => x.get(type),
      (x) => this.#blockSize(x, object, type, scratch),
    ]);
    a.end();
    a.i32(0);
    const signature = this.#module.addType([i32, i32, i32], [i32]);
    const ours = this.#module.addFunction(signature, a.body(3));
    const both = new Assembler();
    both.global_get(this.#programTracer).eqz().if();
    both.get(object).get(event).i32(0).call(ours).return().end();
    both.get(object).get(event).i32(0).call(ours).op(Opcode.drop);
    both.get(object).get(event).global_get(this.#programData);
    both.global_get(this.#programTracer).call_indirect(signature);
    const tracer = this.#module.addFunction(signature, both.body(0));
    this.#module.addExport(EXPORTS.tracer, ExternalKind.function, tracer);
  }

  /** PyRefTracer_SetTracer(tracer, data) and PyRefTracer_GetTracer(&data) as a program uses them: its tracer does not put ours out. */
  #programsTracer(): void {
    const [tracer, data] = [0, 1];
    const set = this.#wrapped("PyRefTracer_SetTracer");
    const original = this.#module.displace(set);
    const a = new Assembler();
    a.get(tracer)
      .i32(this.#tableSize + TABLE.tracer)
      .eq()
      .if();
    a.get(tracer).get(data).call(original).return().end();
    a.get(tracer).global_set(this.#programTracer).get(data).global_set(this.#programData).i32(0);
    this.#module.setBody(set, a.body(0));
    const get = this.#wrapped("PyRefTracer_GetTracer");
    this.#module.displace(get);
    const [where] = [0];
    const b = new Assembler();
    b.get(where).if().get(where).global_get(this.#programData).store().end();
    b.global_get(this.#programTracer);
    this.#module.setBody(get, b.body(0));
  }

  #wrapped(name: string): FunctionIndex {
    const f = this.#module.exportedFunction(name);
    if (f === undefined) throw new Error(`the interpreter exports no ${name}`);
    return f;
  }

  /** Records that hold a block begin and end of their own accord only outside another allocator function. */
  #outermost(a: Assembler): Assembler {
    return a.global_get(this.#depth).eqz().global_get(this.#recording).and();
  }

  #takeDomain(a: Assembler, local: number): void {
    a.global_get(this.#domain).set(local).i32(0).global_set(this.#domain);
  }

  #allocator(): void {
    const m = this.#module;
    const alloc = (x: Assembler, p: number, block: number, size: (x: Assembler) => void, domain: number): void =>
      this.#record(x, p, (y) => y.i32(RawKind.alloc), [(y) => y.get(block), size, (y) => y.get(domain)]);
    const nested = (x: Assembler, inner: () => void): void => {
      x.global_get(this.#depth).i32(1).add().global_set(this.#depth);
      inner();
      x.global_get(this.#depth).i32(1).sub().global_set(this.#depth);
    };
    const replace = (name: string, write: (a: Assembler, original: FunctionIndex) => void, locals: number): void => {
      const f = this.#wrapped(name);
      const original = m.displace(f);
      const a = new Assembler();
      write(a, original);
      m.setBody(f, a.body(locals));
    };
    replace(
      "malloc",
      (a, original) => {
        const [size, block, p, domain] = [0, 1, 2, 3];
        this.#takeDomain(a, domain);
        a.get(size).call(original).set(block);
        this.#outermost(a).get(block).i32(0).ne().and().if();
        alloc(a, p, block, (x) => x.get(size), domain);
        a.end().get(block);
      },
      3,
    );
    replace(
      "calloc",
      (a, original) => {
        const [count, size, block, p, domain] = [0, 1, 2, 3, 4];
        this.#takeDomain(a, domain);
        nested(a, () => a.get(count).get(size).call(original).set(block));
        this.#outermost(a).get(block).i32(0).ne().and().if();
        alloc(a, p, block, (x) => x.get(count).get(size).op(0x6c), domain);
        a.end().get(block);
      },
      3,
    );
    replace(
      "memalign",
      (a, original) => {
        const [align, size, block, p, domain] = [0, 1, 2, 3, 4];
        this.#takeDomain(a, domain);
        nested(a, () => a.get(align).get(size).call(original).set(block));
        this.#outermost(a).get(block).i32(0).ne().and().if();
        alloc(a, p, block, (x) => x.get(size), domain);
        a.end().get(block);
      },
      3,
    );
    replace(
      "posix_memalign",
      (a, original) => {
        const [where, align, size, failed, block, p, domain] = [0, 1, 2, 3, 4, 5, 6];
        this.#takeDomain(a, domain);
        nested(a, () => a.get(where).get(align).get(size).call(original).set(failed));
        this.#outermost(a).get(failed).eqz().and().if();
        a.get(where).load().set(block);
        alloc(a, p, block, (x) => x.get(size), domain);
        a.end().get(failed);
      },
      4,
    );
    replace(
      "free",
      (a, original) => {
        const [block, bits, mask, p, domain] = [0, 1, 2, 3, 4];
        this.#takeDomain(a, domain);
        a.get(block).i32(0).ne().global_get(this.#depth).eqz().and().if();
        this.#clearHeaders(a, block, bits, mask);
        a.global_get(this.#recording).if();
        this.#record(a, p, (x) => x.i32(RawKind.free), [(x) => x.get(block)]);
        a.end().end();
        a.get(block).call(original);
      },
      4,
    );
    replace("realloc", (a, original) => this.#realloc(a, original, nested, alloc), 8);
  }

  /**
   * Pushes the bits of the places of a block where an object can begin: 0, 8 or 16 bytes into it, behind what stands before an
   * object. A block of the smallest size (16 bytes with the allocator's own 4) has room for the first only: behind it is the next.
   */
  #headerBits(a: Assembler, block: number): Assembler {
    return a
      .i32(0b10101)
      .i32(1)
      .get(block)
      .i32(4)
      .sub()
      .load()
      .i32(-8)
      .and()
      .i32(SMALLEST_CHUNK)
      .op(Opcode.i32_gt_u)
      .op(Opcode.select);
  }

  #clearHeaders(a: Assembler, block: number, at: number, mask: number): void {
    const { live, dead, known } = this.#region;
    this.#headerBits(a, block).get(block).i32(2).shr().i32(7).and().shl().set(mask);
    a.get(block).i32(5).shr().tee(at).load_unaligned(live).get(mask).and().if();
    for (const bitmap of [live, dead, known])
      a.get(at).get(at).load_unaligned(bitmap).get(mask).i32(-1).op(0x73).and().store_unaligned(bitmap);
    a.end();
  }

  /** Objects in a block that moves move with it, as do their bits. */
  #realloc(
    a: Assembler,
    original: FunctionIndex,
    nested: (x: Assembler, inner: () => void) => void,
    alloc: (x: Assembler, p: number, block: number, size: (x: Assembler) => void, domain: number) => void,
  ): void {
    const [old, size, block, p, domain, at, bits, places, before, type] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    this.#takeDomain(a, domain);
    a.get(old).if();
    this.#headerBits(a, old).set(places);
    a.get(old).i32(4).sub().load().i32(-8).and().set(before).end();
    nested(a, () => a.get(old).get(size).call(original).set(block));
    a.get(block).eqz().global_get(this.#depth).i32(0).ne().or().if().get(block).return().end();
    a.get(old).eqz().if();
    a.global_get(this.#recording).if();
    alloc(a, p, block, (x) => x.get(size), domain);
    a.end().get(block).return().end();
    a.get(old).get(block).ne().if();
    for (const bitmap of [this.#region.live, this.#region.dead, this.#region.known]) {
      const shift = (x: Assembler, local: number): Assembler => x.get(local).i32(2).shr().i32(7).and();
      // bits of the old block, taken out of its place and put into the new one's
      a.get(old).i32(5).shr().load_unaligned(bitmap);
      shift(a, old).shr().get(places).and().tee(bits).if();
      a.get(old).i32(5).shr().tee(at).get(at).load_unaligned(bitmap).get(bits);
      shift(a, old).shl().i32(-1).op(0x73).and().store_unaligned(bitmap);
      a.get(block).i32(5).shr().tee(at).get(at).load_unaligned(bitmap).get(bits);
      shift(a, block).shl().or().store_unaligned(bitmap);
      a.end();
    }
    a.end();
    a.global_get(this.#recording).if();
    // the object in the block, if there is one: its type, so that bytes by type stay right
    a.get(block)
      .i32(5)
      .shr()
      .load_unaligned(this.#region.live)
      .get(block)
      .i32(2)
      .shr()
      .i32(7)
      .and()
      .shr()
      .get(places)
      .and();
    a.tee(bits).if();
    a.get(block).get(bits).op(Opcode.i32_ctz).i32(2).shl().add().load(4).set(type).end();
    this.#record(a, p, (x) => x.i32(RawKind.realloc), [
      (x) => x.get(block),
      (x) => x.get(size),
      (x) => x.get(old),
      (x) => x.get(type),
      (x) => x.get(block).i32(4).sub().load().i32(-8).and().get(before).sub(),
    ]);
    a.end().get(block);
  }

  #collector(): void {
    const original = this.#module.displace(this.#layout.collect);
    const [thread, generation, reason, found] = [0, 1, 2, 3];
    const a = new Assembler();
    a.global_get(this.#recording).eqz().if();
    a.get(thread).get(generation).get(reason).call(original).return().end();
    a.get(generation).get(reason);
    this.#callTable(a, TABLE.collectStart, this.#two);
    a.get(thread).get(generation).get(reason).call(original).set(found);
    a.get(generation).get(found);
    this.#callTable(a, TABLE.collectStop, this.#two);
    a.get(found);
    this.#module.setBody(this.#layout.collect, a.body(1));
  }

  /** PyObject_CallFinalizerFromDealloc answers -1 when the finalizer brought the object back. */
  #finalizer(): void {
    const f = this.#wrapped("PyObject_CallFinalizerFromDealloc");
    const original = this.#module.displace(f);
    const [object, answer, scratch, p, type] = [0, 1, 2, 3, 4];
    const a = new Assembler();
    a.get(object).call(original).tee(answer).i32(0).lt_s().if();
    this.#bit(a, this.#region.dead, object).if();
    this.#change(a, this.#region.dead, object, scratch, false);
    a.global_get(this.#recording).if();
    a.get(object).load(4).set(type);
    this.#knowType(a, type);
    this.#record(a, p, (x) => x.i32(RawKind.resurrect), [
      (x) => x.get(object),
      (x) => x.get(type),
      (x) => this.#blockSize(x, object, type, scratch),
    ]);
    a.end().end().end();
    a.get(answer);
    this.#module.setBody(f, a.body(4));
  }
}

/** Word 0 of records of a site, before its kind is added. */
export const siteWord = (site: number): number => site << KIND_BITS;

export { RAW_LONGEST };
