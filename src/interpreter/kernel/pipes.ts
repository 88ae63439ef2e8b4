/**
 * Pipes inside the program. Both ends are in the one process there is, so a read of an empty pipe that has a writer waits for
 * something that only a signal handler could bring: it waits for a signal, as CPython on Linux would.
 */
import { Description, type FileStatus, fileType, openFlag, pollBit } from "./description.js";
import { fail } from "./errno.js";
import type { Interrupt } from "./interrupt.js";

/** A first-in first-out queue of bytes with a limit, as between the ends of a pipe or a connection. */
export class ByteQueue {
  readonly #parts: Uint8Array[] = [];
  length = 0;
  writers = 1;
  readers = 1;

  constructor(
    /** Bytes; Linux's default for a pipe. */
    readonly capacity = 65536,
  ) {}

  push(bytes: Uint8Array): number {
    const part = bytes.slice(0, Math.max(0, this.capacity - this.length));
    if (part.length > 0) this.#parts.push(part);
    this.length += part.length;
    return part.length;
  }

  /** Takes at most `target.length` bytes, or only looks at them. */
  take(target: Uint8Array, look = false): number {
    let filled = 0;
    for (let index = 0; filled < target.length && index < this.#parts.length; ) {
      const first = this.#parts[index]!;
      const part = first.subarray(0, target.length - filled);
      target.set(part, filled);
      filled += part.length;
      if (look) index++;
      else if (part.length === first.length) this.#parts.shift();
      else this.#parts[0] = first.subarray(part.length);
    }
    if (!look) this.length -= filled;
    return filled;
  }

  /** Takes what is there; waits as the flags of `reader` say when nothing is. */
  read(target: Uint8Array, nonBlocking: boolean, interrupt: Interrupt, look = false): number {
    if (target.length === 0) return 0;
    while (this.length === 0) {
      if (this.writers === 0) return 0;
      if (nonBlocking) fail("EAGAIN");
      if (interrupt.wait(Number.POSITIVE_INFINITY)) fail("EINTR");
    }
    return this.take(target, look);
  }

  write(source: Uint8Array, nonBlocking: boolean, interrupt: Interrupt): number {
    if (this.readers === 0) fail("EPIPE");
    if (source.length === 0) return 0;
    while (this.length === this.capacity) {
      if (nonBlocking) fail("EAGAIN");
      if (interrupt.wait(Number.POSITIVE_INFINITY)) fail("EINTR");
    }
    return this.push(source);
  }
}

/** The status of what has no place in the file system. */
export function anonymousStatus(type: number, inode: bigint): FileStatus {
  return {
    dev: 2n,
    ino: inode,
    mode: BigInt(type | 0o600),
    nlink: 1n,
    uid: 0n,
    gid: 0n,
    rdev: 0n,
    size: 0n,
    blocks: 0n,
    atimeNs: 0n,
    mtimeNs: 0n,
    ctimeNs: 0n,
  };
}

export class PipeEnd extends Description {
  constructor(
    private readonly queue: ByteQueue,
    private readonly writing: boolean,
    private readonly interrupt: Interrupt,
    private readonly inode: bigint,
  ) {
    super(writing ? openFlag.writeOnly : 0);
  }

  override status(): FileStatus {
    return anonymousStatus(fileType.fifo, this.inode);
  }

  override read(target: Uint8Array, position?: number): number {
    if (this.writing) fail("EBADF");
    if (position !== undefined) fail("ESPIPE");
    return this.queue.read(target, this.nonBlocking, this.interrupt);
  }

  override write(source: Uint8Array, position?: number): number {
    if (!this.writing) fail("EBADF");
    if (position !== undefined) fail("ESPIPE");
    return this.queue.write(source, this.nonBlocking, this.interrupt);
  }

  override ready(): number {
    if (this.writing) {
      if (this.queue.readers === 0) return pollBit.error;
      return this.queue.length < this.queue.capacity ? pollBit.out : 0;
    }
    return (this.queue.length > 0 ? pollBit.in : 0) | (this.queue.writers === 0 ? pollBit.hangUp : 0);
  }

  override close(): void {
    if (this.writing) this.queue.writers--;
    else this.queue.readers--;
  }
}
