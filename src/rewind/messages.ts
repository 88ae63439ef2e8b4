/**
 * What the main thread and the thread of the second run say to each other. The second run is synchronous: while it is held it
 * sleeps on a shared word, which counts requests, and takes them from the port by hand.
 */
import type { EventNumber } from "../base/ids.js";
import type { Garbage } from "../interpreter/collector.js";
import type { Plan } from "../interpreter/instrument.js";
import type { ChannelMemory } from "../record/channel.js";
import type { VisitAnswer } from "./evaluate.js";
import type { GraphColumns, HeldReference } from "./graph-columns.js";
import type { HeapCheck } from "./heap-check.js";
import type { Moment, MomentQuestion } from "./moment.js";

export type Request =
  /** Run on until exactly this many events have happened, or to the end. */
  | { readonly kind: "go"; readonly to: EventNumber }
  /** Compare the folded heap with the interpreter's memory. */
  | { readonly kind: "check" }
  /** Whether objects refer to objects, from memory alone. */
  | { readonly kind: "holds"; readonly references: readonly HeldReference[] }
  /** The object graph, from memory alone. */
  | { readonly kind: "graph" }
  /**
   * What a full collection would free: at the event where the run is held ("here", from memory alone), or at the first moment from here on at
   * which a collection could run. `forced`: one is forced then, everything is put back, and what it freed is told as well.
   */
  | { readonly kind: "garbage"; readonly where: "here" | "safe point"; readonly forced: boolean }
  /** The variables of the program, and what hangs on them. */
  | { readonly kind: "moment"; readonly question: MomentQuestion }
  /** A question to Python, at the first moment from here on at which it can be asked. */
  | { readonly kind: "evaluate"; readonly question: Question }
  /** The end of a stay: everything is put back. */
  | { readonly kind: "leave" };

export interface Question {
  /** The value of an expression; a statement as at Python's prompt; names that begin so, one a line. */
  readonly mode: "value" | "line" | "complete";
  readonly source: string;
  /** 0 is the running frame, 1 its caller. */
  readonly frame: number;
  /** Name of the loaded module whose globals count, instead of a frame's; empty: none. */
  readonly module: string;
  /** Whether what the question changes stays until `leave`. */
  readonly stay: boolean;
}

/** Text that was written to standard output (1) or error (2). */
export interface Printed {
  readonly to: 1 | 2;
  readonly text: string;
}

/** One event, for people. */
export interface EventText {
  /** null: there was none. */
  readonly expected: string | null;
  readonly found: string | null;
}

/** The second run was not like the first, from this event on. */
export interface Divergence extends EventText {
  readonly event: number;
}

/** The function that ran at the instant that was asked for. */
export interface AskedPlace {
  /** Qualified name; null: none ran. */
  readonly function: string | null;
  /** Whether it was left before Python could be asked. */
  readonly left: boolean;
}

export interface Evaluation {
  /** Whether it came to a value. */
  readonly ok: boolean;
  /** `repr` of the value, or the exception in one line. */
  readonly text: string;
  /** The exception as Python prints it, in lines; null where there is none. */
  readonly traceback: string | null;
  /** What was printed meanwhile. */
  readonly output: string;
  /** Events that had happened: those asked for, or those until the bytecode under way was done. */
  readonly event: number;
  /** Events that were asked for. */
  readonly asked: number;
  /** One line that says how the two differ; null where they do not. */
  readonly note: string | null;
  /** Whether the function that ran at the instant was over at `event`: then there is no answer. */
  readonly left: boolean;
  /** Where: function, file and line, or the module; null outside of every function. */
  readonly where: string | null;
}

export interface GarbageAt extends Garbage {
  /** Events that had happened: those asked for, or a few more. */
  readonly event: number;
  /** Addresses of what a forced collection freed, without names that only dropped out of a cache; null where none was forced. */
  readonly freed: readonly number[] | null;
}

/** Of what a collection freed, what it was asked to: without names that only dropped out of a cache meanwhile. */
export function withoutDropped(freed: readonly number[], { objects, cachedNames }: Garbage): number[] {
  const expected = new Set(objects.map(({ address }) => address));
  const cached = new Set(cachedNames);
  return freed.filter((address) => expected.has(address) || !cached.has(address));
}

export type Answer =
  | { readonly kind: "progress"; readonly event: number }
  | { readonly kind: "held"; readonly event: number; readonly ended: boolean }
  | { readonly kind: "diverged"; readonly divergence: Divergence }
  | { readonly kind: "garbage"; readonly garbage: GarbageAt; readonly spoiled: boolean }
  | { readonly kind: "checked"; readonly check: HeapCheck }
  | { readonly kind: "graph"; readonly graph: GraphColumns }
  /** `at`: where the run is held now. */
  | { readonly kind: "moment"; readonly moment: Moment; readonly at: number }
  /** In the order of the question. */
  | { readonly kind: "holds"; readonly held: readonly boolean[] }
  /** The question is put now; what it takes from here on is its own time. */
  | { readonly kind: "asking" }
  /** `spoiled`: the run cannot go on from here. */
  | {
      readonly kind: "evaluated";
      readonly answer: VisitAnswer;
      readonly event: number;
      readonly place: AskedPlace;
      readonly spoiled: boolean;
    }
  | { readonly kind: "left"; readonly spoiled: boolean }
  /**
   * The recording was cut off before Python could be asked again; `last`: events at the last moment before, and how many functions ran
   * more there than at the cut; null: there was none.
   */
  | { readonly kind: "too late"; readonly last: { readonly events: number; readonly deeper: number } | null }
  /** There is an answer for a person, and this run is over. */
  | { readonly kind: "failed"; readonly message: string };

/** How the thread of the second run reaches the one that compares its events. */
export interface Comparison {
  readonly channel: ChannelMemory;
  readonly port: import("node:worker_threads").MessagePort;
  /** One shared word: answers so far; -1: the runs differ, and the main thread was told. */
  readonly state: Int32Array<SharedArrayBuffer>;
}

/** To the comparing thread, placed among the slots of records. */
export type ToComparer =
  /** Where the instructions of a code object stand. */
  | { readonly kind: "code"; readonly id: number; readonly start: number; readonly bytes: number }
  /** Compare all so far, and say so. */
  | { readonly kind: "settle" }
  /** The same; nothing follows, so a complete trace must be at its end. */
  | { readonly kind: "finish" };

export interface CompareWorkerData {
  readonly trace: string;
  readonly plan: Plan;
  readonly comparison: Comparison;
}

export interface PastWorkerData {
  /** Path of the trace. */
  readonly trace: string;
  readonly module: WebAssembly.Module;
  readonly plan: Plan;
  readonly standardLibrary: Uint8Array;
  readonly port: import("node:worker_threads").MessagePort;
  readonly comparison: Comparison;
  /** One shared word: requests so far. */
  readonly requests: Int32Array<SharedArrayBuffer>;
  /** One shared word: anything but 0 interrupts the Python that answers a question. */
  readonly interrupt: Int32Array<SharedArrayBuffer>;
}
