/**
 * What a full collection would free at a moment: read from the memory of the past that is entered again there (src/interpreter/collector.ts), and told as
 * causes, with the finalizers and callbacks that would run.
 */
import { type EventNumber, eventNumber } from "../base/ids.js";
import type { Replay } from "../replay/replay.js";
import { type TimeInfo, timeInfo } from "../replay/survey.js";
import { type GarbageAt, withoutDropped } from "../rewind/messages.js";
import { Past, type RewindOptions } from "../rewind/rewind.js";
import { keep, recall } from "../trace/answers.js";
import { Kind } from "../trace/events.js";
import { scanCollector, typeFlags } from "./collector-scan.js";
import {
  areWhole,
  type CycleFinding,
  closingStores,
  FINDING_SHAPE,
  findingOf,
  structuresOfGarbage,
  TIME_SHAPE,
} from "./cycle-findings.js";
import { CycleGroups } from "./cycle-groups.js";
import { fits, orNull, type Shape } from "./shape.js";

/** Of the answers that are kept in traces; changed when their form or meaning is. */
const VERSION = "3";

/** For `--time`: what a full collection would free at a moment. */
export interface GarbageNow {
  /** Asked for, and where the heap was read: the same. */
  readonly asked: TimeInfo;
  readonly time: TimeInfo;
  /** Containers that the collector looks at, and those that `gc.freeze` hides from it. */
  readonly tracked: number;
  readonly frozen: number;
  /** Containers that it would find, and what would go with them. */
  readonly unreachable: number;
  readonly objects: number;
  readonly bytes: number;
  readonly uncollectable: number;
  readonly findings: readonly CycleFinding[];
  /** Objects whose finalizer would run first; it may bring them back, which cannot be known. */
  readonly finalizers: readonly { readonly type: string; readonly count: number }[];
  /** Callbacks of weak references that would run. */
  readonly callbacks: readonly { readonly callback: string; readonly type: string; readonly count: number }[];
  /** Whether a collection freed exactly these objects; null = not asked, or not possible. */
  readonly check: GarbageCheck | null;
  /** Why a check that was asked for is not possible. */
  readonly unchecked: string | null;
}

export interface GarbageCheck {
  readonly freed: number;
  /** Objects that were garbage and not freed, and the other way round. */
  readonly missing: number;
  readonly extra: number;
  /** When that collection began. */
  readonly event: number;
  /** Number of the program's own collection; null: it was forced, and undone. */
  readonly collection: number | null;
}

const SHAPE: Shape = {
  asked: TIME_SHAPE,
  time: TIME_SHAPE,
  tracked: "number",
  frozen: "number",
  unreachable: "number",
  objects: "number",
  bytes: "number",
  uncollectable: "number",
  findings: [FINDING_SHAPE],
  finalizers: [{ type: "string", count: "number" }],
  callbacks: [{ callback: "string", type: "string", count: "number" }],
  check: orNull({
    freed: "number",
    missing: "number",
    extra: "number",
    event: "number",
    collection: orNull("number"),
  }),
  unchecked: orNull("string"),
};

export interface GarbageOptions extends RewindOptions {
  /**
   * The answer is compared with what a collection frees: with the program's own, if one begins before Python can run again, else with one
   * that is forced there, in a run that is thrown away.
   */
  readonly check?: boolean;
  /** false: neither look for a kept answer nor keep this one. */
  readonly keep?: boolean;
}

/** What is garbage at a moment. The answer is kept in the trace. */
export async function garbageNow(replay: Replay, time: EventNumber, options: GarbageOptions = {}): Promise<GarbageNow> {
  const question = `garbage ${JSON.stringify([time, options.check ?? false])}`;
  if (options.keep !== false) {
    const kept = recall(replay.reader, question, VERSION);
    if (fits(kept, SHAPE) && areWhole((kept as GarbageNow).findings)) return kept as GarbageNow;
  }
  const answer = await findGarbage(replay, time, options);
  if (options.keep !== false) keep(replay.reader, question, VERSION, answer);
  return answer;
}

async function findGarbage(replay: Replay, time: EventNumber, options: GarbageOptions): Promise<GarbageNow> {
  const past = await Past.enter(replay.reader.path, options);
  let garbage: GarbageAt;
  let checked: Pick<GarbageNow, "check" | "unchecked"> = { check: null, unchecked: null };
  try {
    await past.goTo(time);
    // Memory alone is read, so it is that of the very event, even where a collection begins before any Python code can run.
    garbage = await past.garbage("here");
    if (options.check) checked = await check(replay, past, time, garbage);
  } finally {
    await past.close();
  }
  const flags = typeFlags(replay.reader);
  const at = eventNumber(garbage.event);
  const scan = scanCollector(replay, at, () => {});
  const groups = new CycleGroups(replay, replay.names, flags, undefined);
  for (const structure of structuresOfGarbage(garbage, scan)) groups.add(structure, null, at, true);
  const all = [...groups.groups.values()];
  const closings = closingStores(replay, all, flags);
  const typeOf = new Map(garbage.objects.map(({ address, type }) => [address, type]));
  const tally = <T>(items: readonly T[], keyOf: (item: T) => string): [string, number][] => {
    const counts = new Map<string, number>();
    for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
    return [...counts].sort((x, y) => y[1] - x[1]);
  };
  const collectable = garbage.objects.filter(({ uncollectable }) => !uncollectable);
  return {
    asked: timeInfo(replay, time),
    time: timeInfo(replay, at),
    tracked: garbage.tracked,
    frozen: garbage.frozen,
    unreachable: garbage.objects.filter(({ tracked }) => tracked).length,
    objects: garbage.objects.length,
    bytes: garbage.objects.reduce((sum, { address }) => sum + (scan.memberAt(address)?.bytes ?? 0), 0),
    uncollectable: garbage.objects.length - collectable.length,
    findings: all
      .map((group) => findingOf(replay, group, flags, closings.get(group) ?? null, "waiting to be collected"))
      .sort((x, y) => y.bytes - x.bytes),
    finalizers: tally(
      garbage.objects.filter(({ finalizer }) => finalizer),
      ({ type }) => type,
    ).map(([type, count]) => ({ type, count })),
    callbacks: tally(garbage.callbacks, ({ callback, object }) =>
      JSON.stringify([callback, typeOf.get(object) ?? "?"]),
    ).map(([key, count]) => {
      const [callback, type] = JSON.parse(key) as [string, string];
      return { callback, type, count };
    }),
    ...checked,
  };
}

/** Holds what was found at `time` against a collection. */
async function check(
  replay: Replay,
  past: Past,
  time: EventNumber,
  garbage: GarbageAt,
): Promise<Pick<GarbageNow, "check" | "unchecked">> {
  const no = (unchecked: string) => ({ check: null, unchecked });
  const collections = [...replay.reader.rows("collections")];
  const running = collections.find(({ start, stop }) => start < time && (stop === null || stop >= time));
  if (running)
    return no(`collection ${running.id} is under way then, and no other can be forced: choose an earlier time`);
  const forced = await past.garbage("safe point", true);
  const own = collections.find(({ start }) => start >= time && start < forced.event);
  if (!own) {
    const { missing } = compared(forced.freed!, garbage);
    const { extra } = compared(forced.freed!, forced);
    return {
      check: { freed: forced.freed!.length, missing, extra, event: forced.event, collection: null },
      unchecked: null,
    };
  }
  const { id, start, stop, generation } = own;
  if (generation !== 2 || stop === null)
    return no(
      `collection ${id} begins at #${start}, before one can be forced, and it is no full one: choose a time after #${stop ?? start}`,
    );
  const freed = withoutDropped(freedBetween(replay, time, eventNumber(start), eventNumber(stop)), garbage);
  return { check: { freed: freed.length, ...compared(freed, garbage), event: start, collection: id }, unchecked: null };
}

function compared(freed: readonly number[], { objects }: GarbageAt): { missing: number; extra: number } {
  const expected = new Set(objects.filter(({ uncollectable }) => !uncollectable).map(({ address }) => address));
  const found = new Set(freed);
  return {
    missing: [...expected].filter((address) => !found.has(address)).length,
    extra: freed.filter((address) => !expected.has(address)).length,
  };
}

/** Addresses of the objects that were there before event `at` and died from event `start` to event `stop`. */
function freedBetween(replay: Replay, at: EventNumber, start: EventNumber, stop: EventNumber): number[] {
  const there = new Set<number>();
  for (const object of replay.seek(at).eachObject()) if (object.alive) there.add(object.address);
  const freed = new Set<number>();
  for (const { columns, first, last } of replay.range(at, stop)) {
    const { kind, address } = columns;
    for (let row = first; row < last; row++) {
      const where = address[row]!;
      if (kind[row] === Kind.resurrect) {
        if (freed.delete(where)) there.add(where);
      } else if (kind[row] === Kind.dealloc && there.delete(where) && columns.first + row >= start) freed.add(where);
    }
  }
  return [...freed];
}
