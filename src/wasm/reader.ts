/**
 * Reading the bytes of a WebAssembly module: a cursor with the format's integers, vectors and names. Whatever the bytes are, the
 * answer is a value or a `MalformedModule` that says where; reading past the end, integers that are too long and lengths that do
 * not fit are all caught here, so that the code above never checks.
 */
import { Failure } from "../base/failure.js";

/** The module is not what the specification allows; `offset` is in bytes from the module's start. */
export class MalformedModule extends Failure {
  readonly offset: number;

  constructor(what: string, offset: number) {
    super(`malformed WebAssembly module: ${what} at byte ${offset}`, 1);
    this.offset = offset;
  }
}

export class Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  fail(what: string): never {
    throw new MalformedModule(what, this.at);
  }

  byte(): number {
    if (this.at >= this.end) this.fail("unexpected end");
    return this.bytes[this.at++];
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) this.fail("integer too large");
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    return this.fail("integer too long");
  }

  /** Signed LEB128 of at most 32 bits. */
  s32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 25 && byte & 0x40 ? result | (-1 << (shift + 7)) : result;
    }
    return this.fail("integer too long");
  }

  /** Skips a LEB128 of at most `most` bytes. */
  skipInteger(most: number): void {
    for (let n = 0; n < most; n++) if (this.byte() < 0x80) return;
    this.fail("integer too long");
  }

  skip(bytes: number): void {
    if (this.at + bytes > this.end) this.fail("unexpected end");
    this.at += bytes;
  }

  name(): string {
    const length = this.u32();
    if (this.at + length > this.end) this.fail("name longer than its section");
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }

  /** A count of items that take at least one byte each. */
  count(): number {
    const n = this.u32();
    if (n > this.end - this.at) this.fail(`count ${n} does not fit`);
    return n;
  }
}
