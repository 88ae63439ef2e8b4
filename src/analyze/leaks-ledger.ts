/**
 * Which line of the program made a reference that was never given back.
 *
 * The trace tells which object a count belongs to, not which slot a reference was put into. So the line is inferred, best evidence first:
 *
 * 1. an incref of the object by an instruction or a C function that stores (`STORE_SUBSCR`, `list.append`, …), the last of them;
 * 2. the object's first reference was handed over to its holder without an incref (`cache.append(Session())`): then the first event on the
 *    holder after the birth is the one that put it there, since a holder is looked up to be stored into;
 * 3. the place of birth.
 *
 * A reference lost by C code was stored nowhere: there the line is the one whose increfs outnumber its decrefs.
 *
 * The line named is the innermost one in the program's own files: when `logging` stores what the program gave it, the program's call is
 * the culprit.
 */
import { eventNumber } from "../base/ids.js";
import { historyOf, type LedgerRow } from "../replay/history.js";
import type { Replay } from "../replay/replay.js";
import { callStack, timeInfo } from "../replay/survey.js";
import { Kind } from "../trace/events.js";
import type { SourcePlace } from "./finding.js";
import { isOwnFile } from "./leaks-iterations.js";

/** Events after a birth in which its holder is looked for. */
const HANDED_OVER_WITHIN = 200_000;
/** Source lines whose values go to somebody else. */
const LEAVING = /\b(return|yield|await|lambda|for|raise)\b/;
/** Lines that one statement may have: its parts are on different ones. */
const NEAR_LINES = 5;

const STORING_OPCODE =
  /^(STORE_(?!FAST)|LIST_APPEND|SET_ADD|MAP_ADD|LIST_EXTEND|SET_UPDATE|DICT_UPDATE|CALL_LIST_APPEND)/;
const STORING_FUNCTION =
  /SetItem|SetAttr|Append|append|insert|Insert|setdefault|SetDefault|_add|Set_Add|extend|ass_sub|List_|set_|dict_|deque|Deque|heap/;

/** A reference that was not given back. */
export interface KeptReference {
  /** Number of the object that it is to; undefined = the finding's representative. */
  readonly object?: number;
  /** Event and seconds at which it was made. */
  readonly made: { readonly event: number; readonly seconds: number };
  /** "stored": seen being stored. "handed-over": taken over from the birth by its holder. "birth": only the birth is known. "unbalanced": of a line with more increfs than decrefs. */
  readonly evidence: "stored" | "handed-over" | "birth" | "unbalanced";
  /** The line of the program that made it: the innermost in its own files; of the library where there is none. */
  readonly culprit: SourcePlace;
  /** Where exactly, if that is in the library. */
  readonly at: SourcePlace;
  readonly opcode: string | null;
  readonly cFunction: string | null;
}

export const placeOf = (replay: Replay, location: number): SourcePlace => {
  const { function: name, file, line } = replay.names.place(location);
  return { function: name, file, line, source: replay.names.source(file, line) };
};

/** 2: by an instruction that stores; 1: by a C function whose name says so; 0: neither. */
export const storingScore = ({ opcode, cFunction }: Pick<LedgerRow, "opcode" | "cFunction">): number => {
  if (opcode !== null && STORING_OPCODE.test(opcode)) return 2;
  return cFunction !== null && STORING_FUNCTION.test(cFunction) ? 1 : 0;
};

/** The reference by which `holder` (its address; 0 = unknown) keeps the object. Winds the replay elsewhere. */
export function storedReference(replay: Replay, id: number, holder: number): KeptReference {
  const history = historyOf(replay, id, { all: true });
  const rows = history.rows.filter(({ kind, delta }) => kind !== "birth" && delta > 0);
  let best: LedgerRow | undefined;
  for (const row of rows) if (storingScore(row) > 0 && storingScore(row) >= (best ? storingScore(best) : 1)) best = row;
  if (best) return referenceAt(replay, best.time.event, "stored");
  return handedReference(replay, history.object.born?.event ?? 0, holder, true);
}

/**
 * The reference that an event took (the object's birth, or a load whose value a function returned), and that `holder` (its address; 0 = unknown) took
 * over: the first event on the holder in the same statement, or in one of a caller that waits for its value, is the store.
 */
export function handedReference(replay: Replay, event: number, holder: number, isBirth: boolean): KeptReference {
  const { columns, row } = replay.event(eventNumber(event));
  const heap = replay.seek(eventNumber(event));
  const frames = callStack(replay, heap.frame, columns.location[row]!).filter(({ file }) => isOwnFile(file));
  const like = { kind: columns.kind[row]!, location: columns.location[row]!, a: columns.a[row]! };
  const handed = holder === 0 ? undefined : firstEventOn(replay, holder, event, like);
  if (handed !== undefined) {
    const reference = referenceAt(replay, handed, "handed-over", event);
    const { function: name, file, line } = reference.culprit;
    const isNear = (frame: SourcePlace): boolean =>
      frame.file === file && frame.function === name && Math.abs((frame.line ?? 0) - (line ?? 0)) <= NEAR_LINES;
    // A value leaves its function only where that returns it, or where it is the body of one: else it was taken over right there.
    const at = LEAVING.test(frames[0]?.source ?? "") ? frames.findIndex(isNear) : frames.slice(0, 1).findIndex(isNear);
    if (at >= 0) return reference;
  }
  const reference = referenceAt(replay, event, isBirth ? "birth" : "handed-over");
  // What a function returns is stored by who called it.
  const [here, caller] = frames;
  const isReturned = caller !== undefined && /^\s*return\b/.test(here?.source ?? "");
  return isReturned && !isBirth ? { ...reference, culprit: placeIn(caller) } : reference;
}

const placeIn = ({ function: name, file, line, source }: SourcePlace): SourcePlace => ({
  function: name,
  file,
  line,
  source,
});

/** The reference that a line took and did not give back; since `from`, where only later ones are meant. */
export function unbalancedReference(replay: Replay, id: number, from = -1): KeptReference {
  const history = historyOf(replay, id, { all: true });
  const lines = new Map<string, { net: number; last: LedgerRow }>();
  for (const row of history.rows) {
    if (row.kind === "birth" || row.delta === 0 || row.time.event < from) continue;
    const key = `${row.function} ${row.file}:${row.line}`;
    const line = lines.get(key);
    if (line) {
      line.net += row.delta;
      if (row.delta > 0) line.last = row;
    } else lines.set(key, { net: row.delta, last: row });
  }
  const [most] = [...lines.values()].filter(({ net }) => net > 0).sort((x, y) => y.net - x.net);
  if (most) return referenceAt(replay, most.last.time.event, "unbalanced");
  return referenceAt(replay, history.object.born?.event ?? 0, "birth");
}

/**
 * First event on the object at this address after another one, unless the like of that one happens again before: then the holder was only borrowed when it
 * was stored into, and its next event has to do with something else.
 */
function firstEventOn(
  replay: Replay,
  address: number,
  after: number,
  like: { kind: number; location: number; a: number },
): number | undefined {
  const to = Math.min(replay.end, after + HANDED_OVER_WITHIN);
  for (const { columns, first, last } of replay.range(after + 1, to)) {
    const { kind, address: at, location, a } = columns;
    for (let row = first; row < last; row++) {
      const code = kind[row]!;
      if (code === Kind.new && like.kind === code && like.location === location[row] && like.a === a[row])
        return undefined;
      if (at[row] !== address) continue;
      if (code === Kind.incref || code === Kind.decref) return columns.first + row;
    }
  }
  return undefined;
}

/** What is known of the reference made by an event; `made`: when, if that was earlier. */
export function referenceAt(
  replay: Replay,
  event: number,
  evidence: KeptReference["evidence"],
  made = event,
): KeptReference {
  const { columns, row } = replay.event(eventNumber(event));
  const location = columns.location[row]!;
  const site = columns.site[row]!;
  const at = placeOf(replay, location);
  return {
    made: timeInfo(replay, made),
    evidence,
    culprit: isOwnSource(at.file) ? at : (ownFrame(replay, event, location) ?? at),
    at,
    opcode: replay.names.place(location).opcode,
    cFunction: replay.names.cFunction(site),
  };
}

/** The innermost frame in the program's own files at an event, or, where there is none, in what the program compiled itself. */
export function ownFrame(replay: Replay, event: number, location: number): SourcePlace | undefined {
  const heap = replay.seek(eventNumber(event));
  const frames = callStack(replay, heap.frame, location);
  const frame = frames.find(({ file }) => isOwnSource(file)) ?? frames.find(({ file }) => isOwnFile(file));
  return frame && placeIn(frame);
}

/** Whether a file is one of the program's, and no text that was given to `exec`: nobody can look that up. */
const isOwnSource = (file: string | null): boolean => isOwnFile(file) && !file!.startsWith("<");
