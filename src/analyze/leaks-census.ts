/**
 * A census of the heap at up to 65 moments, one pass over the events: how many objects of each type and creating place live at the same
 * point of round after round, how far the counts of objects that were there before have risen, and which blocks grew.
 *
 * A group is a type and a place (an instruction), each by its names. What is kept is one number for each group and moment, and four for each object and block that
 * was there at the first moment that counts: memory follows the heap, not the trace.
 *
 *      t0 ······ a ─────────── a third ─────────── two thirds ─────────── b ······ end
 *      first     from here on, growth counts; before it is warm-up        last round
 */

import { Heap } from "../replay/heap.js";
import type { Replay } from "../replay/replay.js";
import { alignmentOf } from "../replay/verify.js";
import { Kind } from "../trace/events.js";

/** Parts into which the rounds are cut, at most. */
const MOST_PARTS = 64;

export interface Moments {
  /** Events, ascending, at least 5. The last is b. */
  readonly points: readonly number[];
  /** Index of a in `points`. */
  readonly from: number;
  /** The time at which survivors are counted: the end of the trace, or earlier where that was asked for. */
  readonly end: number;
  /**
   * Event from which the objects of a cause count. With rounds all of the recording: what the same instruction made before the first beginning of
   * a round that is known has the same cause. Between two times only what was born there.
   */
  readonly since: number;
}

/** Chooses the moments of a census among those at which rounds begin. The first quarter is warm-up. */
export function momentsOf(rounds: readonly number[], end: number): Moments {
  const parts = Math.min(MOST_PARTS, rounds.length - 1);
  const points = Array.from({ length: parts + 1 }, (_, i) => rounds[Math.round((i * (rounds.length - 1)) / parts)]!);
  return { points, from: Math.max(1, Math.round(parts / 4)), end, since: 0 };
}

/** Moments evenly apart by events: for programs without rounds. All of it counts. */
export function evenMoments(from: number, to: number): Moments {
  const parts = Math.max(4, Math.min(MOST_PARTS, to - from));
  const points = Array.from({ length: parts + 1 }, (_, i) => Math.round(from + (i * (to - from)) / parts));
  return { points, from: 0, end: to, since: from };
}

export interface Group {
  readonly type: number;
  readonly location: number;
  /** By point: live objects, and their bytes. */
  readonly alive: Uint32Array;
  readonly bytes: Float64Array;
  /** Objects born from `since` to the end, whatever became of them. */
  made: number;
  /** Those of them that were deallocated by the end: garbage that no collection has found yet is not dead. */
  died: number;
}

/** An object or a block that was there at a, and what was measured of it at a, one third, two thirds, b and the end. */
export interface Riser {
  readonly address: number;
  /** Event; BEFORE_TRACE = before the recording. */
  readonly birth: number;
  readonly values: readonly [number, number, number, number, number];
}

export interface Census {
  /** The state at `moments.end`. */
  readonly heap: Heap;
  readonly groups: readonly Group[];
  /** The group of a type and a place; undefined for those never seen. */
  readonly groupOf: (type: number, location: number) => number | undefined;
  /** Objects whose count rose in each third. */
  readonly counts: readonly Riser[];
  /** Blocks that grew in each third, by bytes. */
  readonly blocks: readonly Riser[];
  /** Bytes of live objects at a and at b. */
  readonly bytesFrom: number;
  readonly bytesTo: number;
  /** Most bytes that live objects had up to the end. */
  readonly peakBytes: number;
}

/** Indices of a, one third, two thirds and b. */
export const thirds = ({ points, from }: Moments): [number, number, number, number] => {
  const last = points.length - 1;
  return [from, Math.round(from + (last - from) / 3), Math.round(from + (2 * (last - from)) / 3), last];
};

/**
 * By id of a type and of a location: the first one that is told by the same names. A function that makes a class makes a new one each time, and source that
 * is compiled again has new code objects: for a person the same type and the same place.
 */
function sameNames({ reader, names }: Replay): { types: Int32Array; locations: Int32Array } {
  const firstBy = (rows: Iterable<readonly [id: number, name: string]>): Int32Array => {
    const all = [...rows];
    const first = new Int32Array(all.reduce((most, [id]) => Math.max(most, id), 0) + 1);
    const known = new Map<string, number>();
    for (const [id, name] of all) {
      first[id] = known.get(name) ?? id;
      if (first[id] === id) known.set(name, id);
    }
    return first;
  };
  const types = [...reader.rows("types")].map(({ id }) => [id, `${names.module(id)} ${names.type(id)}`] as const);
  const codes = firstBy(
    [...reader.rows("codes")].map(({ id, file, qualname }) => [id, `${file} ${qualname}`] as const),
  );
  const locations = [...reader.rows("locations")].map(
    ({ id, code, offset, line }) => [id, `${codes[code]} ${offset} ${line}`] as const,
  );
  return { types: firstBy(types), locations: firstBy(locations) };
}

function typeAtBirth(replay: Replay, birth: number): number {
  for (const { columns, first } of replay.range(birth, birth + 1)) return columns.a[first]!;
  throw new Error(`event ${birth} is not in the trace`);
}

export function takeCensus(replay: Replay, moments: Moments): Census {
  const heap = Heap.from(replay.reader.baseline(), alignmentOf(replay.reader));
  const groups: Group[] = [];
  const index = new Map<number, number>();
  const { points } = moments;
  // Group of the object in a row, remembered with the object's number: rows are used again.
  let groupAt = new Int32Array(1 << 16);
  let ownerAt = new Float64Array(1 << 16);
  const same = sameNames(replay);
  const keyOf = (type: number, location: number): number =>
    (same.types[type] ?? type) * 2 ** 27 + (same.locations[location] ?? location);
  const groupFor = (type: number, location: number): number => {
    const key = keyOf(type, location);
    let group = index.get(key);
    if (group === undefined) {
      group = groups.length;
      groups.push({
        type,
        location,
        alive: new Uint32Array(points.length),
        bytes: new Float64Array(points.length),
        made: 0,
        died: 0,
      });
      index.set(key, group);
    }
    return group;
  };
  const countsAt = createRisers();
  const blocksAt = createRisers();
  const marked = thirds(moments);
  let bytesFrom = 0;
  let bytesTo = 0;
  const counting = moments.since;
  // Objects whose class was assigned are made in another group than the one they are found in at the end.
  const retyped = new Set<number>();
  const wind = (to: number): void => {
    for (const { columns, first, last } of replay.range(heap.next, to)) {
      heap.apply(columns, first, last);
      if (columns.first + last <= counting) continue;
      const { kind, address, a, location } = columns;
      for (let row = Math.max(first, counting - columns.first); row < last; row++) {
        if (kind[row] === Kind.new) groups[groupFor(a[row]!, location[row]!)]!.made++;
        else if (kind[row] === Kind.settype) retyped.add(address[row]!);
      }
    }
  };
  points.forEach((event, point) => {
    wind(event);
    heap.visitLive(({ type, location, birth, id, bytes }, row) => {
      if (birth[row]! < 0) return;
      if (row >= groupAt.length) {
        const wider = new Int32Array(row * 2);
        wider.set(groupAt);
        groupAt = wider;
        const owners = new Float64Array(row * 2);
        owners.set(ownerAt);
        ownerAt = owners;
      }
      if (ownerAt[row] !== id[row]) {
        ownerAt[row] = id[row]!;
        groupAt[row] = groupFor(type[row]!, location[row]!);
      }
      const own = groups[groupAt[row]!]!;
      own.alive[point]!++;
      own.bytes[point]! += bytes[row]!;
    });
    marked.forEach((at, which) => {
      if (at !== point) return;
      heap.visitLive((table, row) => countsAt.note(which, row, table.birth[row]!, table.count[row]!));
      heap.visitBlocks((table, row) => blocksAt.note(which, row, table.birth[row]!, table.size[row]!));
    });
    if (point === moments.from) bytesFrom = heap.liveBytes;
    if (point === points.length - 1) bytesTo = heap.liveBytes;
  });
  wind(moments.end);
  for (const group of groups) group.died = group.made;
  heap.visitLive(({ address, type, location, birth }, row) => {
    const born = birth[row]!;
    if (born < counting) return;
    const madeAs = retyped.has(address[row]!) ? typeAtBirth(replay, born) : type[row]!;
    groups[groupFor(madeAs, location[row]!)]!.died--;
  });
  const counts: Riser[] = [];
  heap.visitLive((table, row) => {
    const values = countsAt.risen(row, table.birth[row]!, table.count[row]!);
    if (values) counts.push({ address: table.address[row]!, birth: table.birth[row]!, values });
  });
  const blocks: Riser[] = [];
  heap.visitBlocks((table, row) => {
    const values = blocksAt.risen(row, table.birth[row]!, table.size[row]!);
    if (values) blocks.push({ address: table.address[row]!, birth: table.birth[row]!, values });
  });
  return {
    heap,
    groups,
    groupOf: (type, location) => index.get(keyOf(type, location)),
    counts,
    blocks,
    bytesFrom,
    bytesTo,
    peakBytes: heap.peakBytes,
  };
}

/** Four numbers for each row that is the same owner's at four moments. */
function createRisers() {
  let capacity = 0;
  let births = new Float64Array(0);
  let values: Uint32Array[] = [0, 1, 2, 3].map(() => new Uint32Array(0));
  return {
    note(which: number, row: number, birth: number, value: number): void {
      if (which === 0) {
        if (row >= capacity) {
          capacity = Math.max(1 << 16, row * 2);
          const wider = new Float64Array(capacity).fill(Number.NaN);
          wider.set(births);
          births = wider;
          values = values.map((column) => {
            const longer = new Uint32Array(capacity);
            longer.set(column);
            return longer;
          });
        }
        births[row] = birth;
      } else if (row >= capacity || births[row] !== birth) return;
      values[which]![row] = value;
    },
    /** What was noted, and the value now, when it rose from each to the next and stayed up. */
    risen(row: number, birth: number, now: number): Riser["values"] | undefined {
      if (row >= capacity || births[row] !== birth) return undefined;
      const [a, b, c, d] = values.map((column) => column[row]!) as [number, number, number, number];
      return a < b && b < c && c < d && now > c ? [a, b, c, d, now] : undefined;
    },
  };
}
