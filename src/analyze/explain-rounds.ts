/**
 * The first pass: how often each line ran, what it did to memory in sum, and at which events the past must be asked for the program's
 * variables so that the rounds that will be shown can be told in names: at a round's begin and end, where a function of the
 * program has its arguments, and where it is left. Of each line the first rounds and the last ones are kept, so what is kept
 * depends on the program's length in lines and not on how long it runs.
 */

import type { Replay } from "../replay/replay.js";
import { Kind } from "../trace/events.js";
import { LineWalker, type Round } from "./explain-walk.js";

/** What sys.excepthook calls for an exception that nothing caught, since 3.13 (_PyErr_Display, Python/pythonrun.c). */
const PRINTER = "_print_exception_bltin";

/** Calls and returns in one round for which the past is asked. */
const MOST_CALLS = 16;

export interface LineSum {
  rounds: number;
  events: number;
  plus: number;
  minus: number;
  /** By type. */
  readonly born: Map<number, number>;
  readonly freed: Map<number, number>;
  /** Rounds by function, in the order in which they came here. */
  readonly functions: { readonly function: string; rounds: number }[];
  /** Visits of the first rounds. */
  readonly first: Round[];
  /** Those of the latest rounds, oldest first. */
  latest: Round[];
}

export interface RoundSurvey {
  readonly lines: ReadonlyMap<number, LineSum>;
  /** The interpreter printed an exception that nothing had caught, after the program's last line. */
  readonly uncaught: boolean;
}

export function surveyRounds(
  replay: Replay,
  file: string,
  source: readonly string[],
  first: number,
  last: number,
): RoundSurvey {
  const lines = new Map<number, LineSum>();
  // A round of ten million must cost next to nothing: what is noted about it is in it, and its line's sum is found by an index.
  const byLine: (LineSum | undefined)[] = [];
  const sumOf = (line: number): LineSum => {
    let found = byLine[line];
    if (!found) {
      const counts = { rounds: 0, events: 0, plus: 0, minus: 0 };
      found = { ...counts, born: new Map(), freed: new Map(), functions: [], first: [], latest: [] };
      lines.set(line, found);
      byLine[line] = found;
    }
    return found;
  };
  const counted = (one: Round): void => {
    const of = sumOf(one.line);
    if (one.phase === "round") {
      of.rounds = one.nth;
      const known = of.functions.find((other) => other.function === one.function);
      if (known) known.rounds++;
      else of.functions.push({ function: one.function, rounds: 1 });
    }
    const { latest } = of;
    const until = of.rounds - last;
    if (one.nth <= first) of.first.push(one);
    else if (one.nth > until) {
      if (latest.length === 1 && latest[0]!.nth <= until) latest[0] = one;
      else {
        latest.push(one);
        if (latest[0]!.nth <= until) of.latest = latest.filter(({ nth }) => nth > until);
      }
    }
  };
  const walker = new LineWalker(replay.reader, file, source, counted);
  const printers = new Set<number>();
  for (const { id, file: of, qualname } of replay.reader.rows("codes"))
    if (qualname === PRINTER && of.endsWith("traceback.py")) printers.add(id);
  let uncaught = false;
  let round: Round | undefined;
  let sum: LineSum | undefined;
  for (const { columns, first: from, last: to } of replay.range(0, replay.end)) {
    for (let row = from; row < to; row++) {
      const here = walker.step(columns, row);
      if (here !== round) {
        round = here;
        sum = here && sumOf(here.line);
      }
      const kind = columns.kind[row]!;
      if (kind === Kind.call) uncaught ||= printers.has(columns.a[row]!) && !walker.running;
      if (!sum) continue;
      sum.events++;
      if (kind === Kind.incref) sum.plus++;
      else if (kind === Kind.decref) sum.minus++;
      else if (kind === Kind.new) count(sum.born, columns.a[row]!);
      else if (kind === Kind.dealloc) count(sum.freed, columns.a[row]!);
      else if (kind === Kind.call && round && walker.owns(columns.a[row]!)) {
        round.calls = noted(round.calls, columns.first + row);
      } else if (kind === Kind.return && walker.caller && walker.owns(columns.a[row]!)) {
        walker.caller.returns = noted(walker.caller.returns, columns.first + row);
      }
    }
  }
  walker.end();
  return { lines, uncaught };
}

function noted(events: number[] | undefined, event: number): number[] {
  if (events === undefined) return [event];
  if (events.length < MOST_CALLS) events.push(event);
  return events;
}

function count(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
