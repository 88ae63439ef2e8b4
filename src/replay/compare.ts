/**
 * What changed between two times: objects born in between and still there, objects that died, objects that survived, by type and by the place
 * that created them. Two states are compared by the numbers of their objects, which ascend, so one walk over both lists suffices.
 */
import { Failure } from "../base/failure.js";
import type { EventNumber } from "../base/ids.js";
import type { HeapObject } from "./heap.js";
import type { Replay } from "./replay.js";
import { compareText, type ObjectFilter, objectFilter, type TimeInfo, timeInfo } from "./survey.js";

/** Objects and bytes of one group, and how they changed. */
export interface ChangeRow {
  /** Born in between, and still there. */
  readonly born: number;
  readonly bornBytes: number;
  readonly died: number;
  readonly diedBytes: number;
  readonly survived: number;
  readonly survivedBytes: number;
  /** Bytes after less bytes before: births, deaths and survivors that changed their size. */
  readonly growth: number;
}
export type TypeChange = ChangeRow & { readonly type: string; readonly module: string | null };
export type PlaceChange = ChangeRow & {
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly source: string | null;
};

export interface Comparison {
  readonly from: TimeInfo;
  readonly to: TimeInfo;
  readonly total: ChangeRow;
  /** Born and died in between, of all types: no trace of them is left. */
  readonly passing: number;
  /** By growth in bytes, the largest first. */
  readonly types: readonly TypeChange[];
  readonly places: readonly PlaceChange[];
}

type Sums = { -readonly [K in keyof ChangeRow]: number };
const nothing = (): Sums => ({
  born: 0,
  bornBytes: 0,
  died: 0,
  diedBytes: 0,
  survived: 0,
  survivedBytes: 0,
  growth: 0,
});

/** Compares the states before two events; leaves the replay at the second. */
export function compareTimes(
  replay: Replay,
  from: EventNumber,
  to: EventNumber,
  filter: ObjectFilter = {},
): Comparison {
  if (from > to) throw new Failure(`#${from} is after #${to}: swap the two times`, 2);
  const { names } = replay;
  replay.seek(from);
  const fits = objectFilter(replay, filter);
  const bornBefore = replay.heap.born;
  const before = replay.liveObjects();
  replay.seek(to);
  const after = replay.liveObjects();
  const total = nothing();
  const types = new Map<string, TypeChange & Sums>();
  const places = new Map<string, PlaceChange & Sums>();

  const groups = ({ type, location }: HeapObject): Sums[] => {
    const typeKey = `${names.module(type)} ${names.type(type)}`;
    let byType = types.get(typeKey);
    if (!byType) {
      byType = { type: names.type(type), module: names.module(type), ...nothing() };
      types.set(typeKey, byType);
    }
    const { function: name, file, line } = names.place(location);
    const placeKey = `${name} ${file}:${line}`;
    let byPlace = places.get(placeKey);
    if (!byPlace) {
      byPlace = { function: name, file, line, source: names.source(file, line), ...nothing() };
      places.set(placeKey, byPlace);
    }
    return [total, byType, byPlace];
  };
  const bear = (object: HeapObject): void => {
    for (const sums of groups(object)) {
      sums.born++;
      sums.bornBytes += object.bytes;
      sums.growth += object.bytes;
    }
  };
  const bury = (object: HeapObject): void => {
    for (const sums of groups(object)) {
      sums.died++;
      sums.diedBytes += object.bytes;
      sums.growth -= object.bytes;
    }
  };

  let i = 0;
  let bornAndAlive = 0;
  for (const object of after) {
    while (i < before.length && before[i]!.id < object.id) {
      const gone = before[i++]!;
      if (fits(gone)) bury(gone);
    }
    if (i < before.length && before[i]!.id === object.id) {
      const was = before[i++]!;
      if (!fits(object)) continue;
      for (const sums of groups(object)) {
        sums.survived++;
        sums.survivedBytes += object.bytes;
        sums.growth += object.bytes - was.bytes;
      }
    } else {
      if (object.id > bornBefore) bornAndAlive++;
      if (fits(object)) bear(object);
    }
  }
  for (; i < before.length; i++) if (fits(before[i]!)) bury(before[i]!);

  const changed = (row: ChangeRow): boolean => row.born + row.died > 0 || row.growth !== 0;
  const byGrowth = (x: ChangeRow, y: ChangeRow): number => y.growth - x.growth || y.born - x.born || x.died - y.died;
  return {
    from: timeInfo(replay, from),
    to: timeInfo(replay, to),
    total,
    passing: replay.heap.born - bornBefore - bornAndAlive,
    types: [...types.values()].filter(changed).sort((x, y) => byGrowth(x, y) || compareText(x.type, y.type)),
    places: [...places.values()]
      .filter(changed)
      .sort((x, y) => byGrowth(x, y) || compareText(`${x.file}:${x.line}`, `${y.file}:${y.line}`)),
  };
}
