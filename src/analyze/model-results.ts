/** What a model looks like after it was fed: totals, size classes, and the arenas that a few survivors keep. */
import type { Names } from "../replay/names.js";
import type { TimeInfo } from "../replay/survey.js";
import { type Feed, PrivateFeed, type PymallocFeed } from "./model-feed.js";
import { pinsOf, SPARSE } from "./pins.js";
import type { Blocks } from "./pools-blocks.js";
import type { ModelResult, ModelSeries, PrivatePoolResult, PymallocResult } from "./pools-data.js";

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };
type Time = (event: number) => TimeInfo;

/** Takes down the moments of one model's series. */
export interface ModelRecorder {
  sample(time: TimeInfo): void;
  result(blocks: Blocks, names: Names, time: Time): ModelResult;
}

export const recorderOf = (feed: Feed): ModelRecorder =>
  feed instanceof PrivateFeed ? privateRecorder(feed) : pymallocRecorder(feed);

const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

function pymallocRecorder(feed: PymallocFeed): ModelRecorder {
  const { model } = feed;
  const { profile } = model;
  const series: Mutable<ModelSeries> = {
    event: [],
    seconds: [],
    arenas: [],
    pools: [],
    requested: [],
    rounded: [],
    system: [],
  };
  return {
    sample({ event, seconds }) {
      series.event.push(event);
      series.seconds.push(seconds);
      series.arenas.push(model.arenas);
      series.pools.push(model.poolsInUse);
      series.requested.push(model.requested);
      series.rounded.push(model.rounded);
      series.system.push(model.arenas * profile.arenaBytes);
    },
    result(blocks, names, time): PymallocResult {
      const freePools = [...model.eachArena()].reduce((sum, arena) => sum + arena.freePools, 0);
      const system = model.arenas * profile.arenaBytes;
      const freeBlocks = model.classes.reduce(
        (sum, row) => sum + (row.pools * model.blocksPerPool(row.size) - row.blocks) * row.size,
        0,
      );
      const headers = model.poolsInUse * profile.headerBytes;
      const lostPools = freePools * profile.poolBytes;
      return {
        kind: "pymalloc",
        name: profile.name,
        title: profile.title,
        pointerBytes: profile.pointerBytes,
        poolBytes: profile.poolBytes,
        arenaBytes: profile.arenaBytes,
        alignment: profile.alignment,
        threshold: profile.threshold,
        requests: model.requests,
        passedOn: feed.passedOn,
        passedOnBytes: feed.passedOnBytes,
        arenas: model.arenas,
        peakArenas: model.peakArenas,
        peakAt: time(feed.peakAt),
        arenasTaken: model.arenasTaken,
        arenasReturned: model.arenasReturned,
        pools: model.poolsInUse,
        freePools,
        blocks: model.blocks,
        requested: model.requested,
        rounded: model.rounded,
        system,
        internalFragmentation: share(model.rounded - model.requested, model.rounded),
        externalFragmentation: share(system - model.rounded, system),
        lost: {
          freeBlocks,
          freePools: lostPools,
          headers,
          rests: system - model.rounded - freeBlocks - lostPools - headers,
        },
        classes: model.classes
          .filter((row) => row.requests > 0)
          .map((row) => ({
            size: row.size,
            pools: row.pools,
            blocks: row.blocks,
            free: row.pools * model.blocksPerPool(row.size) - row.blocks,
            requested: row.requested,
            requests: row.requests,
          })),
        series,
        sparse: sparseArenas(feed, blocks, names),
      };
    },
  };
}

function sparseArenas(feed: PymallocFeed, blocks: Blocks, names: Names): PymallocResult["sparse"] {
  const { rows } = blocks;
  const { arenaBytes, alignment } = feed.model.profile;
  const arenas = new Map<number, { rows: number[]; used: number }>();
  for (let row = 1; row < blocks.end; row++) {
    if (rows.address[row] === 0) continue;
    const address = feed.arenaOf(row);
    if (address === 0) continue;
    let arena = arenas.get(address);
    if (!arena) {
      arena = { rows: [], used: 0 };
      arenas.set(address, arena);
    }
    arena.used += Math.ceil(rows.size[row]! / alignment) * alignment;
    // An arena that is full enough needs no list.
    if (arena.used < SPARSE * arenaBytes) arena.rows.push(row);
    else arena.rows.length = 0;
  }
  const sparse = new Map<number, { rows: number[]; free: number }>();
  for (const [address, { rows: there, used }] of arenas) {
    if (used < SPARSE * arenaBytes) sparse.set(address, { rows: there, free: arenaBytes - used });
  }
  return {
    arenas: sparse.size,
    free: [...sparse.values()].reduce((sum, { free }) => sum + free, 0),
    pins: pinsOf(rows, names, sparse),
  };
}

function privateRecorder(feed: PrivateFeed): ModelRecorder {
  const { pool } = feed;
  const { profile } = pool;
  const series: Mutable<PrivatePoolResult["series"]> = { event: [], seconds: [], live: [], bytes: [] };
  return {
    sample({ event, seconds }) {
      series.event.push(event);
      series.seconds.push(seconds);
      series.live.push(pool.live);
      series.bytes.push(pool.bytes);
    },
    result: (_blocks, _names, time): PrivatePoolResult => ({
      kind: "private-pool",
      name: profile.name,
      title: profile.title,
      pointerBytes: profile.pointerBytes,
      type: profile.type,
      blockBytes: profile.blockBytes,
      perBlock: profile.perBlock,
      births: pool.births,
      fromFreeList: pool.fromFreeList,
      hitRate: share(pool.fromFreeList, pool.births),
      live: pool.live,
      peakLive: pool.peakLive,
      peakAt: time(feed.peakAt),
      free: pool.free,
      highestFree: pool.highestFree,
      bytes: pool.bytes,
      series,
    }),
  };
}
