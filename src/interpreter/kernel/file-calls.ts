/**
 * System calls that take a path. Each asks first whether the path is one of the runtime's own and goes to the host otherwise. Numbers
 * of flags are musl's generic ones.
 */
import fs from "node:fs";
import { type Description, type FileStatus, openFlag } from "./description.js";
import { fail } from "./errno.js";
import { Directory, type DirectoryEntry, entryType, hostPath, listHostDirectory, openHostFile } from "./host-files.js";
import { type Kernel, linuxCalls } from "./kernel.js";

const atSymlinkNoFollow = 0x100;
const atRemoveDirectory = 0x200;
const atEmptyPath = 0x1000;
/** Bytes of `struct stat` and of `struct statfs`. */
const statusSize = 96;
const fileSystemSize = 68;
const utimeNow = 0x3fffffff;
const utimeOmit = 0x3ffffffe;

export function writeStatus(kernel: Pick<Kernel, "memory">, address: number, status: FileStatus): number {
  const { view } = kernel.memory;
  const at = address >>> 0;
  const u32 = (offset: number, value: bigint) => view.setUint32(at + offset, Number(value & 0xffffffffn), true);
  const time = (offset: number, nanoseconds: bigint) => {
    const seconds = nanoseconds / 1_000_000_000n - (nanoseconds % 1_000_000_000n < 0n ? 1n : 0n);
    view.setBigInt64(at + offset, seconds, true);
    u32(offset + 8, nanoseconds - seconds * 1_000_000_000n);
    u32(offset + 12, 0n);
  };
  u32(0, status.dev);
  u32(4, status.mode);
  u32(8, status.nlink);
  u32(12, status.uid);
  u32(16, status.gid);
  u32(20, status.rdev);
  view.setBigInt64(at + 24, status.size, true);
  u32(32, 4096n);
  u32(36, status.blocks);
  time(40, status.atimeNs);
  time(56, status.mtimeNs);
  time(72, status.ctimeNs);
  view.setBigUint64(at + 88, status.ino, true);
  kernel.memory.wrote(at, statusSize);
  return 0;
}

/** Opens a path; the number of an own descriptor where the path names one (/dev/stdin). */
function open(kernel: Kernel, path: string, flags: number, mode: number): Description | number {
  const node = kernel.own.find(path);
  if (node !== undefined) return kernel.own.open(node, path, flags);
  const last = (flags & openFlag.noFollow) !== 0 ? "link" : "follow";
  const isOnTheWay = (flags & (openFlag.accessMode | openFlag.create | openFlag.truncate)) === 0;
  if (isOnTheWay) kernel.reach.look(path, last);
  else kernel.reach.enter(path, last);
  if (/^\/+$/.test(path) && isOnTheWay) {
    return new Directory("/", {
      status: () => fs.statSync("/", { bigint: true }),
      list: () => [
        ...shownOf(kernel, "/", listHostDirectory("/")).filter((entry) => !kernel.own.names.includes(entry.name)),
        ...kernel.own.names.map((name) => {
          const status = kernel.own.status(kernel.own.find(`/${name}`)!);
          return { name, inode: status.ino, type: entryType(status.mode) };
        }),
      ],
    });
  }
  return openHostFile(path, flags, mode & ~kernel.umask & 0o7777, (entries) => shownOf(kernel, path, entries));
}

/** A folder above an allowed one shows what leads there, and nothing else; one with something hidden does not show that. */
function shownOf(kernel: Kernel, folder: string, entries: DirectoryEntry[]): DirectoryEntry[] {
  if (kernel.reach.isWithin(folder)) return entries;
  return entries.filter(({ name }) => kernel.reach.leadsOn(`${folder}/${name}`));
}

function statusOf(kernel: Kernel, path: string, follow: boolean): FileStatus {
  const node = kernel.own.find(path);
  if (node?.duplicateOf !== undefined) return kernel.descriptors.get(node.duplicateOf).status();
  if (node !== undefined) return kernel.own.status(node);
  kernel.reach.look(path, follow ? "follow" : "link");
  const options = { bigint: true, throwIfNoEntry: false } as const;
  const status = follow ? fs.statSync(hostPath(path), options) : fs.lstatSync(hostPath(path), options);
  return status ?? missing(path);
}

/** ENOENT, or ENOTDIR where the path goes through something that is not a directory: Node's quick answer does not tell them apart. */
function missing(path: string): never {
  fs.lstatSync(hostPath(path));
  return fail("ENOENT");
}

/** The path for a call that changes something, which only the host's files allow. `last`: whether a link at its end is followed. */
function changeable(kernel: Kernel, path: string, last: "follow" | "link"): Buffer {
  if (kernel.own.find(path) !== undefined) fail("EROFS");
  kernel.reach.enter(path, last);
  return hostPath(path);
}

/** Seconds since 1970 for one of the two `timespec`s of utimensat. */
function timeArgument(kernel: Kernel, address: number, now: number, present: () => bigint): number {
  const nanoseconds = kernel.memory.i32(address + 8);
  if (nanoseconds === utimeNow) return now;
  if (nanoseconds === utimeOmit) return Number(present()) / 1e9;
  return Number(kernel.memory.view.getBigInt64(address >>> 0, true)) + nanoseconds / 1e9;
}

export function fileCalls(kernel: Kernel) {
  return linuxCalls({
    __syscall_openat(directory: number, pathAddress: number, flags: number, varargs: number) {
      const path = kernel.path(directory, pathAddress);
      const mode = varargs === 0 ? 0 : kernel.memory.i32(varargs);
      const opened = open(kernel, path, flags, mode);
      const description = typeof opened === "number" ? kernel.descriptors.get(opened) : opened;
      return kernel.descriptors.add(description, (flags & openFlag.closeOnExec) !== 0);
    },
    __syscall_stat64: (path: number, to: number) =>
      writeStatus(kernel, to, statusOf(kernel, kernel.path(-100, path), true)),
    __syscall_lstat64: (path: number, to: number) =>
      writeStatus(kernel, to, statusOf(kernel, kernel.path(-100, path), false)),
    __syscall_newfstatat(directory: number, pathAddress: number, to: number, flags: number) {
      const empty = (flags & atEmptyPath) !== 0 && kernel.memory.u8(pathAddress) === 0;
      if (empty && directory !== -100) return writeStatus(kernel, to, kernel.descriptors.get(directory).status());
      const path = kernel.path(directory, pathAddress, empty);
      return writeStatus(kernel, to, statusOf(kernel, path, (flags & atSymlinkNoFollow) === 0));
    },
    __syscall_faccessat(directory: number, pathAddress: number, mode: number) {
      if ((mode & ~7) !== 0) fail("EINVAL");
      const path = kernel.path(directory, pathAddress);
      const node = kernel.own.find(path);
      if (node === undefined) {
        kernel.reach.look(path, "follow");
        fs.accessSync(hostPath(path), mode);
      }
      if (node !== undefined && (mode & 2) !== 0 && node.device === undefined && node.duplicateOf === undefined)
        fail("EROFS");
      return 0;
    },
    __syscall_chdir(pathAddress: number) {
      const path = kernel.path(-100, pathAddress);
      const status = statusOf(kernel, path, true);
      if (entryType(status.mode) !== 4) fail("ENOTDIR");
      if (kernel.own.find(path) === undefined) {
        kernel.reach.enter(path, "follow");
        fs.accessSync(hostPath(path), fs.constants.X_OK);
        kernel.cwd = (fs.realpathSync.native(hostPath(path), { encoding: "buffer" }) as unknown as Buffer).toString(
          "latin1",
        );
      } else kernel.cwd = path;
      return 0;
    },
    __syscall_fchdir(descriptor: number) {
      kernel.cwd = kernel.directory(descriptor).path;
      return 0;
    },
    __syscall_getcwd(to: number, size: number) {
      if (size === 0) fail("EINVAL");
      if (kernel.cwd.length + 1 > size >>> 0) fail("ERANGE");
      kernel.memory.setByteString(to, `${kernel.cwd}\0`);
      return kernel.cwd.length + 1;
    },
    __syscall_chmod(path: number, mode: number) {
      fs.chmodSync(changeable(kernel, kernel.path(-100, path), "follow"), mode & 0o7777);
      return 0;
    },
    __syscall_fchmodat2(directory: number, pathAddress: number, mode: number, flags: number) {
      const last = (flags & atSymlinkNoFollow) !== 0 ? "link" : "follow";
      const path = changeable(kernel, kernel.path(directory, pathAddress), last);
      if (last === "link" && fs.lstatSync(path).isSymbolicLink()) fail("EOPNOTSUPP");
      fs.chmodSync(path, mode & 0o7777);
      return 0;
    },
    __syscall_fchownat(directory: number, pathAddress: number, user: number, group: number, flags: number) {
      const last = (flags & atSymlinkNoFollow) !== 0 ? "link" : "follow";
      const path = changeable(kernel, kernel.path(directory, pathAddress, (flags & atEmptyPath) !== 0), last);
      if (last === "link") fs.lchownSync(path, user >>> 0, group >>> 0);
      else fs.chownSync(path, user >>> 0, group >>> 0);
      return 0;
    },
    __syscall_mkdirat(directory: number, pathAddress: number, mode: number) {
      const path = kernel.path(directory, pathAddress);
      if (statusOrUndefined(kernel, path) !== undefined) fail("EEXIST");
      fs.mkdirSync(changeable(kernel, path, "link"), mode & ~kernel.umask & 0o7777);
      return 0;
    },
    __syscall_mknodat(directory: number, pathAddress: number, mode: number) {
      if (mode >> 12 !== 8 && mode >> 12 !== 0) fail("EPERM");
      const path = changeable(kernel, kernel.path(directory, pathAddress), "link");
      fs.closeSync(fs.openSync(path, "wx", mode & ~kernel.umask & 0o7777));
      return 0;
    },
    __syscall_readlinkat(directory: number, pathAddress: number, to: number, size: number) {
      if (size <= 0) fail("EINVAL");
      const path = kernel.path(directory, pathAddress);
      if (kernel.own.find(path) !== undefined) fail("EINVAL");
      kernel.reach.look(path, "link");
      const target = fs.readlinkSync(hostPath(path), { encoding: "buffer" }).subarray(0, size >>> 0);
      kernel.memory.put(to, target);
      return target.length;
    },
    __syscall_symlinkat(target: number, directory: number, pathAddress: number) {
      const path = changeable(kernel, kernel.path(directory, pathAddress), "link");
      fs.symlinkSync(hostPath(kernel.memory.byteString(target)), path);
      return 0;
    },
    __syscall_renameat(oldDirectory: number, oldPath: number, newDirectory: number, newPath: number) {
      const from = changeable(kernel, kernel.path(oldDirectory, oldPath), "link");
      fs.renameSync(from, changeable(kernel, kernel.path(newDirectory, newPath), "link"));
      return 0;
    },
    __syscall_unlinkat(directory: number, pathAddress: number, flags: number) {
      const path = changeable(kernel, kernel.path(directory, pathAddress), "link");
      if ((flags & atRemoveDirectory) !== 0) fs.rmdirSync(path);
      else fs.unlinkSync(path);
      return 0;
    },
    __syscall_rmdir(path: number) {
      fs.rmdirSync(changeable(kernel, kernel.path(-100, path), "link"));
      return 0;
    },
    __syscall_truncate64(path: number, size: bigint) {
      fs.truncateSync(changeable(kernel, kernel.path(-100, path), "follow"), Number(size));
      return 0;
    },
    __syscall_utimensat(directory: number, pathAddress: number, times: number, flags: number) {
      const ofDescriptor = pathAddress === 0;
      const path = ofDescriptor ? "" : kernel.path(directory, pathAddress, true);
      const follow = (flags & atSymlinkNoFollow) === 0;
      const status = () => (ofDescriptor ? kernel.descriptors.get(directory).status() : statusOf(kernel, path, follow));
      const now = Date.now() / 1000;
      const access = times === 0 ? now : timeArgument(kernel, times, now, () => status().atimeNs);
      const modification = times === 0 ? now : timeArgument(kernel, times + 16, now, () => status().mtimeNs);
      if (ofDescriptor) kernel.descriptors.get(directory).changeTimes(access, modification);
      else if (follow) fs.utimesSync(changeable(kernel, path, "follow"), access, modification);
      else fs.lutimesSync(changeable(kernel, path, "link"), access, modification);
      return 0;
    },
    __syscall_statfs64: (path: number, _size: number, to: number) =>
      writeFileSystem(kernel, kernel.path(-100, path), to),
    __syscall_fstatfs64(descriptor: number, _size: number, to: number) {
      const description = kernel.descriptors.get(descriptor);
      return writeFileSystem(kernel, description instanceof Directory ? description.path : kernel.cwd, to);
    },
  });
}

function statusOrUndefined(kernel: Kernel, path: string): FileStatus | undefined {
  const node = kernel.own.find(path);
  if (node !== undefined) return kernel.own.status(node);
  kernel.reach.look(path, "link");
  return fs.lstatSync(hostPath(path), { bigint: true, throwIfNoEntry: false });
}

function writeFileSystem(kernel: Kernel, path: string, to: number): number {
  const own = kernel.own.find(path) !== undefined;
  if (!own) kernel.reach.look(path, "follow");
  const status = fs.statfsSync(own ? "/" : hostPath(path), { bigint: true });
  const { view } = kernel.memory;
  const at = to >>> 0;
  view.setUint32(at + 4, Number(status.bsize), true);
  view.setUint32(at + 60, Number(status.bsize), true);
  for (const [offset, value] of [
    [8, status.blocks],
    [16, status.bfree],
    [24, status.bavail],
    [32, status.files],
    [40, status.ffree],
  ] as const)
    view.setBigUint64(at + offset, value, true);
  view.setUint32(at + 48, 0, true);
  view.setUint32(at + 56, 255, true);
  view.setUint32(at + 64, 0, true);
  kernel.memory.wrote(at + 4, fileSystemSize - 4);
  return 0;
}
