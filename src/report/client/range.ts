/** The chosen part of the recording, in whole stretches, and who wants to know when it changes. */
import { page } from "./elements.js";

export interface Range {
  /** First stretch, and the one after the last. */
  readonly from: number;
  readonly to: number;
}

const listeners: ((range: Range) => void)[] = [];
let chosen: Range = { from: 0, to: page.edges.length - 1 };

export const whole = (): Range => ({ from: 0, to: page.edges.length - 1 });
export const isWhole = ({ from, to }: Range): boolean => from === 0 && to === page.edges.length - 1;
export const currentRange = (): Range => chosen;

export function onRange(listener: (range: Range) => void): void {
  listeners.push(listener);
}

export function choose(range: Range): void {
  if (range.from === chosen.from && range.to === chosen.to) return;
  chosen = range;
  for (const listener of listeners) listener(range);
}

/** The stretches that events overlap, at least one. */
export function stretchesOf(first: number, last: number): Range {
  const { edges } = page;
  let from = 0;
  while (from < edges.length - 2 && edges[from + 1]!.event <= first) from++;
  let to = from + 1;
  while (to < edges.length - 1 && edges[to]!.event < last) to++;
  return { from, to };
}

/** Sums of `width` counts over the range, from a flat list of stretch and counts. */
export function sumsIn({ from, to }: Range, flat: readonly number[], width: number): number[] {
  const sums = new Array<number>(width).fill(0);
  for (let i = 0; i < flat.length; i += width + 1) {
    if (flat[i]! < from || flat[i]! >= to) continue;
    for (let k = 0; k < width; k++) sums[k]! += flat[i + 1 + k]!;
  }
  return sums;
}
