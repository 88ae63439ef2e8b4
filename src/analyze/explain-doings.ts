/**
 * What happened in the instruction under way, as far as it says why counts change: what dies, what was born, what C code holds. One that a
 * finalizer or any other call interrupts is taken up again after it.
 */
import type { Change } from "./explain-data.js";
import type { Ledger } from "./explain-ledger.js";
import type { Dying } from "./explain-words.js";

export type MutableChange = { -readonly [K in keyof Change]: Change[K] };

export interface DyingObject extends Dying {
  readonly object: number;
  /** Address of its type; 0 = not known. */
  readonly typeAddress: number;
  /** 0 = static memory. */
  readonly block: number;
  /** Made by a class statement: its destructor is shared with others, so that it has no name of its own, and gives the block back at its end. */
  readonly heapType: boolean;
}

export class Doings {
  /** What was deallocated, the latest first. */
  dying: DyingObject[] = [];
  firstDied: DyingObject | undefined;
  /** Instances whose block was given back; the reference that they have to their type goes after that (subtype_dealloc, Objects/typeobject.c). */
  gone: DyingObject[] = [];
  /** The latest container that was born. */
  born: (Dying & { readonly address: number }) | undefined;
  /** References that C code took and has not given back, by object. */
  held: Map<Ledger, { change: MutableChange; cFunction: string | null }[]> | undefined;
  /** Changes that are elements of a list unless the instruction turns out to call a Python function, with what they were told to be otherwise. */
  appended: { change: MutableChange; otherwise: Pick<Change, "by" | "text"> }[] | undefined;

  /** Whether there is anything in it. */
  used = false;

  constructor(public at: number) {}
}
