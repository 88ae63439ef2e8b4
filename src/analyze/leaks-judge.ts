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
 * between (cycles) makes `alive` go up and down, and cancels in the means of the first and the last third.
 */
import type { Moments } from "./leaks-census.js";
import { thirds } from "./leaks-census.js";

export type Verdict = "leak" | "warm-up" | "steady";

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

export function judge({ alive, born, early }: Curves, moments: Moments): Verdict {
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
  if (rise < LEAST_RISE * expected) return "steady";
  let parts = 0;
  for (let part = a; part < b; part++) if (born[part]! > 0) parts++;
  if (all >= b - a && parts < LEAST_PARTS * (b - a)) return "steady";
  return "leak";
}
