/** What is kept of each object that `explain` follows, and what the pass that follows them (explain-ledgers.ts) is given and gives. */
import { BEFORE_TRACE } from "../replay/heap.js";
import type { Replay } from "../replay/replay.js";
import type { CodeInstructions } from "../rewind/bytecode.js";
import type { Change } from "./explain-data.js";
import type { Round } from "./explain-walk.js";

export interface LedgerRound {
  readonly round: Round;
  readonly before: number;
  after: number;
  plus: number;
  minus: number;
  readonly changes: Change[];
  leftOut: number;
  onStack: number;
  /** The instruction that put the latest reference onto the stack. */
  stackedBy: { readonly offset: number; readonly opcode: string };
  /** Count after the latest change on this line: what it is at the next one was changed elsewhere. */
  seen: number;
  elsewhere: number;
}

export interface LineTotal {
  plus: number;
  minus: number;
  /** 1 = born on this line, with that count. */
  readonly born: 0 | 1;
  /** Sum of the changes by which C code set the count. */
  set: number;
  readonly before: number;
  after: number;
}

export interface Ending {
  event: number;
  line: number | null;
  collection: number | null;
  memory: "free-list" | "freed" | "kept";
  reuse: { event: number; line: number | null; what: string } | null;
}

export interface Ledger {
  readonly object: number;
  address: number;
  type: number;
  readonly bornAt: number;
  readonly bornLine: number | null;
  /** Event from which on it is followed; its birth, or where it was first met in a round that is shown. */
  readonly since: number;
  count: number;
  alive: boolean;
  readonly names: Set<string>;
  readonly rounds: LedgerRound[];
  readonly lines: Map<number, LineTotal>;
  /** Whose code was running when it was first looked at: they have room of their own. */
  readonly maker: Maker;
  ending: Ending | undefined;
}

/** The program's own code, with the C code that it calls, or code of a library that it called or imports. */
export type Maker = "own" | "library";

/** A variable that was found to name an immortal object, and did not before. */
export interface Binding {
  /** Lines of the rounds before and after it was found. */
  readonly between: readonly [number, number];
  readonly function: string;
  readonly name: string;
  readonly text: string;
}

export interface LedgerInput {
  readonly replay: Replay;
  readonly file: string;
  readonly source: readonly string[];
  readonly code: readonly CodeInstructions[];
  /** Whether a visit of a line will be shown. */
  readonly shown: (round: Round) => boolean;
  /** Keep objects that no variable ever named. */
  readonly all: boolean;
  /** Objects that are looked at wherever there is room or not: `missed` of an earlier pass. */
  readonly named?: ReadonlySet<number>;
}

/** What an address of a moment was, by the folded heap. */
export interface ObjectThen {
  readonly object: number;
  readonly type: number;
  /** As stored. */
  readonly count: number;
  /** Bytes of its own block; 0 = static memory. */
  readonly bytes: number;
}

export interface Ledgers {
  /** By event and address: the objects of the moments. */
  readonly atMoment: ReadonlyMap<number, ReadonlyMap<number, ObjectThen>>;
  readonly all: readonly Ledger[];
  readonly immortal: readonly Binding[];
  /** Objects that nothing names and that there was no room for. */
  readonly leftOut: number;
  /** Objects that there was no room for, and that a variable was found to name later: what is told of them is not all. */
  readonly missed: ReadonlySet<number>;
}

export const bornBefore = (ledger: Ledger): boolean => ledger.bornAt === BEFORE_TRACE;
