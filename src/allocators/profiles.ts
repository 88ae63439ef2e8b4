/**
 * The forms of pymalloc that the model can take. Figures are those of CPython's Objects/obmalloc.c, from 3.12 on of
 * Include/internal/pycore_obmalloc.h: SMALL_REQUEST_THRESHOLD, POOL_BITS, ARENA_BITS, ALIGNMENT, struct pool_header. They were compared with
 * native interpreters (test/allocators): "3.8-64", "3.9-64" and "3.10-64" are known to be exact; the others differ from them in figures only.
 *
 * A 32-bit CPython never got the larger pools and arenas: USE_LARGE_ARENAS and USE_LARGE_POOLS are defined only where
 * SIZEOF_VOID_P > 4. So "3.10-32" differs from "3.6-32" in one thing only, the arena that is kept.
 */
import { Failure } from "../base/failure.js";

export interface PymallocProfile {
  readonly name: string;
  readonly title: string;
  readonly pointerBytes: 4 | 8;
  /** Largest request served from pools, bytes. */
  readonly threshold: number;
  /** Bytes between size classes; also of addresses. */
  readonly alignment: 8 | 16;
  readonly poolBytes: number;
  readonly arenaBytes: number;
  /** Bytes before a pool's first block: struct pool_header, rounded up to the alignment. */
  readonly headerBytes: number;
  /** PyMem_Malloc is served too, not PyObject_Malloc alone: since 3.6 (_PyMem_SetDefaultAllocator, bpo-26249). */
  readonly servesMem: boolean;
  /** An arena that is the only usable one is kept when it becomes empty (bpo-37257, Objects/obmalloc.c, insert_to_freepool). */
  readonly keepsLastArena: boolean;
}

type Form = Omit<PymallocProfile, "name" | "title" | "pointerBytes" | "headerBytes">;

/** `ref`, three pointers and four unsigned ints. */
const headerOf = (pointerBytes: 4 | 8): number => 4 * pointerBytes + 16;

const profile = (name: string, title: string, pointerBytes: 4 | 8, form: Form): PymallocProfile => ({
  name,
  title: `${title}, ${pointerBytes * 8}-bit`,
  pointerBytes,
  headerBytes: headerOf(pointerBytes),
  ...form,
});

const small = { poolBytes: 4096, arenaBytes: 256 * 1024 } as const;
const large = { poolBytes: 16 * 1024, arenaBytes: 1024 * 1024 } as const;

const early: Form = { threshold: 256, alignment: 8, ...small, servesMem: false, keepsLastArena: false };
const middle: Form = { ...early, threshold: 512 };
const later: Form = { ...middle, servesMem: true };

export const PYMALLOC_PROFILES: readonly PymallocProfile[] = [
  profile("early-32", "pymalloc of Python 2.5 to 2.6 and 3.0 to 3.2", 4, early),
  profile("early-64", "pymalloc of Python 2.5 to 2.6 and 3.0 to 3.2", 8, early),
  profile("3.3-32", "pymalloc of Python 3.3 to 3.5", 4, middle),
  profile("3.3-64", "pymalloc of Python 3.3 to 3.5", 8, middle),
  profile("3.6-32", "pymalloc of Python 3.6 to 3.8", 4, later),
  profile("3.6-64", "pymalloc of Python 3.6 and 3.7 as first released", 8, later),
  // 16 bytes since bpo-27987; the last releases of 2.7, 3.6 and 3.7 place blocks like this, too.
  profile("3.8-64", "pymalloc of Python 3.8", 8, { ...later, alignment: 16 }),
  profile("3.9-64", "pymalloc of Python 3.9", 8, { ...later, alignment: 16, keepsLastArena: true }),
  profile("3.10-32", "pymalloc of Python 3.9 and later", 4, { ...later, keepsLastArena: true }),
  profile("3.10-64", "pymalloc of Python 3.10 and later", 8, {
    ...later,
    ...large,
    alignment: 16,
    keepsLastArena: true,
  }),
];

export function pymallocProfile(name: string): PymallocProfile {
  const found = PYMALLOC_PROFILES.find((one) => one.name === name);
  if (!found) {
    throw new Failure(`${name}: no such model; models are ${PYMALLOC_PROFILES.map((one) => one.name).join(", ")}`, 2);
  }
  return found;
}
