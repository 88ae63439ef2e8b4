/** What travels between the recorder's threads besides records. */
import type { CodeFacts, TypeFacts } from "../interpreter/heap-reader.js";
import type { Plan } from "../interpreter/instrument.js";
import type { Audit, Baseline, UnknownReferent } from "../trace/writer.js";

/** A message with its place among the slots of records: behind the first `after` of them. */
export interface Placed {
  readonly after: number;
  readonly message: ToEncoder;
}

/** From the interpreter's thread to the encoder's. */
export type ToEncoder =
  | { readonly kind: "type"; readonly id: number; readonly facts: TypeFacts }
  | { readonly kind: "code"; readonly id: number; readonly facts: CodeFacts }
  | { readonly kind: "mark"; readonly id: number; readonly name: string }
  | { readonly kind: "baseline"; readonly objects: Baseline["objects"]; readonly blocks: Baseline["blocks"] }
  /** A part of the log of inputs (interpreter/input-log.ts). */
  | { readonly kind: "inputs"; readonly bytes: Uint8Array }
  | { readonly kind: "audit-objects"; readonly objects: Audit["objects"] }
  | { readonly kind: "audit-blocks"; readonly blocks: Audit["blocks"] }
  | { readonly kind: "graph-part"; readonly list: "nodes" | "edges"; readonly columns: readonly Uint32Array[] }
  | { readonly kind: "graph-label"; readonly id: number; readonly text: string }
  | {
      readonly kind: "audit-end";
      readonly unknown: readonly UnknownReferent[];
      /** Objects of the interpreter's own data that were met and that no event announced. */
      readonly statics: number;
      readonly wall: number;
    }
  /** The program's start: what `wall` counts from, in ms since the epoch. */
  | { readonly kind: "start"; readonly epoch: number }
  /** The main thread's last word: how the program ended. */
  | {
      readonly kind: "end";
      readonly exitCode: number | null;
      readonly stopped: string | null;
      readonly wallSeconds: number;
    };

/** What the encoder is told when it starts. */
export interface EncoderOptions {
  readonly out: string;
  readonly overwrite: boolean;
  readonly plan: Plan;
  readonly opcodeNames: readonly (string | undefined)[];
  readonly meta: {
    readonly python: string;
    readonly program: { readonly kind: "script" | "module" | "code"; readonly text: string };
    readonly argv: readonly string[];
    readonly cwd: string;
    readonly from: "script" | "interpreter";
    readonly interpreter: string;
    readonly rewriter: string;
    readonly library: string;
    readonly recorder: string;
    readonly env: Readonly<Record<string, string>>;
    readonly hashSeed: number;
  };
  /** Path of the interpreter's library in its file system, an archive. */
  readonly libraryPath: string;
  /** Where the same library is on the machine. */
  readonly libraryFile: string;
}

/** From the encoder to the main thread. */
export type FromEncoder =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly message: string; readonly exitCode: 1 | 2 }
  | { readonly kind: "done"; readonly events: number; readonly objects: number; readonly bytes: number };
