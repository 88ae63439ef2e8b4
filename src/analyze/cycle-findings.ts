/**
 * What is said of one cause of cycles: the sums, the example with its members and references, the store that closed it and the decref that
 * orphaned it.
 */
import type { Names } from "../replay/names.js";
import type { Replay } from "../replay/replay.js";
import { type TimeInfo, timeInfo } from "../replay/survey.js";
import type { GarbageAt } from "../rewind/messages.js";
import type { Member, Scan } from "./collector-scan.js";
import { coreOf, type Group } from "./cycle-groups.js";
import { lastPart, type Structure, type StructureEdge, sourcePlace, structuresOf } from "./cycle-structures.js";
import { type Finding, fingerprintOf, type SourcePlace } from "./finding.js";
import { type OpenEntry, openReferences } from "./ledgers.js";
import { orNull, type Shape } from "./shape.js";

/** Members and references of an example that are told. */
const MOST_MEMBERS = 40;
const MOST_EDGES = 80;
/** Findings whose closing store is looked for. */
const MOST_CLOSED = 50;
/** Places where structures became garbage that are told. */
const MOST_PLACES = 5;
/** Types of a finding's objects that are listed, and that its sentence names. */
const MOST_TYPES = 16;
const NAMED_TYPES = 3;

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

export interface TypeObjects {
  readonly type: string;
  readonly objects: number;
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
  /** All its objects by type, those that only hang on the cycles too: the most frequent first, at most 16. They need not be of `type`. */
  readonly types: readonly TypeObjects[];
  readonly typesInAll: number;
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

/** The forms of the above: answers that were kept in a trace are held against them. */
export const TIME_SHAPE: Shape = { event: "number", seconds: "number" };
const NAMED = orNull("string");
const PLACE_SHAPE: Shape = orNull({ function: NAMED, file: NAMED, line: orNull("number"), source: NAMED });
const MOMENT_SHAPE: Shape = orNull({
  time: TIME_SHAPE,
  place: PLACE_SHAPE,
  opcode: NAMED,
  object: "number",
  how: "string",
});
const SPREAD_SHAPE: Shape = orNull({ least: "number", mean: "number", most: "number" });
export const FINDING_SHAPE: Shape = {
  kind: "string",
  isProblem: "boolean",
  fingerprint: "string",
  title: "string",
  advice: NAMED,
  type: "string",
  objects: "number",
  bytes: "number",
  createdAt: PLACE_SHAPE,
  recorded: "boolean",
  structures: "number",
  cycles: "number",
  classes: [{ type: "string", objects: "number", createdAt: PLACE_SHAPE }],
  types: [{ type: "string", objects: "number" }],
  typesInAll: "number",
  collections: "number",
  stillThere: "number",
  deadEvents: SPREAD_SHAPE,
  deadSeconds: SPREAD_SHAPE,
  byteSeconds: "number",
  orphanedAt: [{ place: PLACE_SHAPE, structures: "number" }],
  example: {
    collection: orNull("number"),
    members: [
      {
        object: "number",
        address: "number",
        type: "string",
        bytes: "number",
        born: orNull(TIME_SHAPE),
        createdAt: PLACE_SHAPE,
        cycle: "number",
      },
    ],
    moreMembers: "number",
    edges: [{ from: "number", to: "number", name: NAMED }],
    moreEdges: "number",
    edgesAre: "string",
    closed: MOMENT_SHAPE,
    orphaned: MOMENT_SHAPE,
    collected: orNull(TIME_SHAPE),
  },
};

/** Whether findings' references lead to members that are there. */
export const areWhole = (findings: readonly CycleFinding[]): boolean =>
  findings.every(({ example: { members, edges } }) =>
    edges.every(({ from, to }) => members[from] !== undefined && members[to] !== undefined),
  );

/** The structures of what was read from memory; `scan` knows the objects. */
export function structuresOfGarbage(garbage: GarbageAt, scan: Scan): Structure[] {
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
  const doubtful = new Set<Group>();
  const wishes: { group: Group; member: Member; internal: readonly (string | null)[]; until: number }[] = [];
  const looked = [...groups].sort((x, y) => y.bytes - x.bytes).slice(0, MOST_CLOSED);
  const lastBirth = new Map<Group, number>();
  for (const group of looked) {
    const { structure, orphaned, until } = group.example;
    const whole = coreOf(structure, flags);
    const core = whole.slice(0, MOST_MEMBERS);
    if (core.length < whole.length) doubtful.add(group);
    const births = core.map((i) => structure.members[i]!.birth);
    lastBirth.set(group, core.length < whole.length ? -1 : Math.max(...births));
    const internal = new Map(core.map((i): [number, (string | null)[]] => [i, []]));
    for (const { from, to, name } of structure.edges)
      if (structure.cycles === 0 || structure.cycle[from] !== 0) internal.get(to)?.push(name);
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
  wishes.forEach(({ group, member, internal }, w) => {
    const entries = open[w]!;
    if (entries.length !== internal.length || entries.some(({ stores }) => !stores)) doubtful.add(group);
    const kinds = group.example.observed ? new Set(internal.map(slotKind)) : undefined;
    for (const entry of entries) {
      // A cycle is not closed before its last member is born, nor by a store into a kind of place that no member is held by.
      if (entry.event < lastBirth.get(group)!) continue;
      if (kinds && entry.into !== null && !kinds.has(entry.into)) continue;
      const best = found.get(group);
      // What stores is likelier to be within the cycle than what a variable may have held.
      const isBetter = !best || (entry.stores === best.stores ? entry.event > best.event : entry.stores);
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

/** The kind of place that a reference's name speaks of. */
const slotKind = (name: string | null): NonNullable<OpenEntry["into"]> | "?" =>
  name === null
    ? "?"
    : /^\[\d+\]$|^ \(member\)$/.test(name)
      ? "item"
      : /^\.[^k<]|^\.k(?!eys\(\))/.test(name)
        ? "attribute"
        : name.startsWith("['")
          ? "variable"
          : "?";

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
  const types = typesOf(names, group.types);
  const isProblem = group.recorded && own.createdAt !== null && !isLibrary(own.createdAt.file);
  return {
    kind: "cycle",
    isProblem,
    fingerprint: fingerprintOf([
      "cycle",
      ...new Set(
        classes
          .map(({ type, createdAt }) =>
            JSON.stringify([type, createdAt?.function ?? null, lastPart(createdAt?.file ?? null)]),
          )
          .sort(),
      ),
    ]),
    title: titleOf(group, own.type, types, left),
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
    types: types.slice(0, MOST_TYPES),
    typesInAll: types.length,
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

/** Files of the interpreter's own library. */
const isLibrary = (file: string | null): boolean =>
  file !== null && (/\/lib\/python\d+\.zip\//.test(file) || file.startsWith("<frozen "));

const number = (n: number): string => n.toLocaleString("en-US");

/** By name, the most frequent first. */
function typesOf(names: Names, counts: ReadonlyMap<number, number>): TypeObjects[] {
  const byName = new Map<string, number>();
  for (const [id, n] of counts) byName.set(names.type(id), (byName.get(names.type(id)) ?? 0) + n);
  return [...byName]
    .map(([type, objects]) => ({ type, objects }))
    .sort((x, y) => y.objects - x.objects || (x.type < y.type ? -1 : 1));
}

/** "10 objects", or of which types they are: numbers that add up. */
function objectsText(objects: number, types: readonly TypeObjects[]): string {
  const all = `${number(objects)} object${objects === 1 ? "" : "s"}`;
  if (types.length < 2) return all;
  // One type alone is not put together with "others".
  const named = types.length <= NAMED_TYPES + 1 ? types : types.slice(0, NAMED_TYPES);
  const parts = named.map(({ type, objects: n }) => `${number(n)} ${type}`);
  const rest = objects - named.reduce((sum, one) => sum + one.objects, 0);
  if (rest > 0) parts.push(`${number(rest)} of ${number(types.length - named.length)} other types`);
  return `${all}: ${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** `left`: what those are that no collection took. */
function titleOf(group: Group, type: string, types: readonly TypeObjects[], left: string): string {
  const { structures, objects, stillThere, classes, deadEvents } = group;
  const names = [...new Set([type, ...classes.map((one) => one.type)])].slice(0, 4).join(" and ");
  const many = structures === 1 ? `A cycle of ${names}` : `${number(structures)} cycles of ${names}`;
  const size = `(${objectsText(objects, types)}${types.length > 1 ? ";" : ","} ${number(group.bytes)} bytes)`;
  if (stillThere === structures) return `${many} ${size} ${left}`;
  const known = [...group.orphanedAt.values()].reduce((sum, n) => sum + n, 0);
  const mean = number(Math.round(deadEvents.sum / Math.max(1, known)));
  if (stillThere === 0) {
    const lay = known > 0 ? ` after ${mean} events as garbage${structures > 1 ? " on average" : ""}` : "";
    return `${many} ${size} died by the collector${lay}`;
  }
  const lay = known > 0 ? `; ${mean} events as garbage on average, so far` : "";
  return `${many} ${size}: ${number(structures - stillThere)} died by the collector, ${number(stillThere)} were still there at the end${lay}`;
}

function adviceOf(closed: Moment | null): string {
  const where = closed?.place?.line != null ? ` made at ${lastPart(closed.place.file)}:${closed.place.line}` : "";
  return `Break the cycle when it is done with, or make the reference${where} a weak one (weakref.ref).`;
}
