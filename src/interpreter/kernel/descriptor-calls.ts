/**
 * System calls that take a descriptor: reading and writing (WASI's calls), seeking, duplicating, directory entries, pipes, poll, mmap of
 * files. A read or write may name several parts of memory; they are taken one after the other, and the first short part ends
 * the call, as the kernel of an operating system does it.
 */
import { fileType, openFlag, pollBit } from "./description.js";
import { errno, fail } from "./errno.js";
import { writeStatus } from "./file-calls.js";
import { type Kernel, linuxCalls, wasiCalls } from "./kernel.js";
import { ByteQueue, PipeEnd } from "./pipes.js";

/** Bytes of one `struct dirent` with its name field of 256. */
const entrySize = 280;
const protectionWrite = 2;
const mapShared = 1;
const wasmPage = 65536;
/** Milliseconds between two looks at what comes from outside the process. */
const pollSlice = 10;

type Transfer = (part: Uint8Array, position: number | undefined) => number;

/** Runs through the `iovec`s at `vectors`. */
function eachPart(
  kernel: Kernel,
  vectors: number,
  count: number,
  position: number | undefined,
  transfer: Transfer,
): number {
  let total = 0;
  for (let index = 0; index < count; index++) {
    const address = kernel.memory.u32(vectors + 8 * index);
    const length = kernel.memory.u32(vectors + 8 * index + 4);
    if (length === 0 && count > 1) continue;
    let moved: number;
    try {
      moved = transfer(kernel.memory.slice(address, length), position === undefined ? undefined : position + total);
    } catch (error) {
      // What has been moved is moved: the error will come again with the next call.
      if (total > 0) return total;
      throw error;
    }
    total += moved;
    if (moved < length) break;
  }
  return total;
}

export function transferCalls(kernel: Kernel) {
  const transfer = (
    direction: "read" | "write",
    descriptor: number,
    vectors: number,
    count: number,
    position: number | undefined,
    result: number,
  ): number => {
    kernel.options.systemCall();
    const description = kernel.descriptors.get(descriptor);
    const moved = eachPart(kernel, vectors, count, position, (part, at) => {
      if (direction === "write") return description.write(part, at);
      const inLibrary = description.libraryPosition;
      const read = description.read(part, at);
      kernel.memory.wrote(part.byteOffset, read, inLibrary === undefined ? -1 : (at ?? inLibrary));
      return read;
    });
    kernel.memory.setU32(result, moved);
    return 0;
  };
  return wasiCalls({
    fd_read: (descriptor: number, vectors: number, count: number, result: number) =>
      transfer("read", descriptor, vectors, count, undefined, result),
    fd_write: (descriptor: number, vectors: number, count: number, result: number) =>
      transfer("write", descriptor, vectors, count, undefined, result),
    fd_pread: (descriptor: number, vectors: number, count: number, offset: bigint, result: number) =>
      transfer("read", descriptor, vectors, count, Number(offset), result),
    fd_pwrite: (descriptor: number, vectors: number, count: number, offset: bigint, result: number) =>
      transfer("write", descriptor, vectors, count, Number(offset), result),
    fd_seek(descriptor: number, offset: bigint, whence: number, result: number) {
      kernel.memory.setU64(result, BigInt(kernel.descriptors.get(descriptor).seek(Number(offset), whence)));
      return 0;
    },
    fd_close(descriptor: number) {
      kernel.descriptors.close(descriptor);
      return 0;
    },
    fd_sync(descriptor: number) {
      kernel.descriptors.get(descriptor).sync();
      return 0;
    },
    /** Asked by `isatty`, which wants file type 2 (character device) and no right to seek. */
    fd_fdstat_get(descriptor: number, to: number) {
      const description = kernel.descriptors.get(descriptor);
      kernel.memory.fill(to, 24);
      kernel.memory.setU8(to, description.isTerminal ? 2 : description.isDirectory ? 3 : 4);
      return 0;
    },
  });
}

export function descriptorCalls(kernel: Kernel) {
  const { descriptors } = kernel;
  const duplicate = (descriptor: number, from: number, closeOnExec: boolean): number =>
    descriptors.add(descriptors.get(descriptor), closeOnExec, from);
  let pipes = 0n;

  return linuxCalls({
    __syscall_fstat64: (descriptor: number, to: number) =>
      writeStatus(kernel, to, descriptors.get(descriptor).status()),
    __syscall_dup: (descriptor: number) => duplicate(descriptor, 0, false),
    __syscall_dup3(descriptor: number, target: number, flags: number) {
      const description = descriptors.get(descriptor);
      if (descriptor === target) fail("EINVAL");
      descriptors.place(target, description, (flags & openFlag.closeOnExec) !== 0);
      return target;
    },
    __syscall_fcntl64(descriptor: number, command: number, varargs: number) {
      const entry = descriptors.entry(descriptor);
      const argument = varargs === 0 ? 0 : kernel.memory.i32(varargs);
      switch (command) {
        case 0:
        case 1030: // F_DUPFD, F_DUPFD_CLOEXEC
          if (argument < 0) fail("EINVAL");
          return duplicate(descriptor, argument, command === 1030);
        case 1: // F_GETFD
          return entry.closeOnExec ? 1 : 0;
        case 2: // F_SETFD
          entry.closeOnExec = (argument & 1) !== 0;
          return 0;
        case 3: // F_GETFL
          return entry.description.flags;
        case 4: {
          // F_SETFL
          const changeable = openFlag.append | openFlag.nonBlocking;
          entry.description.flags = (entry.description.flags & ~changeable) | (argument & changeable);
          return 0;
        }
        case 5:
        case 12: // F_GETLK: nobody else holds a lock
          kernel.memory.setU16(argument, 2);
          return 0;
        case 6:
        case 7:
        case 13:
        case 14: // F_SETLK, F_SETLKW: there is no other process in here to lock out
          return 0;
        default:
          return fail("EINVAL");
      }
    },
    __syscall_ioctl(descriptor: number, operation: number, varargs: number) {
      const entry = descriptors.entry(descriptor);
      const argument = varargs === 0 ? 0 : kernel.memory.u32(varargs);
      const { description } = entry;
      switch (operation) {
        case 0x5451: // FIOCLEX
          entry.closeOnExec = true;
          return 0;
        case 0x5450: // FIONCLEX
          entry.closeOnExec = false;
          return 0;
        case 0x5421: // FIONBIO
          if (kernel.memory.i32(argument) !== 0) description.flags |= openFlag.nonBlocking;
          else description.flags &= ~openFlag.nonBlocking;
          return 0;
        case 0x5413: {
          // TIOCGWINSZ
          if (!description.isTerminal) fail("ENOTTY");
          const [columns, rows] = kernel.options.terminalSize;
          kernel.memory.setU16(argument, rows!);
          kernel.memory.setU16(argument + 2, columns!);
          kernel.memory.setU32(argument + 4, 0);
          return 0;
        }
        default: // The terminal's modes are not ours to read or change.
          return fail("ENOTTY");
      }
    },
    __syscall_getdents64(descriptor: number, to: number, size: number) {
      const directory = kernel.directory(descriptor);
      const entries = directory.list();
      let index = Math.floor(directory.position / entrySize);
      let at = to >>> 0;
      for (; index < entries.length && at + entrySize <= (to >>> 0) + (size >>> 0); index++, at += entrySize) {
        const { name, inode, type } = entries[index]!;
        kernel.memory.setU64(at, inode);
        kernel.memory.setU64(at + 8, BigInt((index + 1) * entrySize));
        kernel.memory.setU16(at + 16, entrySize);
        kernel.memory.setU8(at + 18, type);
        kernel.memory.setByteString(at + 19, `${name}\0`);
      }
      directory.position = index * entrySize;
      return at - (to >>> 0);
    },
    __syscall_ftruncate64(descriptor: number, size: bigint) {
      if (size < 0n) fail("EINVAL");
      descriptors.get(descriptor).truncate(Number(size));
      return 0;
    },
    __syscall_fallocate(descriptor: number, mode: number, offset: bigint, length: bigint) {
      if (mode !== 0) fail("EOPNOTSUPP");
      if (offset < 0n || length <= 0n) fail("EINVAL");
      const description = descriptors.get(descriptor);
      if (description.status().size < offset + length) description.truncate(Number(offset + length));
      return 0;
    },
    __syscall_fadvise64(descriptor: number) {
      descriptors.get(descriptor);
      return 0;
    },
    __syscall_fdatasync(descriptor: number) {
      descriptors.get(descriptor).sync();
      return 0;
    },
    __syscall_fchmod(descriptor: number, mode: number) {
      descriptors.get(descriptor).changeMode(mode & 0o7777);
      return 0;
    },
    __syscall_fchown32(descriptor: number, user: number, group: number) {
      descriptors.get(descriptor).changeOwner(user >>> 0, group >>> 0);
      return 0;
    },
    __syscall_pipe(to: number) {
      const queue = new ByteQueue();
      const inode = ++pipes;
      kernel.memory.setU32(to, descriptors.add(new PipeEnd(queue, false, kernel.interrupt, inode)));
      kernel.memory.setU32(to + 4, descriptors.add(new PipeEnd(queue, true, kernel.interrupt, inode)));
      return 0;
    },
    __syscall_poll: (address: number, count: number, timeout: number) => poll(kernel, address, count, timeout),
    _mmap_js(
      length: number,
      _protection: number,
      _flags: number,
      descriptor: number,
      offset: bigint,
      allocated: number,
      to: number,
    ) {
      const description = descriptors.get(descriptor);
      if ((Number(description.status().mode) & fileType.mask) !== fileType.file) fail("ENODEV");
      const size = Math.ceil((length >>> 0) / wasmPage) * wasmPage;
      const address = kernel.guest.emscripten_builtin_memalign(wasmPage, size) >>> 0;
      if (address === 0) fail("ENOMEM");
      kernel.memory.fill(address, size);
      for (let done = 0; done < length >>> 0; ) {
        const count = description.read(
          kernel.memory.slice(address + done, (length >>> 0) - done),
          Number(offset) + done,
        );
        if (count === 0) break;
        kernel.memory.wrote(address + done, count);
        done += count;
      }
      kernel.memory.setU32(allocated, 1);
      kernel.memory.setU32(to, address);
      return 0;
    },
    _msync_js: (
      address: number,
      length: number,
      protection: number,
      flags: number,
      descriptor: number,
      offset: bigint,
    ) => writeBack(kernel, address, length, protection, flags, descriptor, offset),
    _munmap_js: (
      address: number,
      length: number,
      protection: number,
      flags: number,
      descriptor: number,
      offset: bigint,
    ) => writeBack(kernel, address, length, protection, flags, descriptor, offset),
  });
}

/** A shared, writable mapping is a copy here; it reaches the file when it is flushed or unmapped. */
function writeBack(
  kernel: Kernel,
  address: number,
  length: number,
  protection: number,
  flags: number,
  descriptor: number,
  offset: bigint,
): number {
  if ((protection & protectionWrite) === 0 || (flags & mapShared) === 0) return 0;
  const description = kernel.descriptors.find(descriptor);
  if (description === undefined) return 0;
  const size = Math.min(length >>> 0, Number(description.status().size) - Number(offset));
  for (let done = 0; done < size; )
    done += description.write(kernel.memory.slice(address + done, size - done), Number(offset) + done);
  return 0;
}

function poll(kernel: Kernel, address: number, count: number, timeout: number): number {
  kernel.options.systemCall();
  const end = timeout < 0 ? Number.POSITIVE_INFINITY : performance.now() + timeout;
  for (;;) {
    let found = 0;
    let outside = false;
    for (let index = 0; index < count; index++) {
      const entry = (address >>> 0) + 8 * index;
      const descriptor = kernel.memory.i32(entry);
      const wanted = kernel.memory.u16(entry + 4);
      const description = descriptor < 0 ? undefined : kernel.descriptors.find(descriptor);
      let bits = 0;
      if (description !== undefined) {
        bits = description.ready() & (wanted | pollBit.error | pollBit.hangUp);
        outside ||= description.changesByItself;
      } else if (descriptor >= 0) bits = pollBit.invalid;
      kernel.memory.setU16(entry + 6, bits);
      if (bits !== 0) found++;
    }
    if (found > 0 || timeout === 0) return found;
    const rest = end - performance.now();
    if (rest <= 0) return 0;
    if (kernel.interrupt.wait(outside ? Math.min(rest, pollSlice) : rest)) {
      // The C library's `select` hands the failure of this call on and forgets `errno`.
      kernel.memory.setU32(kernel.guest.__errno_location(), errno.EINTR);
      fail("EINTR");
    }
  }
}
