/**
 * What the main thread and the thread of the second run say to each other. The second run is synchronous: while it is held it
 * sleeps on a shared word, which counts requests, and takes them from the port by hand.
 */
import type { EventNumber } from "../base/ids.js";
import type { Garbage } from "../interpreter/collector.js";
import type { Plan } from "../interpreter/instrument.js";
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
   * What a full collection would free: at the event where the run is held, which must be one at which a collection could run, or at the first such
   * moment from here on. `forced`: one is forced then, everything is put back, and what it freed is told as well.
   */
  | { readonly kind: "garbage"; readonly where: "here" | "safe point"; readonly forced: boolean }
  /** The variables of the program, and what hangs on them. */
  | { readonly kind: "moment"; readonly question: MomentQuestion }
  /** A value of Python, at the first moment from here on at which Python can be asked. `frame`: 0 is the running one, 1 its caller. */
  | { readonly kind: "evaluate"; readonly expression: string; readonly frame: number };

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

export interface Evaluation {
  /** Whether it came to a value. */
  readonly ok: boolean;
  /** `repr` of the value, or the exception in one line. */
  readonly text: string;
  /** What was printed meanwhile. */
  readonly output: string;
  /** Events that had happened: those asked for, or a few more. */
  readonly event: number;
  /** Where: function, file and line; null outside of every function. */
  readonly where: string | null;
}

export interface GarbageAt extends Garbage {
  /** Events that had happened: those asked for, or a few more. */
  readonly event: number;
  /** Addresses of the objects that a forced collection freed; null where none was forced. */
  readonly freed: readonly number[] | null;
}

export type Answer =
  | { readonly kind: "progress"; readonly event: number }
  | { readonly kind: "held"; readonly event: number; readonly ended: boolean }
  | { readonly kind: "diverged"; readonly divergence: Divergence }
  | { readonly kind: "garbage"; readonly garbage: GarbageAt; readonly spoiled: boolean }
  | { readonly kind: "checked"; readonly check: HeapCheck }
  | { readonly kind: "graph"; readonly graph: GraphColumns }
  | { readonly kind: "moment"; readonly moment: Moment }
  /** In the order of the question. */
  | { readonly kind: "holds"; readonly held: readonly boolean[] }
  | { readonly kind: "evaluated"; readonly evaluation: Evaluation; readonly spoiled: boolean }
  /** There is an answer for a person, and this run is over. */
  | { readonly kind: "failed"; readonly message: string };

export interface PastWorkerData {
  /** Path of the trace. */
  readonly trace: string;
  readonly module: WebAssembly.Module;
  readonly plan: Plan;
  readonly standardLibrary: Uint8Array;
  readonly port: import("node:worker_threads").MessagePort;
  /** One shared word: requests so far. */
  readonly requests: Int32Array<SharedArrayBuffer>;
}
