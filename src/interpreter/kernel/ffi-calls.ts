/**
 * libffi's side of JavaScript, for ctypes: calling a C function pointer with arguments described at run time, and making a function pointer
 * for a Python callable. It reaches the interpreter's own functions only, since no library can be loaded.
 *
 *     ffi_cif   +0 abi  +4 nargs  +8 arg_types  +12 rtype  +16 bytes  +20 flags  +24 nfixedargs
 *     ffi_type  +0 size  +4 alignment (16 bits)  +6 type (16 bits)  +8 elements, ended by 0
 *
 * The calling convention (WebAssembly's C ABI, "BasicCABI.md" of the tool conventions): integers up to 32 bits and pointers are i32,
 * structures of one scalar are that scalar, other structures are passed by address (a copy on the stack), results that
 * are such structures go to an address passed first, variable arguments lie in one block on the stack.
 */
import { InterpreterCrash } from "../failures.js";
import type { AnyFunction, WasmType } from "../function-table.js";
import type { GuestProcess, Machine } from "./runtime-calls.js";

const kind = {
  void: 0,
  int: 1,
  float: 2,
  double: 3,
  longDouble: 4,
  u8: 5,
  s8: 6,
  u16: 7,
  s16: 8,
  u32: 9,
  s32: 10,
  u64: 11,
  s64: 12,
  structure: 13,
  pointer: 14,
};

interface FfiType {
  kind: number;
  /** Bytes. */
  size: number;
  alignment: number;
}

interface CallInterface {
  result: FfiType;
  arguments: FfiType[];
  /** How many of the arguments are not variable ones. */
  fixed: number;
}

type Value = number | bigint;

const isWide = (type: FfiType): boolean => type.kind === kind.u64 || type.kind === kind.s64;
const byAddress = (type: FfiType): boolean => type.kind === kind.structure || type.kind === kind.longDouble;

function wasmType(type: FfiType): WasmType {
  if (type.kind === kind.float) return "f32";
  if (type.kind === kind.double) return "f64";
  return isWide(type) ? "i64" : "i32";
}

export function ffiCalls(machine: Machine, guest: () => GuestProcess) {
  const call = (name: string, ...values: number[]): number =>
    (guest().instance.exports[name] as (...all: number[]) => number)(...values) >>> 0;

  const readType = (address: number): FfiType => {
    let at = address;
    for (;;) {
      const { memory } = machine;
      const type = { kind: memory.u16(at + 6), size: memory.u32(at), alignment: memory.u16(at + 4) };
      if (type.kind !== kind.structure) return type;
      const elements = memory.u32(at + 8);
      const only = memory.u32(elements);
      if (only === 0) return { ...type, kind: kind.void };
      if (memory.u32(elements + 4) !== 0) return type;
      at = only;
    }
  };

  const readInterface = (at: number): CallInterface => {
    const { memory } = machine;
    const types = memory.u32(at + 8);
    return {
      result: readType(memory.u32(at + 12)),
      arguments: Array.from({ length: memory.u32(at + 4) }, (_, index) => readType(memory.u32(types + 4 * index))),
      fixed: memory.u32(at + 24),
    };
  };

  const read = (type: FfiType, at: number): Value => {
    const { view } = machine.memory;
    switch (type.kind) {
      case kind.float:
        return view.getFloat32(at, true);
      case kind.double:
        return view.getFloat64(at, true);
      case kind.u8:
        return view.getUint8(at);
      case kind.s8:
        return view.getInt8(at);
      case kind.u16:
        return view.getUint16(at, true);
      case kind.s16:
        return view.getInt16(at, true);
      case kind.u64:
      case kind.s64:
        return view.getBigInt64(at, true);
      default:
        return view.getInt32(at, true);
    }
  };

  const write = (type: FfiType, at: number, value: Value): void => {
    const { view } = machine.memory;
    if (type.kind === kind.void) return;
    if (type.kind === kind.float) view.setFloat32(at, Number(value), true);
    else if (type.kind === kind.double) view.setFloat64(at, Number(value), true);
    else if (isWide(type)) view.setBigInt64(at, BigInt(value), true);
    else if (type.kind === kind.u8 || type.kind === kind.s8) view.setUint8(at, Number(value));
    else if (type.kind === kind.u16 || type.kind === kind.s16) view.setUint16(at, Number(value), true);
    else view.setInt32(at, Number(value), true);
  };

  /** Space on C's stack, aligned to 16 bytes at least. */
  const allocate = (size: number): number => call("_emscripten_stack_alloc", Math.max(16, size));
  const copy = (from: number, size: number): number => {
    const to = allocate(size);
    machine.memory.bytes.copyWithin(to, from, from + size);
    return to;
  };

  /** The block that variable arguments are passed in. */
  const variableBlock = (types: FfiType[], addresses: number[]): number => {
    const places: number[] = [];
    let size = 0;
    for (const type of types) {
      const wide = type.kind === kind.double || isWide(type);
      size = wide ? (size + 7) & ~7 : size;
      places.push(size);
      size += wide ? 8 : 4;
    }
    const copies = types.map((type, index) => (byAddress(type) ? copy(addresses[index]!, type.size) : 0));
    const block = allocate(size);
    for (const [index, type] of types.entries()) {
      const at = block + places[index]!;
      if (byAddress(type)) machine.memory.setU32(at, copies[index]!);
      // C promotes float to double and small integers to int before they get here.
      else
        write(
          type.kind === kind.double || isWide(type) ? type : { ...type, kind: kind.s32 },
          at,
          read(type, addresses[index]!),
        );
    }
    return block;
  };

  return {
    ffi_call_js(interfaceAt: number, functionPointer: number, result: number, values: number): void {
      const described = readInterface(interfaceAt);
      const target = guest().table.get(functionPointer);
      if (target === null) throw new InterpreterCrash("ctypes called a function pointer that is NULL", 139);
      const before = call("emscripten_stack_get_current");
      const addresses = described.arguments.map((_, index) => machine.memory.u32(values + 4 * index));
      const passed: Value[] = byAddress(described.result) ? [result >>> 0] : [];
      for (const [index, type] of described.arguments.slice(0, described.fixed).entries()) {
        const at = addresses[index]!;
        passed.push(byAddress(type) ? copy(at, type.size) : read(type, at));
      }
      if (described.fixed < described.arguments.length)
        passed.push(variableBlock(described.arguments.slice(described.fixed), addresses.slice(described.fixed)));
      let returned: Value | undefined;
      try {
        returned = target(...passed) as Value | undefined;
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        throw new InterpreterCrash("ctypes called a function with arguments of other types than it takes", 139, {
          cause: error,
        });
      }
      call("_emscripten_stack_restore", before);
      if (returned !== undefined && !byAddress(described.result)) write(described.result, result >>> 0, returned);
    },
    ffi_closure_alloc_js(size: number, code: number): number {
      const closure = call("malloc", size);
      if (closure === 0) return 0;
      const index = guest().table.reserve();
      machine.memory.setU32(code, index);
      machine.memory.setU32(closure, index);
      return closure;
    },
    ffi_closure_free_js(closure: number): void {
      guest().table.release(machine.memory.u32(closure));
      call("free", closure);
    },
    /** A closure is +0 table index, +4 interface, +8 function, +12 user data; the function takes interface, result, arguments, data. */
    ffi_prep_closure_loc_js(closure: number, interfaceAt: number, target: number, data: number, code: number): number {
      const described = readInterface(interfaceAt);
      if (described.fixed < described.arguments.length) return 1;
      const resultByAddress = byAddress(described.result);
      const parameters: WasmType[] = [
        ...(resultByAddress ? ["i32" as const] : []),
        ...described.arguments.map(wasmType),
      ];
      const results: WasmType[] =
        resultByAddress || described.result.kind === kind.void ? [] : [wasmType(described.result)];
      const closureFunction: AnyFunction = (...received: Value[]): Value | undefined => {
        const before = call("emscripten_stack_get_current");
        const resultAt = resultByAddress ? Number(received.shift()) : allocate(16);
        const array = allocate(4 * described.arguments.length);
        for (const [index, type] of described.arguments.entries()) {
          const at = byAddress(type) ? Number(received[index]) : allocate(16);
          if (!byAddress(type)) write(type, at, received[index]!);
          machine.memory.setU32(array + 4 * index, at);
        }
        guest().table.get(target)!(interfaceAt, resultAt, array, data);
        const returned =
          resultByAddress || described.result.kind === kind.void ? undefined : read(described.result, resultAt);
        call("_emscripten_stack_restore", before);
        return returned;
      };
      guest().table.setWrapped(code, closureFunction, parameters, results);
      machine.memory.setU32(closure + 4, interfaceAt);
      machine.memory.setU32(closure + 8, target);
      machine.memory.setU32(closure + 12, data);
      return 0;
    },
  };
}
