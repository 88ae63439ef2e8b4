/**
 * Calling the interpreter's C API from JavaScript: exported functions by name, C strings on C's own stack (so that passing one allocates
 * nothing in the heap that is being recorded), addresses of exported variables.
 */
import type { FunctionTable } from "./function-table.js";
import { cString, type GuestMemory } from "./memory.js";

export class Guest {
  readonly #exports: Record<string, unknown>;

  constructor(
    readonly instance: WebAssembly.Instance,
    readonly memory: GuestMemory,
    readonly table: FunctionTable,
  ) {
    this.#exports = instance.exports;
  }

  /** Calls an exported C function; pointers come back unsigned. */
  call(name: string, ...args: (number | bigint)[]): number {
    const result = (this.#exports[name] as (...values: (number | bigint)[]) => number | undefined)(...args);
    return (result ?? 0) >>> 0;
  }

  /** The address of an exported C variable. */
  address(name: string): number {
    return (this.#exports[name] as WebAssembly.Global<"i32">).value >>> 0;
  }

  /** Runs `body` and then gives back what it took from C's stack. An exception leaves the stack to whoever ends the run. */
  withStack<Result>(body: () => Result): Result {
    const before = this.call("emscripten_stack_get_current");
    const result = body();
    this.call("_emscripten_stack_restore", before);
    return result;
  }

  /** A C string on C's stack; within `withStack` only. */
  string(text: string): number {
    const bytes = cString(text);
    const address = this.call("_emscripten_stack_alloc", bytes.length);
    this.memory.bytes.set(bytes, address);
    return address;
  }

  /** An array of C strings on C's stack; within `withStack` only. */
  strings(texts: readonly string[]): number {
    const addresses = texts.map((text) => this.string(text));
    const array = this.call("_emscripten_stack_alloc", Math.max(16, 4 * addresses.length));
    for (const [index, address] of addresses.entries()) this.memory.setU32(array + 4 * index, address);
    return array;
  }

  /** A `str` object's text, read character by character: nothing is allocated or cached in the object. */
  text(unicode: number): string {
    const length = this.call("PyUnicode_GetLength", unicode);
    let text = "";
    for (let index = 0; index < length; index++)
      text += String.fromCodePoint(this.call("PyUnicode_ReadChar", unicode, index));
    return text;
  }

  /** The type of an object: `ob_type`, the second word of every object in this 32-bit build. */
  typeOf(object: number): number {
    return this.memory.u32(object + 4);
  }

  /** `tp_name` of a type, the word after the variable-size object header. */
  typeName(type: number): string {
    return this.memory.text(this.memory.u32(type + 12));
  }
}
