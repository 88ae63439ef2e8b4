/**
 * Files of the host, at the same absolute paths and with the host's own inode numbers, modes and times. Paths are byte strings
 * (one character a byte), because file names on Linux need not be UTF-8; Node takes them as buffers.
 *
 * Node has no lseek, so a description of a regular file keeps its own position and reads with pread; descriptions without a
 * position (terminals, FIFOs, devices) read with read. An O_APPEND write goes to the end whatever the position says, as on
 * Linux, and leaves the position there.
 */
import fs from "node:fs";
import tty from "node:tty";
import { Description, type FileStatus, fileType, openFlag } from "./description.js";
import { fail } from "./errno.js";

export const hostPath = (path: string): Buffer => Buffer.from(path, "latin1");

/** Node's flags for the C library's; those that the host does not have (O_DIRECT) are left out. */
function hostFlags(flags: number): number {
  const { constants } = fs;
  let result = flags & openFlag.accessMode;
  if (flags & openFlag.create) result |= constants.O_CREAT;
  if (flags & openFlag.exclusive) result |= constants.O_EXCL;
  if (flags & openFlag.truncate) result |= constants.O_TRUNC;
  if (flags & openFlag.append) result |= constants.O_APPEND;
  if (flags & openFlag.nonBlocking) result |= constants.O_NONBLOCK;
  if ((flags & openFlag.sync) === openFlag.sync) result |= constants.O_SYNC;
  else if (flags & openFlag.dataSync) result |= constants.O_DSYNC;
  if (flags & openFlag.directory) result |= constants.O_DIRECTORY;
  if (flags & openFlag.noFollow) result |= constants.O_NOFOLLOW;
  return result | constants.O_NOCTTY;
}

/** What of `open`'s flags stays with the description. */
export const statusFlags = (flags: number): number =>
  flags & (openFlag.accessMode | openFlag.append | openFlag.nonBlocking | openFlag.sync);

abstract class HostDescription extends Description {
  constructor(
    protected readonly descriptor: number,
    flags: number,
  ) {
    super(flags);
  }

  override status(): FileStatus {
    return fs.fstatSync(this.descriptor, { bigint: true });
  }

  override sync(): void {
    fs.fsyncSync(this.descriptor);
  }

  override changeMode(mode: number): void {
    fs.fchmodSync(this.descriptor, mode);
  }

  override changeOwner(user: number, group: number): void {
    fs.fchownSync(this.descriptor, user, group);
  }

  override changeTimes(access: number, modification: number): void {
    fs.futimesSync(this.descriptor, access, modification);
  }

  override close(): void {
    fs.closeSync(this.descriptor);
  }
}

class HostFile extends HostDescription {
  /** Bytes from the start. */
  #position = 0;
  override readonly isTerminal: boolean;

  constructor(
    descriptor: number,
    flags: number,
    readonly seekable: boolean,
  ) {
    super(descriptor, flags);
    this.isTerminal = !seekable && tty.isatty(descriptor);
  }

  override read(target: Uint8Array, position?: number): number {
    if ((this.flags & openFlag.accessMode) === openFlag.writeOnly) fail("EBADF");
    if (!this.seekable) {
      if (position !== undefined) fail("ESPIPE");
      return fs.readSync(this.descriptor, target, 0, target.length, null);
    }
    const count = fs.readSync(this.descriptor, target, 0, target.length, position ?? this.#position);
    if (position === undefined) this.#position += count;
    return count;
  }

  override write(source: Uint8Array, position?: number): number {
    if ((this.flags & openFlag.accessMode) === 0) fail("EBADF");
    if (!this.seekable) {
      if (position !== undefined) fail("ESPIPE");
      return fs.writeSync(this.descriptor, source, 0, source.length, null);
    }
    const count = fs.writeSync(this.descriptor, source, 0, source.length, position ?? this.#position);
    if (position === undefined) {
      if (this.flags & openFlag.append) this.#position = fs.fstatSync(this.descriptor).size;
      else this.#position += count;
    }
    return count;
  }

  override seek(offset: number, whence: number): number {
    if (!this.seekable) fail("ESPIPE");
    const base = whence === 0 ? 0 : whence === 1 ? this.#position : whence === 2 ? this.#size() : fail("EINVAL");
    if (base + offset < 0) fail("EINVAL");
    this.#position = base + offset;
    return this.#position;
  }

  #size(): number {
    return fs.fstatSync(this.descriptor).size;
  }

  override truncate(size: number): void {
    if ((this.flags & openFlag.accessMode) === 0) fail("EINVAL");
    fs.ftruncateSync(this.descriptor, size);
  }
}

export class Directory extends Description {
  override readonly isDirectory = true;
  /** What `getdents` hands out, taken when the first entry is asked for and dropped on rewinding. */
  entries: DirectoryEntry[] | undefined;
  position = 0;

  constructor(
    /** Absolute; a byte string. */
    readonly path: string,
    private readonly source: {
      status(): FileStatus;
      list(): DirectoryEntry[];
      change?: Pick<Description, "changeMode" | "changeOwner" | "changeTimes" | "sync" | "close">;
    },
  ) {
    super(0);
  }

  list(): DirectoryEntry[] {
    this.entries ??= this.source.list();
    return this.entries;
  }

  override status(): FileStatus {
    return this.source.status();
  }

  override read(): number {
    return fail("EISDIR");
  }

  override write(): number {
    return fail("EBADF");
  }

  override seek(offset: number, whence: number): number {
    const base = whence === 0 ? 0 : whence === 1 ? this.position : fail("EINVAL");
    this.position = base + offset;
    if (this.position === 0) this.entries = undefined;
    return this.position;
  }

  override changeMode(mode: number): void {
    (this.source.change ?? fail("EROFS")).changeMode(mode);
  }

  override changeOwner(user: number, group: number): void {
    (this.source.change ?? fail("EROFS")).changeOwner(user, group);
  }

  override changeTimes(access: number, modification: number): void {
    (this.source.change ?? fail("EROFS")).changeTimes(access, modification);
  }

  override sync(): void {
    this.source.change?.sync();
  }

  override close(): void {
    this.source.change?.close();
  }
}

export interface DirectoryEntry {
  /** A byte string. */
  name: string;
  inode: bigint;
  /** As `d_type`: 1 FIFO, 2 character device, 4 directory, 6 block device, 8 file, 10 link, 12 socket. */
  type: number;
}

/** A file of another type than those of directory, file and link still has the type of its mode's upper bits. */
export const entryType = (mode: bigint): number => Number(mode & BigInt(fileType.mask)) >> 12;

export function listHostDirectory(path: string): DirectoryEntry[] {
  const entries = fs.readdirSync(hostPath(path), { encoding: "buffer" }) as unknown as Buffer[];
  const found: DirectoryEntry[] = [];
  for (const bytes of entries) {
    const name = bytes.toString("latin1");
    const status = fs.lstatSync(hostPath(`${path}/${name}`), { bigint: true, throwIfNoEntry: false });
    if (status !== undefined) found.push({ name, inode: status.ino, type: entryType(status.mode) });
  }
  return found;
}

/** Opens a file or directory of the host. `mode` has the umask applied already; `shown`: what of a directory's entries is to be seen. */
export function openHostFile(
  path: string,
  flags: number,
  mode: number,
  shown: (entries: DirectoryEntry[]) => DirectoryEntry[],
): Description {
  if ((flags & openFlag.temporary) === openFlag.temporary) fail("EOPNOTSUPP");
  const descriptor = fs.openSync(hostPath(path), hostFlags(flags), mode);
  const status = fs.fstatSync(descriptor, { bigint: true });
  const type = Number(status.mode) & fileType.mask;
  if (type !== fileType.directory) return new HostFile(descriptor, statusFlags(flags), type === fileType.file);
  return new Directory(path, {
    status: () => fs.fstatSync(descriptor, { bigint: true }),
    list: () => shown(listHostDirectory(path)),
    change: {
      changeMode: (value) => fs.fchmodSync(descriptor, value),
      changeOwner: (user, group) => fs.fchownSync(descriptor, user, group),
      changeTimes: (access, modification) => fs.futimesSync(descriptor, access, modification),
      sync: () => fs.fsyncSync(descriptor),
      close: () => fs.closeSync(descriptor),
    },
  });
}
