/**
 * The event vocabulary, declared once: the codec, the fold, `dump`, the format document and later the SQL view all read this table.
 *
 * An event is a row of six numbers. Its number is its position in the stream, from 0, and is not stored. `kind`, `site` and
 * `location` are there always; `address`, `a` and `b` mean what the table says for the kind, and are 0 where it says nothing.
 * A kind's code is its position in the table and is written to disk: new kinds go to the end, old ones keep their code.
 *
 * Python's allocator domains are those of CPython's Include/cpython/pymem.h (PyMemAllocatorDomain), shifted by one so that 0 is
 * "called as plain C malloc".
 */
import type { EventNumber } from "../base/ids.js";

/** What an operand holds, which decides how `dump` prints it and which table explains it. */
export type OperandMeaning =
  | "bytes"
  | "domain"
  | "block"
  | "type"
  | "count"
  | "generation"
  | "reason"
  | "code"
  | "mark";

/** One operand of a kind of event. */
export interface Operand {
  readonly name: string;
  readonly meaning: OperandMeaning;
  /** Unit, range, sentinel. */
  readonly doc: string;
}

/** One kind of event. */
export interface EventKindRow {
  readonly name: string;
  /** What `address` points to; absent: the kind has no address. */
  readonly address?: "block" | "object";
  readonly a?: Operand;
  readonly b?: Operand;
  readonly doc: string;
}

const typeOperand = { name: "type", meaning: "type", doc: "id in `types`; 0 = unknown" } as const;
const ownBytes = {
  name: "bytes",
  meaning: "bytes",
  doc: "bytes of the object's own block as the allocator holds it; 0 = static memory, no block of its own",
} as const;

/** Every kind of event; the position is the code on disk. */
export const EVENT_KINDS = [
  {
    name: "alloc",
    address: "block",
    a: { name: "size", meaning: "bytes", doc: "bytes requested, before rounding; 0 is legal" },
    b: { name: "domain", meaning: "domain", doc: "0 none (malloc called directly), 1 raw, 2 mem, 3 object" },
    doc: "The allocator handed out a block.",
  },
  {
    name: "realloc",
    address: "block",
    a: { name: "size", meaning: "bytes", doc: "bytes requested, before rounding" },
    b: { name: "old", meaning: "block", doc: "address of the block before; equal to `address` when it did not move" },
    doc: "A block changed its size, and perhaps its place. Its domain is that of its `alloc`. Objects in a block that moves move with it and keep their identity.",
  },
  { name: "free", address: "block", doc: "A block went back to the allocator; objects in it are gone." },
  {
    name: "new",
    address: "object",
    a: typeOperand,
    b: ownBytes,
    doc: "An object was born with a count of 1. Without an `alloc` before it, its block came from a free list.",
  },
  {
    name: "dealloc",
    address: "object",
    a: typeOperand,
    b: ownBytes,
    doc: "An object was handed to its destructor, its count being 0. The block may be freed later, or kept in a free list: then no `free` follows.",
  },
  { name: "incref", address: "object", doc: "The object's count rose by 1." },
  { name: "decref", address: "object", doc: "The object's count fell by 1." },
  {
    name: "setref",
    address: "object",
    a: { name: "count", meaning: "count", doc: "the new ob_refcnt as stored, unsigned 32 bits" },
    doc: "The object's count was set by a write that is not ±1 (immortalising, bulk adds).",
  },
  {
    name: "settype",
    address: "object",
    a: typeOperand,
    doc: "The object's type was changed (`obj.__class__ = T`).",
  },
  {
    name: "resurrect",
    address: "object",
    doc: "A finalizer brought an object back after its `dealloc`: it is alive again, with the same identity.",
  },
  {
    name: "collect-start",
    a: { name: "generation", meaning: "generation", doc: "0 is the youngest" },
    b: { name: "reason", meaning: "reason", doc: "0 unknown, 1 heap, 2 manual, 3 shutdown" },
    doc: "The cycle collector started.",
  },
  {
    name: "collect-stop",
    a: { name: "collected", meaning: "count", doc: "objects found unreachable and collected" },
    b: { name: "uncollectable", meaning: "count", doc: "objects found unreachable and kept" },
    doc: "The cycle collector stopped.",
  },
  {
    name: "call",
    a: { name: "code", meaning: "code", doc: "id in `codes`; 0 = none" },
    doc: "A Python frame was entered, or entered again (generators).",
  },
  {
    name: "return",
    a: { name: "code", meaning: "code", doc: "id in `codes`; 0 = none" },
    doc: "A Python frame was left: return, yield or exception.",
  },
  {
    name: "mark",
    a: { name: "mark", meaning: "mark", doc: "id in `mark_names`" },
    doc: "The program called `refledger.mark(name)`.",
  },
] as const satisfies readonly EventKindRow[];

/** The name of a kind. */
export type EventKindName = (typeof EVENT_KINDS)[number]["name"];

/** Code of each kind by name: `Kind.incref === 5`. */
export const Kind = Object.fromEntries(EVENT_KINDS.map((row, code) => [row.name, code])) as Readonly<
  Record<EventKindName, number>
>;

export const KIND_COUNT = EVENT_KINDS.length;

/** The table's row of a kind, with the optional fields visible to the type checker. */
export function kindRow(code: number): EventKindRow {
  return EVENT_KINDS[code]!;
}

/** Bits of `FIELDS[kind]`: which of the operands the kind has. */
export const HAS_ADDRESS = 1;
export const HAS_A = 2;
export const HAS_B = 4;

/** Which operands each kind has, by code: the table again, in the shape that hot loops read. */
export const FIELDS: Readonly<Uint8Array> = Uint8Array.from(EVENT_KINDS, (row: EventKindRow) => {
  return (row.address ? HAS_ADDRESS : 0) | (row.a ? HAS_A : 0) | (row.b ? HAS_B : 0);
});

/** Names of the allocator domains, by number. */
export const DOMAINS = ["none", "raw", "mem", "object"] as const;
/** Names of the reasons for a collection, by number. */
export const COLLECT_REASONS = ["unknown", "heap", "manual", "shutdown"] as const;

/**
 * Consecutive events as columns, `count` of them, of which `first` has the number of row 0. The arrays may be longer than
 * `count`: they are made once and used again for every chunk.
 */
export interface EventColumns {
  first: EventNumber;
  count: number;
  /** Codes of `EVENT_KINDS`. */
  readonly kind: Uint8Array;
  /** Ids in `sites`, below 2^27; 0 = unknown. */
  readonly site: Uint32Array;
  /** Ids in `locations`; 0 = no Python frame. */
  readonly location: Uint32Array;
  readonly address: Uint32Array;
  readonly a: Uint32Array;
  readonly b: Uint32Array;
}

/** Columns with room for `capacity` events, empty. */
export function createColumns(capacity: number): EventColumns {
  return {
    first: 0 as EventNumber,
    count: 0,
    kind: new Uint8Array(capacity),
    site: new Uint32Array(capacity),
    location: new Uint32Array(capacity),
    address: new Uint32Array(capacity),
    a: new Uint32Array(capacity),
    b: new Uint32Array(capacity),
  };
}

/**
 * A hash of what the events say, independent of how they are encoded: feed each chunk's result into the next as `seed`, and two
 * runs that agree up to an event have the same number there. 32 bits; made to notice accidents, not adversaries.
 * One dependent multiplication an event; the others run beside it (about 3 ns an event measured).
 */
export function hashEvents(columns: EventColumns, seed: number): number {
  const { kind, site, location, address, a, b, count } = columns;
  let hash = seed | 0;
  for (let i = 0; i < count; i++) {
    const mixed =
      Math.imul(kind[i]! + (site[i]! << 5), 0x9e3779b1) ^
      Math.imul(location[i]!, 0x85ebca6b) ^
      Math.imul(address[i]!, 0xc2b2ae35) ^
      Math.imul(a[i]!, 0x27d4eb2f) ^
      Math.imul(b[i]!, 0x165667b1);
    hash = Math.imul(hash ^ mixed, 0x2545f491);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}
