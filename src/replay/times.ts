/**
 * Times as people name them: `start`, `end`, `peak`, `42%`, `1.5s`, `#123456`, `mark:NAME`, `mark:NAME[2]`, `gc:3`, `line:FILE:12`,
 * `line:FILE:12[3]`, `call:FUNCTION[3]`. A time is the number of the event that comes next: all earlier ones have happened. So a mark,
 * a collection or a line means the state just before it, a call the state just after the frame was entered.
 *
 * What occurs once needs no number in brackets; from 1, or from -1 for the last. What fits nothing, or several things, is answered
 * with what there is.
 *
 * How often a line ran is told by its events: line-runs.ts. A line that leaves none cannot be named.
 */
import { Failure } from "../base/failure.js";
import { type EventNumber, eventNumber } from "../base/ids.js";
import { Kind } from "../trace/events.js";
import { LineRuns } from "./line-runs.js";
import { shownFile } from "./names.js";
import type { Replay } from "./replay.js";

const FORMS =
  "start, end, peak, 42%, 1.5s, #123456, mark:NAME, mark:NAME[2], gc:3, line:FILE:12, line:FILE:12[3], call:FUNCTION or call:FUNCTION[3]";

/** Names that an answer lists. */
const LISTED = 8;
/** Characters of a mark's name in a list. */
const LONGEST_MARK = 40;

/** The event number that the text names. `option`: what the text was given to, for errors. */
export function resolveTime(replay: Replay, text: string, option = "--time"): EventNumber {
  const { end } = replay;
  const wrong = (what: string): Failure => new Failure(`${option} ${text}: ${what}`, 2);
  if (text === "start") return eventNumber(0);
  if (text === "end") return end;
  if (text === "peak") return replay.peak().time;
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text);
  if (percent) {
    const share = Number(percent[1]) / 100;
    if (share > 1) throw wrong("goes from 0% to 100%");
    return eventNumber(Math.round(share * end));
  }
  const number = /^#(\d{1,15})$/.exec(text);
  if (number) {
    const event = Number(number[1]);
    if (event > end) throw wrong(`the trace has ${end} events: times go from #0 to #${end}`);
    return eventNumber(event);
  }
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(text);
  if (seconds) return atSeconds(replay, Number(seconds[1]), wrong);
  if (/^\d+$/.test(text)) throw wrong(`is no time; an event's number is written '#${text}'`);
  // A mark may have an empty name.
  const [, kind, rest] = /^(mark(?=:)|(?:gc|line|call)(?=:.)):(.*)$/s.exec(text) ?? [];
  if (kind === undefined) throw wrong(`is no time; times are ${FORMS}`);
  const [, name, ordinal] = /^(.*?)(?:\[(-?\d{1,12})\])?$/s.exec(rest!)!;
  const nth = ordinal === undefined ? undefined : Number(ordinal);
  if (kind === "gc") return eventNumber(collections(replay, name!, nth, wrong));
  const found = OCCURRENCES[kind as keyof typeof OCCURRENCES](replay, name!, nth, wrong);
  return eventNumber(choose(found, wrong));
}

/** Every time that `mark:NAME`, `line:FILE:N` or `call:FUNCTION` names, ascending. `option`: what the text was given to, for errors. */
export function occurrences(replay: Replay, text: string, option: string): readonly number[] {
  const wrong = (what: string): Failure => new Failure(`${option} ${text}: ${what}`, 2);
  const [, kind, name] = /^(mark|line|call):(.+)$/s.exec(text) ?? [];
  if (kind === undefined) throw wrong("is none of mark:NAME, line:FILE:12 and call:FUNCTION");
  const { events, what } = OCCURRENCES[kind as keyof typeof OCCURRENCES](replay, name!, undefined, wrong);
  if (events.length === 0) throw wrong(`${what} does not occur in this trace`);
  return events;
}

type Wrong = (what: string) => Failure;

/** Where something happened; `nth` of them is meant, `one` names one of them, `what` all. */
interface Found {
  readonly events: readonly number[];
  readonly nth: number | undefined;
  readonly what: string;
  readonly one: string;
  /** Why there may have been more; absent where all are known. */
  readonly unseen?: string;
}

const UNSEEN_RUNS =
  "runs that changed no count and no memory left no event; try call:FUNCTION[k] or a line in the loop";

const OCCURRENCES: Record<
  "mark" | "line" | "call",
  (replay: Replay, name: string, nth: number | undefined, wrong: Wrong) => Found
> = { mark: marks, line: lineRuns, call: calls };

/** The wall time of a time, in ms since the program's start: between a chunk's ends by its events. */
export function wallAt(replay: Replay, time: number): number {
  const { chunks } = replay.reader;
  const chunk = replay.reader.chunkAt(eventNumber(time));
  if (chunk === undefined) return chunks[chunks.length - 1]?.wall_stop ?? 0;
  const { first, last, wall_start, wall_stop } = chunks[chunk]!;
  return last === first ? wall_start : wall_start + ((time - first) / (last - first)) * (wall_stop - wall_start);
}

function atSeconds(replay: Replay, seconds: number, wrong: Wrong): EventNumber {
  const { chunks } = replay.reader;
  const wall = seconds * 1000;
  const chunk = chunks.find(({ wall_stop }) => wall_stop >= wall);
  if (!chunk) throw wrong(`the program's last event was after ${(wallAt(replay, replay.end) / 1000).toFixed(3)}s`);
  const { first, last, wall_start, wall_stop } = chunk;
  if (wall <= wall_start) return eventNumber(first);
  return eventNumber(first + Math.ceil(((wall - wall_start) / (wall_stop - wall_start)) * (last - first)));
}

/** The n-th of the things found, or an answer about how many there are. */
function choose({ events, nth, what, one, unseen }: Found, wrong: Wrong): number {
  const last = events.length;
  if (last === 0) throw wrong(`${what} does not occur in this trace`);
  const times = `${last.toLocaleString("en-US")} ${last === 1 ? "time" : "times"}`;
  if (nth === undefined) {
    if (last === 1) return events[0]!;
    throw wrong(
      `${what} occurs ${times}, first at #${events[0]}, last at #${events[last - 1]}: choose ${one}[1] to ${one}[${last}], or ${one}[-1] for the last`,
    );
  }
  const event = nth > 0 ? events[nth - 1] : nth < 0 ? events[last + nth] : undefined;
  if (event === undefined) {
    if (last === 1) throw wrong(`${what} occurs once: choose ${one}${unseen === undefined ? "" : ` (${unseen})`}`);
    throw wrong(
      `${what} occurs ${times}: choose ${one}[1] to ${one}[${last}]${unseen === undefined ? "" : ` (${unseen})`}`,
    );
  }
  return event;
}

/** Marks may be called anything: nothing, blanks, a whole text. */
const quoted = (name: string): string =>
  `"${name.length > LONGEST_MARK ? `${name.slice(0, LONGEST_MARK - 1)}…` : name}"`;

const listed = (names: readonly string[]): string =>
  names.length === 0
    ? "none"
    : names.slice(0, LISTED).join(", ") + (names.length > LISTED ? `, and ${names.length - LISTED} more` : "");

function marks(replay: Replay, name: string, nth: number | undefined, wrong: Wrong): Found {
  const ids = new Map<number, string>();
  for (const row of replay.reader.rows("markNames")) ids.set(row.id, row.name);
  // A mark's own name may end in brackets.
  const literal = nth === undefined ? name : `${name}[${nth}]`;
  const exact = [...ids.values()].includes(literal) ? literal : name;
  const found: number[] = [];
  for (const { event, name: id } of replay.reader.rows("marks")) if (ids.get(id) === exact) found.push(event);
  if (found.length === 0)
    throw wrong(`no mark has that name; marks are: ${listed([...new Set(ids.values())].map(quoted))}`);
  return { events: found, nth: exact === name ? nth : undefined, what: `mark ${exact || '""'}`, one: `mark:${exact}` };
}

function collections(replay: Replay, name: string, nth: number | undefined, wrong: Wrong): number {
  const starts = [...replay.reader.rows("collections")].map(({ start }) => start);
  if (!/^-?\d{1,12}$/.test(name) || nth !== undefined) throw wrong("a collection is named by its number, such as gc:3");
  if (starts.length === 0) throw wrong("the trace has no collections");
  const number = Number(name);
  const start = number > 0 ? starts[number - 1] : number < 0 ? starts[starts.length + number] : undefined;
  if (start === undefined) throw wrong(`the trace has collections gc:1 to gc:${starts.length}`);
  return start;
}

/**
 * Entries into frames of these code objects that are calls, ascending. The frame of a generator or coroutine is entered anew each time that it
 * goes on; its call is the entry that makes it, and leaves before what is behind RETURN_GENERATOR, a POP_TOP.
 */
function callsOf(replay: Replay, wanted: ReadonlySet<number>): number[] {
  const makes = new Uint8Array(
    [...replay.reader.rows("locations")].reduce((most, { id }) => Math.max(most, id + 1), 1),
  );
  for (const { id, code, opcode } of replay.reader.rows("locations"))
    if (opcode === "POP_TOP" && wanted.has(code)) makes[id] = 1;
  const entries: { readonly event: number; readonly code: number; isMaking: boolean }[] = [];
  const generators = new Set<number>();
  const open: { readonly depth: number; readonly entry: (typeof entries)[number] }[] = [];
  let depth = 0;
  for (const { columns } of replay.range(0, replay.end)) {
    const { kind, a, location, first, count } = columns;
    for (let row = 0; row < count; row++) {
      if (kind[row] === Kind.call) {
        depth++;
        if (!wanted.has(a[row]!)) continue;
        const entry = { event: first + row + 1, code: a[row]!, isMaking: false };
        entries.push(entry);
        open.push({ depth, entry });
      } else if (kind[row] === Kind.return) {
        if (open.at(-1)?.depth === depth) {
          const { entry } = open.pop()!;
          if (makes[location[row]!] === 1) {
            entry.isMaking = true;
            generators.add(entry.code);
          }
        }
        depth--;
      }
    }
  }
  return entries.flatMap(({ event, code, isMaking }) => (isMaking || !generators.has(code) ? [event] : []));
}

function calls(replay: Replay, name: string, nth: number | undefined, wrong: Wrong): Found {
  const wanted = new Set<number>();
  const names = new Set<string>();
  const similar = new Set<string>();
  for (const { id, qualname, name: short } of replay.reader.rows("codes")) {
    if (qualname === name || short === name) {
      wanted.add(id);
      names.add(qualname);
    } else if (qualname.toLowerCase().includes(name.toLowerCase())) similar.add(qualname);
  }
  if (wanted.size === 0) {
    const hint = similar.size > 0 ? `; similar are: ${listed([...similar].sort())}` : "";
    throw wrong(`no function has that name${hint}`);
  }
  if (names.size > 1) {
    if (names.has(name)) {
      for (const { id, qualname } of replay.reader.rows("codes")) if (qualname !== name) wanted.delete(id);
    } else throw wrong(`several functions have that name: ${listed([...names].sort())}`);
  }
  const found = callsOf(replay, wanted);
  return { events: found, nth, what: `a call of ${name}`, one: `call:${name}` };
}

/** Whether a path is meant by a shorter one: the same, its end from a slash on, or as it is printed (`<lib>/json/tool.py`). */
export const pathFits = (path: string, wanted: string): boolean =>
  path === wanted || path.endsWith(`/${wanted}`) || shownFile(path) === wanted;

function lineRuns(replay: Replay, name: string, nth: number | undefined, wrong: Wrong): Found {
  const [, file, lineText] = /^(.+):(\d{1,9})$/s.exec(name) ?? [];
  if (file === undefined) throw wrong("a line is named by file and number, such as line:app.py:12");
  const line = Number(lineText);
  let codes = new Map<number, string>();
  for (const row of replay.reader.rows("codes")) if (pathFits(row.file, file)) codes.set(row.id, row.file);
  // Files in the program's working directory are printed from there on.
  const own = `${replay.reader.meta.cwd}/${file}`;
  if ([...codes.values()].includes(own)) codes = new Map([...codes].filter(([, path]) => path === own));
  const files = [...new Set(codes.values())];
  if (files.length === 0) {
    const all = [...replay.reader.rows("codes")].map((row) => row.file);
    throw wrong(`no code of that file ran; files are: ${listed([...new Set(all.map(shownFile))].sort())}`);
  }
  if (files.length > 1) throw wrong(`several files are called that: ${listed(files.map(shownFile).sort())}`);
  const wanted: number[] = [];
  const lines = new Set<number>();
  for (const { id, code, line: at } of replay.reader.rows("locations")) {
    if (!codes.has(code) || at === null) continue;
    lines.add(at);
    if (at === line) wanted.push(id);
  }
  if (wanted.length === 0) {
    const near = [...lines].sort((x, y) => Math.abs(x - line) - Math.abs(y - line)).slice(0, LISTED);
    const isCode = [...replay.reader.rows("codeLines")].some((row) => row.line === line && codes.has(row.code));
    const none = isCode
      ? `line ${line} left no event, and a line is known by what it does to counts and memory; try call:FUNCTION[k] or`
      : `no code that ran is on line ${line}; try`;
    throw wrong(`${none} a line near it: ${near.sort((x, y) => x - y).join(", ")}`);
  }
  const runs = new LineRuns(replay.reader, wanted);
  for (const { columns } of replay.range(0, replay.end)) runs.take(columns);
  return { events: runs.found, nth, what: `line ${name}`, one: `line:${name}`, unseen: UNSEEN_RUNS };
}
