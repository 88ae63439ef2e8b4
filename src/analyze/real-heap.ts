/**
 * The recorded interpreter's heap as it was: what blocks hold of it, the holes between them, and what keeps nearly empty regions.
 *
 * Blocks tell where memory is in use; a hole is what lies between the end of one and the start of the next. In this runtime the memory never
 * shrinks (dlmalloc on WebAssembly is built with MORECORE_CANNOT_TRIM), so the footprint is the highest end that a block ever had. What
 * "could be given back" is therefore what another system would get back: whole free regions of 64 KiB, or the free end of the heap.
 */
import type { Names } from "../replay/names.js";
import type { TimeInfo } from "../replay/survey.js";
import { contentOf, pinsOf, SPARSE, sourcePlace } from "./pins.js";
import { OVERHEAD } from "./pools-blocks.js";
import { type HeapSeries, type HeatMap, type HoleRow, MOST_HEAT_REGIONS, type RealHeap } from "./pools-data.js";
import { type PoolsFold, REGION_BITS } from "./pools-fold.js";

const REGION = 2 ** REGION_BITS;
/** Smaller gaps are rounding that the events do not tell: dlmalloc gives away a rest that is too small to be a block. */
const SMALLEST_HOLE = 16;
const TOP_PINS = 20;

/** How full the regions were at one moment. */
export interface HeatRow {
  readonly time: TimeInfo;
  readonly firstRegion: number;
  readonly bytes: Int32Array;
}

export function heatRow(fold: PoolsFold, time: TimeInfo): HeatRow {
  const firstRegion = Math.min(fold.start, fold.highestTop) >>> REGION_BITS;
  const end = Math.ceil(fold.highestTop / REGION);
  return { time, firstRegion, bytes: fold.region.slice(firstRegion, end) };
}

function heatMap(fold: PoolsFold, heat: readonly HeatRow[]): HeatMap {
  const start = Math.min(fold.start, fold.highestTop);
  let bits = REGION_BITS;
  const count = (): number => Math.ceil(fold.highestTop / 2 ** bits) - Math.floor(start / 2 ** bits);
  while (count() > MOST_HEAT_REGIONS) bits++;
  const regions = Math.max(0, count());
  const first = Math.floor(start / 2 ** bits);
  const permille: number[] = [];
  for (const { firstRegion, bytes } of heat) {
    const sums = new Float64Array(regions);
    for (let i = 0; i < bytes.length; i++) {
      const region = Math.floor(((firstRegion + i) * REGION) / 2 ** bits) - first;
      if (region >= 0 && region < regions) sums[region]! += bytes[i]!;
    }
    for (const sum of sums) permille.push(Math.round((1000 * sum) / 2 ** bits));
  }
  return {
    event: heat.map(({ time }) => time.event),
    seconds: heat.map(({ time }) => time.seconds),
    start: first * 2 ** bits,
    regionBytes: 2 ** bits,
    regions,
    permille,
  };
}

export function realHeap(
  fold: PoolsFold,
  names: Names,
  time: (event: number) => TimeInfo,
  series: HeapSeries,
  heat: readonly HeatRow[],
): RealHeap {
  const { rows } = fold.blocks;
  const sorted = fold.blocks.sorted();
  const start = Math.min(fold.start, fold.highestTop);
  const holes = new Map<number, { count: number; bytes: number }>();
  const regions = new Map<number, { rows: number[]; free: number }>();
  let end = start;
  let free = 0;
  let largestFree = 0;
  for (const row of sorted) {
    const begin = rows.address[row]! - OVERHEAD;
    const gap = begin - end;
    if (gap >= SMALLEST_HOLE) {
      const power = 31 - Math.clz32(gap);
      const sum = holes.get(power) ?? { count: 0, bytes: 0 };
      holes.set(power, { count: sum.count + 1, bytes: sum.bytes + gap });
      free += gap;
      largestFree = Math.max(largestFree, gap);
    }
    end = Math.max(end, begin + rows.held[row]!);
    const last = (begin + rows.held[row]! - 1) >>> REGION_BITS;
    for (let region = begin >>> REGION_BITS; region <= last; region++) {
      const held = fold.region[region]!;
      if (held >= SPARSE * REGION) continue;
      const there = regions.get(region);
      if (there) there.rows.push(row);
      else regions.set(region, { rows: [row], free: REGION - held });
    }
  }
  const top = end;
  const freeAtTop = fold.highestTop - top;
  const allFree = free + freeAtTop;
  largestFree = Math.max(largestFree, freeAtTop);
  const footprint = fold.highestTop - start;
  return {
    start,
    top,
    highestTop: fold.highestTop,
    used: fold.used,
    blocks: fold.blocks.live,
    requested: fold.requested,
    peakUsed: fold.peakUsed,
    peakAt: time(fold.peakAt),
    footprint,
    utilisation: footprint > 0 ? fold.used / footprint : null,
    free,
    freeAtTop,
    largestFree,
    fragmentation: allFree > 0 ? 1 - largestFree / allFree : null,
    holes: [...holes]
      .sort(([x], [y]) => x - y)
      .map(([power, sum]): HoleRow => ({ from: 2 ** power, to: 2 ** (power + 1) - 1, ...sum })),
    series,
    heat: heatMap(fold, heat),
    sparse: {
      regions: regions.size,
      free: [...regions.values()].reduce((sum, region) => sum + region.free, 0),
      pins: pinsOf(rows, names, regions),
    },
    topPins: topPins(fold, names, sorted),
  };
}

/** The highest blocks that have room below them, each with what the heap would shrink by without it and all above. */
function topPins(fold: PoolsFold, names: Names, sorted: Uint32Array): RealHeap["topPins"] {
  const { rows } = fold.blocks;
  const pins: RealHeap["topPins"][number][] = [];
  for (let i = sorted.length - 1; i >= 0 && pins.length < TOP_PINS; i--) {
    const row = sorted[i]!;
    const below = i === 0 ? 0 : sorted[i - 1]!;
    const end = below === 0 ? fold.start : rows.address[below]! - OVERHEAD + rows.held[below]!;
    pins.push({
      address: rows.address[row]!,
      bytes: rows.held[row]!,
      type: contentOf(rows, row, names),
      place: sourcePlace(names, rows.location[row]!),
      released: fold.highestTop - end,
    });
  }
  return pins;
}
