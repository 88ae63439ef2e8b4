/**
 * Error numbers as the interpreter's C library knows them. They are WASI's (wasi/api.h, alphabetical), not Linux's, and musl's
 * headers for WebAssembly add what WASI does not have. A system call of the kernel fails by throwing an `Errno`; the wrappers
 * in system-calls.ts turn it into the number that C expects.
 */

export const errno = {
  E2BIG: 1,
  EACCES: 2,
  EADDRINUSE: 3,
  EADDRNOTAVAIL: 4,
  EAFNOSUPPORT: 5,
  EAGAIN: 6,
  EALREADY: 7,
  EBADF: 8,
  EBUSY: 10,
  ECHILD: 12,
  ECONNABORTED: 13,
  ECONNREFUSED: 14,
  ECONNRESET: 15,
  EDEADLK: 16,
  EDESTADDRREQ: 17,
  EDQUOT: 19,
  EEXIST: 20,
  EFAULT: 21,
  EFBIG: 22,
  EHOSTUNREACH: 23,
  EILSEQ: 25,
  EINPROGRESS: 26,
  EINTR: 27,
  EINVAL: 28,
  EIO: 29,
  EISCONN: 30,
  EISDIR: 31,
  ELOOP: 32,
  EMFILE: 33,
  EMLINK: 34,
  EMSGSIZE: 35,
  ENAMETOOLONG: 37,
  ENETUNREACH: 40,
  ENFILE: 41,
  ENOBUFS: 42,
  ENODEV: 43,
  ENOENT: 44,
  ENOLCK: 46,
  ENOMEM: 48,
  ENOPROTOOPT: 50,
  ENOSPC: 51,
  ENOSYS: 52,
  ENOTCONN: 53,
  ENOTDIR: 54,
  ENOTEMPTY: 55,
  ENOTSOCK: 57,
  ENOTTY: 59,
  ENXIO: 60,
  EOVERFLOW: 61,
  EPERM: 63,
  EPIPE: 64,
  EPROTONOSUPPORT: 66,
  ERANGE: 68,
  EROFS: 69,
  ESPIPE: 70,
  ESRCH: 71,
  ESTALE: 72,
  ETIMEDOUT: 73,
  ETXTBSY: 74,
  EXDEV: 75,
  ENOTSUP: 138,
  EOPNOTSUPP: 138,
} as const;

export type ErrorName = keyof typeof errno;

/** A failed system call. Not an `Error`: a failed `stat` is the normal case in a search for modules, and needs no stack trace. */
export class Errno {
  constructor(
    readonly name: ErrorName,
    /** The number for C, positive. */
    readonly number: number = errno[name],
  ) {}
}

/** Throws `Errno`; an expression, so that it can stand where a value is expected. */
export function fail(name: ErrorName): never {
  throw new Errno(name);
}

/**
 * The number for C of whatever a system call threw. An error of Node's file system is translated by its code, one that
 * WASI has no number for becomes EIO; anything else is a mistake of ours (or the end of the program) and goes on upwards.
 */
export function errorNumber(error: unknown): number {
  if (error instanceof Errno) return error.number;
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === "string" && /^E[A-Z0-9]+$/.test(code)) return errno[code as ErrorName] ?? errno.EIO;
  throw error;
}
