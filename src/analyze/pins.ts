/** What keeps memory that is nearly empty from being given back: survivors in sparse regions, by type and creating place. */
import type { Names } from "../replay/names.js";
import type { SourcePlace } from "./finding.js";
import type { BlockRows } from "./pools-blocks.js";
import { EMPTY, LIVE } from "./pools-blocks.js";
import type { Pin } from "./pools-data.js";

/** A region is sparse when less than this part of it is in use. */
export const SPARSE = 0.1;
/** Pins that are told, the largest. */
const MOST_PINS = 40;

export function sourcePlace(names: Names, location: number): SourcePlace {
  const { function: name, file, line } = names.place(location);
  return { function: name, file, line, source: names.source(file, line) };
}

/** Name of what is in a block; null = no object. A dead object's block is kept by a free list. */
export function contentOf(rows: BlockRows, row: number, names: Names): string | null {
  const content = rows.content[row]!;
  if (content === EMPTY) return null;
  return content === LIVE ? names.type(rows.type[row]!) : `${names.type(rows.type[row]!)} (free list)`;
}

/** `regions`: by any number that names it, the rows in it and its free bytes. */
export function pinsOf(
  rows: BlockRows,
  names: Names,
  regions: ReadonlyMap<number, { readonly rows: readonly number[]; readonly free: number }>,
): Pin[] {
  interface Sum {
    readonly type: string | null;
    readonly location: number;
    blocks: number;
    bytes: number;
    regions: number;
    alone: number;
    pinned: number;
  }
  const sums = new Map<string, Sum>();
  for (const { rows: there, free } of regions.values()) {
    const here = new Set<Sum>();
    for (const row of there) {
      const type = contentOf(rows, row, names);
      const location = rows.location[row]!;
      const { function: name, file, line } = names.place(location);
      const key = JSON.stringify([type, name, file, line]);
      let sum = sums.get(key);
      if (!sum) {
        sum = { type, location, blocks: 0, bytes: 0, regions: 0, alone: 0, pinned: 0 };
        sums.set(key, sum);
      }
      sum.blocks++;
      sum.bytes += rows.held[row]!;
      here.add(sum);
    }
    for (const sum of here) {
      sum.regions++;
      sum.pinned += free;
      if (here.size === 1) sum.alone++;
    }
  }
  return [...sums.values()]
    .sort((x, y) => y.pinned - x.pinned || y.alone - x.alone || x.bytes - y.bytes)
    .slice(0, MOST_PINS)
    .map(({ location, ...sum }) => ({ ...sum, place: sourcePlace(names, location) }));
}
