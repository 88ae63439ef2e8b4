/**
 * The first pass: how often each line ran, what it did to memory in sum, and at which events the past must be asked for the program's
 * variables so that the rounds that will be shown can be told in names: at a round's begin and end, where a function of the
 * program has its arguments, and where it is left. Of each line the first rounds and the last ones are kept, so what is kept
 * depends on the program's length in lines and not on how long it runs.
 */

import type { Replay } from "../replay/replay.js";
import { type EventColumns, Kind } from "../trace/events.js";
import { LineWalker, type Round } from "./explain-walk.js";

/** Calls and returns in one round for which the past is asked. */
const MOST_CALLS = 16;

/** A round that may be shown. */
export interface CandidateRound {
  readonly round: Round;
  /** Events with which functions of the program were entered from here. */
  readonly calls: number[];
  /** Events with which functions of the program were left into this round. */
  readonly returns: number[];
}

export interface LineSum {
  rounds: number;
  events: number;
  plus: number;
  minus: number;
  /** By type. */
  readonly born: Map<number, number>;
  readonly freed: Map<number, number>;
  readonly first: CandidateRound[];
  /** The latest rounds, oldest first. */
  readonly latest: CandidateRound[];
}

export interface RoundSurvey {
  readonly lines: ReadonlyMap<number, LineSum>;
}

export function surveyRounds(replay: Replay, file: string, first: number, last: number): RoundSurvey {
  const walker = new LineWalker(replay.reader, file);
  const lines = new Map<number, LineSum>();
  let round: Round | undefined;
  let sum: LineSum | undefined;
  let candidate: CandidateRound | undefined;
  const candidates = new WeakMap<Round, CandidateRound>();
  const turnTo = (next: Round | undefined): void => {
    round = next;
    sum = undefined;
    candidate = undefined;
    if (!next) return;
    sum = lines.get(next.line);
    if (!sum) {
      sum = { rounds: 0, events: 0, plus: 0, minus: 0, born: new Map(), freed: new Map(), first: [], latest: [] };
      lines.set(next.line, sum);
    }
    candidate = candidates.get(next);
    if (candidate) return;
    candidate = { round: next, calls: [], returns: [] };
    candidates.set(next, candidate);
    sum.rounds++;
    if (sum.first.length < first) sum.first.push(candidate);
    else {
      sum.latest.push(candidate);
      if (sum.latest.length > last) sum.latest.shift();
    }
  };
  for (const { columns, first: from, last: to } of replay.range(0, replay.end)) {
    for (let row = from; row < to; row++) {
      const here = walker.step(columns, row);
      if (here !== round) turnTo(here);
      if (!sum) continue;
      add(sum, columns, row);
      const kind = columns.kind[row]!;
      if ((kind !== Kind.call && kind !== Kind.return) || !walker.owns(columns.a[row]!)) continue;
      const { caller } = walker;
      const calling = kind === Kind.call ? candidate : caller && candidates.get(caller);
      const into = kind === Kind.call ? calling?.calls : calling?.returns;
      if (into && into.length < MOST_CALLS) into.push(columns.first + row);
    }
  }
  return { lines };
}

function add(sum: LineSum, columns: EventColumns, row: number): void {
  const kind = columns.kind[row]!;
  sum.events++;
  if (kind === Kind.incref) sum.plus++;
  else if (kind === Kind.decref) sum.minus++;
  else if (kind === Kind.new) count(sum.born, columns.a[row]!);
  else if (kind === Kind.dealloc) count(sum.freed, columns.a[row]!);
}

function count(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
