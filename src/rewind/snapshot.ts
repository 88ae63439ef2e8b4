/**
 * A copy of a stopped interpreter's memory, to go back to: whatever is asked of the past changes nothing of it. The recorder's bitmaps
 * belong to it, as far as they describe memory that exists; the ring of records does not, and is empty while the interpreter is stopped.
 */
import type { Guest } from "../interpreter/guest.js";
import type { Region } from "../interpreter/hooks.js";

/** Bytes of memory that one byte of a bitmap describes. */
const PER_BYTE = 32;

/** Bytes that are compared, and put back, at a time. */
const BLOCK = 1 << 16;

export class Snapshot {
  readonly #guest: Guest;
  readonly #parts: readonly { readonly at: number; readonly bytes: Uint8Array }[];
  readonly #stack: number;
  readonly #size: number;

  constructor(guest: Guest, region: Region) {
    this.#guest = guest;
    const { bytes } = guest.memory;
    this.#size = bytes.length;
    const ranges = [
      [0, region.start],
      [region.end, bytes.length],
      ...[region.live, region.dead, region.known].flatMap((bitmap) => [
        [bitmap, bitmap + region.start / PER_BYTE],
        [bitmap + region.end / PER_BYTE, bitmap + bytes.length / PER_BYTE],
      ]),
    ];
    this.#parts = ranges.map(([from, to]) => ({ at: from!, bytes: bytes.slice(from, to) }));
    this.#stack = guest.call("emscripten_stack_get_current");
  }

  /** Puts everything back. False if memory has grown: it never shrinks, and a run that goes on would notice. */
  restore(): boolean {
    const { bytes } = this.#guest.memory;
    const memory = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const { at, bytes: part } of this.#parts) {
      // Most of it is as it was, and much of that was never written to: writing there would make pages for it.
      for (let from = 0; from < part.length; from += BLOCK) {
        const to = Math.min(part.length, from + BLOCK);
        if (memory.compare(part, from, to, at + from, at + to) !== 0) bytes.set(part.subarray(from, to), at + from);
      }
    }
    this.#guest.call("_emscripten_stack_restore", this.#stack);
    return bytes.length === this.#size;
  }
}
