/**
 * Standard input, output and error: the process's own descriptors 0, 1 and 2, used from the worker with synchronous calls. Nothing
 * is buffered here; what Python writes is written before the call returns.
 *
 * Input is the only place where the program can wait for the world for ever, and a worker that sits in read(2) cannot be told of
 * Ctrl-C. So terminals and FIFOs are opened a second time in non-blocking mode (through /proc/self/fd, which makes a new description:
 * the one shared with other processes stays as it was), sockets are made non-blocking themselves, and the wait is in slices
 * on the interrupt word. Where neither works (no /proc, another user's pipe) reads block, and Ctrl-C is seen when the next
 * byte comes.
 */
import fs from "node:fs";
import net from "node:net";
import tty from "node:tty";
import { Description, type FileStatus, fileType, openFlag, pollBit } from "./description.js";
import { fail } from "./errno.js";
import type { Interrupt } from "./interrupt.js";

/** Milliseconds between two looks at standard input. */
const firstSlice = 1;
const longestSlice = 10;

/** Where a regular file's inherited descriptor stands, in bytes; Linux tells. */
function inheritedPosition(descriptor: number): number | undefined {
  try {
    const found = /^pos:\s*(\d+)/m.exec(fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1"));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

const isAgain = (error: unknown): boolean => {
  const code = (error as { code?: string }).code;
  return code === "EAGAIN" || code === "EWOULDBLOCK";
};

abstract class StandardStream extends Description {
  override readonly isTerminal: boolean;
  protected readonly type: number;

  constructor(
    protected readonly descriptor: number,
    flags: number,
    protected readonly interrupt: Interrupt,
  ) {
    super(flags);
    this.isTerminal = tty.isatty(descriptor);
    this.type = fs.fstatSync(descriptor).mode & fileType.mask;
  }

  override status(): FileStatus {
    return fs.fstatSync(this.descriptor, { bigint: true });
  }

  override sync(): void {
    if (this.type === fileType.file) fs.fsyncSync(this.descriptor);
    else fail("EINVAL");
  }
}

export class StandardInput extends StandardStream {
  #source: number;
  /** Whether a read of the source comes back at once, with EAGAIN if there is nothing. */
  #waits = false;
  /** Read ahead by `poll`, which must look and not take. */
  #ahead: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  /** For a regular file: where we are, in bytes. */
  #position: number | undefined;

  constructor(interrupt: Interrupt) {
    super(0, 0, interrupt);
    this.#source = this.descriptor;
    if (this.type === fileType.file) this.#position = inheritedPosition(this.descriptor);
    else if (this.type === fileType.socket) {
      // Node has no fcntl; a `net.Socket` makes its descriptor non-blocking and, never read from, does nothing else.
      new net.Socket({ fd: this.descriptor, readable: false, writable: false }).unref();
      this.#waits = true;
    } else if (this.isTerminal || this.type === fileType.fifo) {
      try {
        this.#source = fs.openSync(
          "/proc/self/fd/0",
          fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY,
        );
        this.#waits = true;
      } catch {
        this.#waits = false;
      }
    }
  }

  /** Reads what is there, undefined if nothing is yet. */
  #attempt(target: Uint8Array): number | undefined {
    try {
      return fs.readSync(this.#source, target, 0, target.length, null);
    } catch (error) {
      if (isAgain(error)) return undefined;
      throw error;
    }
  }

  override read(target: Uint8Array, position?: number): number {
    if (this.#position !== undefined) {
      const count = fs.readSync(this.descriptor, target, 0, target.length, position ?? this.#position);
      if (position === undefined) this.#position += count;
      return count;
    }
    if (position !== undefined) fail("ESPIPE");
    if (this.#ahead.length > 0) {
      const part = this.#ahead.subarray(0, target.length);
      target.set(part);
      this.#ahead = this.#ahead.subarray(part.length);
      return part.length;
    }
    for (let slice = firstSlice; ; slice = Math.min(slice * 2, longestSlice)) {
      const count = this.#attempt(target);
      if (count !== undefined) return count;
      if (this.nonBlocking) fail("EAGAIN");
      if (this.interrupt.wait(slice)) fail("EINTR");
    }
  }

  override seek(offset: number, whence: number): number {
    if (this.#position === undefined) fail("ESPIPE");
    const size = whence === 2 ? fs.fstatSync(this.descriptor).size : 0;
    const base = whence === 0 ? 0 : whence === 1 ? this.#position : whence === 2 ? size : fail("EINVAL");
    if (base + offset < 0) fail("EINVAL");
    this.#position = base + offset;
    return this.#position;
  }

  override ready(): number {
    if (this.#position !== undefined || this.#ahead.length > 0 || !this.#waits) return pollBit.in;
    const buffer = new Uint8Array(4096);
    const count = this.#attempt(buffer);
    if (count === undefined) return 0;
    this.#ahead = buffer.slice(0, count);
    return count === 0 ? pollBit.in | pollBit.hangUp : pollBit.in;
  }

  override get changesByItself(): boolean {
    return true;
  }
}

/** Told before the program writes to a terminal or to standard error, so that what others write there can get out of the way. */
export type BeforeTerminalOutput = (source: Uint8Array) => void;

export class StandardOutput extends StandardStream {
  readonly #before: BeforeTerminalOutput | undefined;

  constructor(descriptor: 1 | 2, interrupt: Interrupt, before?: BeforeTerminalOutput) {
    super(descriptor, openFlag.writeOnly, interrupt);
    this.#before = this.isTerminal || descriptor === 2 ? before : undefined;
  }

  override read(): number {
    return fail("EBADF");
  }

  override write(source: Uint8Array, position?: number): number {
    if (position !== undefined) fail("ESPIPE");
    this.#before?.(source);
    // A pipe whose other side somebody made non-blocking says EAGAIN when it is full: wait, as a blocking write would.
    for (;;) {
      try {
        return fs.writeSync(this.descriptor, source, 0, source.length, null);
      } catch (error) {
        if (!isAgain(error)) throw error;
        if (this.nonBlocking) fail("EAGAIN");
        if (this.interrupt.wait(firstSlice)) fail("EINTR");
      }
    }
  }

  /** Only `tell`: Node cannot move the position of a descriptor that it shares with other processes. */
  override seek(offset: number, whence: number): number {
    const position = this.type === fileType.file ? inheritedPosition(this.descriptor) : undefined;
    if (position === undefined || offset !== 0 || whence !== 1) fail("ESPIPE");
    return position;
  }

  override truncate(size: number): void {
    fs.ftruncateSync(this.descriptor, size);
  }
}

/** False for a descriptor that the process was started without (`program <&-`). */
function isOpen(descriptor: number): boolean {
  try {
    fs.fstatSync(descriptor);
    return true;
  } catch {
    return false;
  }
}

/** The three streams, undefined where the process was started without one. */
export function standardStreams(interrupt: Interrupt, before?: BeforeTerminalOutput): (Description | undefined)[] {
  return [
    isOpen(0) ? new StandardInput(interrupt) : undefined,
    isOpen(1) ? new StandardOutput(1, interrupt, before) : undefined,
    isOpen(2) ? new StandardOutput(2, interrupt, before) : undefined,
  ];
}
