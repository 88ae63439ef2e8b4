/**
 * Does a group of objects grow for ever, has it only warmed up, or is it a steady state? Decided by two curves over the moments of a census:
 *
 *     alive      how many objects of the group lived at each moment, whoever they were
 *     survivors  of the objects alive at the end, how many had been born by each moment
 *
 *     leak              bounded cache        random eviction       warm-up
 *     alive  ╱ same     alive  ─────         alive  ─────          alive ╭────
 *     surv.  ╱ slope    surv.  _____╱        surv.  __──╱          surv. ╭────
 *
 * A leak has survivors of every third of the time, not ever fewer, and `alive` rises as they do: what it makes for good comes on top of what is
 * there. In a cache that throws old things out, `alive` stays flat while survivors pile up towards the end. What lives and is collected in
 * between (cycles) makes `alive` go up and down, and cancels in the means of the first and the last third. In a cache that became full late, `alive`
 * rises at first and is flat in the last third. A queue that is filled faster than it is
 * emptied has survivors of the last rounds only, like a cache that throws old things out; but all that lives is in it, and `alive` rises evenly.
 */
import type { Moments } from "./leaks-census.js";
import { thirds } from "./leaks-census.js";

/** `backlog`: it grows, though what there was of it at first is gone, as in a queue that is filled faster than it is emptied. */
export type Verdict = "leak" | "backlog" | "warm-up" | "steady";

/** Without rounds, fewer objects than this are never called a problem. */
export const FEWEST_WITHOUT_ROUNDS = 12;
/** A third must bring at least this part of what the first third brought; with few objects chance has more room. */
const LEAST_GOING_ON = { few: 0.34, many: 0.5 } as const;
const MANY = 30;
/** How much of the survivors' rise the population must show. */
const LEAST_RISE = 0.5;
/** Parts of the time in which something was made, where enough was made to ask. */
const LEAST_PARTS = 0.3;

export interface Curves {
  /** By point: live objects. */
  readonly alive: ArrayLike<number>;
  /** By part, from 0: survivors born between point i and i + 1. */
  readonly born: ArrayLike<number>;
  /** Survivors born before a, since the first moment. */
  readonly early: number;
}

const sum = (values: ArrayLike<number>, from: number, to: number): number => {
  let total = 0;
  for (let i = from; i < to; i++) total += values[i]!;
  return total;
};
const mean = (values: ArrayLike<number>, from: number, to: number): number =>
  sum(values, from, to) / Math.max(1, to - from);

/** Objects by which a backlog must have grown. */
const LEAST_BACKLOG = 8;
/** Part of those who live in the last round that live at the end: garbage that waits for the collector does not count. */
const LEAST_KEPT = 0.6;
/** What a curve that grows evenly may differ by: each third brings at least this part of what another does. */
const EVENLY = 0.5;
/** Steps of such a curve that may lead down. */
const MOST_DOWN = 0.1;

/** Whether a curve rises evenly from the first moment that counts to the last, and is still rising. */
export function risesEvenly(curve: ArrayLike<number>, moments: Moments): boolean {
  const [a, one, two, b] = thirds(moments);
  const middle = Math.round((two + b) / 2);
  const rises = [curve[one]! - curve[a]!, curve[two]! - curve[one]!, curve[b]! - curve[two]!] as const;
  const most = Math.max(...rises);
  if (most <= 0 || Math.min(...rises) < EVENLY * most) return false;
  if (curve[b]! - curve[middle]! < (EVENLY * most * (b - middle)) / (b - two)) return false;
  let down = 0;
  for (let point = a + 1; point <= b; point++) if (curve[point]! < curve[point - 1]!) down++;
  return down <= MOST_DOWN * (b - a) && curve[b]! - curve[a]! >= 0.5 * curve[b]!;
}

/** Most of those who live in the last round are kept, nobody of the first third is among them, and all the time there were more. */
function isBacklog({ alive, born, early }: Curves, moments: Moments): boolean {
  const [a, one, , b] = thirds(moments);
  if (early > 0 || sum(born, a, one) > 0) return false;
  const kept = sum(born, one, b);
  return alive[b]! - alive[a]! >= LEAST_BACKLOG && kept >= LEAST_KEPT * alive[b]! && risesEvenly(alive, moments);
}

/**
 * Whether the population has stopped to rise, though what is in it now was put there all the time: a cache that throws the oldest out, and that became full
 * well after the warm-up. What lives and is collected in between makes the curve go up and down, so only one that stays within bounds is full.
 */
function isFull(alive: ArrayLike<number>, born: number, moments: Moments): boolean {
  const [, , two, b] = thirds(moments);
  let least = alive[two]!;
  let most = alive[two]!;
  for (let point = two; point <= b; point++) {
    least = Math.min(least, alive[point]!);
    most = Math.max(most, alive[point]!);
  }
  return born >= LEAST_BACKLOG && most - least < LEAST_RISE * born;
}

export function judge({ alive, born, early }: Curves, moments: Moments): Verdict {
  if (isBacklog({ alive, born, early }, moments)) return "backlog";
  const [a, one, two, b] = thirds(moments);
  const made = [sum(born, a, one), sum(born, one, two), sum(born, two, b)] as const;
  const all = made[0] + made[1] + made[2];
  const goesOn = made.every((n) => n > 0) && all >= 3;
  const least = all >= MANY ? LEAST_GOING_ON.many : LEAST_GOING_ON.few;
  const slows = made[2] < least * made[0] || made[1] < least * made[0] * 0.5;
  if (!goesOn || slows) return early + all >= MANY && (early >= all || slows) ? "warm-up" : "steady";
  const survivors = new Float64Array(b + 1);
  for (let point = a + 1; point <= b; point++) survivors[point] = survivors[point - 1]! + born[point - 1]!;
  const rise = mean(alive, two, b + 1) - mean(alive, a, one + 1);
  const expected = mean(survivors, two, b + 1) - mean(survivors, a, one + 1);
  if (rise < LEAST_RISE * expected || isFull(alive, made[2], moments)) return "steady";
  let parts = 0;
  for (let part = a; part < b; part++) if (born[part]! > 0) parts++;
  if (all >= b - a && parts < LEAST_PARTS * (b - a)) return "steady";
  return "leak";
}
