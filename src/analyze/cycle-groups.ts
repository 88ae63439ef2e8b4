/**
 * Structures of garbage, gathered by cause while a scan finds them: of each cause the sums and one example are kept, so that memory follows the number
 * of causes and not of cycles.
 *
 * **Orphaned.** Once nothing outside refers to a structure, nobody can touch it. So the last decref of a member that is in the cycle, or leads
 * to it, is the one with which the last outside reference went. A reference can also be moved into the structure without being counted; then an
 * incref comes last, and the moment is only known to be no earlier.
 */
import type { Names } from "../replay/names.js";
import type { Replay } from "../replay/replay.js";
import { wallAt } from "../replay/times.js";
import type { Row } from "../trace/schema.js";
import { isContainer, type Member } from "./collector-scan.js";
import { leading, type MemberClass, memberClasses, type Structure } from "./cycle-structures.js";

/** Classes of a structure that are listed. */
const MOST_CLASSES = 16;

/** When a structure became garbage. */
export interface Orphaned {
  readonly event: number;
  /** Id in `locations`. */
  readonly location: number;
  /** Number of the member that the decref was of. */
  readonly object: number;
  /** False: a reference was counted later, and moved into the structure: it became garbage no earlier than this. */
  readonly certain: boolean;
}

/** One structure in full. */
export interface Example {
  structure: Structure;
  /** Row of `collections`; null = it was garbage when the scan ended. */
  readonly collection: Row<"collections"> | null;
  /** Event of its end, or of the scan's end. */
  readonly until: number;
  orphaned: Orphaned | null;
  /** Whether its references were read from memory; else inferred from how it was taken apart. */
  observed: boolean;
}

export interface Sum {
  least: number;
  most: number;
  sum: number;
}

/** One cause. */
export interface Group {
  key: string;
  /** Classes of the cyclic part, the most frequent of a structure first. */
  classes: readonly (MemberClass & { readonly objects: number })[];
  /** Whether the cyclic part has a member that was made while recording. */
  readonly recorded: boolean;
  /** Only with a `since`: whether the cycles were surely closed after it; else the example must tell. */
  readonly surelyAfter: boolean;
  structures: number;
  cycles: number;
  objects: number;
  /** The same by type, by its id: what is in the cycles and what hangs on them. */
  readonly types: Map<number, number>;
  bytes: number;
  /** How many of the structures had not been collected when the scan ended. */
  stillThere: number;
  readonly collections: Set<number>;
  readonly deadEvents: Sum;
  readonly deadSeconds: Sum;
  byteSeconds: number;
  /** How many became garbage at each location. */
  readonly orphanedAt: Map<number, number>;
  example: Example;
}

const fresh = (): Sum => ({ least: Number.POSITIVE_INFINITY, most: 0, sum: 0 });

function add(sum: Sum, value: number): void {
  sum.least = Math.min(sum.least, value);
  sum.most = Math.max(sum.most, value);
  sum.sum += value;
}

export class CycleGroups {
  readonly groups = new Map<string, Group>();
  /** Structures that were left out since they were garbage before `since`. */
  before = 0;
  readonly #replay: Replay;
  readonly #flags: Uint32Array;
  readonly #classOf: (member: Member) => MemberClass & { readonly key: string };
  readonly #since: number | undefined;

  /** `flags`: of types, by id. `since`: cycles closed before this event do not count. */
  constructor(replay: Replay, names: Names, flags: Uint32Array, since: number | undefined) {
    this.#replay = replay;
    this.#flags = flags;
    this.#classOf = memberClasses(names);
    this.#since = since;
  }

  /** `collection`: the one that ended it; null = it was there when the scan ended, at event `until`. */
  add(structure: Structure, collection: Row<"collections"> | null, until: number, observed: boolean): void {
    // Without a cycle it is none: garbage that hung on one, or what a callback let go. Inferred references may miss one.
    if (structure.cycles === 0 && (observed || structure.members.length < 2)) return;
    const { members } = structure;
    const core = coreOf(structure, this.#flags);
    if (core.length === 0) return;
    const { lastBirth, recorded } = this.#birthsOf(structure, core);
    const orphaned = orphanedAt(structure, core);
    const since = this.#since;
    const surelyAfter = since === undefined || lastBirth >= since;
    if (!surelyAfter && (orphaned === null || orphaned.event < since)) {
      this.before++;
      return;
    }
    const { key, classes } = this.#classesOf(structure, core, surelyAfter);
    let group = this.groups.get(key);
    if (!group) {
      group = {
        key,
        classes,
        recorded,
        surelyAfter,
        structures: 0,
        cycles: 0,
        objects: 0,
        types: new Map(),
        bytes: 0,
        stillThere: 0,
        collections: new Set(),
        deadEvents: fresh(),
        deadSeconds: fresh(),
        byteSeconds: 0,
        orphanedAt: new Map(),
        example: { structure, collection, until, orphaned, observed },
      };
      this.groups.set(key, group);
    }
    const bytes = members.reduce((sum, member) => sum + member.bytes, 0);
    group.structures++;
    group.cycles += Math.max(1, structure.cycles);
    group.objects += members.length;
    for (const { type } of members) group.types.set(type, (group.types.get(type) ?? 0) + 1);
    group.bytes += bytes;
    if (collection) group.collections.add(collection.id);
    else group.stillThere++;
    if (!orphaned) return;
    const seconds = Math.max(0, (wallAt(this.#replay, until) - wallAt(this.#replay, orphaned.event)) / 1000);
    add(group.deadEvents, until - orphaned.event);
    add(group.deadSeconds, seconds);
    group.byteSeconds += seconds * bytes;
    group.orphanedAt.set(orphaned.location, (group.orphanedAt.get(orphaned.location) ?? 0) + 1);
  }

  #birthsOf({ members }: Structure, core: readonly number[]): { lastBirth: number; recorded: boolean } {
    const lastBirth = core.reduce((last, i) => Math.max(last, members[i]!.birth), -1);
    return { lastBirth, recorded: lastBirth >= 0 };
  }

  #classesOf(
    { members }: Structure,
    core: readonly number[],
    surelyAfter: boolean,
  ): { key: string; classes: Group["classes"] } {
    const classes = new Map<string, { one: MemberClass; objects: number }>();
    const keys = new Set<string>();
    for (const i of core) {
      const { key, ...one } = this.#classOf(members[i]!);
      // A cause is known again by functions, whatever lines they have then; what is said of it has the lines.
      keys.add(key);
      const own = `${key} ${one.createdAt?.line ?? ""}`;
      const known = classes.get(own);
      if (known) known.objects++;
      else classes.set(own, { one, objects: 1 });
    }
    return {
      key: `${surelyAfter} ${[...keys].sort().join(" ")}`,
      classes: [...classes.values()]
        .sort((x, y) => y.objects - x.objects)
        .slice(0, MOST_CLASSES)
        .map(({ one, objects }) => ({ ...one, objects })),
    };
  }

  /** The example of a group has been read from memory: its cycles may be made of other classes than it seemed, and another group be the same. */
  observed(group: Group): void {
    const { structure } = group.example;
    const core = coreOf(structure, this.#flags);
    group.example.orphaned = orphanedAt(structure, core);
    const { key, classes } = this.#classesOf(structure, core, group.surelyAfter);
    this.groups.delete(group.key);
    const same = this.groups.get(key);
    if (!same) {
      group.key = key;
      group.classes = classes;
      this.groups.set(key, group);
      return;
    }
    same.structures += group.structures;
    same.cycles += group.cycles;
    same.objects += group.objects;
    for (const [type, n] of group.types) same.types.set(type, (same.types.get(type) ?? 0) + n);
    same.bytes += group.bytes;
    same.stillThere += group.stillThere;
    for (const id of group.collections) same.collections.add(id);
    join(same.deadEvents, group.deadEvents);
    join(same.deadSeconds, group.deadSeconds);
    same.byteSeconds += group.byteSeconds;
    for (const [location, n] of group.orphanedAt)
      same.orphanedAt.set(location, (same.orphanedAt.get(location) ?? 0) + n);
    if (!same.example.observed) same.example = group.example;
  }
}

function join(sum: Sum, other: Sum): void {
  sum.least = Math.min(sum.least, other.least);
  sum.most = Math.max(sum.most, other.most);
  sum.sum += other.sum;
}

/** Members in cycles; where the references are inferred and none showed, all that could be in one. */
export function coreOf({ members, cycle, cycles }: Structure, flags: Uint32Array): number[] {
  const core: number[] = [];
  for (let i = 0; i < members.length; i++)
    if (cycles > 0 ? cycle[i] !== 0 : isContainer(flags, members[i]!.type)) core.push(i);
  return core;
}

/** The last decref of a member in the cycle or on the way to it. */
function orphanedAt({ members, edges }: Structure, core: readonly number[]): Orphaned | null {
  const marks = new Uint32Array(members.length);
  for (const i of core) marks[i] = 1;
  const leads = leading(members.length, edges, marks);
  let best: Member | undefined;
  let lastIncref = -1;
  members.forEach((member, i) => {
    if (leads[i] === 0) return;
    lastIncref = Math.max(lastIncref, member.lastIncref);
    if (member.lastDecref >= 0 && (!best || member.lastDecref > best.lastDecref)) best = member;
  });
  if (!best) return null;
  return {
    event: best.lastDecref,
    location: best.lastDecrefLocation,
    object: best.id,
    certain: lastIncref < best.lastDecref,
  };
}
