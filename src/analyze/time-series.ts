/**
 * Live objects and bytes by type over the recording: the heap is surveyed at evenly spaced moments, the same that the recorder sampled, so each number is the one
 * that `at` gives for that moment, and nothing is interpolated. The runtime's own objects from before the program are left out, as everywhere.
 * Types that were never large are one series, "other types". With it what happened at known moments: collections and marks.
 *
 * The recorder's own `series` is not read: it knows the allocator's exact block after a resize, a few bytes more than what the fold can know
 * (replay/dlmalloc.ts), and a page must not disagree with the commands.
 */

import { eventNumber } from "../base/ids.js";
import { BEFORE_TRACE, type Heap } from "../replay/heap.js";
import type { Replay } from "../replay/replay.js";
import type { TimeInfo } from "../replay/survey.js";
import { COLLECT_REASONS } from "../trace/events.js";

/** Moments that the heap is surveyed at: fewer where it is large, for a survey looks at every object. */
const MOST_MOMENTS = 160;
const FEWEST_MOMENTS = 24;
const SURVEYED_OBJECTS = 40_000_000;

const momentsFor = (objects: number): number =>
  Math.max(FEWEST_MOMENTS, Math.min(MOST_MOMENTS, Math.floor(SURVEYED_OBJECTS / Math.max(1, objects))));
/** Series, the one of all other types not counted. */
export const MOST_TYPES = 7;
/** Collections and marks that are listed. */
export const MOST_LISTED = 1000;

export interface TypeSeries {
  readonly type: string;
  readonly module: string | null;
  /** Live objects and bytes of their own blocks at each moment. */
  readonly objects: readonly number[];
  readonly bytes: readonly number[];
}

export interface CollectionRow {
  /** From 1, as in `--time gc:3`. */
  readonly number: number;
  readonly start: TimeInfo;
  readonly generation: number;
  readonly reason: string;
  /** null = it did not stop before the recording ended. */
  readonly collected: number | null;
  readonly uncollectable: number | null;
}

export interface TimeSeries {
  readonly moments: readonly TimeInfo[];
  /** The largest ever, by bytes. */
  readonly types: readonly TypeSeries[];
  readonly others: Omit<TypeSeries, "type" | "module"> & { readonly types: number };
  /** The recorder's samples, of which the moments are some. */
  readonly samples: number;
  readonly collections: readonly CollectionRow[];
  readonly collectionsInAll: number;
  readonly marks: readonly { readonly name: string; readonly at: TimeInfo }[];
  readonly marksInAll: number;
  readonly peak: { readonly at: TimeInfo; readonly bytes: number };
}

/** Surveys the heap at its moments while somebody folds the trace. */
export class TimeSurvey {
  readonly #replay: Replay;
  readonly #timeInfo: (event: number) => TimeInfo;
  readonly #samples: number;
  readonly #names = new Map<number, string>();
  readonly #rows = new Map<string, { type: string; module: string | null; objects: number[]; bytes: number[] }>();
  #at = 0;
  /** Events before which the heap is surveyed, ascending. */
  readonly moments: readonly number[];

  constructor(replay: Replay, timeInfo: (event: number) => TimeInfo) {
    const { reader } = replay;
    this.#replay = replay;
    this.#timeInfo = timeInfo;
    const samples = [...reader.rows("samples")];
    this.#samples = samples.length;
    const largest = reader.chunks.reduce(
      (most, { objects }) => Math.max(most, objects),
      reader.summary().baselineObjects,
    );
    // Evenly apart, with the first and the last.
    const wanted = Math.min(momentsFor(largest), samples.length);
    const chosen = new Set<number>();
    for (let i = 0; i < wanted; i++)
      chosen.add(samples[wanted === 1 ? 0 : Math.round((i * (samples.length - 1)) / (wanted - 1))]!.event);
    this.moments = [...chosen];
    for (const { id, name, module } of reader.rows("types")) {
      const key = `${module} ${name}`;
      this.#names.set(id, key);
      if (!this.#rows.has(key)) this.#rows.set(key, { type: name, module, objects: [], bytes: [] });
    }
  }

  /** The heap at the next of the moments. */
  heap(heap: Heap): void {
    const at = this.#at++;
    const sums = new Map<number, { objects: number; bytes: number }>();
    for (const { alive, birth, type, bytes } of heap.eachObject()) {
      if (!alive || birth === BEFORE_TRACE) continue;
      const sum = sums.get(type);
      if (sum) {
        sum.objects++;
        sum.bytes += bytes;
      } else sums.set(type, { objects: 1, bytes });
    }
    for (const [type, { objects, bytes }] of sums) {
      const row = this.#rows.get(this.#names.get(type) ?? "");
      if (!row) continue;
      row.objects[at] = (row.objects[at] ?? 0) + objects;
      row.bytes[at] = (row.bytes[at] ?? 0) + bytes;
    }
  }

  /** After the last moment. */
  result(): TimeSeries {
    const { moments } = this;
    const replay = this.#replay;
    const filled = (numbers: readonly number[]): number[] => moments.map((_, i) => numbers[i] ?? 0);
    const sizes = [...this.#rows.values()]
      .filter(({ objects }) => objects.length > 0)
      .map((row) => ({ ...row, most: row.bytes.reduce((most, n) => Math.max(most, n ?? 0), 0) }))
      .sort((x, y) => y.most - x.most || (x.type < y.type ? -1 : 1));
    const rest = sizes.slice(MOST_TYPES);
    const sum = (pick: (row: (typeof rest)[number]) => readonly number[]): number[] =>
      moments.map((_, i) => rest.reduce((all, row) => all + (pick(row)[i] ?? 0), 0));
    const peak = replay.peak();
    const { collections, marks } = replay.reader.summary();
    return {
      moments: moments.map(this.#timeInfo),
      types: sizes
        .slice(0, MOST_TYPES)
        .map(({ type, module, objects, bytes }) => ({ type, module, objects: filled(objects), bytes: filled(bytes) })),
      others: { types: rest.length, objects: sum(({ objects }) => objects), bytes: sum(({ bytes }) => bytes) },
      samples: this.#samples,
      collections: collectionRows(replay, this.#timeInfo),
      collectionsInAll: collections,
      marks: markRows(replay, this.#timeInfo),
      marksInAll: marks,
      peak: { at: this.#timeInfo(peak.time), bytes: peak.bytes },
    };
  }
}

export function timeSeries(replay: Replay, timeInfo: (event: number) => TimeInfo): TimeSeries {
  const survey = new TimeSurvey(replay, timeInfo);
  for (const moment of survey.moments) survey.heap(replay.seek(eventNumber(moment)));
  return survey.result();
}

function collectionRows({ reader }: Replay, timeInfo: (event: number) => TimeInfo): CollectionRow[] {
  const found: CollectionRow[] = [];
  for (const { id, start, generation, reason, collected, uncollectable } of reader.rows("collections")) {
    if (found.length >= MOST_LISTED) break;
    const name = COLLECT_REASONS[reason] ?? "unknown";
    found.push({ number: id, start: timeInfo(start), generation, reason: name, collected, uncollectable });
  }
  return found;
}

function markRows({ reader }: Replay, timeInfo: (event: number) => TimeInfo): { name: string; at: TimeInfo }[] {
  const found: { name: string; at: TimeInfo }[] = [];
  for (const { event, name } of reader.rows("marks")) {
    if (found.length >= MOST_LISTED) break;
    found.push({ name: reader.markName(name) ?? `mark ${name}`, at: timeInfo(event) });
  }
  return found;
}
