/**
 * Where things are in the interpreter's memory. CPython from 3.13 on says so itself: `_PyRuntime` begins with the cookie
 * `xdebugpy` and a table of structure offsets (`_Py_DebugOffsets`, Include/internal/pycore_debug_offsets.h). What the table lacks
 * is either part of the public structures (`PyTypeObject`, Include/cpython/object.h) or read off the code of an exported function
 * that returns it. A version that this file does not know is refused, never guessed.
 */
import { assert, Failure } from "../base/failure.js";
import { type FunctionIndex, functionIndex } from "../wasm/indices.js";
import { Opcode, skipInstruction } from "../wasm/instructions.js";
import type { WasmModule } from "../wasm/module.js";

/** Sections of `_Py_DebugOffsets` in order, each with its 64-bit fields in order, as of CPython 3.14. */
const DEBUG_OFFSETS_3_14 = {
  runtime: ["size", "finalizing", "interpretersHead"],
  interpreter: [
    "size",
    "id",
    "next",
    "threadsHead",
    "threadsMain",
    "gc",
    "modules",
    "sysdict",
    "builtins",
    "cevalGil",
    "gilRuntimeState",
    "gilEnabled",
    "gilLocked",
    "gilHolder",
    "codeObjectGeneration",
    "tlbcGeneration",
  ],
  thread: ["size", "prev", "next", "interp", "currentFrame", "threadId", "nativeThreadId", "datastackChunk", "status"],
  frame: ["size", "previous", "executable", "instrPtr", "localsplus", "owner", "stackpointer", "tlbcIndex"],
  code: [
    "size",
    "filename",
    "name",
    "qualname",
    "linetable",
    "firstlineno",
    "argcount",
    "localsplusnames",
    "localspluskinds",
    "adaptive",
    "tlbc",
  ],
  object: ["size", "type"],
  type: ["size", "name", "repr", "flags"],
  tuple: ["size", "items", "length"],
  list: ["size", "items", "length"],
  set: ["size", "used", "table", "mask"],
  dict: ["size", "keys", "values"],
  float: ["size", "value"],
  long: ["size", "tag", "digits"],
  bytes: ["size", "length", "value"],
  unicode: ["size", "state", "length", "asciiSize"],
  gc: ["size", "collecting"],
  generator: ["size", "name", "frame", "frameState"],
} as const;

type Sections = typeof DEBUG_OFFSETS_3_14;
/** Byte offsets of fields within their structures, and the structures' sizes in bytes, by section and field. */
export type DebugOffsets = { readonly [S in keyof Sections]: { readonly [F in Sections[S][number]]: number } };

/** Offsets within `PyTypeObject` and `PyHeapTypeObject` (32-bit), where the table above has none. */
export const TYPE = {
  basicsize: 16,
  itemsize: 20,
  dealloc: 24,
  flags: 84,
  traverse: 92,
  getset: 124,
  base: 128,
  dict: 132,
  bases: 168,
  mro: 172,
  cache: 176,
  subclasses: 180,
} as const;

/** Flags of types (Include/object.h). */
export const TYPE_FLAGS = {
  managedWeakref: 1 << 3,
  managedDict: 1 << 4,
  heapType: 1 << 9,
  gc: 1 << 14,
  long: 1 << 24,
  list: 1 << 25,
  tuple: 1 << 26,
  bytes: 1 << 27,
  unicode: 1 << 28,
  dict: 1 << 29,
  exception: 1 << 30,
  type: 1 << 31,
} as const;

/** `_PyInterpreterFrame.owner` of the frames that stand for an entry from C (`FRAME_OWNED_BY_INTERPRETER`, pycore_interpframe_structs.h). */
export const FRAME_OWNED_BY_INTERPRETER = 3;

/** Bytes of `PyGC_Head` before a collected object, and of the managed dict and weakref slots before that (32-bit). */
export const GC_HEAD = 8;
export const PRE_HEADER = 8;

export interface Layout {
  /** `PY_VERSION_HEX`, as the interpreter itself has it. */
  readonly version: number;
  readonly offsets: DebugOffsets;
  /** Address of `_PyRuntime`. */
  readonly runtime: number;
  /** Address of the variable that holds the current thread state. */
  readonly currentThread: number;
  /** First address of the heap: what `sbrk` first returns. Static data and the C stack are below. */
  readonly heapBase: number;
  /** Addresses of `PyCode_Type`, `PyRange_Type` and `PyType_Type`. */
  readonly codeType: number;
  readonly rangeType: number;
  readonly typeType: number;
  /** The function that runs a collection: (thread state, generation, reason) → objects found. */
  readonly collect: FunctionIndex;
  /** The functions that change the type of an object that exists (`object_set_class` and what it calls). */
  readonly setClass: readonly FunctionIndex[];
}

/** Static data as it is before the first instruction. */
export function initialMemory(module: WasmModule): DataView {
  const segments = module.dataSegments();
  const end = segments.reduce((most, s) => Math.max(most, s.address + s.bytes.length), 0);
  const image = new Uint8Array(end + 65536);
  for (const s of segments) image.set(s.bytes, s.address);
  return new DataView(image.buffer);
}

/** @throws Failure when the module is not a CPython that this program knows. */
export function readLayout(module: WasmModule): Layout {
  const runtime = module.exportedConstant("_PyRuntime");
  const heapBase = module.exportedConstant("__heap_base");
  if (runtime === undefined || heapBase === undefined)
    throw new Failure(
      "the WebAssembly module is not a CPython: it exports no `_PyRuntime`; reinstall the package pyodide",
    );
  const memory = initialMemory(module);
  const cookie = new TextDecoder().decode(new Uint8Array(memory.buffer, runtime, 8));
  if (cookie !== "xdebugpy") throw new Failure("this CPython has no table of debug offsets; refledger needs 3.14");
  const version = Number(memory.getBigUint64(runtime + 8, true));
  if (version >>> 16 !== 0x030e)
    throw new Failure(`this CPython is ${version >>> 24}.${(version >>> 16) & 255}; refledger knows 3.14`);
  return {
    version,
    offsets: readOffsets(memory, runtime + 24),
    runtime,
    heapBase,
    currentThread: constantLoad(module, "PyThreadState_GetUnchecked"),
    codeType: constant(module, "PyCode_Type"),
    rangeType: constant(module, "PyRange_Type"),
    typeType: constant(module, "PyType_Type"),
    collect: lastCall(module, "PyGC_Collect"),
    setClass: findSetClass(module, memory),
  };
}

function readOffsets(memory: DataView, start: number): DebugOffsets {
  let at = start;
  const sections = Object.entries(DEBUG_OFFSETS_3_14).map(([section, fields]) => {
    const values = fields.map((field) => {
      const value = Number(memory.getBigUint64(at, true));
      at += 8;
      return [field, value] as const;
    });
    return [section, Object.fromEntries(values)] as const;
  });
  const offsets = Object.fromEntries(sections) as unknown as DebugOffsets;
  assert(
    offsets.object.type === 4 && offsets.type.flags === TYPE.flags,
    "object and type layouts are those of a 32-bit CPython",
  );
  return offsets;
}

function exported(module: WasmModule, name: string): FunctionIndex {
  const f = module.exportedFunction(name);
  if (f === undefined) throw new Failure(`this CPython does not export ${name}; reinstall the package pyodide`);
  return f;
}

function constant(module: WasmModule, name: string): number {
  const value = module.exportedConstant(name);
  if (value === undefined) throw new Failure(`this CPython does not export ${name}; reinstall the package pyodide`);
  return value;
}

/** The address that an accessor function loads from: `i32.const ADDRESS; i32.load offset`. */
function constantLoad(module: WasmModule, name: string): number {
  const c = module.code(exported(module, name));
  assert(c.byte() === Opcode.i32_const, `${name} begins with its address`);
  const base = c.s32();
  assert(c.byte() === Opcode.i32_load, `${name} loads from its address`);
  c.u32();
  return base + c.u32();
}

/** The functions that a function calls directly, in order, repeated as often as it does. */
export function calledBy(module: WasmModule, f: FunctionIndex): FunctionIndex[] {
  const found: FunctionIndex[] = [];
  const c = module.code(f);
  while (!c.done) {
    const at = c.at;
    if (skipInstruction(c) !== Opcode.call) continue;
    const after = c.at;
    c.at = at + 1;
    found.push(functionIndex(c.u32()));
    c.at = after;
  }
  return found;
}

function lastCall(module: WasmModule, name: string): FunctionIndex {
  const callee = calledBy(module, exported(module, name)).at(-1);
  assert(callee !== undefined, `${name} calls a function`);
  return callee;
}

/** `object.__class__`'s setter, found through `PyBaseObject_Type.tp_getset`, and every function that it calls itself. */
function findSetClass(module: WasmModule, memory: DataView): FunctionIndex[] {
  const base = module.exportedConstant("PyBaseObject_Type");
  assert(base !== undefined, "PyBaseObject_Type is exported");
  const text = (at: number): string => {
    let end = at;
    while (memory.getUint8(end) !== 0) end++;
    return new TextDecoder().decode(new Uint8Array(memory.buffer, at, end - at));
  };
  // struct PyGetSetDef: name, get, set, doc, closure
  for (let at = memory.getUint32(base + TYPE.getset, true); memory.getUint32(at, true) !== 0; at += 20) {
    if (text(memory.getUint32(at, true)) !== "__class__") continue;
    const setter = module.tableFunctions().get(memory.getUint32(at + 8, true));
    assert(setter !== undefined, "the setter of object.__class__ is a function of the module");
    return [...new Set([setter, ...calledBy(module, setter).filter((f) => f >= module.importedFunctionCount)])];
  }
  throw new Failure("object.__class__ not found in this CPython; reinstall the package pyodide");
}
