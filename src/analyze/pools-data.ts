/**
 * What `analysePools` answers, as plain data: the free lists as they were, the real heap, and models of other allocators fed with the
 * same requests. Everything is bounded whatever the trace's length, so that it can be kept, drawn and sent as it is.
 *
 * Sizes are bytes. Series are columns: row i of each is the same moment. A rate is null where there was nothing to divide by.
 */
import type { TimeInfo } from "../replay/survey.js";
import type { Finding, SourcePlace } from "./finding.js";

/** Most moments of a time series, and of the heat map. */
export const MOST_SAMPLES = 256;
export const MOST_HEAT_TIMES = 64;
/** Most regions of the heat map. */
export const MOST_HEAT_REGIONS = 256;
/** Windows of equal length (in events) in which hit rates are counted. */
export const RATE_WINDOWS = 64;

/** Births and kept memory of one type in one size. */
export interface FreeListRow {
  readonly type: string;
  readonly module: string | null;
  /** Bytes of the block as the allocator holds it; null = all sizes above `FreeLists.largestSize` together. */
  readonly size: number | null;
  /** Births in blocks that an earlier object left behind without a free. */
  readonly fromFreeList: number;
  /** Births in blocks fresh from the allocator. */
  readonly fromAllocator: number;
  /** fromFreeList of both, 0 to 1. */
  readonly hitRate: number | null;
  /** Most objects that lay there at once, and the event by which they did. */
  readonly highestFill: number;
  readonly highestFillAt: TimeInfo | null;
  /** What lies there at the end of the window, and its bytes. */
  readonly fill: number;
  readonly bytes: number;
  /** By window: births from the free list, and all births from either. Empty where the type has no free list. */
  readonly hits: readonly number[];
  readonly births: readonly number[];
}

export interface FreeLists {
  /** By births from free lists, then by type; types that never used one are summed up in `others`. */
  readonly rows: readonly FreeListRow[];
  readonly others: { readonly fromAllocator: number };
  /** Births in static memory, or in a place that was not left by a dealloc. */
  readonly elsewhere: number;
  readonly fromFreeList: number;
  readonly fromAllocator: number;
  readonly hitRate: number | null;
  readonly fill: number;
  readonly bytes: number;
  /** Sizes above this are not told apart. */
  readonly largestSize: number;
  /** First event of each window of the rows' `hits` and `births`, and the event behind the last. */
  readonly windows: readonly number[];
  /** By window, over all types: births from free lists, and births from either. They add up to the two numbers above. */
  readonly hits: readonly number[];
  readonly births: readonly number[];
}

/** Memory that survivors of one kind keep from being given back. */
export interface Pin {
  /** Type of the object in the block; null = a block without an object, such as a list's items or a dict's keys. */
  readonly type: string | null;
  readonly place: SourcePlace;
  readonly blocks: number;
  /** Bytes of these blocks. */
  readonly bytes: number;
  /** Regions (of the heap) or arenas (of a model) that they keep, alone or with others. */
  readonly regions: number;
  /** Regions that nothing else keeps. */
  readonly alone: number;
  /** Free bytes in those regions. */
  readonly pinned: number;
}

/** A hole between two blocks, counted by power of two. */
export interface HoleRow {
  /** Bytes of the smallest and of the largest hole of the row, both inclusive. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly bytes: number;
}

export interface HeapSeries {
  readonly event: readonly number[];
  readonly seconds: readonly number[];
  /** Bytes that blocks hold. */
  readonly used: readonly number[];
  /** From the heap's start to the highest end that a block ever had: what the process has taken from the system at least. */
  readonly footprint: readonly number[];
}

/** How full each region of the heap was at some moments. */
export interface HeatMap {
  readonly event: readonly number[];
  readonly seconds: readonly number[];
  /** Address of the first region. */
  readonly start: number;
  /** Bytes of a region: a power of two, at least 65,536. */
  readonly regionBytes: number;
  readonly regions: number;
  /** Per mille of each region that blocks hold, moment by moment: `permille[moment * regions + region]`. */
  readonly permille: readonly number[];
}

export interface RealHeap {
  /** Address of the heap's first block. */
  readonly start: number;
  /** The highest end that a block has, and ever had. */
  readonly top: number;
  readonly highestTop: number;
  /** Bytes that blocks hold, the allocator's own 4 bytes a block and its rounding included; and how many blocks. */
  readonly used: number;
  readonly blocks: number;
  /** Bytes requested for them; blocks from before the recording count as they are held. */
  readonly requested: number;
  readonly peakUsed: number;
  readonly peakAt: TimeInfo;
  /** highestTop less start. */
  readonly footprint: number;
  /** used of footprint, 0 to 1. */
  readonly utilisation: number | null;
  /** Free bytes between blocks; and above the last block, up to the footprint. */
  readonly free: number;
  readonly freeAtTop: number;
  readonly largestFree: number;
  /** 1 less the largest free range's share of all free bytes: 0 = one range, towards 1 = crumbs. */
  readonly fragmentation: number | null;
  readonly holes: readonly HoleRow[];
  readonly series: HeapSeries;
  readonly heat: HeatMap;
  /** Regions of 64 KiB that are less than a tenth full, and what keeps them; by free bytes. */
  readonly sparse: { readonly regions: number; readonly free: number; readonly pins: readonly Pin[] };
  /** The highest blocks, from the top down: without them and those above, the heap would end `released` bytes lower. */
  readonly topPins: readonly {
    readonly address: number;
    readonly bytes: number;
    readonly type: string | null;
    readonly place: SourcePlace;
    readonly released: number;
  }[];
}

export interface ModelSeries {
  readonly event: readonly number[];
  readonly seconds: readonly number[];
  readonly arenas: readonly number[];
  /** Pools with at least one block in use. */
  readonly pools: readonly number[];
  /** Bytes requested of blocks in pools. */
  readonly requested: readonly number[];
  /** Bytes of these blocks, rounded up to their size class. */
  readonly rounded: readonly number[];
  /** Bytes of arenas. */
  readonly system: readonly number[];
}

export interface SizeClassRow {
  /** Bytes of a block: the largest request of the class. */
  readonly size: number;
  readonly pools: number;
  readonly blocks: number;
  /** Blocks of these pools that are free. */
  readonly free: number;
  /** Bytes requested of the blocks in use. */
  readonly requested: number;
  /** Requests of this class so far. */
  readonly requests: number;
}

/** pymalloc in one form, after the requests of a program. */
export interface PymallocResult {
  readonly kind: "pymalloc";
  readonly name: string;
  readonly title: string;
  readonly pointerBytes: 4 | 8;
  readonly poolBytes: number;
  readonly arenaBytes: number;
  readonly alignment: number;
  readonly threshold: number;
  /** Requests served from pools, and passed on to malloc; and bytes that live requests of the second kind asked for. */
  readonly requests: number;
  readonly passedOn: number;
  readonly passedOnBytes: number;
  readonly arenas: number;
  readonly peakArenas: number;
  readonly peakAt: TimeInfo;
  /** Arenas taken from the system so far, and given back. */
  readonly arenasTaken: number;
  readonly arenasReturned: number;
  readonly pools: number;
  readonly freePools: number;
  readonly blocks: number;
  readonly requested: number;
  readonly rounded: number;
  /** Bytes of all arenas. */
  readonly system: number;
  /** rounded less requested, of rounded: lost to rounding up. */
  readonly internalFragmentation: number | null;
  /** system less rounded, of system: free blocks, free pools, headers and rests. */
  readonly externalFragmentation: number | null;
  readonly lost: {
    /** Free blocks in pools in use; free pools; headers of pools in use; rests at their ends. */
    readonly freeBlocks: number;
    readonly freePools: number;
    readonly headers: number;
    readonly rests: number;
  };
  readonly classes: readonly SizeClassRow[];
  readonly series: ModelSeries;
  /** Arenas that are less than a tenth full, and what keeps them. */
  readonly sparse: { readonly arenas: number; readonly free: number; readonly pins: readonly Pin[] };
}

/** A private pool of Python 2, after the births and deaths of a program. */
export interface PrivatePoolResult {
  readonly kind: "private-pool";
  readonly name: string;
  readonly title: string;
  readonly pointerBytes: 4 | 8;
  /** Type whose births are served. */
  readonly type: string;
  /** Bytes of a block of the pool and objects in one; 0 = the pool keeps single objects. */
  readonly blockBytes: number;
  readonly perBlock: number;
  readonly births: number;
  readonly fromFreeList: number;
  readonly hitRate: number | null;
  readonly live: number;
  readonly peakLive: number;
  readonly peakAt: TimeInfo;
  /** Places that lie free, and the bytes that the pool never gives back. */
  readonly free: number;
  readonly highestFree: number;
  readonly bytes: number;
  readonly series: {
    readonly event: readonly number[];
    readonly seconds: readonly number[];
    readonly live: readonly number[];
    readonly bytes: readonly number[];
  };
}

export type ModelResult = PymallocResult | PrivatePoolResult;

export interface PoolsAnalysis {
  /** The window: free lists are counted in it, heaps and models are shown as they were at its end. */
  readonly from: TimeInfo;
  readonly to: TimeInfo;
  readonly python: string | null;
  readonly freeLists: FreeLists;
  readonly heap: RealHeap;
  /** In the order asked for; none unless asked for. */
  readonly models: readonly ModelResult[];
  /** What the models were fed with. */
  readonly fed: {
    /** Requests of the domains mem and object: the ones that pymalloc serves. */
    readonly requests: number;
    readonly reallocs: number;
    /** Requests of the other domains, left out. */
    readonly otherRequests: number;
    /** Blocks from before the recording, left out: their requests are not known. */
    readonly blocksBefore: number;
    readonly bytesBefore: number;
    /** Bytes of a pointer in the recorded interpreter: sizes are what it asked for. */
    readonly pointerBytes: 4;
  };
  readonly findings: readonly Finding[];
}

/** One that lived at an address. */
export interface Occupant {
  readonly what: "block" | "object";
  /** The object's number; null for a block. */
  readonly id: number | null;
  readonly address: number;
  /** Bytes requested for a block, held by an object. */
  readonly size: number;
  readonly type: string | null;
  readonly domain: string | null;
  /** null = before the recording began. */
  readonly born: TimeInfo | null;
  /** When an object was deallocated, a block freed or moved away; null = not before the end. */
  readonly died: TimeInfo | null;
  readonly place: SourcePlace;
  /** How an object came by its memory, a block by its place. */
  readonly via: "allocator" | "free-list" | "realloc" | "static" | "before" | "other";
}

export interface AddressLife {
  readonly address: number;
  readonly from: TimeInfo;
  readonly to: TimeInfo;
  /** In the order of birth. */
  readonly occupants: readonly Occupant[];
  /** How many more there were between the first and the last ones listed. */
  readonly leftOut: number;
  readonly objects: number;
  readonly blocks: number;
  readonly fromFreeList: number;
}
