/**
 * The interpreter's linear memory as JavaScript sees it. `memory.grow` detaches every view, so views are asked for each time
 * they are needed and are made anew only when the buffer has changed. Addresses are unsigned bytes offsets from 0; wasm hands
 * them over as signed 32-bit numbers, hence the `>>> 0` at each entrance.
 *
 * What a system call changes in memory is an input of the interpreter and is logged (input-log.ts). So every write of the kernel
 * passes the methods here, which tell `onWrite`; whoever fills a raw view says so afterwards with `wrote`.
 */

const decoder = new TextDecoder("utf-8", { fatal: false });
const encoder = new TextEncoder();

/** A range of memory that the host has just filled; `libraryOffset`: where in the standard library's file its bytes stand, or -1. */
export type WriteListener = (address: number, length: number, libraryOffset: number) => void;

export class GuestMemory {
  /** Told of each write, behind it. */
  onWrite: WriteListener | undefined;
  /** Told of the pages by which a system call made memory larger. */
  onGrow: ((pages: number) => void) | undefined;
  #buffer: ArrayBuffer;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;

  constructor(readonly memory: WebAssembly.Memory) {
    this.#buffer = memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }

  #renew(): void {
    this.#buffer = this.memory.buffer;
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }

  /** All of memory. Not to be kept across anything that may allocate. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#buffer !== this.memory.buffer) this.#renew();
    return this.#bytes;
  }

  /** All of memory. Not to be kept across anything that may allocate. Little-endian: pass `true`. */
  get view(): DataView {
    if (this.#buffer !== this.memory.buffer) this.#renew();
    return this.#view;
  }

  slice(address: number, length: number): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(address >>> 0, (address >>> 0) + (length >>> 0));
  }

  u8(address: number): number {
    return this.bytes[address >>> 0]!;
  }

  u16(address: number): number {
    return this.view.getUint16(address >>> 0, true);
  }

  i32(address: number): number {
    return this.view.getInt32(address >>> 0, true);
  }

  u32(address: number): number {
    return this.view.getUint32(address >>> 0, true);
  }

  /** Makes memory larger; throws when the host has not that much. */
  grow(pages: number): void {
    this.memory.grow(pages);
    this.onGrow?.(pages);
  }

  /** These bytes were written through a raw view just now. */
  wrote(address: number, length: number, libraryOffset = -1): void {
    if (length > 0) this.onWrite?.(address >>> 0, length, libraryOffset);
  }

  put(address: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, address >>> 0);
    this.wrote(address, bytes.length);
  }

  fill(address: number, length: number, value = 0): void {
    this.slice(address, length).fill(value);
    this.wrote(address, length >>> 0);
  }

  setU8(address: number, value: number): void {
    this.bytes[address >>> 0] = value;
    this.wrote(address, 1);
  }

  setU16(address: number, value: number): void {
    this.view.setUint16(address >>> 0, value, true);
    this.wrote(address, 2);
  }

  setU32(address: number, value: number): void {
    this.view.setUint32(address >>> 0, value, true);
    this.wrote(address, 4);
  }

  setU64(address: number, value: bigint): void {
    this.view.setBigUint64(address >>> 0, BigInt.asUintN(64, value), true);
    this.wrote(address, 8);
  }

  #lengthOfString(address: number): number {
    const end = this.bytes.indexOf(0, address >>> 0);
    return end - (address >>> 0);
  }

  /** A NUL-terminated string, read as UTF-8. */
  text(address: number): string {
    return decoder.decode(this.slice(address, this.#lengthOfString(address)));
  }

  /** A NUL-terminated string of bytes, one character (0 to 255) a byte: paths need not be UTF-8. */
  byteString(address: number): string {
    return Buffer.from(this.slice(address, this.#lengthOfString(address))).toString("latin1");
  }

  /** Writes the bytes of a byte string without a NUL. */
  setByteString(address: number, text: string): void {
    this.put(address, Buffer.from(text, "latin1"));
  }
}

/** UTF-8 with the NUL that C wants. */
export function cString(text: string): Uint8Array {
  return encoder.encode(`${text}\0`);
}
