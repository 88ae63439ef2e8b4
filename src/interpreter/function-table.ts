/**
 * The interpreter's function table: C's function pointers are indices into it. A JavaScript function gets a pointer by being wrapped
 * in a module of one function that imports it and exports it again (`WebAssembly.Function` is not in Node 20).
 */
import { ByteWriter } from "../base/bytes.js";

export type WasmType = "i32" | "i64" | "f32" | "f64";

const codes: Record<WasmType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c };

// biome-ignore lint/suspicious/noExplicitAny: the arguments are whatever the wasm signature says
export type AnyFunction = (...args: any[]) => any;

/** A wasm function of that signature which calls `target`. */
export function wrapFunction(
  target: AnyFunction,
  parameters: readonly WasmType[],
  results: readonly WasmType[],
): AnyFunction {
  const type = new ByteWriter();
  type.bytes(Uint8Array.of(1, 0x60));
  for (const list of [parameters, results]) {
    type.unsigned(list.length);
    for (const one of list) type.byte(codes[one]);
  }
  const module = new ByteWriter();
  module.bytes(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  for (const [id, body] of [
    [1, type.take()],
    [2, Uint8Array.of(1, 1, 0x6d, 1, 0x66, 0, 0)], // import "m" "f", a function of type 0
    [7, Uint8Array.of(1, 1, 0x66, 0, 0)], // export "f", function 0
  ] as const) {
    module.byte(id);
    module.unsigned(body.length);
    module.bytes(body);
  }
  const compiled = new WebAssembly.Module(module.take() as Uint8Array<ArrayBuffer>);
  return new WebAssembly.Instance(compiled, { m: { f: target } }).exports["f"] as AnyFunction;
}

export class FunctionTable {
  /** What has been read from the table: `Table.get` costs more than the call that follows it. */
  readonly #known: (AnyFunction | null | undefined)[] = [];
  readonly #free: number[] = [];
  #indices: Map<AnyFunction, number> | undefined;
  /** Told of each slot that gets another function. */
  onChange: (index: number) => void = () => {};

  constructor(readonly table: WebAssembly.Table) {}

  /** The function at an index, null where there is none or no such index. */
  get(index: number): AnyFunction | null {
    if (index >>> 0 >= this.table.length) return null;
    let found = this.#known[index];
    if (found === undefined) this.#known[index] = found = this.table.get(index) as AnyFunction | null;
    return found;
  }

  /** Puts a wasm function at an index that exists. */
  set(index: number, wasmFunction: AnyFunction): void {
    this.table.set(index, wasmFunction);
    this.#known[index] = wasmFunction;
    this.#indices?.set(wasmFunction, index);
    this.onChange(index);
  }

  /** A slot that nothing uses. */
  reserve(): number {
    return this.#free.pop() ?? this.table.grow(1);
  }

  release(index: number): void {
    this.table.set(index, null);
    this.#known[index] = undefined;
    this.onChange(index);
    this.#free.push(index);
  }

  /** A function pointer for a JavaScript function. */
  add(target: AnyFunction, parameters: readonly WasmType[], results: readonly WasmType[]): number {
    const index = this.reserve();
    this.setWrapped(index, target, parameters, results);
    return index;
  }

  /** Makes an index that exists the pointer of a JavaScript function. */
  setWrapped(index: number, target: AnyFunction, parameters: readonly WasmType[], results: readonly WasmType[]): void {
    this.set(index, wrapFunction(target, parameters, results));
  }

  /** The pointer of a wasm function, which gets one if it has none. */
  indexOf(wasmFunction: AnyFunction): number {
    if (this.#indices === undefined) {
      this.#indices = new Map();
      for (let index = this.table.length - 1; index >= 0; index--) {
        const entry = this.get(index);
        if (entry !== null) this.#indices.set(entry, index);
      }
    }
    const known = this.#indices.get(wasmFunction);
    if (known !== undefined) return known;
    const index = this.reserve();
    this.set(index, wasmFunction);
    return index;
  }
}
