/**
 * The system calls of an interpreter that is run again: each answers what the log says (input-log.ts has the format). There is no
 * kernel behind them and no way to the machine: whoever runs a stranger's trace again gives it nothing.
 *
 * A trace may be damaged or made up, so addresses are checked against the interpreter's memory, and names are only looked up among
 * the functions that the log itself lists. A call that the log does not have next means that the two runs are different.
 */
import type { AnyFunction } from "./function-table.js";
import { checkOf, GUEST_FUNCTIONS, QUIET, Result, Token } from "./input-log.js";
import type { GuestFunctions } from "./kernel/runtime-calls.js";
import type { GuestMemory } from "./memory.js";

/** The second run asks for something else than the first did, or the log cannot be read. */
export class InputMismatch extends Error {
  override readonly name = "InputMismatch";
}

/** The log ends here: the recording was cut short. */
export class InputsEnded extends Error {
  override readonly name = "InputsEnded";
}

/** Gives the parts of the log in order, then undefined. */
export type InputSource = () => Uint8Array | undefined;

const MOST_NAMES = 1000;

export class InputReplay {
  readonly #log: LogReader;
  readonly #library: Uint8Array;
  readonly #names: string[] = [];
  #memory!: GuestMemory;
  #guest!: GuestFunctions;
  /** The token that the next call will read, if somebody has looked at it; -1: nobody has. */
  #ahead = -1;
  /** Stands in for every call while set: what asks now is not the program. */
  instead: ((name: string, args: readonly unknown[]) => unknown) | undefined;

  /** `library`: the file that the log refers to. */
  constructor(source: InputSource, library: Uint8Array) {
    this.#log = new LogReader(source);
    this.#library = library;
    const log = this.#log;
    if (log.unsigned() !== Token.names)
      throw new InputMismatch("the log of inputs does not begin with the names of calls");
    const count = log.unsigned();
    if (count > MOST_NAMES) throw new InputMismatch(`the log of inputs names ${count} calls`);
    for (let i = 0; i < count; i++) this.#names.push(new TextDecoder().decode(log.bytes(log.unsigned())));
  }

  /** The calls that the log answers, by name. */
  calls(): Record<string, AnyFunction> {
    return Object.fromEntries(
      this.#names.map((name, id) => {
        const call = QUIET.has(name) ? this.#quiet(id) : (args: readonly unknown[]) => this.#answer(id, args);
        return [name, (...args: unknown[]) => (this.instead ? this.instead(name, args) : call(args))];
      }),
    );
  }

  attach(memory: GuestMemory, guest: GuestFunctions): void {
    this.#memory = memory;
    this.#guest = guest;
  }

  #token(): number {
    const token = this.#ahead >= 0 ? this.#ahead : this.#log.unsigned();
    this.#ahead = -1;
    return token;
  }

  #answer(id: number, args: readonly unknown[]): unknown {
    for (;;) {
      const token = this.#token();
      if (token === Token.guest) this.#callGuest();
      else if (token === Token.grow) this.#memory.grow(this.#log.unsigned());
      else if (token === Token.firstReturn + id) break;
      else {
        const found = this.#names[token - Token.firstReturn] ?? `token ${token}`;
        throw new InputMismatch(`the program calls ${this.#names[id]} where it called ${found} when it was recorded`);
      }
    }
    if (this.#log.unsigned() !== checkOf(args))
      throw new InputMismatch(`the program calls ${this.#names[id]} with other arguments than when it was recorded`);
    return this.#finish();
  }

  #finish(): unknown {
    const result = this.#result();
    const log = this.#log;
    for (let left = log.unsigned(); left > 0; left--) {
      const address = log.unsigned();
      const word = log.unsigned();
      const length = Math.floor(word / 2);
      const target = this.#memory.bytes;
      if (address + length > target.length)
        throw new InputMismatch("the log writes outside of the interpreter's memory");
      if (word % 2 === 0) log.copy(target, address, length);
      else {
        const offset = log.unsigned();
        if (offset + length > this.#library.length)
          throw new InputMismatch("the log reads outside of the interpreter's library");
        target.set(this.#library.subarray(offset, offset + length), address);
      }
    }
    return result;
  }

  #result(): unknown {
    const log = this.#log;
    const kind = log.unsigned();
    switch (kind) {
      case Result.nothing:
        return undefined;
      case Result.null:
        return null;
      case Result.i32:
        return log.signed();
      case Result.f64:
        return log.eight().getFloat64(0, true);
      case Result.i64:
        return log.eight().getBigInt64(0, true);
      default:
        throw new InputMismatch(`the log has a result of the unknown kind ${kind}`);
    }
  }

  /** A call that answered 0 unless the next token is its own and its turn has come. */
  #quiet(id: number): AnyFunction {
    let since = 0;
    let due = -1;
    return () => {
      if (due < 0) {
        if (this.#ahead < 0 && !this.#log.ended) this.#ahead = this.#log.unsigned();
        if (this.#ahead !== Token.firstReturn + id) {
          since++;
          return 0;
        }
        this.#log.unsigned(); // the check of a call without arguments
        due = this.#log.unsigned();
      }
      if (since < due) {
        since++;
        return 0;
      }
      this.#ahead = -1;
      due = -1;
      since = 0;
      return this.#finish();
    };
  }

  #callGuest(): void {
    const log = this.#log;
    const name = GUEST_FUNCTIONS[log.unsigned()];
    const count = log.unsigned();
    if (name === undefined || count > 2)
      throw new InputMismatch("the log calls a function that the interpreter has not");
    const args = Array.from({ length: count }, () => log.unsigned());
    const result = (this.#guest[name] as AnyFunction)(...args) >>> 0;
    if (this.#token() !== Token.result) throw new InputMismatch(`the log lacks the result of ${name}`);
    const expected = log.unsigned();
    if (result !== expected) throw new InputMismatch(`${name} returned ${result} where it returned ${expected} before`);
  }
}

/** The parts of the log as one stream. */
class LogReader {
  readonly #source: InputSource;
  #part: Uint8Array = new Uint8Array(0);
  #at = 0;
  readonly #number = new DataView(new ArrayBuffer(8));

  constructor(source: InputSource) {
    this.#source = source;
  }

  /** Whether nothing follows. */
  get ended(): boolean {
    while (this.#at === this.#part.length) {
      const next = this.#source();
      if (next === undefined) return true;
      this.#part = next;
      this.#at = 0;
    }
    return false;
  }

  #byte(): number {
    if (this.#at === this.#part.length && this.ended) throw new InputsEnded("the recorded inputs end here");
    return this.#part[this.#at++]!;
  }

  unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 46) throw new InputMismatch("the log has a number that is too large");
    }
  }

  signed(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return shift < 25 && byte & 64 ? value | (-1 << (shift + 7)) : value;
      if (shift >= 28) throw new InputMismatch("the log has a number that is too large");
    }
  }

  copy(target: Uint8Array, start: number, length: number): void {
    for (let done = 0; done < length; ) {
      if (this.ended) throw new InputsEnded("the recorded inputs end here");
      const piece = this.#part.subarray(this.#at, this.#at + length - done);
      target.set(piece, start + done);
      this.#at += piece.length;
      done += piece.length;
    }
  }

  bytes(length: number): Uint8Array {
    if (length > 1000) throw new InputMismatch("the log has a name that is too long");
    const bytes = new Uint8Array(length);
    this.copy(bytes, 0, length);
    return bytes;
  }

  /** The next 8 bytes, valid until the next call. */
  eight(): DataView {
    this.copy(new Uint8Array(this.#number.buffer), 0, 8);
    return this.#number;
  }
}
