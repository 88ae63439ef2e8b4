/**
 * Reference cycles: every collection, every cycle that died in one or was garbage at the end, and what is garbage at any moment. Method and words
 * are in docs/cycles.md.
 *
 * One scan of the trace finds the collections and what each took apart (collector-scan.ts); the causes are few, and of each one example is
 * looked at closely: its references are read from memory, in the past entered again right before its collection, and its ledgers say which
 * store closed the cycle.
 */
import { type EventNumber, eventNumber } from "../base/ids.js";
import type { Names } from "../replay/names.js";
import type { Replay } from "../replay/replay.js";
import { type TimeInfo, timeInfo } from "../replay/survey.js";
import type { GarbageAt } from "../rewind/messages.js";
import { Past, type RewindOptions } from "../rewind/rewind.js";
import { keep, recall } from "../trace/answers.js";
import { COLLECT_REASONS } from "../trace/events.js";
import type { Row } from "../trace/schema.js";
import { type CollectionCounts, type Member, type Scan, scanCollector, typeFlags } from "./collector-scan.js";
import { CycleGroups, coreOf, type Group } from "./cycle-groups.js";
import { cyclesOf, lastPart, type StructureEdge, sourcePlace, structuresOf } from "./cycle-structures.js";
import { type Finding, fingerprintOf, type SourcePlace } from "./finding.js";
import { type OpenEntry, openReferences } from "./ledgers.js";

/** Of the answers that are kept in traces; changed when their form or meaning is. */
const VERSION = "1";
/** Collections at which the past is entered. */
const MOST_ENTERED = 6;
/** Members and references of an example that are told. */
const MOST_MEMBERS = 40;
const MOST_EDGES = 80;
/** Findings whose closing store is looked for. */
const MOST_CLOSED = 50;
/** Places where structures became garbage that are told. */
const MOST_PLACES = 5;

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

/** A moment at which something happened to a count, and the line. */
export interface Moment {
  readonly time: TimeInfo;
  readonly place: SourcePlace | null;
  readonly opcode: string | null;
  /** Number of the object whose count changed. */
  readonly object: number;
  /** observed: the event says so. inferred: the most likely of several. */
  readonly how: "observed" | "inferred";
}

export interface CycleMember {
  readonly object: number;
  readonly address: number;
  readonly type: string;
  readonly bytes: number;
  /** null = before the recording. */
  readonly born: TimeInfo | null;
  readonly createdAt: SourcePlace | null;
  /** The cycle that it is in, from 1; 0 = it only hung on one. */
  readonly cycle: number;
}

/** One structure of a finding, as an example. */
export interface CycleExample {
  /** Number of the collection that took it; null = it was still there. */
  readonly collection: number | null;
  readonly members: readonly CycleMember[];
  /** Members beyond those listed. */
  readonly moreMembers: number;
  /** References between the listed members, by place in the list; `name` as Python would write it behind the holder, null = not known. */
  readonly edges: readonly StructureEdge[];
  readonly moreEdges: number;
  /** observed: read from memory. inferred: from the order in which the collector let go of them. */
  readonly edgesAre: "observed" | "inferred";
  /** The store that closed the cycle; null = not known, or not looked for. */
  readonly closed: Moment | null;
  /** With what the last reference from outside went. */
  readonly orphaned: Moment | null;
  readonly collected: TimeInfo | null;
}

export interface Spread {
  readonly least: number;
  readonly mean: number;
  readonly most: number;
}

export interface CycleFinding extends Finding {
  /** Whether the program made them; else they are older than the recording. */
  readonly recorded: boolean;
  /** Connected pieces of garbage, and cycles in them. */
  readonly structures: number;
  readonly cycles: number;
  /** What the cyclic part of the example is made of. */
  readonly classes: readonly {
    readonly type: string;
    readonly objects: number;
    readonly createdAt: SourcePlace | null;
  }[];
  /** Collections that took some, and how many structures none took. */
  readonly collections: number;
  readonly stillThere: number;
  /** How long they lay dead, from the last outside reference to the collection, or to the end. null = not known. */
  readonly deadEvents: Spread | null;
  readonly deadSeconds: Spread | null;
  /** Bytes times seconds, over all of them. */
  readonly byteSeconds: number;
  /** Lines at which the last outside reference went, the most frequent first. */
  readonly orphanedAt: readonly { readonly place: SourcePlace | null; readonly structures: number }[];
  readonly example: CycleExample;
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
}

/** Every collection and every cycle of a trace. The answer is kept in the trace. */
export async function analyseCycles(replay: Replay, options: CyclesOptions = {}): Promise<CyclesAnswer> {
  const { since, rerun = true, most = MOST_ENTERED } = options;
  const question = `cycles ${JSON.stringify([since ?? null, rerun, most])}`;
  if (options.keep !== false) {
    const kept = recall(replay.reader, question, VERSION) as CyclesAnswer | undefined;
    if (kept) return kept;
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
      const named = edges.map(([from, to]) => ({ from, to, name: null }));
      for (const structure of structuresOf(members, named)) {
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
    for (const collection of [...chosen.values()].sort((x, y) => x.start - y.start)) {
      // Its record is the collection's own first word: right behind it the heap is as the collector finds it.
      await past.goTo(eventNumber(collection.start + 1));
      const garbage = await past.garbage("here");
      if (collection.generation === 2) lookedAt.set(collection.id, garbage.tracked);
      for (const { example } of heaviest) if (example.collection?.id === collection.id) observe(example, garbage);
    }
    await past.goTo(replay.end);
    const garbage = await past.garbage("safe point");
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

/** Puts what memory showed in the place of what was inferred, if memory has all of the cyclic part. */
function observe(example: Group["example"], garbage: GarbageAt): void {
  const { members } = example.structure;
  const place = new Map(members.map(({ address }, i) => [address, i]));
  const edges: StructureEdge[] = [];
  for (const { source, target, name } of garbage.edges) {
    const from = place.get(source);
    const to = place.get(target);
    if (from !== undefined && to !== undefined) edges.push({ from, to, name });
  }
  const found = cyclesOf(members.length, edges);
  if (found.cycles === 0) return;
  example.structure = { members, edges, ...found };
  example.observed = true;
}

export function structuresOfGarbage(garbage: GarbageAt, scan: Scan) {
  const members: Member[] = [];
  const place = new Map<number, number>();
  for (const { address } of garbage.objects) {
    const member = scan.memberAt(address);
    if (!member) continue;
    place.set(address, members.length);
    members.push(member);
  }
  const edges = garbage.edges.flatMap(({ source, target, name }): StructureEdge[] => {
    const from = place.get(source);
    const to = place.get(target);
    return from === undefined || to === undefined ? [] : [{ from, to, name }];
  });
  return structuresOf(members, edges);
}

/** An open reference to a member, and the member. */
interface Closing extends OpenEntry {
  readonly member: Member;
  readonly certain: boolean;
}

/**
 * For each group's example the reference within its cycles that was made last: the store that closed it. Certain if the references were read from
 * memory, each member of the cycles has as many open ones as were read, and all of them were made by instructions that store: then none was moved
 * into its place without being counted.
 */
export function closingStores(
  replay: Replay,
  groups: readonly Group[],
  flags: Uint32Array,
): ReadonlyMap<Group, Closing | null> {
  const wishes: { group: Group; member: Member; internal: number; until: number }[] = [];
  const looked = [...groups].sort((x, y) => y.bytes - x.bytes).slice(0, MOST_CLOSED);
  for (const group of looked) {
    const { structure, orphaned, until } = group.example;
    const core = coreOf(structure, flags).slice(0, MOST_MEMBERS);
    const internal = new Map(core.map((i) => [i, 0]));
    for (const { from, to } of structure.edges)
      if (internal.has(to) && (structure.cycles === 0 || structure.cycle[from] !== 0))
        internal.set(to, internal.get(to)! + 1);
    for (const i of core)
      wishes.push({
        group,
        member: structure.members[i]!,
        internal: internal.get(i)!,
        until: orphaned?.certain ? orphaned.event + 1 : until,
      });
  }
  const open = openReferences(
    replay,
    wishes.map(({ member, until }) => ({ address: member.address, birth: member.birth, until })),
  );
  const found = new Map<Group, Closing | null>(looked.map((group) => [group, null]));
  const doubtful = new Set<Group>();
  wishes.forEach(({ group, member, internal }, w) => {
    const entries = open[w]!;
    const stored = entries.every(
      ({ kind, location }) => kind === "incref" && STORES.test(replay.names.place(location).opcode ?? ""),
    );
    if (entries.length !== internal || !stored) doubtful.add(group);
    for (const entry of entries) {
      const best = found.get(group);
      // A birth's reference was moved into its place at a moment that left no event: it only counts where there is nothing better.
      const isBetter =
        !best ||
        ((entry.kind === "birth") === (best.kind === "birth") ? entry.event > best.event : best.kind === "birth");
      if (isBetter) found.set(group, { ...entry, member, certain: false });
    }
  });
  for (const [group, closing] of found)
    if (closing) found.set(group, { ...closing, certain: group.example.observed && !doubtful.has(group) });
  return found;
}

/** Structures by line, the most frequent first. */
function linesOf(names: Names, byLocation: ReadonlyMap<number, number>): CycleFinding["orphanedAt"] {
  const lines = new Map<string, { place: SourcePlace | null; structures: number }>();
  for (const [location, structures] of byLocation) {
    const place = sourcePlace(names, location);
    const key = JSON.stringify([place?.function, place?.file, place?.line]);
    const known = lines.get(key);
    if (known) known.structures += structures;
    else lines.set(key, { place, structures });
  }
  return [...lines.values()].sort((x, y) => y.structures - x.structures).slice(0, MOST_PLACES);
}

export function findingOf(
  replay: Replay,
  group: Group,
  flags: Uint32Array,
  closing: Closing | null,
  left: string,
): CycleFinding {
  const { names } = replay;
  const { example, classes } = group;
  const { structure, collection, orphaned } = example;
  const moment = (event: number, location: number, object: number, certain: boolean): Moment => ({
    time: timeInfo(replay, event),
    place: sourcePlace(names, location),
    opcode: names.place(location).opcode,
    object,
    how: certain ? "observed" : "inferred",
  });
  const closed = closing ? moment(closing.event, closing.location, closing.member.id, closing.certain) : null;
  const core = new Set(coreOf(structure, flags));
  const order = structure.members
    .map((_, i) => i)
    .sort((x, y) => Number(core.has(y)) - Number(core.has(x)) || structure.members[x]!.id - structure.members[y]!.id)
    .slice(0, MOST_MEMBERS);
  const place = new Map(order.map((i, at) => [i, at]));
  const edges = structure.edges.flatMap(({ from, to, name }): StructureEdge[] => {
    const [f, t] = [place.get(from), place.get(to)];
    return f === undefined || t === undefined ? [] : [{ from: f, to: t, name }];
  });
  edges.sort((x, y) => x.from - y.from || x.to - y.to);
  const own = classes.find(({ createdAt }) => createdAt !== null && !isLibrary(createdAt.file)) ?? classes[0]!;
  const known = group.deadEvents.sum > 0 || group.deadEvents.most > 0 || group.orphanedAt.size > 0;
  const counted = [...group.orphanedAt.values()].reduce((sum, n) => sum + n, 0);
  const spread = ({ least, most, sum }: { least: number; most: number; sum: number }): Spread => ({
    least,
    mean: sum / counted,
    most,
  });
  const isProblem = group.recorded && own.createdAt !== null && !isLibrary(own.createdAt.file);
  return {
    kind: "cycle",
    isProblem,
    fingerprint: fingerprintOf([
      "cycle",
      ...classes
        .map(({ type, createdAt }) =>
          JSON.stringify([type, createdAt?.function ?? null, lastPart(createdAt?.file ?? null)]),
        )
        .sort(),
    ]),
    title: titleOf(group, own.type, left),
    advice: isProblem ? adviceOf(closed) : null,
    type: own.type,
    objects: group.objects,
    bytes: group.bytes,
    createdAt: own.createdAt,
    keptBy: null,
    recorded: group.recorded,
    structures: group.structures,
    cycles: group.cycles,
    classes: classes.map(({ type, objects, createdAt }) => ({ type, objects, createdAt })),
    collections: group.collections.size,
    stillThere: group.stillThere,
    deadEvents: known ? spread(group.deadEvents) : null,
    deadSeconds: known ? spread(group.deadSeconds) : null,
    byteSeconds: group.byteSeconds,
    orphanedAt: linesOf(names, group.orphanedAt),
    example: {
      collection: collection?.id ?? null,
      members: order.map((i): CycleMember => {
        const { id, address, type, bytes, birth, location } = structure.members[i]!;
        return {
          object: id,
          address,
          type: names.type(type),
          bytes,
          born: birth < 0 ? null : timeInfo(replay, birth),
          createdAt: birth < 0 ? null : sourcePlace(names, location),
          cycle: structure.cycle[i]!,
        };
      }),
      moreMembers: structure.members.length - order.length,
      edges: edges.slice(0, MOST_EDGES),
      moreEdges: structure.edges.length - Math.min(edges.length, MOST_EDGES),
      edgesAre: example.observed ? "observed" : "inferred",
      closed,
      orphaned: orphaned
        ? moment(orphaned.event, orphaned.location, orphaned.object, orphaned.certain && example.observed)
        : null,
      collected: collection ? timeInfo(replay, collection.start) : null,
    },
  };
}

/** Instructions that put a reference where it stays. */
const STORES =
  /^(STORE_(ATTR|SUBSCR|SLICE|GLOBAL|DEREF)|LIST_APPEND|LIST_EXTEND|SET_ADD|SET_UPDATE|MAP_ADD|DICT_UPDATE|BUILD_)/;

/** Files of the interpreter's own library. */
const isLibrary = (file: string | null): boolean =>
  file !== null && (/\/lib\/python\d+\.zip\//.test(file) || file.startsWith("<frozen "));

const number = (n: number): string => n.toLocaleString("en-US");

/** `left`: what those are that no collection took. */
function titleOf(group: Group, type: string, left: string): string {
  const { structures, objects, stillThere, classes, deadEvents } = group;
  const names = [...new Set([type, ...classes.map((one) => one.type)])].slice(0, 4).join(" and ");
  const many = structures === 1 ? `A cycle of ${names}` : `${number(structures)} cycles of ${names}`;
  const size = `${number(objects)} object${objects === 1 ? "" : "s"}, ${number(group.bytes)} bytes`;
  if (stillThere === structures) return `${many} (${size}) ${left}`;
  const mean = Math.round(
    deadEvents.sum /
      Math.max(
        1,
        [...group.orphanedAt.values()].reduce((sum, n) => sum + n, 0),
      ),
  );
  const lay = group.orphanedAt.size > 0 ? ` after ${number(mean)} events as garbage` : "";
  const others = stillThere > 0 ? `; ${number(stillThere)} of them were still there at the end` : "";
  return `${many} (${size}) died by the collector${lay}${structures > 1 && lay ? " on average" : ""}${others}`;
}

function adviceOf(closed: Moment | null): string {
  const where = closed?.place ? ` made at ${lastPart(closed.place.file)}:${closed.place.line}` : "";
  return `Break the cycle when it is done with, or make the reference${where} a weak one (weakref.ref).`;
}

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

/** What is garbage at a moment. `check`: a collection is forced there as well, in a run that is thrown away, and compared. */
export async function garbageNow(
  replay: Replay,
  time: EventNumber,
  options: RewindOptions & { readonly check?: boolean } = {},
): Promise<GarbageNow> {
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

/** Cycles that the recorded program created: those that `--assert-none` is about. */
export const createdCycles = (answer: CyclesAnswer): readonly CycleFinding[] =>
  answer.findings.filter(({ recorded }) => recorded);
