/**
 * Open file descriptions and the table of descriptors that point at them, as in POSIX: `dup` makes a second descriptor of the
 * same description, which is closed when its last descriptor is.
 */
import { Errno, fail } from "./errno.js";

/** What `stat` answers. Times are nanoseconds since 1970. The shape is that of Node's `BigIntStats`, which it often is. */
export interface FileStatus {
  dev: bigint;
  ino: bigint;
  mode: bigint;
  nlink: bigint;
  uid: bigint;
  gid: bigint;
  rdev: bigint;
  size: bigint;
  blocks: bigint;
  atimeNs: bigint;
  mtimeNs: bigint;
  ctimeNs: bigint;
}

/** File types of `st_mode`. */
export const fileType = {
  mask: 0o170000,
  fifo: 0o010000,
  device: 0o020000,
  directory: 0o040000,
  file: 0o100000,
  link: 0o120000,
  socket: 0o140000,
};

/** Flags of `open` and `fcntl`, musl's generic values. */
export const openFlag = {
  accessMode: 3,
  writeOnly: 1,
  readWrite: 2,
  create: 0o100,
  exclusive: 0o200,
  noControllingTerminal: 0o400,
  truncate: 0o1000,
  append: 0o2000,
  nonBlocking: 0o4000,
  dataSync: 0o10000,
  sync: 0o4010000,
  directory: 0o200000,
  noFollow: 0o400000,
  closeOnExec: 0o2000000,
  temporary: 0o20000000,
};

/** Bits of `poll`. */
export const pollBit = { in: 1, out: 4, error: 8, hangUp: 16, invalid: 32 };

/**
 * One open file description. What a kind of file cannot do fails as the same call does on Linux. `position` is a byte offset for
 * pread and pwrite and undefined for read and write, which move the description's own.
 */
export abstract class Description {
  /** How many descriptors point here. */
  references = 0;
  readonly isTerminal: boolean = false;
  readonly isDirectory: boolean = false;

  constructor(
    /** Access mode and status flags, of `openFlag`. */
    public flags: number,
  ) {}

  get nonBlocking(): boolean {
    return (this.flags & openFlag.nonBlocking) !== 0;
  }

  abstract status(): FileStatus;

  /** Reads at most `target.length` bytes, 0 at the end. */
  read(_target: Uint8Array, _position?: number): number {
    return fail("EINVAL");
  }

  /** Writes at most all of `source`, and says how many bytes. */
  write(_source: Uint8Array, _position?: number): number {
    return fail("EINVAL");
  }

  /** Moves the position and returns the new one, in bytes. `whence`: 0 start, 1 here, 2 end. */
  seek(_offset: number, _whence: number): number {
    return fail("ESPIPE");
  }

  truncate(_size: number): void {
    fail("EINVAL");
  }

  sync(): void {
    fail("EINVAL");
  }

  changeMode(_mode: number): void {
    fail("EROFS");
  }

  changeOwner(_user: number, _group: number): void {
    fail("EROFS");
  }

  /** Seconds since 1970. */
  changeTimes(_access: number, _modification: number): void {
    fail("EROFS");
  }

  /** For the interpreter's own library: where the next read begins, in bytes. Its bytes need not be logged. */
  get libraryPosition(): number | undefined {
    return undefined;
  }

  /** What `poll` would report now, of `pollBit`. */
  ready(): number {
    return pollBit.in | pollBit.out;
  }

  /** Whether readiness can change while the program does nothing: true for what comes from outside this process. */
  get changesByItself(): boolean {
    return false;
  }

  close(): void {}
}

interface Descriptor {
  description: Description;
  closeOnExec: boolean;
}

/** Linux's default limit of open files. */
export const maximumDescriptors = 1024;

export class DescriptorTable {
  readonly #entries: (Descriptor | undefined)[] = [];

  /** The lowest free descriptor from `from` on. */
  add(description: Description, closeOnExec = false, from = 0): number {
    let number = from;
    while (this.#entries[number] !== undefined) number++;
    if (number >= maximumDescriptors) {
      if (description.references === 0) description.close();
      throw new Errno("EMFILE");
    }
    description.references++;
    this.#entries[number] = { description, closeOnExec };
    return number;
  }

  entry(number: number): Descriptor {
    return this.#entries[number] ?? fail("EBADF");
  }

  get(number: number): Description {
    return this.entry(number).description;
  }

  find(number: number): Description | undefined {
    return this.#entries[number]?.description;
  }

  /** Puts `description` at exactly `number`, closing what was there. */
  place(number: number, description: Description, closeOnExec: boolean): void {
    if (number < 0 || number >= maximumDescriptors) fail("EBADF");
    description.references++;
    if (this.#entries[number] !== undefined) this.close(number);
    this.#entries[number] = { description, closeOnExec };
  }

  close(number: number): void {
    const { description } = this.entry(number);
    this.#entries[number] = undefined;
    if (--description.references === 0) description.close();
  }
}
