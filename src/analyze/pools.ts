/**
 * `analysePools`: free lists as they were, the real heap, and models of other allocators on the same requests; in one pass over the events from
 * the trace's start, whatever the window: what lies where follows from everything before. `addressLife` (pools-address.ts) is its companion.
 *
 * Memory: the blocks of the largest heap, a column for each model, and series of bounded length. The answer is kept in the trace
 * (src/trace/answers.ts), so that the same question is answered at once the next time.
 */
import { Failure } from "../base/failure.js";
import type { Replay } from "../replay/replay.js";
import { compareText, type TimeInfo, timeInfo } from "../replay/survey.js";
import { alignmentOf } from "../replay/verify.js";
import { keep, recall } from "../trace/answers.js";
import type { EventColumns } from "../trace/events.js";
import { type Finding, fingerprintOf } from "./finding.js";
import { type Counts, LARGEST_SIZE, windowColumns } from "./free-list-counts.js";
import { createFeed } from "./model-feed.js";
import { recorderOf } from "./model-results.js";
import {
  type FreeListRow,
  type FreeLists,
  type HeapSeries,
  MOST_HEAT_TIMES,
  MOST_SAMPLES,
  type PoolsAnalysis,
  RATE_WINDOWS,
  type RealHeap,
} from "./pools-data.js";
import { PoolsFold } from "./pools-fold.js";
import { type HeatRow, heatRow, realHeap } from "./real-heap.js";

export { MODEL_NAMES } from "./model-feed.js";
export { addressLife } from "./pools-address.js";
export type * from "./pools-data.js";

/** Of the answer's form and meaning: see src/trace/answers.ts. */
const VERSION = "pools 2";
/** Rows of free lists in an answer: CPython has some twenty free lists, one of them in twenty sizes. */
const MOST_ROWS = 200;
/** Pins that are findings of their own, and from which size on: bytes, and part of the footprint. */
const MOST_FINDINGS = 5;
const FINDING_BYTES = 1 << 20;
const FINDING_SHARE = 0.1;

export interface PoolsOptions {
  /** First event of the window; default 0. */
  readonly from?: number | undefined;
  /** Event behind the window: heaps and models are shown as before it; default the trace's end. */
  readonly to?: number | undefined;
  /** Names of MODEL_NAMES. */
  readonly models?: readonly string[] | undefined;
  readonly progress?: ((eventsDone: number, eventsInAll: number) => void) | undefined;
}

/** The analysis as a pass over the events from the first to that before `to`, which somebody else may make. */
export interface PoolsPass {
  /** The rows `first` to `last` - 1 of the next chunk. Undefined where the answer is known already. */
  readonly take: ((columns: EventColumns, first: number, last: number) => void) | undefined;
  /** After the last chunk. */
  readonly result: () => PoolsAnalysis;
}

/** Throws a Failure for a model that there is none of and for a window that is none. */
export function analysePools(replay: Replay, options: PoolsOptions = {}): PoolsAnalysis {
  const { to = replay.end, progress } = options;
  const { take, result } = poolsPass(replay, options);
  if (take) {
    for (const { columns, first, last } of replay.range(0, to)) {
      take(columns, first, last);
      progress?.(columns.first + last, to);
    }
  }
  return result();
}

/** Throws as `analysePools` does. */
export function poolsPass(replay: Replay, options: PoolsOptions = {}): PoolsPass {
  const { from = 0, to = replay.end, models = [] } = options;
  if (!(from >= 0 && from <= to && to <= replay.end)) {
    throw new Failure(`--from #${from} --to #${to}: the first must not be after the second`, 2);
  }
  // Also refuses unknown names before anything is looked up.
  const feeds = models.map(createFeed);
  const name = `pools ${from} ${to} ${models.join(" ")}`;
  const known = recall(replay.reader, name, VERSION) as PoolsAnalysis | undefined;
  if (known !== undefined && isAnalysis(known)) return { take: undefined, result: () => known };

  const { names, reader } = replay;
  const fold = new PoolsFold(feeds, alignmentOf(reader), (id) =>
    names.module(id) === "builtins" || names.module(id) === null ? names.type(id) : "",
  );
  const recorders = feeds.map(recorderOf);
  const series = { event: [], seconds: [], used: [], footprint: [] } as { [K in keyof HeapSeries]: number[] };
  const heat: HeatRow[] = [];
  const time = (event: number): TimeInfo => timeInfo(replay, event);
  // Sample n is taken before event `moments[n]`; every fourth is one of the heat map and begins a window of the rates.
  const moments = Array.from(
    { length: MOST_SAMPLES + 1 },
    (_, n) => from + Math.floor(((to - from) * n) / MOST_SAMPLES),
  );
  const every = MOST_SAMPLES / RATE_WINDOWS;
  let next = 0;
  const takeSamples = (event: number): void => {
    for (; next < moments.length && moments[next] === event; next++) {
      const isLast = next === moments.length - 1;
      if (next === 0) fold.beginWindow(event);
      if (next % every === 0 && !isLast) fold.counts.window = next / every;
      if (!isLast && moments[next + 1] === event) continue;
      const now = time(event);
      series.event.push(event);
      series.seconds.push(now.seconds);
      series.used.push(fold.used);
      series.footprint.push(Math.max(0, fold.highestTop - fold.start));
      for (const recorder of recorders) recorder.sample(now);
      // A heat map has one moment less than rates have edges: the end takes the place of the start.
      if (next % every === 0 && next > 0) heat.push(heatRow(fold, now));
    }
  };

  fold.begin(reader.baseline());
  takeSamples(0);
  const take = (columns: EventColumns, first: number, last: number): void => {
    let row = first;
    while (row < last) {
      const until = next < moments.length ? Math.min(last, moments[next]! - columns.first) : last;
      fold.apply(columns, row, until);
      row = until;
      takeSamples(columns.first + row);
    }
  };
  const result = (): PoolsAnalysis => {
    fold.settle(to);
    if (heat.length > MOST_HEAT_TIMES) heat.length = MOST_HEAT_TIMES;

    const heap = realHeap(fold, names, time, series, heat);
    const answer: PoolsAnalysis = {
      from: time(from),
      to: time(to),
      python: reader.meta.python ?? null,
      freeLists: freeLists(
        replay,
        fold,
        moments.filter((_, n) => n % every === 0),
      ),
      heap,
      models: recorders.map((recorder) => recorder.result(fold.blocks, names, time)),
      fed: {
        requests: fold.requests,
        reallocs: fold.reallocs,
        otherRequests: fold.otherRequests,
        blocksBefore: fold.blocksBefore,
        bytesBefore: fold.bytesBefore,
        pointerBytes: 4,
      },
      findings: findingsOf(heap),
    };
    keep(reader, name, VERSION, answer);
    return answer;
  };
  return { take, result };
}

/** Whether a kept answer has the parts that are relied on: it comes from a file. */
function isAnalysis(answer: PoolsAnalysis): boolean {
  const { freeLists: lists, heap, models, fed, findings, from, to } = answer ?? {};
  return (
    [
      lists?.rows,
      heap?.holes,
      heap?.topPins,
      heap?.sparse?.pins,
      heap?.heat?.permille,
      lists?.hits,
      lists?.births,
      models,
      findings,
    ].every(Array.isArray) &&
    [fed?.requests, from?.event, to?.event, lists?.fromFreeList, heap?.used].every((n) => typeof n === "number")
  );
}

const rate = (hits: number, fresh: number): number | null => (hits + fresh > 0 ? hits / (hits + fresh) : null);

function freeLists(replay: Replay, { counts }: PoolsFold, windows: readonly number[]): FreeLists {
  const { names } = replay;
  const sum = (value: (row: Counts) => number): number => counts.rows.reduce((all, row) => all + value(row), 0);
  const listed = counts.rows
    .filter((row) => row.hits > 0 || row.fill > 0 || row.highestFill > 0)
    .sort((x, y) => y.hits - x.hits || y.highestFill - x.highestFill)
    .slice(0, MOST_ROWS);
  const rows = listed.map(
    (row): FreeListRow => ({
      type: names.type(row.type),
      module: names.module(row.type),
      size: row.size === 0 ? null : row.size,
      fromFreeList: row.hits,
      fromAllocator: row.fresh,
      hitRate: rate(row.hits, row.fresh),
      highestFill: row.highestFill,
      highestFillAt: row.highestAt < 0 ? null : timeInfo(replay, row.highestAt),
      fill: row.fill,
      bytes: row.bytes,
      ...windowColumns(row),
    }),
  );
  rows.sort((x, y) => y.fromFreeList - x.fromFreeList || compareText(x.type, y.type) || (x.size ?? 0) - (y.size ?? 0));
  const [fromFreeList, fromAllocator] = [sum((row) => row.hits), sum((row) => row.fresh)];
  return {
    rows,
    others: { fromAllocator: fromAllocator - rows.reduce((all, row) => all + row.fromAllocator, 0) },
    elsewhere: counts.elsewhere,
    fromFreeList,
    fromAllocator,
    hitRate: rate(fromFreeList, fromAllocator),
    fill: sum((row) => row.fill),
    bytes: sum((row) => row.bytes),
    largestSize: LARGEST_SIZE,
    windows,
    ...totals(counts.rows),
  };
}

/** The rows' windows together, those of rows that are not listed too. */
function totals(rows: readonly Counts[]): { hits: number[]; births: number[] } {
  const all = { hits: new Array<number>(RATE_WINDOWS).fill(0), births: new Array<number>(RATE_WINDOWS).fill(0) };
  for (const { windows } of rows)
    for (let i = 0; i < windows.length; i += 3) {
      all.hits[windows[i]!]! += windows[i + 1]!;
      all.births[windows[i]!]! += windows[i + 2]!;
    }
  return all;
}

/** Pins that are worth a word: of a kind that alone keeps regions, the largest. */
function findingsOf({ sparse, footprint }: RealHeap): Finding[] {
  return sparse.pins
    .filter(({ alone, pinned }) => alone > 0 && pinned >= FINDING_BYTES && pinned >= FINDING_SHARE * footprint)
    .slice(0, MOST_FINDINGS)
    .map(({ type, place, blocks, bytes, regions, pinned }) => ({
      kind: "pinned-memory",
      isProblem: true,
      fingerprint: fingerprintOf(["pinned-memory", type, place.function, place.file?.split("/").at(-1) ?? null]),
      title: `${blocks} ${type ?? "blocks without an object"} of ${bytes} bytes keep ${pinned} bytes in ${regions} regions of the heap from being given back`,
      advice: "Create what lives long before what is large and short-lived, or release it with that.",
      type: type ?? "block",
      objects: type === null ? 0 : blocks,
      bytes,
      createdAt: place,
      keptBy: null,
    }));
}
