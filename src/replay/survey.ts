/**
 * What is alive at one time: objects and bytes by type and by the place that created them, or one by one. Filters say which objects are
 * meant; those of the baseline, which the runtime made before the program began, are left out unless asked for.
 *
 * One pass over the heap; what is kept is one entry for each pair of type and place (and call stack, where asked for).
 */
import { Failure } from "../base/failure.js";
import { BEFORE_TRACE, type HeapObject } from "./heap.js";
import { type Place, shownFile } from "./names.js";
import type { Replay } from "./replay.js";
import { pathFits, wallAt } from "./times.js";

export interface ObjectFilter {
  /** Name of the type, with or without its module. */
  readonly type?: string | undefined;
  /** File of the birth: whole path or its end from a slash on. */
  readonly file?: string | undefined;
  /** Qualified or short name of the function that the birth happened in. */
  readonly function?: string | undefined;
  /** Born at this event or later. */
  readonly bornAfter?: number | undefined;
  /** The baseline's objects too. */
  readonly all?: boolean | undefined;
}

/** A time as answers give it. */
export interface TimeInfo {
  /** Number of the event that comes next. */
  readonly event: number;
  /** Seconds since the program's start. */
  readonly seconds: number;
}

export const timeInfo = (replay: Replay, time: number): TimeInfo => ({
  event: time,
  seconds: wallAt(replay, time) / 1000,
});

/** One frame of a call stack, innermost first. */
export interface Frame {
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
  /** The source line, without its indentation; null = the trace does not have the file. */
  readonly source: string | null;
}

export interface PlaceRow {
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly source: string | null;
  readonly count: number;
  readonly bytes: number;
  /** Innermost first; only where asked for. */
  readonly stack?: readonly Frame[];
}

export interface TypeRow {
  readonly type: string;
  readonly module: string | null;
  readonly count: number;
  readonly bytes: number;
  /** Where they were created, by bytes. */
  readonly places: readonly PlaceRow[];
}

export interface Survey {
  readonly time: TimeInfo;
  /** Of the objects that passed the filter. */
  readonly objects: number;
  readonly bytes: number;
  /** Live objects in all, the baseline's included. */
  readonly alive: { readonly objects: number; readonly bytes: number; readonly blocks: number };
  /** Deallocated objects whose block is kept, such as by a free list. */
  readonly freeListed: { readonly objects: number; readonly bytes: number };
  readonly collecting: boolean;
  readonly collections: number;
  /** The program's call stack, innermost first. */
  readonly stack: readonly Frame[];
  /** By bytes. */
  readonly types: readonly TypeRow[];
  /** The same objects by place alone, by bytes. */
  readonly places: readonly PlaceRow[];
}

/** Whether an object passes; the names are looked up once. */
export function objectFilter(replay: Replay, filter: ObjectFilter): (object: HeapObject) => boolean {
  const { names } = replay;
  const types = new Map<number, boolean>();
  const places = new Map<number, boolean>();
  const typeFits = (id: number): boolean => {
    let fits = types.get(id);
    if (fits === undefined) {
      const name = names.type(id);
      fits = filter.type === undefined || filter.type === name || filter.type === `${names.module(id)}.${name}`;
      types.set(id, fits);
    }
    return fits;
  };
  const placeFits = (location: number): boolean => {
    let fits = places.get(location);
    if (fits === undefined) {
      const { file, function: name } = names.place(location);
      const functionFits =
        filter.function === undefined || name === filter.function || name?.endsWith(`.${filter.function}`) === true;
      fits = functionFits && (filter.file === undefined || (file !== null && pathFits(file, filter.file)));
      places.set(location, fits);
    }
    return fits;
  };
  const after = filter.bornAfter ?? (filter.all ? Number.NEGATIVE_INFINITY : BEFORE_TRACE + 1);
  return ({ type, location, birth }) => birth >= after && typeFits(type) && placeFits(location);
}

/** The call stack that an object carries, or the running one: `location` is where its innermost frame stands. */
export function callStack(replay: Replay, node: number, location: number): Frame[] {
  const { parent, location: callers } = replay.heap.calls;
  const frames: Frame[] = [];
  let at = node;
  let where = location;
  for (;;) {
    const place = replay.names.place(where);
    if (place.function !== null || at !== 0) frames.push(frameOf(replay, place));
    if (at === 0) return frames;
    where = callers[at]!;
    at = parent[at]!;
  }
}

function frameOf({ names }: Replay, { function: name, file, line }: Place): Frame {
  return { function: name, file, line, source: names.source(file, line) };
}

/** Where the program is: the location of the event that comes next, or of the last one. */
export function runningStack(replay: Replay): Frame[] {
  const { time, end } = replay;
  if (end === 0) return [];
  const { columns, row } = replay.event((time < end ? time : time - 1) as typeof time);
  return callStack(replay, replay.heap.frame, columns.location[row]!);
}

export interface SurveyOptions extends ObjectFilter {
  /** Tell places apart by their whole call stack. */
  readonly stacks?: boolean | undefined;
  /** Only types, and places, with at least so many objects. */
  readonly minCount?: number | undefined;
}

interface Sum {
  count: number;
  bytes: number;
}

const add = <K>(sums: Map<K, Sum>, key: K, bytes: number, count = 1): void => {
  const sum = sums.get(key);
  if (sum) {
    sum.count += count;
    sum.bytes += bytes;
  } else sums.set(key, { count, bytes });
};

/** Largest first: bytes, then objects. */
export const byBytes = (x: Sum, y: Sum): number => y.bytes - x.bytes || y.count - x.count;

/** Surveys the state at which the replay stands. */
export function survey(replay: Replay, options: SurveyOptions = {}): Survey {
  const { heap, names } = replay;
  const fits = objectFilter(replay, options);
  // By type, then by location and call stack as one number: both are below 2^26 in what can be kept in memory at all.
  const sums = new Map<number, Map<number, Sum>>();
  let objects = 0;
  let bytes = 0;
  const freeListed = { objects: 0, bytes: 0 };
  for (const object of heap.eachObject()) {
    if (!object.alive) {
      freeListed.objects++;
      freeListed.bytes += object.bytes;
      continue;
    }
    if (!fits(object)) continue;
    objects++;
    bytes += object.bytes;
    let places = sums.get(object.type);
    if (!places) {
      places = new Map();
      sums.set(object.type, places);
    }
    add(places, options.stacks ? object.stack * 2 ** 26 + object.location : object.location, object.bytes);
  }
  const minCount = options.minCount ?? 1;
  const everywhere = new Map<number, Sum>();
  const byName = new Map<string, { type: string; module: string | null; sum: Sum; places: Map<number, Sum> }>();
  for (const [id, places] of sums) {
    const [type, module] = [names.type(id), names.module(id)];
    const key = `${module} ${type}`;
    const row = byName.get(key) ?? { type, module, sum: { count: 0, bytes: 0 }, places: new Map<number, Sum>() };
    byName.set(key, row);
    for (const [place, sum] of places) {
      add(row.places, place, sum.bytes, sum.count);
      add(everywhere, place, sum.bytes, sum.count);
      row.sum.count += sum.count;
      row.sum.bytes += sum.bytes;
    }
  }
  const types = [...byName.values()]
    .filter(({ sum }) => sum.count >= minCount)
    .map(({ type, module, sum, places }) => ({
      type,
      module,
      ...sum,
      places: placeRows(replay, places, options.stacks === true, 1),
    }))
    .sort((x, y) => byBytes(x, y) || compareText(x.type, y.type));
  return {
    time: timeInfo(replay, replay.time),
    objects,
    bytes,
    alive: { objects: heap.liveObjects, bytes: heap.liveBytes, blocks: heap.liveBlocks },
    freeListed,
    collecting: heap.collector.since !== null,
    collections: heap.collector.started,
    stack: runningStack(replay),
    types,
    places: placeRows(replay, everywhere, options.stacks === true, minCount),
  };
}

/** Locations of one line are one place, unless call stacks tell them apart. */
function placeRows(replay: Replay, sums: Map<number, Sum>, stacks: boolean, minCount: number): PlaceRow[] {
  const rows = new Map<string, { location: number; stack: number; sum: Sum }>();
  for (const [key, sum] of sums) {
    const location = key % 2 ** 26;
    const stack = Math.floor(key / 2 ** 26);
    const { function: name, file, line } = replay.names.place(location);
    const text = `${stack} ${name} ${file}:${line}`;
    const row = rows.get(text);
    if (row) {
      row.sum.count += sum.count;
      row.sum.bytes += sum.bytes;
    } else rows.set(text, { location, stack, sum: { ...sum } });
  }
  return [...rows.values()]
    .filter(({ sum }) => sum.count >= minCount)
    .map(({ location, stack, sum }) => ({
      ...frameOf(replay, replay.names.place(location)),
      ...sum,
      ...(stacks ? { stack: callStack(replay, stack, location) } : {}),
    }))
    .sort((x, y) => byBytes(x, y) || compareText(`${x.file}:${x.line}`, `${y.file}:${y.line}`));
}

export const compareText = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);

/** One object as `objects` lists it. */
export interface ObjectRow {
  /** The object's number. */
  readonly id: number;
  readonly address: number;
  readonly type: string;
  readonly module: string | null;
  /** null = immortal: the number that stands there means nothing. */
  readonly count: number | null;
  readonly bytes: number;
  /** How often the count was changed so far. */
  readonly changes: number;
  /** null = before the recording began. */
  readonly born: TimeInfo | null;
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
}

/** From this count on an object is immortal (`_Py_IMMORTAL_MINIMUM_REFCNT` of a 32-bit build: 1 << 30). */
const IMMORTAL = 1 << 30;
export const countOf = (count: number): number | null => (count >= IMMORTAL && count < 2 ** 31 ? null : count | 0);

export const SORT_KEYS = ["age", "size", "refcount", "changes"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** Live objects that pass the filter, the most of the sort key first: the oldest, largest, most referenced or busiest. */
export function listObjects(replay: Replay, filter: ObjectFilter, sort: SortKey): HeapObject[] {
  const fits = objectFilter(replay, filter);
  const objects = replay.liveObjects().filter(fits);
  const count = ({ count: n }: HeapObject): number => countOf(n) ?? Number.POSITIVE_INFINITY;
  const order: Record<SortKey, (x: HeapObject, y: HeapObject) => number> = {
    age: () => 0,
    size: (x, y) => y.bytes - x.bytes,
    refcount: (x, y) => (count(x) === count(y) ? 0 : count(y) - count(x)),
    changes: (x, y) => y.changes - x.changes,
  };
  return objects.sort((x, y) => order[sort](x, y) || x.id - y.id);
}

export function objectRow(replay: Replay, object: HeapObject): ObjectRow {
  const { names } = replay;
  const { function: name, file, line } = names.place(object.location);
  return {
    id: object.id,
    address: object.address,
    type: names.type(object.type),
    module: names.module(object.type),
    count: countOf(object.count),
    bytes: object.bytes,
    changes: object.changes,
    born: object.birth < 0 ? null : timeInfo(replay, object.birth),
    function: name,
    file,
    line,
  };
}

/** A filter that no type, file or function fits is a slip of the hand: answered with what there is. */
export function checkFilter(replay: Replay, filter: ObjectFilter): void {
  if (filter.type !== undefined) {
    const wanted = filter.type;
    let known = false;
    const similar = new Set<string>();
    for (const { name, module } of replay.reader.rows("types")) {
      if (name === wanted || `${module}.${name}` === wanted) known = true;
      else if (name.toLowerCase().includes(wanted.toLowerCase())) similar.add(name);
    }
    if (!known) throw new Failure(`--type ${wanted}: no type has that name${similarText(similar)}`, 2);
  }
  for (const [option, wanted] of [
    ["--file", filter.file],
    ["--function", filter.function],
  ] as const) {
    if (wanted === undefined) continue;
    const similar = new Set<string>();
    let known = false;
    for (const { file, qualname } of replay.reader.rows("codes")) {
      const text = option === "--file" ? file : qualname;
      if (option === "--file" ? pathFits(text, wanted) : text === wanted || text.endsWith(`.${wanted}`)) known = true;
      else if (text.toLowerCase().includes(wanted.toLowerCase())) similar.add(shownFile(text));
    }
    if (!known) throw new Failure(`${option} ${wanted}: no code has that name${similarText(similar)}`, 2);
  }
}

const similarText = (names: ReadonlySet<string>): string =>
  names.size === 0 ? "" : `; similar are: ${[...names].sort().slice(0, 8).join(", ")}`;
