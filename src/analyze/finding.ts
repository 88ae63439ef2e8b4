/**
 * What an analyzer says, as plain data: what, how much, where it came from, what keeps it, what to do. One cause is one finding. Printed
 * for people, given as JSON to programs, drawn in the report, and counted by `check`.
 */
import { createHash } from "node:crypto";
import type { WhyPath } from "../rewind/why.js";

/** A line of the recorded program. */
export interface SourcePlace {
  /** Qualified name of the function; null = no Python frame, or not known. */
  readonly function: string | null;
  readonly file: string | null;
  /** From 1. */
  readonly line: number | null;
  /** The line's text without its indentation; null where the trace does not have the file. */
  readonly source: string | null;
}

/**
 * leak: grows on and on. lost-reference: a count that no holder explains. growth: survivors, where no iterations are known. warm-up: grew at first
 * and stopped.
 */
export type FindingKind = "leak" | "growth" | "warm-up" | "lost-reference" | "cycle" | "pinned-memory";

export interface Finding {
  readonly kind: FindingKind;
  /** Whether something should be done about it; the others are said so that nobody wonders. Only problems fail a check. */
  readonly isProblem: boolean;
  /** The same for the same cause in every recording: 16 hexadecimal digits, see `fingerprintOf`. */
  readonly fingerprint: string;
  /** One sentence with the numbers in it. */
  readonly title: string;
  /** What to do, one sentence; null where that is for the reader to judge. */
  readonly advice: string | null;
  /** Type of the objects concerned. */
  readonly type: string;
  readonly objects: number;
  /** Bytes of their own blocks. */
  readonly bytes: number;
  /** Where they were created; null = before the recording, or not by Python code. */
  readonly createdAt: SourcePlace | null;
  /** What keeps a representative of them, from a root; null = not asked, or nothing in the heap does. */
  readonly keptBy: WhyPath | null;
}

/**
 * A number for a cause that stays the same from run to run: made of names (kind, type, function, file's last part, shape of the retaining path),
 * never of addresses, event numbers, counts or line numbers, which a change elsewhere in the file would move.
 */
export function fingerprintOf(parts: readonly (string | null)[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
}
