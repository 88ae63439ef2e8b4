/**
 * What `explain` answers, as plain data: the lines of a program, and on each what happened to the objects. Everything in it is a sum or
 * a single event of the trace; events are numbers from 0, `null` as a count means immortal.
 */

import type { Phase } from "./explain-walk.js";

/** Why a count changed, in the classes that a reader knows. */
export type ChangeBy =
  | "birth"
  /** A name of the module or of a function. */
  | "name"
  | "argument"
  | "stack"
  /** A reference of the evaluation stack went to a container, an attribute or a caller: no count changes. */
  | "handed"
  /** Element of a list, tuple or set; key or value of a dict. */
  | "item"
  | "attribute"
  | "cell"
  | "scope"
  | "del"
  | "rebound"
  | "removed"
  /** Something that referred to it died. */
  | "container"
  | "collector"
  | "freed"
  | "resurrected"
  | "immortal"
  | "c";

export interface Change {
  readonly event: number;
  /** Difference of the count; 0 for what does not change it. */
  readonly delta: number;
  readonly by: ChangeBy;
  /** In words, without the sign. */
  readonly text: string;
  /** Count after it; null = immortal. */
  readonly after: number | null;
}

/** One object in one round of a line. */
export interface ObjectInRound {
  /** Number of the object. */
  readonly object: number;
  /** 0 before it was born. */
  readonly before: number | null;
  readonly after: number | null;
  /** Changes by 1 on this line itself; birth, which makes the count 1, is not among them. */
  readonly plus: number;
  readonly minus: number;
  /** What the lines of called functions changed meanwhile: after = before + birth + plus - minus + set + elsewhere. */
  readonly elsewhere: number;
  /** In order; of many, the first. */
  readonly changes: readonly Change[];
  /** Changes beyond those listed. */
  readonly leftOut: number;
}

export interface ExplainedRound {
  /** 1 = the first. */
  readonly nth: number;
  /**
   * round: from where a function gets to the line; continued: back on it, further on in the same statement (`with` ends where it began);
   * over: on the line of a loop that has found no next value. The last two belong to the round of that number.
   */
  readonly phase: Phase;
  readonly function: string;
  readonly depth: number;
  readonly first: number;
  readonly last: number;
  readonly objects: readonly ObjectInRound[];
}

/** One object over all rounds of a line; only what was followed from its first event on this line on. */
export interface ObjectOnLine {
  readonly object: number;
  /** 1 = born on this line. */
  readonly born: 0 | 1;
  readonly plus: number;
  readonly minus: number;
  /** What C code changed by setting the count on this line. */
  readonly set: number;
  /** What other lines changed between its first event on this line and its last: after = before + born + plus - minus + set + elsewhere. */
  readonly elsewhere: number;
  /** Count before the first event on this line, and after the last. */
  readonly before: number | null;
  readonly after: number | null;
}

export interface ExplainedLine {
  /** From 1. */
  readonly line: number;
  readonly source: string;
  readonly rounds: number;
  /** The same by function: a class body and a function begin on the line that makes them. */
  readonly functions: readonly { readonly function: string; readonly rounds: number }[];
  readonly events: number;
  /** Objects born and freed on this line in all rounds, by type, most first. */
  readonly born: readonly TypeCount[];
  readonly freed: readonly TypeCount[];
  readonly plus: number;
  readonly minus: number;
  /** All rounds of a line that has few; else the first and the last. */
  readonly shown: readonly ExplainedRound[];
  readonly objects: readonly ObjectOnLine[];
  /**
   * Variables that this line binds to immortal objects, in the rounds that were looked at: the first and the last such value. No count
   * changes then, and where nothing else happens the line has no events and no rounds.
   */
  readonly immortal: readonly { readonly name: string; readonly first: string; readonly last: string }[];
}

export interface TypeCount {
  readonly type: string;
  readonly count: number;
}

export interface ExplainedObject {
  readonly object: number;
  readonly type: string;
  readonly address: number;
  /** Variables that named it, as `x` or `foo.x`. */
  readonly names: readonly string[];
  /** null = before the program's recording began. */
  readonly born: { readonly event: number; readonly line: number | null } | null;
  readonly death: {
    readonly event: number;
    readonly line: number | null;
    /** The collection during which it was freed; null = its count fell to 0 by itself. */
    readonly collection: number | null;
    /** Other objects of this list that the same collection freed. */
    readonly together: readonly number[];
    /** free-list: kept by its type for the next one; freed: given back to the allocator. */
    readonly memory: "free-list" | "freed" | "kept";
    /** Who got its memory next. */
    readonly reuse: { readonly event: number; readonly line: number | null; readonly what: string } | null;
  } | null;
  /** Count at the end of the recording, or null: dead or immortal. */
  readonly count: number | null;
  readonly immortal: boolean;
}

export interface Explanation {
  readonly file: string;
  readonly python: string;
  readonly events: number;
  readonly exitCode: number | null;
  /** The interpreter printed an exception that nothing had caught, after the program's last line. */
  readonly uncaught: boolean;
  /** false = the source does not compile, and nothing of it ran. */
  readonly compiled: boolean;
  readonly lines: readonly ExplainedLine[];
  /** Those that the lines speak of, by number. */
  readonly objects: readonly ExplainedObject[];
  /** Objects that no variable names and that were not looked at since there were too many at once; 0 where only what is named is told. */
  readonly leftOut: number;
}
