/**
 * The log of everything that came into the interpreter from outside, so that a second run can be given the same (input-replay.ts). All
 * that an interpreter can see of the world are the answers of its system calls, which are functions imported into its module
 * (imports.ts): what they return, and what they write into its memory. So neither files nor clocks are kept, but answers, in the
 * order in which they were given; the second run has no files and no clock. rr does the same at the boundary of Linux processes.
 *
 * What a call wrote is known from `GuestMemory.onWrite`: each write of the kernel passes there while the call runs. Its bytes are taken
 * when the call returns. A call may itself call functions of the interpreter (malloc for a result): those are repeated, and may
 * make system calls of their own, so the log is one flat sequence of tokens.
 *
 *     token    names     0  count  name …                       once, at the beginning: call c is the name at place c
 *              guest     1  function  count  argument …         the call under way calls the interpreter
 *              result    2  value                               and this is what that returned
 *              grow      3  pages                               the call under way made memory larger
 *              return    4 + c  check  [quiet]  result  count  write … call c came back
 *     result   0 nothing │ 1 signed 32 bits │ 2 float64 │ 3 signed 64 bits │ 4 null
 *     write    address  length × 2  byte …                      bytes
 *              address  length × 2 + 1  offset                  bytes of the interpreter's own library, which is not copied
 *
 * Numbers are LEB128, unsigned but for signed 32-bit results; float64 and 64-bit integers are 8 bytes, little-endian. For
 * example, when call 2 returns 0 and wrote 07 00 at address 256, the token is 06 00 01 00 01 80 02 04 07 00.
 *
 * `check` stands for the call's arguments (`checkOf`): a second run that asks for something else is stopped before the answer is
 * written to where its own memory has something else.
 *
 * CPython asks for signals thousands of times a second, and the answer is nearly always 0. Such answers of `QUIET` calls are
 * counted and not written; `quiet` is their number since the call's last token.
 *
 * Owned by the interpreter's thread. Parts of the log go to the sink between tokens, at the latest when `PART` bytes wait.
 */
import { ByteWriter } from "../base/bytes.js";
import type { AnyFunction } from "./function-table.js";
import type { GuestFunctions } from "./kernel/runtime-calls.js";
import type { GuestMemory } from "./memory.js";

export const Token = { names: 0, guest: 1, result: 2, grow: 3, firstReturn: 4 } as const;
export const Result = { nothing: 0, i32: 1, f64: 2, i64: 3, null: 4 } as const;
export const GUEST_FUNCTIONS = ["emscripten_builtin_memalign", "malloc", "__errno_location"] as const;
export const QUIET: ReadonlySet<string> = new Set(["_Py_CheckEmscriptenSignals_Helper"]);

/** Bytes of the log that wait at most, and of a part at most. */
const PART = 2 ** 18;
const LARGEST_PART = 2 ** 20;
/** Writes of one call among which a repeated one is looked for: a long `poll` writes the same few words again and again. */
const REPEATED = 32;

/** 14 bits that change with the arguments of a call; 0 for none. */
export function checkOf(args: readonly unknown[]): number {
  let hash = 0;
  for (const argument of args) {
    const word = typeof argument === "bigint" ? Number(BigInt.asIntN(32, argument)) : (argument as number) | 0;
    hash = Math.imul(hash ^ word, 0x2545f491);
    hash ^= hash >>> 15;
  }
  return hash & 0x3fff;
}

export type InputSink = (part: Uint8Array) => void;

export class InputLog {
  readonly #sink: InputSink;
  readonly #out = new ByteWriter(2 * PART);
  readonly #number = new DataView(new ArrayBuffer(8));
  #memory: GuestMemory | undefined;
  /** Address, length, library offset of each write of the innermost call under way. */
  #writes: number[] | undefined;
  #stopped = false;

  constructor(sink: InputSink) {
    this.#sink = sink;
  }

  /** The same calls, logged. To be called once. */
  wrap(calls: Readonly<Record<string, AnyFunction>>): Record<string, AnyFunction> {
    const names = Object.keys(calls);
    this.#out.unsigned(Token.names);
    this.#out.unsigned(names.length);
    for (const name of names) this.#out.name(name);
    return Object.fromEntries(names.map((name, id) => [name, this.#logged(id, calls[name]!, QUIET.has(name))]));
  }

  /** When there is an interpreter, before its first instruction; returns the functions that system calls may call. */
  attach(memory: GuestMemory, guest: GuestFunctions): GuestFunctions {
    this.#memory = memory;
    memory.onWrite = (address, length, libraryOffset) => this.#wrote(address, length, libraryOffset);
    memory.onGrow = (pages) => {
      if (this.#writes === undefined) return;
      this.#out.unsigned(Token.grow);
      this.#out.unsigned(pages);
    };
    return Object.fromEntries(
      GUEST_FUNCTIONS.map((name, index) => [name, this.#repeatable(index, guest[name] as AnyFunction)]),
    ) as unknown as GuestFunctions;
  }

  /** Hands over what waits. */
  flush(): void {
    const bytes = this.#out.view();
    for (let at = 0; at < bytes.length; at += LARGEST_PART) this.#sink(bytes.slice(at, at + LARGEST_PART));
    this.#out.reset();
  }

  /** From here on nothing is logged. */
  stop(): void {
    if (this.#stopped) return;
    this.flush();
    this.#stopped = true;
    if (this.#memory === undefined) return;
    this.#memory.onWrite = undefined;
    this.#memory.onGrow = undefined;
  }

  #wrote(address: number, length: number, libraryOffset: number): void {
    const writes = this.#writes;
    if (writes === undefined) return;
    for (let i = Math.max(0, writes.length - 3 * REPEATED); i < writes.length; i += 3)
      if (writes[i] === address && writes[i + 1] === length && writes[i + 2] === libraryOffset) return;
    writes.push(address, length, libraryOffset);
  }

  #logged(id: number, call: AnyFunction, isQuiet: boolean): AnyFunction {
    let quiet = 0;
    return (...args) => {
      if (this.#stopped) return call(...args);
      const outer = this.#writes;
      const writes: number[] = [];
      this.#writes = writes;
      let result: unknown;
      try {
        result = call(...args);
      } finally {
        this.#writes = outer;
      }
      if (isQuiet && result === 0) {
        quiet++;
        return result;
      }
      const out = this.#out;
      out.unsigned(Token.firstReturn + id);
      out.unsigned(checkOf(args));
      if (isQuiet) out.unsigned(quiet);
      quiet = 0;
      this.#result(result);
      this.#contents(writes);
      if (out.length >= PART) this.flush();
      return result;
    };
  }

  #result(result: unknown): void {
    const out = this.#out;
    if (result === undefined) out.unsigned(Result.nothing);
    else if (result === null) out.unsigned(Result.null);
    else if (typeof result === "bigint") {
      out.unsigned(Result.i64);
      this.#number.setBigInt64(0, result, true);
      out.bytes(new Uint8Array(this.#number.buffer));
    } else if (Object.is(result, (result as number) | 0)) {
      out.unsigned(Result.i32);
      out.signed(result as number);
    } else {
      out.unsigned(Result.f64);
      this.#number.setFloat64(0, result as number, true);
      out.bytes(new Uint8Array(this.#number.buffer));
    }
  }

  #contents(writes: readonly number[]): void {
    const out = this.#out;
    out.unsigned(writes.length / 3);
    for (let i = 0; i < writes.length; i += 3) {
      const [address, length, libraryOffset] = [writes[i]!, writes[i + 1]!, writes[i + 2]!];
      out.unsigned(address);
      out.unsigned(2 * length + (libraryOffset < 0 ? 0 : 1));
      if (libraryOffset < 0) out.bytes(this.#memory!.slice(address, length));
      else out.unsigned(libraryOffset);
    }
  }

  #repeatable(index: number, target: AnyFunction): AnyFunction {
    return (...args: number[]) => {
      if (this.#stopped) return target(...args);
      const out = this.#out;
      out.unsigned(Token.guest);
      out.unsigned(index);
      out.unsigned(args.length);
      for (const argument of args) out.unsigned(argument >>> 0);
      const result = target(...args) as number;
      out.unsigned(Token.result);
      out.unsigned(result >>> 0);
      return result;
    };
  }
}
