/**
 * The form in which events leave the interpreter: records of 32-bit words in a ring in its own memory, written by the hooks and
 * read by the encoder, never stored.
 *
 *     word 0            1                      2         3          4
 *     site << 4 | kind  instruction pointer    address   operand a  operand b
 *
 * `new`, `dealloc`, `resurrect`: type, bytes of the object's block; `settype`: new type, old type (0 = the object is in its
 * destructor), those bytes; `realloc`: size, old block, type of the object in it or 0, bytes by which the block grew. Only as many
 * words as the kind has operands are written. `type` and `code` operands are addresses here; an `intern` record ahead of the first
 * use says which number the type or code object at an address has from then on.
 */

/** Kinds 0 to 14 are the trace's own; the last is only on the way. */
export const RawKind = {
  alloc: 0,
  realloc: 1,
  free: 2,
  new: 3,
  dealloc: 4,
  incref: 5,
  decref: 6,
  setref: 7,
  settype: 8,
  resurrect: 9,
  collectStart: 10,
  collectStop: 11,
  call: 12,
  return: 13,
  mark: 14,
  /** word 1: 0 type, 1 code object; word 2: its address; word 3: its number; word 4: bytes that it occupies */
  intern: 15,
} as const;

/** Words of a record by kind. */
export const RAW_WORDS: readonly number[] = [5, 7, 3, 5, 5, 3, 3, 4, 6, 5, 5, 5, 4, 4, 4, 5];

export const KIND_BITS = 4;

/** Bytes of the longest record: what must be free behind the ring's limit. */
export const RAW_LONGEST = 28;

/** Allocator domains (Include/cpython/pymem.h, PyMemAllocatorDomain), 0 for calls that do not come through Python's allocators. */
export const Domain = { none: 0, raw: 1, mem: 2, object: 3 } as const;
