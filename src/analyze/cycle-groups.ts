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
import { type MemberClass, memberClasses, type Structure } from "./cycle-structures.js";

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
  readonly orphaned: Orphaned | null;
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
  readonly key: string;
  /** Classes of the cyclic part, the most frequent of a structure first. */
  readonly classes: readonly (MemberClass & { readonly objects: number })[];
  /** Whether the cyclic part has a member that was made while recording. */
  readonly recorded: boolean;
  /** Only with a `since`: whether the cycles were surely closed after it; else the example must tell. */
  readonly surelyAfter: boolean;
  structures: number;
  cycles: number;
  objects: number;
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
    const { members } = structure;
    const core = coreOf(structure, this.#flags);
    if (core.length === 0) return;
    const classes = new Map<string, { one: MemberClass; objects: number }>();
    let recorded = false;
    let lastBirth = -1;
    for (const i of core) {
      const member = members[i]!;
      recorded ||= member.birth >= 0;
      lastBirth = Math.max(lastBirth, member.birth);
      const { key, ...one } = this.#classOf(member);
      const known = classes.get(key);
      if (known) known.objects++;
      else classes.set(key, { one, objects: 1 });
    }
    const orphaned = orphanedAt(structure, core);
    const since = this.#since;
    const surelyAfter = since === undefined || lastBirth >= since;
    if (!surelyAfter && (orphaned === null || orphaned.event < since)) {
      this.before++;
      return;
    }
    const key = `${surelyAfter} ${[...classes.keys()].sort().join(" ")}`;
    let group = this.groups.get(key);
    if (!group) {
      group = {
        key,
        classes: [...classes.values()]
          .sort((x, y) => y.objects - x.objects)
          .slice(0, MOST_CLASSES)
          .map(({ one, objects }) => ({ ...one, objects })),
        recorded,
        surelyAfter,
        structures: 0,
        cycles: 0,
        objects: 0,
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
  const leads = new Uint8Array(members.length);
  for (const i of core) leads[i] = 1;
  const into = new Map<number, number[]>();
  for (const { from, to } of edges) {
    const list = into.get(to);
    if (list) list.push(from);
    else into.set(to, [from]);
  }
  const work = [...core];
  while (work.length > 0) {
    for (const from of into.get(work.pop()!) ?? []) {
      if (leads[from] === 1) continue;
      leads[from] = 1;
      work.push(from);
    }
  }
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
