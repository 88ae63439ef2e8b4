/**
 * Reference cycles: every collection, and every cycle that died in one or was garbage at the end. Method and words are in docs/cycles.md.
 *
 * One scan of the trace finds the collections and what each took apart (collector-scan.ts); the causes are few, and of each one example is
 * looked at closely: its references are read from memory, in the past entered again right before its collection, and its ledgers say which
 * store closed the cycle (cycle-findings.ts).
 */
import { type EventNumber, eventNumber } from "../base/ids.js";
import type { Replay } from "../replay/replay.js";
import { type TimeInfo, timeInfo } from "../replay/survey.js";
import type { GarbageAt } from "../rewind/messages.js";
import { Past, type RewindOptions } from "../rewind/rewind.js";
import { keep, recall } from "../trace/answers.js";
import { COLLECT_REASONS } from "../trace/events.js";
import type { Row } from "../trace/schema.js";
import { type CollectionCounts, type Scan, scanCollector, typeFlags } from "./collector-scan.js";
import {
  areWhole,
  type CycleFinding,
  closingStores,
  FINDING_SHAPE,
  findingOf,
  structuresOfGarbage,
  TIME_SHAPE,
} from "./cycle-findings.js";
import { CycleGroups, type Group } from "./cycle-groups.js";
import { cyclesOf, type StructureEdge, structuresOf } from "./cycle-structures.js";
import { fits, orNull, type Shape } from "./shape.js";

/** Of the answers that are kept in traces; changed when their form or meaning is. */
const VERSION = "5";
/** Collections at which the past is entered. */
const MOST_ENTERED = 6;

/** A run of the cycle collector. */
export interface CollectionInfo {
  /** From 1. */
  readonly number: number;
  readonly generation: number;
  /** heap: so many containers had been allocated; manual: asked for; shutdown: the interpreter was ending. */
  readonly reason: (typeof COLLECT_REASONS)[number];
  readonly start: TimeInfo;
  /** null = the trace ended before it. */
  readonly stop: TimeInfo | null;
  readonly events: number | null;
  readonly seconds: number | null;
  /**
   * Containers put into new memory since the collection before (of the recording: since its start), less those whose memory was given back:
   * what CPython compares with the threshold. null = as for `stop`.
   */
  readonly allocated: number | null;
  /** Containers that it looked at; null = not known: only full collections look at all, and only those that were entered again were asked. */
  readonly lookedAt: number | null;
  /** As the collector counted them, and as gc.get_stats() adds them up. */
  readonly collected: number | null;
  readonly uncollectable: number | null;
  /** Objects from before it that died in it, containers or not, and the bytes of their blocks. */
  readonly freed: number | null;
  readonly freedBytes: number | null;
}
export interface CyclesAnswer {
  readonly events: number;
  /** Cycles closed before this time are left out; null = none are. */
  readonly since: TimeInfo | null;
  readonly collections: readonly CollectionInfo[];
  /** By bytes times seconds, then bytes. */
  readonly findings: readonly CycleFinding[];
  /** Structures left out since they were closed before `since`. */
  readonly before: number;
  /** Collections whose examples were read from memory; how many others freed something. */
  readonly entered: number;
  readonly notEntered: number;
  /** What was garbage at the end: known, or why not. */
  readonly atEnd: { readonly known: boolean; readonly objects: number; readonly note: string | null };
}

const COLLECTION_SHAPE: Shape = {
  number: "number",
  generation: "number",
  reason: "string",
  start: TIME_SHAPE,
  stop: orNull(TIME_SHAPE),
  events: orNull("number"),
  seconds: orNull("number"),
  allocated: orNull("number"),
  lookedAt: orNull("number"),
  collected: orNull("number"),
  uncollectable: orNull("number"),
  freed: orNull("number"),
  freedBytes: orNull("number"),
};
const ANSWER_SHAPE: Shape = {
  events: "number",
  since: orNull(TIME_SHAPE),
  collections: [COLLECTION_SHAPE],
  findings: [FINDING_SHAPE],
  before: "number",
  entered: "number",
  notEntered: "number",
  atEnd: { known: "boolean", objects: "number", note: orNull("string") },
};

export interface CyclesOptions extends RewindOptions {
  /** Leave out cycles that were closed before. */
  readonly since?: EventNumber | undefined;
  /** false: the program is not run again; references are inferred, and what was garbage at the end is not known. */
  readonly rerun?: boolean;
  /** Collections at which the past is entered at most. */
  readonly most?: number;
  /** false: neither look for a kept answer nor keep this one. */
  readonly keep?: boolean;
  readonly onScan?: (done: number, all: number) => void;
  /** What can be done on the same replay while the program runs again; called then, or not at all. */
  readonly meanwhile?: () => void;
}

/** Every collection and every cycle of a trace. The answer is kept in the trace. */
export async function analyseCycles(replay: Replay, options: CyclesOptions = {}): Promise<CyclesAnswer> {
  const { since, rerun = true, most = MOST_ENTERED } = options;
  const question = `cycles ${JSON.stringify([since ?? null, rerun, most])}`;
  if (options.keep !== false) {
    const kept = recall(replay.reader, question, VERSION);
    if (fits(kept, ANSWER_SHAPE) && areWhole((kept as CyclesAnswer).findings)) return kept as CyclesAnswer;
  }
  const answer = await findCycles(replay, { ...options, rerun, most });
  if (options.keep !== false) keep(replay.reader, question, VERSION, answer);
  return answer;
}

async function findCycles(
  replay: Replay,
  options: CyclesOptions & { rerun: boolean; most: number },
): Promise<CyclesAnswer> {
  const { reader, names, end } = replay;
  const { since } = options;
  const flags = typeFlags(reader);
  const groups = new CycleGroups(replay, names, flags, since);
  let freeing = 0;
  const scan = scanCollector(
    replay,
    end,
    ({ collection, members, edges, byCollector }) => {
      freeing++;
      const taken = new Set(members.filter((_, i) => byCollector[i] === 1));
      for (const structure of structuresOf(members, edges)) {
        if (structure.members.some((member) => taken.has(member)))
          groups.add(structure, collection, collection.start, false);
      }
    },
    (done) => options.onScan?.(done, end),
  );
  const past = await pastOf(replay, groups, scan, options);
  const all = [...groups.groups.values()];
  const closings = closingStores(replay, all, flags);
  const findings = all
    .filter((group) => {
      if (group.surelyAfter) return true;
      const closed = closings.get(group);
      if (closed === undefined || closed === null || closed.event >= since!) return true;
      groups.before += group.structures;
      return false;
    })
    .map((group) => findingOf(replay, group, flags, closings.get(group) ?? null, "left as garbage at the end"))
    .sort((x, y) => y.byteSeconds - x.byteSeconds || y.bytes - x.bytes);
  return {
    events: end,
    since: since === undefined ? null : timeInfo(replay, since),
    collections: [...reader.rows("collections")].map((row) =>
      collectionInfo(replay, row, scan.counts.get(row.id), past.lookedAt.get(row.id) ?? null),
    ),
    findings,
    before: groups.before,
    entered: past.entered,
    notEntered: freeing - past.entered,
    atEnd: past.atEnd,
  };
}

function collectionInfo(
  replay: Replay,
  row: Row<"collections">,
  counts: CollectionCounts | undefined,
  lookedAt: number | null,
): CollectionInfo {
  const { id, start, stop, generation, reason, collected, uncollectable, wall_start, wall_stop } = row;
  return {
    number: id,
    generation,
    reason: COLLECT_REASONS[reason] ?? "unknown",
    start: timeInfo(replay, start),
    stop: stop === null ? null : timeInfo(replay, stop),
    events: stop === null ? null : stop - start - 1,
    seconds: wall_stop === null ? null : (wall_stop - wall_start) / 1000,
    allocated: counts?.allocated ?? null,
    lookedAt,
    collected,
    uncollectable,
    freed: counts?.freed ?? null,
    freedBytes: counts?.freedBytes ?? null,
  };
}

interface FromThePast {
  readonly lookedAt: ReadonlyMap<number, number>;
  readonly entered: number;
  readonly atEnd: CyclesAnswer["atEnd"];
}

/** Runs the program once more, reads the examples' references right before their collections, and what is garbage at the end. */
async function pastOf(
  replay: Replay,
  groups: CycleGroups,
  scan: Scan,
  options: CyclesOptions & { rerun: boolean; most: number },
): Promise<FromThePast> {
  const lookedAt = new Map<number, number>();
  const nothing = (note: string): FromThePast => ({
    lookedAt,
    entered: 0,
    atEnd: { known: false, objects: 0, note },
  });
  if (!options.rerun) return nothing("the program was not run again (--no-rerun)");
  if (replay.reader.meta.complete !== true) return nothing("the recording was cut off");
  const heaviest = [...groups.groups.values()]
    .filter(({ example }) => example.collection !== null)
    .sort((x, y) => Number(y.recorded) - Number(x.recorded) || y.bytes - x.bytes);
  const chosen = new Map<number, Row<"collections">>();
  for (const { example } of heaviest) {
    if (chosen.size >= options.most) break;
    chosen.set(example.collection!.id, example.collection!);
  }
  const past = await Past.enter(replay.reader.path, options);
  try {
    const stops = [...chosen.values()].sort((x, y) => x.start - y.start);
    // A collection's record is its own first word: right behind it the heap is as the collector finds it.
    const tour = past.garbageAlong(stops.map(({ start }) => eventNumber(start + 1)));
    options.meanwhile?.();
    const found = await tour;
    for (const [i, collection] of stops.entries()) {
      const garbage = found[i]!;
      if (collection.generation === 2) lookedAt.set(collection.id, garbage.tracked);
      for (const group of heaviest)
        if (group.example.collection?.id === collection.id && observe(group.example, garbage)) groups.observed(group);
    }
    const garbage = found.at(-1)!;
    for (const structure of structuresOfGarbage(garbage, scan)) groups.add(structure, null, replay.end, true);
    return {
      lookedAt,
      entered: chosen.size,
      atEnd: { known: true, objects: garbage.objects.length, note: null },
    };
  } finally {
    await past.close();
  }
}

/** Puts what memory showed in the place of what was inferred, if it shows a cycle. */
function observe(example: Group["example"], garbage: GarbageAt): boolean {
  const { members } = example.structure;
  const place = new Map(members.map(({ address }, i) => [address, i]));
  const edges: StructureEdge[] = [];
  for (const { source, target, name } of garbage.edges) {
    const from = place.get(source);
    const to = place.get(target);
    if (from !== undefined && to !== undefined) edges.push({ from, to, name });
  }
  const found = cyclesOf(members.length, edges);
  if (found.cycles === 0) return false;
  example.structure = { members, edges, ...found };
  example.observed = true;
  return true;
}

/** Cycles that the recorded program created: those that `--assert-none` is about. */
export const createdCycles = (answer: CyclesAnswer): readonly CycleFinding[] =>
  answer.findings.filter(({ recorded }) => recorded);
