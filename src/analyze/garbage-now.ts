/**
 * What a full collection would free at a moment: read from the memory of the past that is entered again there (src/interpreter/collector.ts), and told as
 * causes, with the finalizers and callbacks that would run.
 */
import { type EventNumber, eventNumber } from "../base/ids.js";
import type { Replay } from "../replay/replay.js";
import { type TimeInfo, timeInfo } from "../replay/survey.js";
import type { GarbageAt } from "../rewind/messages.js";
import { Past, type RewindOptions } from "../rewind/rewind.js";
import { keep, recall } from "../trace/answers.js";
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
const VERSION = "1";

/** For `--time`: what a full collection would free at a moment. */
export interface GarbageNow {
  /** Asked for, and where the heap was read: the first moment from there on at which a collection could run. */
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
  /** Whether a collection that was forced there, and undone, freed exactly these objects; null = not asked. */
  readonly check: { readonly freed: number; readonly missing: number; readonly extra: number } | null;
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
  check: orNull({ freed: "number", missing: "number", extra: "number" }),
};

export interface GarbageOptions extends RewindOptions {
  /** A collection is forced there as well, in a run that is thrown away, and compared. */
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
  try {
    await past.goTo(time);
    garbage = await past.garbage("safe point", options.check ?? false);
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
    check: checkOf(garbage.freed, new Set(collectable.map(({ address }) => address))),
  };
}

function checkOf(freed: readonly number[] | null, expected: ReadonlySet<number>): GarbageNow["check"] {
  if (freed === null) return null;
  const found = new Set(freed);
  return {
    freed: freed.length,
    missing: [...expected].filter((address) => !found.has(address)).length,
    extra: freed.filter((address) => !expected.has(address)).length,
  };
}
