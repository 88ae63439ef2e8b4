/**
 * The files that Python finds while the past is asked: the interpreter's own library, so that what the program has not imported can be
 * imported now, and the program's sources as the trace has them, so that tracebacks have their lines. All of it stands in memory and
 * is read-only; every other name does not exist. Nothing here can reach the machine's files: there is no call to it.
 */
import { posix } from "node:path";
import { type FileStatus, fileType } from "../interpreter/kernel/description.js";
import { errno } from "../interpreter/kernel/errno.js";
import { writeStatus } from "../interpreter/kernel/file-calls.js";
import type { GuestMemory } from "../interpreter/memory.js";

/** Contents by absolute path. */
export type PastFiles = ReadonlyMap<string, Uint8Array>;

/** Descriptors of these files begin here, far above those that the program itself may hold. */
const FIRST_DESCRIPTOR = 0x10000;
const O_ACCMODE = 3;
const O_DIRECTORY = 0o200000;
const FILE_MODE = BigInt(fileType.file | 0o444);

interface Open {
  readonly contents: Uint8Array;
  readonly inode: number;
  position: number;
}

type Call = (...args: never[]) => number;

/** The calls that deal with files, by name; undefined for descriptors that are not of these files. */
export function fileCallsOfThePast(
  memory: GuestMemory,
  files: PastFiles,
  cwd: string,
): Readonly<Record<string, (args: readonly unknown[]) => number | undefined>> {
  const open = new Map<number, Open>();
  const names = [...files.keys()];
  let last = FIRST_DESCRIPTOR;

  const find = (address: number): string => posix.resolve(cwd, memory.text(address));
  const status = (path: string, to: number): number => {
    const contents = files.get(path);
    if (!contents) return -errno.ENOENT;
    return writeStatus({ memory }, to, statusOf(contents, names.indexOf(path) + 1));
  };
  const read = (file: Open, vectors: number, count: number, from: number): number => {
    let done = 0;
    for (let i = 0; i < count; i++) {
      const length = memory.u32(vectors + 8 * i + 4);
      const part = file.contents.subarray(from + done, from + done + length);
      memory.bytes.set(part, memory.u32(vectors + 8 * i));
      done += part.length;
      if (part.length < length) break;
    }
    return done;
  };
  /** A call on one of the descriptors here. */
  const on =
    (call: (file: Open, ...args: never[]) => number): Call =>
    (descriptor: number, ...args: never[]) => {
      const file = open.get(descriptor);
      return file ? call(file, ...args) : (undefined as never);
    };

  const calls: Record<string, Call> = {
    __syscall_stat64: (path: number, to: number) => status(find(path), to),
    __syscall_lstat64: (path: number, to: number) => status(find(path), to),
    __syscall_newfstatat: (_folder: number, path: number, to: number) => status(find(path), to),
    __syscall_faccessat: (_folder: number, path: number) => (files.has(find(path)) ? 0 : -errno.ENOENT),
    __syscall_readlinkat: (_folder: number, path: number) => (files.has(find(path)) ? -errno.EINVAL : -errno.ENOENT),
    __syscall_openat: (_folder: number, address: number, flags: number) => {
      const path = find(address);
      const contents = files.get(path);
      if ((flags & O_ACCMODE) !== 0) return -errno.EROFS;
      if (!contents) return -errno.ENOENT;
      if (flags & O_DIRECTORY) return -errno.ENOTDIR;
      open.set(++last, { contents, inode: names.indexOf(path) + 1, position: 0 });
      return last;
    },
    __syscall_getcwd: (to: number, size: number) => {
      const bytes = Buffer.from(`${cwd}\0`);
      if (bytes.length > size) return -errno.ERANGE;
      memory.bytes.set(bytes, to >>> 0);
      return bytes.length;
    },
    __syscall_fstat64: on((file, to: number) => writeStatus({ memory }, to, statusOf(file.contents, file.inode))),
    // F_GETFD, the only command that Python needs: the descriptor closes on exec.
    __syscall_fcntl64: on((_file, command: number) => (command === 1 ? 1 : -errno.EINVAL)),
    fd_close: (descriptor: number) => (open.delete(descriptor) ? 0 : (undefined as never)),
    fd_fdstat_get: on((_file, to: number) => {
      memory.slice(to, 24).fill(0);
      memory.setU8(to, 4); // a regular file
      return 0;
    }),
    fd_read: on((file, vectors: number, count: number, result: number) => {
      const done = read(file, vectors, count, file.position);
      file.position += done;
      memory.setU32(result, done);
      return 0;
    }),
    fd_pread: on((file, vectors: number, count: number, from: bigint, result: number) => {
      memory.setU32(result, read(file, vectors, count, Number(from)));
      return 0;
    }),
    fd_seek: on((file, offset: bigint, whence: number, result: number) => {
      const base = [0, file.position, file.contents.length][whence];
      const to = base === undefined ? -1 : base + Number(offset);
      if (to < 0) return errno.EINVAL;
      file.position = to;
      memory.setU64(result, BigInt(to));
      return 0;
    }),
  };
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [name, (args: readonly unknown[]) => call(...(args as never[]))]),
  );
}

function statusOf(contents: Uint8Array, inode: number): FileStatus {
  const size = BigInt(contents.length);
  return {
    dev: 1n,
    ino: BigInt(inode),
    mode: FILE_MODE,
    nlink: 1n,
    uid: 0n,
    gid: 0n,
    rdev: 0n,
    size,
    blocks: (size + 511n) / 512n,
    atimeNs: 0n,
    mtimeNs: 0n,
    ctimeNs: 0n,
  };
}
