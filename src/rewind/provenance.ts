/**
 * When and where a reference was made. A count says that somebody took a reference, not which slot it went to; the graph says which slots
 * hold one, not since when. This file matches the two:
 *
 * - **candidates** are the references that the ledger of the target has taken and not given up again on the same line; and those taken by an
 *   instruction that stores (STORE_NAME, …) and then drops the evaluation stack's own: such a pair has moved a reference into a slot;
 * - a reference of the graph takes the candidate that fits best: one on a line that assigns to the attribute; one whose instruction stores into such a
 *   slot (STORE_SUBSCR for a value of a dict, LIST_APPEND for an item, …); one taken since the holder was born, or on the line that built the holder with it in it (of a
 *   tuple, which nobody can change, the nearest to its birth); one that the ledger takes for open; the latest;
 * - every candidate is given to one reference only, the best fit first; so are references from before the recording.
 *
 * Such an answer is **inferred**, with the number of other candidates that fit as well: 0 = none does. A reference that was handed over (a new object that a function returns and its
 * caller stores) was made where it was taken, not where it was stored. **observed** is only what was watched in a second run (observe.ts).
 * **unknown**: the target is immortal, the reference is older than the recording, or nothing fits.
 */
import { EdgeKind as EDGE } from "../interpreter/graph.js";
import { type History, historyOf, type LedgerRow, type OpenReference } from "../replay/history.js";
import type { Replay } from "../replay/replay.js";
import { timeInfo } from "../replay/survey.js";
import { Kind } from "../trace/events.js";
import type { ObjectGraph } from "./object-graph.js";
import { NONE } from "./object-graph.js";
import { evidenceFor, isNamed } from "./store-evidence.js";

/** When and where the reference of a step was made. */
export interface Made {
  readonly certainty: "observed" | "inferred" | "unknown";
  /** Why it is unknown; null otherwise. */
  readonly reason: string | null;
  /** Event with which the reference was taken, or (observed) after which the slot held it; null = unknown. */
  readonly event: number | null;
  readonly seconds: number | null;
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly source: string | null;
  readonly opcode: string | null;
  /** By what: the object's own birth, an incref, a write of the count. null = unknown, or observed. */
  readonly by: "birth" | "incref" | "setref" | null;
  /** Other references of the ledger that fit as well; 0 = none. */
  readonly alternatives: number;
}

export const unknown = (reason: string): Made => ({
  certainty: "unknown",
  reason,
  event: null,
  seconds: null,
  function: null,
  file: null,
  line: null,
  source: null,
  opcode: null,
  by: null,
  alternatives: 0,
});

/** An object as the ledger needs it. */
export interface LedgerObject {
  readonly id: number;
  /** Event of its birth; negative = before the recording began. */
  readonly birth: number;
  /** Location of its birth. */
  readonly location: number;
}

/** A ledger that would have to be read from more chunks than this is left alone: some 0.5 s. */
const MOST_CHUNKS = 256;
/** References to one object that are matched with its ledger. */
const MOST_EDGES = 200;
const MOST_CANDIDATES = 500;
/** Events between the two of a pair that are looked through. */
const LONGEST_PAIR = 10_000;

/** Instructions that put a reference into such a slot. */
const STORES: Readonly<Partial<Record<number, RegExp>>> = {
  [EDGE.value]: /^(STORE_SUBSCR|MAP_ADD|BUILD_MAP|DICT_|SETUP_|BINARY_OP_INPLACE)/,
  [EDGE.key]: /^(STORE_SUBSCR|MAP_ADD|BUILD_MAP|DICT_|CALL)/,
  [EDGE.item]: /^(LIST_APPEND|LIST_EXTEND|BUILD_|STORE_SUBSCR|CALL(?!_FUNCTION_EX)|BINARY_OP)/,
  [EDGE.member]: /^(SET_ADD|SET_UPDATE|BUILD_SET|CALL(?!_FUNCTION_EX))/,
  [EDGE.attribute]: /^(STORE_ATTR|SET_FUNCTION_ATTRIBUTE|STORE_DEREF|MAKE_|COPY_FREE_VARS|LOAD_ATTR|CALL|RAISE|BUILD_)/,
  [EDGE.field]: /^(CALL|MAKE_|LOAD_|GET_|BUILD_|STORE_)/,
  [EDGE.local]: /^(STORE_FAST|LOAD_|FOR_ITER|CALL|COPY|BUILD_|MAKE_)/,
  [EDGE.temporary]: /^(LOAD_|CALL|COPY|GET_ITER|BUILD_|BINARY_)/,
};

/** The same for values of a dict in which names are looked up: a module's, a class's, an instance's. */
const NAMESPACE_STORES = /^(STORE_(SUBSCR|NAME|GLOBAL|ATTR)|MAP_ADD|BUILD_MAP|DICT_|IMPORT_|SETUP_|BINARY_OP_INPLACE)/;
const NAMESPACE_MOVES = /^STORE_(SUBSCR|NAME|GLOBAL|ATTR)/;

/** Instructions that store what is on top of the stack, and then drop the stack's own reference. */
const MOVES: Readonly<Partial<Record<number, RegExp>>> = {
  [EDGE.value]: /^(STORE_SUBSCR|MAP_ADD|BUILD_MAP)/,
  [EDGE.key]: /^(STORE_SUBSCR|MAP_ADD|BUILD_MAP)/,
  [EDGE.item]: /^(STORE_SUBSCR|LIST_APPEND)/,
  [EDGE.member]: /^(SET_ADD|BUILD_SET)/,
  [EDGE.attribute]: /^(STORE_ATTR|STORE_DEREF|SET_FUNCTION_ATTRIBUTE)/,
};

/** Instructions that may have put this reference of the graph where it is. What has no name in Python is filled by C code. */
export const storesOf = (graph: ObjectGraph, edge: number): RegExp | undefined => {
  if (isNamed(graph, edge)) return NAMESPACE_STORES;
  const { kind, label } = graph.edge(edge);
  return STORES[kind === EDGE.attribute && graph.labelText(label).startsWith("<") ? EDGE.field : kind];
};

/** Containers whose methods take what a call hands over: C code takes a reference, and the evaluation stack's own goes. */
const TAKE_IN_CALLS: ReadonlySet<number> = new Set([EDGE.value, EDGE.key, EDGE.item, EDGE.member]);
const CALLING = /^(CALL|BINARY_OP|LIST_EXTEND|SET_UPDATE|DICT_)/;

/** What a function that is made takes goes to the function: its globals, its code, its names. */
const MAKES_FUNCTION = /^(MAKE_FUNCTION|SET_FUNCTION_ATTRIBUTE)$/;
/** Built-in types whose fields are filled when they are made, mostly; so are fields that have no name in Python. */
const FILLED_AT_BIRTH = new Set([
  ...["function", "method", "builtin_function_or_method", "module", "partial", "property", "staticmethod"],
  ...["classmethod", "slice", "traceback", "generator", "coroutine", "async_generator"],
]);
const DISPLAYS = /^BUILD_(LIST|SET)/;
/** Events after its birth within which such an object is filled. */
const SOON = 100;

/** A reference that was taken and that an edge of the graph may be. */
interface Candidate {
  readonly row: LedgerRow;
  readonly event: number;
  /** Whether it moved a reference from the evaluation stack into a slot. */
  readonly moved: boolean;
}

/** A reference of the graph and a candidate for it. */
interface Pair {
  readonly edge: number;
  readonly candidate: Candidate;
  readonly score: number;
  /** Of equal scores the least is taken. */
  readonly distance: number;
  /** Whether the holder cannot have changed since it was built. */
  readonly fixed: boolean;
  /** Whether the candidate is a pair that a call of C code made. */
  readonly inCall: boolean;
}

/** Reads ledgers before `until`, each once. */
export class Provenance {
  readonly #replay: Replay;
  readonly #graph: ObjectGraph;
  readonly #until: number;
  readonly #object: (node: number) => LedgerObject | undefined;
  readonly #histories = new Map<number, History | string>();
  readonly #matches = new Map<number, Map<number, Made>>();

  /** `object`: who stands at a node at that time; to be answered without winding the replay. */
  constructor(replay: Replay, graph: ObjectGraph, until: number, object: (node: number) => LedgerObject | undefined) {
    this.#replay = replay;
    this.#graph = graph;
    this.#until = until;
    this.#object = object;
  }

  /** The ledger of a node's object up to the instant, or why there is none. */
  history(node: number): History | string {
    let history = this.#histories.get(node);
    if (history === undefined) {
      history = this.#read(node);
      this.#histories.set(node, history);
    }
    return history;
  }

  /** Whether the reference that a node's object was given by this event is open for certain, and not by a guess. */
  isOpen(node: number, event: number): boolean {
    const history = this.history(node);
    return typeof history === "object" && history.open.some(({ opened, sure }) => opened.event === event && sure);
  }

  /** As `isOpen`, or by a guess. */
  isAmongOpen(node: number, event: number): boolean {
    const history = this.history(node);
    return typeof history === "object" && history.open.some(({ opened }) => opened.event === event);
  }

  #read(node: number): History | string {
    const object = this.#object(node);
    if (!object) return "the trace knows no object there";
    const chunks = this.#replay.chunksOf(object.id, object.birth, this.#until).length;
    if (chunks > MOST_CHUNKS)
      return `its count was changed all over the recording (${chunks} chunks); see: refledger history TRACE '#${object.id}'`;
    return historyOf(this.#replay, object.id, { until: this.#until });
  }

  /** Where the reference with this number in the graph was made. */
  of(edge: number): Made {
    const { source, target, kind } = this.#graph.edge(edge);
    if (kind === EDGE.root) return unknown("the interpreter's own reference");
    if (kind === EDGE.borrowed) return unknown("borrowed: it is not counted");
    let matches = this.#matches.get(target);
    if (!matches) {
      matches = this.#match(target, edge);
      this.#matches.set(target, matches);
    }
    const made = matches.get(edge);
    if (made) return made;
    const history = this.history(target);
    if (typeof history === "string") return unknown(history);
    if (history.count === null) return unknown("the object is immortal: references to it are not counted");
    const holder = source === NONE ? undefined : this.#object(source);
    if (history.object.born === null && (source === NONE || (holder !== undefined && holder.birth < 0)))
      return unknown("made before the recording began");
    return unknown("no reference in the object's ledger fits");
  }

  /**
   * Whether a Python function was called between the two events of a pair: then it was that function's argument (`self` of `__init__`, say). What a
   * container takes in is hashed before.
   */
  #callsPython({ time, last, pairs }: LedgerRow): boolean {
    if (pairs !== 1 || last - time.event > LONGEST_PAIR) return false;
    for (const { columns, first, last: end } of this.#replay.range(time.event + 1, last))
      for (let row = first; row < end; row++) if (columns.kind[row] === Kind.call) return true;
    return false;
  }

  #match(target: number, asked: number): Map<number, Made> {
    const graph = this.#graph;
    const matches = new Map<number, Made>();
    const history = this.history(target);
    if (typeof history === "string" || history.count === null) return matches;
    const candidates = candidatesOf(history);
    const edges: number[] = [];
    for (const e of graph.into(target)) {
      const { kind } = graph.edge(e);
      if (kind !== EDGE.borrowed && kind !== EDGE.root) edges.push(e);
      if (edges.length === MOST_EDGES) break;
    }
    if (!edges.includes(asked)) edges.push(asked);
    // With many of both, the latest candidates are the ones that are likely.
    const likely = candidates.slice(-MOST_CANDIDATES);
    const open = openCandidates(history, candidates);
    for (const reference of history.open) {
      const { opened } = reference;
      if (open.has(opened.event) || candidates.some(({ row }) => isOnLine(row, reference))) continue;
      // Folded away with one that was given up on its line.
      const row = { ...reference, delta: 1, balance: null, pairs: 0, stored: null, time: opened, last: opened.event };
      likely.push({ row, event: opened.event, moved: false });
      open.add(opened.event);
    }
    const pairs: Pair[] = [];
    let older = history.openElsewhere;
    for (const edge of edges) {
      const { source, kind, label } = graph.edge(edge);
      const evidence = evidenceFor(graph, edge);
      const holder = source === NONE ? undefined : this.#object(source);
      // Both were there before the recording: so was the reference between them, as long as the count has such, or nothing speaks for another.
      const isOld = history.object.born === null && holder !== undefined && holder.birth < 0;
      if (isOld && older-- > 0) continue;
      const type = source === NONE ? "" : this.#replay.names.type(graph.type[source]!);
      const fixed = type === "tuple";
      const filled =
        kind === EDGE.field ||
        (kind === EDGE.attribute && (FILLED_AT_BIRTH.has(type) || graph.labelText(label).startsWith("<")));
      const storing = storesOf(graph, edge);
      const moving = isNamed(graph, edge) ? NAMESPACE_MOVES : MOVES[kind];
      const built = holder && holder.birth >= 0 ? this.#replay.names.place(holder.location) : undefined;
      for (const candidate of fixed ? candidates : likely) {
        const { row, event, moved } = candidate;
        if (row.kind !== "birth" && type !== "function" && MAKES_FUNCTION.test(row.opcode ?? "")) continue;
        const inCall = moved && (TAKE_IN_CALLS.has(kind) || filled) && CALLING.test(row.opcode ?? "");
        const since = !fixed && (holder === undefined || event >= holder.birth);
        const onLine = built !== undefined && row.function === built.function && row.line === built.line;
        const isOpen = open.has(row.time.event);
        // An object's first reference was stored where it was born only if nobody has given it up.
        const wasStored = row.kind !== "birth" || isOpen;
        const stores = inCall || (wasStored && (moved ? moving : storing)?.test(row.opcode ?? "") === true);
        // Taken before its holder was there, and elsewhere: it was handed over, which only an open reference can have been.
        if (moved ? !((stores && since) || ((fixed || filled) && onLine)) : !since && !onLine && !isOpen) continue;
        const said = since ? evidence(row) : 0;
        if (isOld && said === 0) continue;
        const after = holder === undefined ? 0 : event - holder.birth;
        const score = fixed
          ? onLine
            ? moved
              ? 8
              : 9
            : 2
          : (stores && (since || onLine) ? (inCall ? 3 : 4) : 0) +
            (since ? 2 : onLine ? 1 : 0) +
            (isOpen || moved ? 2 : 0) +
            (filled && onLine && Math.abs(after) < SOON ? 3 : 0) +
            // A display takes what was made for it on its line.
            (isOpen && onLine && after < 0 && -after < SOON && DISPLAYS.test(built.opcode ?? "") ? 4 : 0) +
            // A suspended function's argument was taken before there was a frame for it.
            (kind === EDGE.local && isOpen && after < 0 && -after < SOON ? 5 : 0) +
            said;
        pairs.push({ edge, candidate, score, fixed, inCall, distance: fixed || filled ? Math.abs(after) : -event });
      }
    }
    pairs.sort((a, b) => b.score - a.score || a.distance - b.distance);
    const taken = new Set<LedgerRow>();
    for (const { edge, candidate, score, fixed, inCall } of pairs) {
      if (matches.has(edge) || taken.has(candidate.row)) continue;
      if (inCall && this.#callsPython(candidate.row)) continue;
      taken.add(candidate.row);
      // Nearest to a tuple's birth is only one.
      const asGood = fixed
        ? []
        : pairs.filter((pair) => pair.edge === edge && pair.score === score && !taken.has(pair.candidate.row));
      matches.set(edge, inferred(this.#replay, candidate, asGood.length));
    }
    this.#matchRest(history, edges, taken, matches);
    return matches;
  }

  /** What fits no rule is, where the ledger has references left that are open, one of these: the latest. */
  #matchRest(
    history: History,
    edges: readonly number[],
    taken: ReadonlySet<LedgerRow>,
    matches: Map<number, Made>,
  ): void {
    const used = new Set([...taken].flatMap(({ time, stored }) => [time.event, stored?.event ?? time.event]));
    const left = history.open.filter(({ opened }) => !used.has(opened.event));
    for (const edge of edges) {
      if (matches.has(edge)) continue;
      const { source } = this.#graph.edge(edge);
      const holder = source === NONE ? undefined : this.#object(source);
      if (history.object.born === null && (holder === undefined || holder.birth < 0)) continue;
      const others = left.length - 1 + history.openElsewhere;
      const one = left.pop();
      if (!one) return;
      const { opened, function: name, file, line, source: text, opcode, kind } = one;
      const place = { function: name, file, line, source: text, opcode };
      matches.set(edge, {
        ...{ certainty: "inferred", reason: null, ...opened, ...place, by: kind },
        alternatives: Math.max(others, one.sure ? 0 : 1),
      });
    }
  }
}

const isOnLine = (row: LedgerRow, { function: name, file, line }: OpenReference): boolean =>
  row.line === line && row.file === file && row.function === name;

/**
 * Events of the candidates that are open by the ledger. Of several pairs on one line the rows leave out some and the list of open references
 * others: an open reference that is no candidate stands for the nearest one of its line.
 */
function openCandidates({ open }: History, candidates: readonly Candidate[]): Set<number> {
  const events = new Set(candidates.map(({ row }) => row.time.event));
  const found = new Set(open.map(({ opened }) => opened.event).filter((event) => events.has(event)));
  for (const reference of open) {
    const { opened } = reference;
    if (events.has(opened.event)) continue;
    const onLine = candidates
      .map(({ row }) => row)
      .filter((row) => isOnLine(row, reference) && !found.has(row.time.event));
    const [nearest] = onLine.sort(
      (x, y) => Math.abs(x.time.event - opened.event) - Math.abs(y.time.event - opened.event),
    );
    if (nearest) found.add(nearest.time.event);
  }
  return found;
}

function candidatesOf({ rows }: History): Candidate[] {
  const candidates: Candidate[] = [];
  for (const row of rows) {
    if (row.kind === "birth" || ((row.kind === "incref" || row.kind === "setref") && row.delta > 0))
      candidates.push({ row, event: row.time.event, moved: false });
    // Of several pairs in one row the last that stored is meant, whatever the first one's instruction was.
    else if (row.stored)
      candidates.push({ row: { ...row, opcode: row.stored.opcode }, event: row.stored.event, moved: true });
  }
  return candidates;
}

const inferred = (replay: Replay, { row, event, moved }: Candidate, alternatives: number): Made => ({
  certainty: "inferred",
  reason: null,
  ...timeInfo(replay, event),
  function: row.function,
  file: row.file,
  line: row.line,
  source: row.source,
  opcode: row.opcode,
  by: moved ? "incref" : (row.kind as "birth" | "incref" | "setref"),
  alternatives,
});
