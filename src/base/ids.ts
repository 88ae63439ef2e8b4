/**
 * Units and index spaces as types, so that a chunk number is never taken for an event number and a wasm function index never
 * for a type index. The brands exist at compile time only; at run time each is a plain number.
 */

declare const brand: unique symbol;

/** A number that belongs to one index space or unit. */
export type Branded<Name extends string> = number & { readonly [brand]: Name };

/** Sequence number of an event, from 0: the time of this project. */
export type EventNumber = Branded<"EventNumber">;
/** Number of a chunk of events in a trace, from 0. */
export type ChunkNumber = Branded<"ChunkNumber">;
/** Byte address in the interpreter's 32-bit memory: 0 to 2^32 - 1; 0 is NULL. */
export type Address = Branded<"Address">;
/** Number of a type in the trace's `types` table, from 1; 0 is "unknown". */
export type TypeId = Branded<"TypeId">;
/** Number of a code object in the trace's `codes` table, from 1; 0 is "none". */
export type CodeId = Branded<"CodeId">;
/** Number of an instrumented instruction of the interpreter, in the trace's `sites` table; 0 is "unknown". */
export type SiteId = Branded<"SiteId">;
/** Number of a (code object, bytecode offset) pair in the trace's `locations` table, from 1; 0 is "no Python frame". */
export type LocationId = Branded<"LocationId">;

/** Takes a plain number into an index space. The caller vouches for it. */
export const eventNumber = (n: number): EventNumber => n as EventNumber;
export const chunkNumber = (n: number): ChunkNumber => n as ChunkNumber;
export const address = (n: number): Address => (n >>> 0) as Address;
export const typeId = (n: number): TypeId => n as TypeId;
export const codeId = (n: number): CodeId => n as CodeId;
export const siteId = (n: number): SiteId => n as SiteId;
export const locationId = (n: number): LocationId => n as LocationId;
