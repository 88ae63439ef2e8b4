/**
 * What was alive at the ends of the stretches that activity.ts counts in, by type: the largest types of each, so that a reader who looks at a
 * part of a recording is told what was alive when it ended. Each number is the one that `at` gives for that moment.
 *
 * A look takes every object into its hands, so of a large heap fewer ends are looked at.
 */
import { BEFORE_TRACE, type Heap } from "../replay/heap.js";
import type { Replay } from "../replay/replay.js";
import { byBytes, compareText, type TimeInfo, timeInfo } from "../replay/survey.js";
import { stretchEdges } from "./activity.js";

/** Types that are told of each moment. */
export const LISTED_ALIVE = 15;
/** Objects looked at, over all moments. */
const LOOKED_AT = 20_000_000;
const FEWEST_LOOKS = 9;

export interface AliveAt {
  readonly at: TimeInfo;
  /** Of the program's objects; those that the runtime had made before it began are left out, as everywhere. */
  readonly objects: number;
  readonly bytes: number;
  /** By bytes, at most LISTED_ALIVE. */
  readonly types: readonly {
    readonly type: string;
    readonly module: string | null;
    readonly count: number;
    readonly bytes: number;
  }[];
}

/** Looks at the heap at the ends of stretches while somebody folds the trace. */
export class AliveSurvey {
  readonly #replay: Replay;
  readonly #rows: AliveAt[] = [];
  /** Events before which the heap is looked at, ascending; the first and the last end are among them. */
  readonly moments: readonly number[];

  constructor(replay: Replay) {
    this.#replay = replay;
    const { reader, end } = replay;
    const edges = stretchEdges(end);
    const largest = reader.chunks.reduce(
      (most, { objects }) => Math.max(most, objects),
      reader.summary().baselineObjects,
    );
    const wanted = Math.max(FEWEST_LOOKS, Math.floor(LOOKED_AT / Math.max(1, largest)));
    const every = Math.ceil((edges.length - 1) / Math.min(wanted, edges.length - 1));
    this.moments = edges.filter((_, i) => i % every === 0 || i === edges.length - 1);
  }

  heap(heap: Heap): void {
    const { names } = this.#replay;
    const sums: { count: number; bytes: number }[] = [];
    for (const { alive, birth, type, bytes } of heap.eachObject()) {
      if (!alive || birth === BEFORE_TRACE) continue;
      const sum = sums[type];
      if (sum) {
        sum.count++;
        sum.bytes += bytes;
      } else sums[type] = { count: 1, bytes };
    }
    const byName = new Map<string, { type: string; module: string | null; count: number; bytes: number }>();
    sums.forEach(({ count, bytes }, id) => {
      const [type, module] = [names.type(id), names.module(id)];
      const row = byName.get(`${module} ${type}`) ?? { type, module, count: 0, bytes: 0 };
      byName.set(`${module} ${type}`, row);
      row.count += count;
      row.bytes += bytes;
    });
    const rows = [...byName.values()];
    this.#rows.push({
      at: timeInfo(this.#replay, heap.next),
      objects: rows.reduce((sum, { count }) => sum + count, 0),
      bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
      types: rows.sort((x, y) => byBytes(x, y) || compareText(x.type, y.type)).slice(0, LISTED_ALIVE),
    });
  }

  /** After the last moment. */
  result(): readonly AliveAt[] {
    return this.#rows;
  }
}
