/**
 * The recorder's hand in a running interpreter: takes its memory and table places before the first instruction, switches
 * recording on and off, hands out full rings, and writes down types and code objects the first time that a hook meets them.
 *
 * Runs on the interpreter's thread, inside hooks: nothing here may allocate in the Python heap or run Python code.
 */
import { assert } from "../base/failure.js";
import { bridge } from "../wasm/bridge.js";
import { ValueType } from "../wasm/indices.js";
import { EXPORTS, TABLE } from "./hooks.js";
import type { Plan } from "./instrument.js";
import { KIND_BITS, RawKind } from "./raw-events.js";

/** What a hook tells the recorder. Each call comes from the middle of some C function. */
export interface ProbeListener {
  /** Records are due: `words` are all records since the last call; valid only during the call. */
  records(words: Int32Array): void;
  /** A type or code object is met for the first time; returns its number. */
  internType(address: number): number;
  /** Returns the code object's number; `bytes` is what its instructions occupy, with the address of the first. */
  internCode(address: number): { id: number; start: number; bytes: number };
  collectStart(generation: number, reason: number): void;
  /** Returns what the collection found, or undefined where it did nothing since one was already under way. */
  collectStop(generation: number, found: number): { collected: number; uncollectable: number };
  /** A Python function is being entered, or a bytecode is about to begin: the heap is as consistent as it is for a collection. */
  safePoint(): void;
  /** A reference met while a `tp_traverse` that the host called runs. */
  visit(object: number): void;
  /** A frame became current that is neither the old one's callee nor its caller. */
  frames(old: number, now: number): void;
}

type WasmExports = Record<string, CallableFunction> & {
  memory: WebAssembly.Memory;
  __indirect_function_table: WebAssembly.Table;
};

const PAGE = 65536;
const RED_ZONE = 256;
/** The trace's number of a reason by CPython's (`_PyGC_Reason`, Include/internal/pycore_interp_structs.h: heap, shutdown, manual). */
const COLLECT_REASONS = [1, 3, 2];
const { i32 } = ValueType;

export class Probe {
  readonly plan: Plan;
  readonly #exports: WasmExports;
  readonly #globals: Record<keyof typeof EXPORTS, WebAssembly.Global>;
  readonly #listener: ProbeListener;
  #collecting = 0;
  #watched = 0;
  #frameWord = 0;
  #early = false;

  /** Right after instantiation, before the interpreter's first instruction and before anyone keeps a view of its memory. */
  constructor(instance: WebAssembly.Instance, plan: Plan, listener: ProbeListener) {
    this.plan = plan;
    this.#listener = listener;
    const all = instance.exports as WasmExports;
    this.#exports = all;
    this.#globals = Object.fromEntries(
      Object.entries(EXPORTS).map(([key, name]) => [key, all[name]]),
    ) as unknown as Record<keyof typeof EXPORTS, WebAssembly.Global>;
    this.#takeMemory();
    this.#fillTable();
  }

  #words: Int32Array = new Int32Array(0);

  /** A view of the interpreter's memory as it is now; a growing memory makes it stale. */
  get words(): Int32Array {
    return new Int32Array(this.#exports.memory.buffer);
  }

  #takeMemory(): void {
    const { memory, sbrk } = this.#exports;
    const { region } = this.plan;
    const pages = memory.buffer.byteLength / PAGE;
    memory.grow(Math.ceil(region.end / PAGE));
    const brk = sbrk(0) >>> 0;
    assert(brk <= region.start, "the recorder is first to take memory");
    sbrk(region.end - brk);
    assert(sbrk(0) >>> 0 === region.end, "the recorder's memory is where the hooks expect it");
    assert(memory.buffer.byteLength / PAGE >= pages + 1, "memory grew");
  }

  #fillTable(): void {
    const table = this.#exports.__indirect_function_table;
    const first = this.plan.tableSize;
    assert(table.length === first, "nobody has added to the function table yet");
    table.grow(TABLE.size);
    const listener = this.#listener;
    const host = bridge({
      flush: { parameters: [], results: [], call: () => this.flush() },
      internType: { parameters: [i32], results: [], call: (at) => this.#internType(at >>> 0) },
      internCode: { parameters: [i32], results: [], call: (at) => this.#internCode(at >>> 0) },
      frames: { parameters: [i32, i32], results: [], call: (old, now) => void listener.frames(old >>> 0, now >>> 0) },
      collectStart: {
        parameters: [i32, i32],
        results: [],
        call: (generation, reason) => this.#collectStart(generation, reason),
      },
      collectStop: {
        parameters: [i32, i32],
        results: [],
        call: (generation, found) => this.#collectStop(generation, found),
      },
      safePoint: { parameters: [], results: [], call: () => void listener.safePoint() },
      visit: { parameters: [i32, i32], results: [i32], call: (object) => this.#visit(object >>> 0) },
    });
    for (const [name, call] of Object.entries(host)) table.set(first + TABLE[name as keyof typeof TABLE], call);
    table.set(first + TABLE.tracer, this.#exports[EXPORTS.tracer]);
    // From the first object on: CPython's reference tracer tells of every birth and death.
    this.#exports["PyRefTracer_SetTracer"](first + TABLE.tracer, 0);
  }

  get recording(): boolean {
    return this.#globals.recording.value !== 0;
  }

  start(): void {
    this.#globals.ring.value = this.plan.region.ring;
    this.#watchFrames();
    this.#globals.recording.value = 1;
  }

  stop(): void {
    this.flush();
    this.#globals.recording.value = 0;
  }

  /** Asks for a call of `safePoint` at the next function entered; the listener ends it with `false`. */
  set safePointDue(due: boolean) {
    this.#globals.safePointDue.value = due ? 1 : 0;
  }

  /** Asks for calls of `safePoint` between any two bytecodes, as long as it is set. */
  set boundaryDue(due: boolean) {
    this.#globals.boundaryDue.value = due ? 1 : 0;
  }

  /** Switches recording off and on again, between records; nothing is lost, for nothing is written meanwhile. */
  pause(): void {
    this.#globals.recording.value = 0;
  }

  resume(): void {
    this.#globals.recording.value = 1;
  }

  /** Has the ring handed out after so many bytes of records instead of when it is full, the host's own records included. */
  flushAfter(bytes: number): void {
    const { ring, ringLimit } = this.plan.region;
    this.#early = bytes < ringLimit - ring;
    this.#globals.limit.value = this.#early ? ring + bytes : ringLimit;
  }

  /** Hands out what the ring holds. */
  flush(): undefined {
    const { ring } = this.plan.region;
    const end = (this.#globals.ring.value as number) >>> 0;
    if (end === ring) return;
    this.#globals.ring.value = ring;
    this.#listener.records(this.words.subarray(ring >>> 2, end >>> 2));
  }

  /**
   * Calls a type's `tp_traverse` on one of its objects; the listener's `visit` gets what it refers to. Only memory is read: the
   * visitor takes notes and answers 0 (traverseproc, Include/object.h).
   */
  traverse(traverse: number, object: number): void {
    const call = this.#exports.__indirect_function_table.get(traverse) as CallableFunction;
    call(object, this.plan.tableSize + TABLE.visit, 0);
  }

  /**
   * Runs `work`, which may call functions of the module, in the middle of any of its functions: recording is off, and the C stack
   * begins below what a leaf function may use without moving the stack pointer (128 bytes, LLVM's red zone). Traps leave no trace.
   */
  aside<T>(work: () => T): T {
    const { recording } = this;
    const stack = this.#exports["emscripten_stack_get_current"]!() as number;
    this.#exports["_emscripten_stack_restore"]!(stack - RED_ZONE);
    this.pause();
    try {
      return work();
    } finally {
      this.#exports["_emscripten_stack_restore"]!(stack);
      if (recording) this.resume();
    }
  }

  #visit(object: number): number {
    this.#listener.visit(object);
    return 0;
  }

  get memory(): WebAssembly.Memory {
    return this.#exports.memory;
  }

  /** First address behind the interpreter's heap. */
  get heapEnd(): number {
    return this.#exports.sbrk(0) >>> 0;
  }

  /** Bytes that wait in the ring. */
  get pending(): number {
    return ((this.#globals.ring.value as number) >>> 0) - this.plan.region.ring;
  }

  /** Writes a record of the host's own: of a mark, a collection, an object that becomes known late. */
  write(kind: number, ...operands: number[]): void {
    const at = (this.#globals.ring.value as number) >>> 0;
    const words = this.words;
    words[at >>> 2] = kind;
    words[(at >>> 2) + 1] = kind === RawKind.intern ? operands.shift()! : this.#where(words);
    operands.forEach((operand, i) => {
      words[(at >>> 2) + 2 + i] = operand;
    });
    this.#globals.ring.value = at + 8 + 4 * operands.length;
    if (this.#early && this.pending >= (this.#globals.limit.value as number) - this.plan.region.ring) this.flush();
    // The ring's limit leaves room for more than one record, so a full ring can wait for the next hook, which must find its place.
  }

  #where(words: Int32Array): number {
    const { offsets, currentThread } = this.plan.layout;
    const thread = words[currentThread >>> 2] >>> 0;
    const frame = thread && words[(thread + offsets.thread.currentFrame) >>> 2] >>> 0;
    return frame && words[(frame + offsets.frame.instrPtr) >>> 2];
  }

  #bits(bitmap: number): Int32Array {
    return new Int32Array(this.#exports.memory.buffer, bitmap, 2 ** 25);
  }

  #isSet(bitmap: number, address: number): boolean {
    // A view that memory has outgrown has no words any more.
    if (this.#words.length === 0) this.#words = this.words;
    return ((this.#words[(bitmap >>> 2) + (address >>> 7)] >>> (address >>> 2)) & 1) !== 0;
  }

  isLive(address: number): boolean {
    const { live, dead } = this.plan.region;
    return this.#isSet(live, address) && !this.#isSet(dead, address);
  }

  isDead(address: number): boolean {
    return this.#isSet(this.plan.region.dead, address);
  }

  isKnown(address: number): boolean {
    return this.#isSet(this.plan.region.known, address);
  }

  /** The word that holds the current frame is watched like a count, once there is a thread. */
  #watchFrames(): void {
    const thread = this.words[this.plan.layout.currentThread >>> 2] >>> 0;
    if (thread === 0 || thread === this.#watched) return;
    this.#watched = thread;
    this.#frameWord = thread + this.plan.layout.offsets.thread.currentFrame;
    this.#mark(this.plan.region.live, this.#frameWord);
  }

  #mark(bitmap: number, address: number): void {
    this.#bits(bitmap)[address >>> 7] |= 1 << ((address >>> 2) & 31);
  }

  /** Takes an object that was there before the hooks into the recorder's books. */
  adopt(address: number): void {
    this.#mark(this.plan.region.live, address);
  }

  /** Addresses of every object header that the recorder knows, dead ones that keep their block included, in order. */
  headers(): Uint32Array {
    const bits = this.#bits(this.plan.region.live);
    const end = Math.ceil(this.#exports.memory.buffer.byteLength / 128);
    let found = new Uint32Array(1 << 16);
    let n = 0;
    for (let i = 0; i < end; i++) {
      let word = bits[i];
      if (word === 0) continue;
      if (n + 32 > found.length) {
        const grown = new Uint32Array(2 * found.length);
        grown.set(found);
        found = grown;
      }
      while (word !== 0) {
        const bit = 31 - Math.clz32(word & -word);
        word &= word - 1;
        const at = i * 128 + bit * 4;
        if (at !== this.#frameWord) found[n++] = at;
      }
    }
    return found.subarray(0, n);
  }

  /** How many headers there are, dead ones included. */
  objects(): number {
    const bits = this.#bits(this.plan.region.live);
    const end = Math.ceil(this.#exports.memory.buffer.byteLength / 128);
    let count = 0;
    for (let i = Math.floor(this.plan.region.end / 128); i < end; i++) {
      let word = bits[i];
      if (word === 0) continue;
      word -= (word >>> 1) & 0x55555555;
      word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
      count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    return count;
  }

  #internType(address: number): undefined {
    this.#watchFrames();
    const id = this.#listener.internType(address);
    this.#mark(this.plan.region.known, address);
    this.write(RawKind.intern, 0, address, id, 0);
  }

  #internCode(address: number): undefined {
    const { id, bytes } = this.#listener.internCode(address);
    this.#mark(this.plan.region.known, address);
    this.write(RawKind.intern, 1, address, id, bytes);
  }

  /** A type that the recorder numbered outside a hook: the records say so from here on. */
  adoptType(address: number, id: number): void {
    if (this.isKnown(address)) return;
    this.#mark(this.plan.region.known, address);
    this.write(RawKind.intern, 0, address, id, 0);
    if (this.pending > (this.plan.region.ringLimit - this.plan.region.ring) / 2) this.flush();
  }

  /** Ends recording without handing out what is left. */
  abandon(): void {
    this.#globals.recording.value = 0;
  }

  #collectingAddress(): number {
    const { offsets, runtime } = this.plan.layout;
    const interpreter = this.words[(runtime + offsets.runtime.interpretersHead) >>> 2] >>> 0;
    return interpreter + offsets.interpreter.gc + offsets.gc.collecting;
  }

  /** Whether the interpreter has begun to end (`_PyRuntime._finalizing`). */
  get finalizing(): boolean {
    const { offsets, runtime } = this.plan.layout;
    return this.words[(runtime + offsets.runtime.finalizing) >>> 2] !== 0;
  }

  /** Reads a 32-bit field of the collector's state, `at` bytes from `collecting`. */
  collectorField(at: number): number {
    return this.words[(this.#collectingAddress() + at) >>> 2];
  }

  #collectStart(generation: number, reason: number): undefined {
    if (this.#collecting++ > 0 || this.collectorField(0) !== 0) return;
    this.#listener.collectStart(generation, reason);
    if (!this.recording) return; // the listener ended the recording
    this.write(RawKind.collectStart, 0, generation, COLLECT_REASONS[reason] ?? 0);
  }

  #collectStop(generation: number, found: number): undefined {
    if (--this.#collecting > 0 || this.collectorField(0) !== 0 || !this.recording) return;
    const { collected, uncollectable } = this.#listener.collectStop(generation, found);
    this.write(RawKind.collectStop, 0, collected, uncollectable);
  }
}

export { KIND_BITS };
