/**
 * Rewriting the interpreter so that it reports. Which instructions become calls of hooks:
 *
 * - `i32.store` at offset 0: every write of a reference count is one (`ob_refcnt` is the first field of an object), and the
 *   hook tells them from other stores by the bitmap of live objects. The few that belong to `_Py_NewReference`, known by the
 *   reference tracer's address that is loaded right behind them, stay as they are: the tracer reports the birth.
 * - `i32.store` at the offset of `PyThreadState.current_frame`: frames entered and left.
 * - `i32.store` at the offset of `ob_type`, in the functions that set `__class__`.
 *
 * The `br_table` with which the evaluation loop goes to a bytecode's code is preceded by a test whether somebody waits for a
 * moment between two bytecodes, as a second run does that is to be held there.
 *
 * Every other byte of the module's code stays where it was, and no index changes.
 */
import { ByteWriter } from "../base/bytes.js";
import { assert } from "../base/failure.js";
import { Assembler } from "../wasm/assembler.js";
import { type FunctionIndex, functionIndex } from "../wasm/indices.js";
import { Opcode, skipInstruction } from "../wasm/instructions.js";
import { WasmModule } from "../wasm/module.js";
import { functionNames } from "./function-names.js";
import { addHooks, type Hooks, planRegion, type Region, siteWord } from "./hooks.js";
import { calledBy, type Layout, readLayout } from "./layout.js";
import { Domain } from "./raw-events.js";

/** What the recorder must know of a rewritten module. Plain data: it is kept beside the module in the cache. */
export interface Plan {
  readonly layout: Layout;
  readonly region: Region;
  /** Places of the function table before the hooks' own. */
  readonly tableSize: number;
  /** For each site from 1: the function that it is in, and the bytes from that function's first instruction to it. */
  readonly siteFunction: readonly number[];
  readonly siteOffset: readonly number[];
  /** Functions that have a name: index and name. */
  readonly functionNames: readonly (readonly [number, string])[];
}

export interface Instrumented {
  readonly bytes: Uint8Array;
  readonly plan: Plan;
}

/** @throws MalformedModule, Failure */
export function instrument(original: Uint8Array): Instrumented {
  const module = new WasmModule(original);
  const layout = readLayout(module);
  const region = planRegion(layout.heapBase);
  const tableSize = module.tableSize();
  const hooks = addHooks(module, layout, region, tableSize);
  const prefixes = new Map<FunctionIndex, Uint8Array>();
  for (const [name, domain] of DOMAINS)
    prefixes.set(required(module, name), new Assembler().i32(domain).global_set(hooks.domain).fragment());
  prefixes.set(required(module, "_Py_Dealloc"), new Assembler().get(0).call(hooks.destroyed).fragment());
  const rewriter = new Rewriter(module, layout, hooks);
  const allocator = allocatorFunctions(module);
  for (let f = module.importedFunctionCount; f < module.functionCount; f++)
    if (!allocator.has(functionIndex(f))) rewriter.rewrite(functionIndex(f), prefixes.get(functionIndex(f)));
  assert(rewriter.dispatches === 1, "the evaluation loop goes to the code of a bytecode in one place");
  return {
    bytes: module.emit(),
    plan: {
      layout,
      region,
      tableSize,
      siteFunction: rewriter.siteFunction,
      siteOffset: rewriter.siteOffset,
      functionNames: functionNames(module),
    },
  };
}

const DOMAINS: readonly (readonly [string, number])[] = [
  ["PyMem_RawMalloc", Domain.raw],
  ["PyMem_RawCalloc", Domain.raw],
  ["PyMem_RawRealloc", Domain.raw],
  ["PyMem_Malloc", Domain.mem],
  ["PyMem_Calloc", Domain.mem],
  ["PyMem_Realloc", Domain.mem],
  ["PyObject_Malloc", Domain.object],
  ["PyObject_Calloc", Domain.object],
  ["PyObject_Realloc", Domain.object],
];

function required(module: WasmModule, name: string): FunctionIndex {
  const f = module.exportedFunction(name);
  assert(f !== undefined, `the interpreter exports ${name}`);
  return f;
}

/**
 * The allocator and what only it calls. It knows no objects, but keeps its lists in freed payloads, whose bits are still set while
 * a block moves: its stores are not reference counts.
 */
function allocatorFunctions(module: WasmModule): Set<FunctionIndex> {
  const exported = new Set(module.exports.filter((e) => e.kind === 0).map((e) => e.index));
  const found = new Set(ALLOCATOR.map((name) => required(module, name)));
  for (const f of found) {
    for (const callee of calledBy(module, f))
      if (callee >= module.importedFunctionCount && !exported.has(callee)) found.add(callee);
  }
  return found;
}

const ALLOCATOR = ["malloc", "free", "calloc", "realloc", "memalign", "posix_memalign"];

/** Fewest targets of the jump to a bytecode's code; any other jump of the evaluation loop has some dozens. */
const BYTECODES = 200;

class Rewriter {
  readonly #module: WasmModule;
  readonly #layout: Layout;
  readonly #hooks: Hooks;
  readonly #tracerAddress: number;
  readonly #setClass: ReadonlySet<FunctionIndex>;
  readonly siteFunction: number[] = [];
  readonly siteOffset: number[] = [];
  readonly #evaluator: FunctionIndex;
  /** Places where a bytecode's code is gone to. */
  dispatches = 0;

  constructor(module: WasmModule, layout: Layout, hooks: Hooks) {
    this.#module = module;
    this.#layout = layout;
    this.#hooks = hooks;
    this.#tracerAddress = tracerAddress(module);
    this.#evaluator = required(module, "_PyEval_EvalFrameDefault");
    this.#setClass = new Set(layout.setClass);
  }

  rewrite(f: FunctionIndex, prefix: Uint8Array | undefined): void {
    const module = this.#module;
    const hooks = this.#hooks;
    const c = module.code(f);
    const { bytes } = c;
    const bodyStart = c.end - module.body(f).length;
    const first = c.at;
    const out = new ByteWriter(2 * (c.end - bodyStart) + 64);
    let copied = bodyStart;
    let changed = false;
    if (prefix) {
      out.bytes(bytes.subarray(copied, first));
      out.bytes(prefix);
      copied = first;
      changed = true;
    }
    const frameOffset = this.#layout.offsets.thread.currentFrame;
    const inSetClass = this.#setClass.has(f);
    while (!c.done) {
      const at = c.at;
      const opcode = skipInstruction(c);
      const after = c.at;
      if (opcode === Opcode.br_table && f === this.#evaluator) {
        c.at = at + 1;
        const targets = c.count();
        c.at = after;
        if (targets < BYTECODES) continue;
        this.dispatches++;
        out.bytes(bytes.subarray(copied, at));
        out.bytes(hooks.boundary);
        copied = at;
        changed = true;
        continue;
      }
      if (opcode !== Opcode.i32_store) continue;
      c.at = at + 1;
      c.u32();
      const offset = c.u32();
      c.at = after;
      let hook: FunctionIndex;
      if (offset === 0 && !this.#isBirth(bytes, after)) hook = hooks.store;
      else if (offset === frameOffset) hook = hooks.storeFrame;
      else if (offset === this.#layout.offsets.object.type && inSetClass) hook = hooks.storeType;
      else continue;
      this.siteFunction.push(f);
      this.siteOffset.push(at - first);
      out.bytes(bytes.subarray(copied, at));
      out.byte(Opcode.i32_const);
      out.signed(siteWord(this.siteFunction.length));
      out.byte(Opcode.call);
      out.unsigned(hook);
      copied = after;
      changed = true;
    }
    if (!changed) return;
    out.bytes(bytes.subarray(copied, c.end));
    module.setBody(module.displacedTo(f), out.take());
  }

  /** Whether the instruction here is `i32.const` of the reference tracer's address. */
  #isBirth(bytes: Uint8Array, at: number): boolean {
    if (bytes[at] !== Opcode.i32_const) return false;
    let value = 0;
    let shift = 0;
    for (let i = at + 1; shift < 35; i++, shift += 7) {
      value |= (bytes[i] & 0x7f) << shift;
      if (bytes[i] < 0x80) break;
    }
    return value === this.#tracerAddress;
  }
}

/**
 * Address of `_PyRuntime.ref_tracer.tracer_func`: `PyRefTracer_SetTracer` (Objects/object.c) stores the function and its data
 * there, the function at the lower address.
 */
function tracerAddress(module: WasmModule): number {
  const runtime = module.exportedConstant("_PyRuntime");
  assert(runtime !== undefined, "_PyRuntime is exported");
  const c = module.code(required(module, "PyRefTracer_SetTracer"));
  let lowest = Number.POSITIVE_INFINITY;
  while (!c.done) {
    const at = c.at;
    if (skipInstruction(c) !== Opcode.i32_store) continue;
    const after = c.at;
    c.at = at + 1;
    c.u32();
    lowest = Math.min(lowest, c.u32());
    c.at = after;
  }
  return runtime + lowest;
}
