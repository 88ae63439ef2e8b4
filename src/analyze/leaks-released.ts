/**
 * What grew with the rounds and was given back when they were over: containers in the variables of a function, tables that are emptied when the program
 * ends. At the end of the recording nothing of it is left, so no graph shows who kept it. The way it died does:
 *
 *     … last round ─▶ dict deallocated ─▶ decref of its first value ─▶ value deallocated ─▶ …
 *                     └── the holder      └── the first of a group that dies
 *
 * Between two times (`--to`), the same is asked about what was there at the second.
 *
 * Whether it is a problem nobody can tell but who knows what the rounds are for: results of a batch look the same as a cache without a bound. It is called
 * one where somebody said what should balance: by naming the rounds or the times, or by marks.
 */
import { eventNumber } from "../base/ids.js";
import type { Heap } from "../replay/heap.js";
import { NONE } from "../rewind/object-graph.js";
import { Kind } from "../trace/events.js";
import { fingerprintOf, type SourcePlace } from "./finding.js";
import { type LeakFinding, leakedGroup } from "./leaks.js";
import { FEWEST_WITHOUT_ROUNDS, judge, type Verdict } from "./leaks-judge.js";
import { type KeptReference, placeOf, storedReference } from "./leaks-ledger.js";
import { partOf, type Scene } from "./leaks-scene.js";

/** Findings at most. */
const MOST = 5;
/** Part of a group that must have been given back. */
const LEAST_RELEASED = 0.5;

/** Objects of one group that were there. */
interface Gone {
  readonly group: number;
  /** Those that are no more at the end, by address. */
  readonly objects: Map<number, { id: number; birth: number; bytes: number }>;
  /** How many there were, whatever became of them. */
  readonly count: number;
  /** Of them, born in a round. */
  readonly inRounds: number;
  released: number;
  /** Address of the object in whose deallocation the first of them died; undefined = in nobody's. */
  holder: number | undefined;
}

/** What grew up to the last round, or to the second time, and was given back later. `known`: by group, whether it has been told. */
export function releasedFindings(scene: Scene, known: readonly (Verdict | undefined)[]): LeakFinding[] {
  const { moments, replay, iterations, graph } = scene;
  const isEarlier = moments.end < replay.end;
  if (!graph || (!isEarlier && iterations.by === "events")) return [];
  const at = isEarlier ? moments.end : moments.points.at(-1)!;
  const groups = growingThen(scene, isEarlier ? scene.census.heap : replay.seek(eventNumber(at)), known, isEarlier);
  follow(scene, groups, at);
  const released = groups.filter((one) => one.released > 0 && one.released >= LEAST_RELEASED * one.count);
  // One line that stores is one cause, whatever it stores.
  const byLine = new Map<string, { cause: Gone[]; reference: KeptReference }>();
  for (const cause of causesOf(released)) {
    const [entry] = cause as [Gone];
    const reference = storedReference(replay, middleOf(entry).id, entry.holder ?? 0);
    const key = `${reference.culprit.file}:${reference.culprit.line}`;
    const same = byLine.get(key);
    if (same) same.cause.push(...cause);
    else byLine.set(key, { cause, reference });
  }
  return [...byLine.values()]
    .map(({ cause, reference }) => findingOf(scene, cause, reference, at))
    .sort((x, y) => y.total.bytes - x.total.bytes)
    .slice(0, MOST);
}

/** One from the middle: neither of the first rounds nor one that may still be wanted. */
function middleOf({ objects }: Gone): { id: number; birth: number } {
  const all = [...objects.values()].sort((x, y) => x.birth - y.birth);
  return all[all.length >> 1]!;
}

/** Groups that grew by what was there then, and those of their objects that are no more at the end. */
function growingThen(scene: Scene, heap: Heap, known: readonly (Verdict | undefined)[], isEarlier: boolean): Gone[] {
  const { census, moments, graph, imported, iterations } = scene;
  const isTold = (verdict: Verdict | undefined): boolean => verdict === "leak" || verdict === "backlog";
  const found = new Map<number, { born: Uint32Array; early: number; gone: Gone["objects"]; count: number }>();
  heap.visitLive((table, row) => {
    const birth = table.birth[row]!;
    const part = partOf(moments, birth);
    const group = birth >= moments.since ? census.groupOf(table.type[row]!, table.location[row]!) : undefined;
    if (group === undefined || isTold(known[group]) !== isEarlier || imported(table.stack[row]!, table.location[row]!))
      return;
    let own = found.get(group);
    if (!own) {
      own = { born: new Uint32Array(moments.points.length), early: 0, gone: new Map(), count: 0 };
      found.set(group, own);
    }
    own.count++;
    if (part !== NONE) {
      own.born[part]!++;
      if (part < moments.from) own.early++;
    }
    const [address, id] = [table.address[row]!, table.id[row]!];
    const node = graph!.nodeAt(address);
    if (node === NONE || scene.id[node] !== id) own.gone.set(address, { id, birth, bytes: table.bytes[row]! });
  });
  const gone: Gone[] = [];
  for (const [group, { born, early, gone: objects, count }] of found) {
    const verdict = judge({ alive: census.groups[group]!.alive, born, early }, moments);
    if (!isTold(verdict) || objects.size < LEAST_RELEASED * count) continue;
    if (objects.size < FEWEST_WITHOUT_ROUNDS && iterations.chosen === "found" && iterations.by !== "mark") continue;
    const inRounds = born.reduce((sum, n) => sum + n, 0);
    gone.push({ group, objects, count, inRounds, released: 0, holder: undefined });
  }
  return gone;
}

/** Types that hold nothing. */
const ATOMS = new Set(["int", "float", "complex", "str", "bytes", "bool"]);

/** How the objects died, and in whose deallocation the first of each group. */
function follow({ replay, typeName }: Scene, groups: readonly Gone[], at: number): void {
  const owner = new Map<number, Gone>();
  for (const group of groups) for (const address of group.objects.keys()) owner.set(address, group);
  let collecting = false;
  let dying: { address: number; location: number } | undefined;
  for (const { columns, first, last } of replay.range(at, replay.end)) {
    const { kind, address, location } = columns;
    if (owner.size === 0) return;
    for (let row = first; row < last; row++) {
      const what = kind[row]!;
      if (what === Kind["collect-start"]) collecting = true;
      else if (what === Kind["collect-stop"]) collecting = false;
      if (what !== Kind.dealloc) continue;
      const group = owner.get(address[row]!);
      owner.delete(address[row]!);
      // What is garbage anyway was not kept by what the program then let go of.
      if (group && collecting) group.objects.delete(address[row]!);
      else if (group) {
        group.released++;
        if (group.released === 1 && dying?.location === location[row]) group.holder = dying!.address;
      }
      if (!ATOMS.has(typeName(columns.a[row]!))) dying = { address: address[row]!, location: location[row]! };
    }
  }
}

/** Groups with one cause: those that died in the deallocation of the same object, or of an object of another group. */
function causesOf(groups: readonly Gone[]): Gone[][] {
  const above = (group: Gone): Gone | undefined =>
    groups.find((other) => other !== group && group.holder !== undefined && other.objects.has(group.holder));
  const causes = new Map<number | Gone, Gone[]>();
  for (const group of groups) {
    let top = group;
    const seen = new Set([top]);
    for (let next = above(top); next && !seen.has(next); next = above(top)) {
      seen.add(next);
      top = next;
    }
    const key = top.holder ?? top;
    const cause = causes.get(key);
    // The one that the holder itself held comes first.
    if (!cause) causes.set(key, top === group ? [group] : [top, group]);
    else if (!cause.includes(group)) cause.push(group);
  }
  return [...causes.values()];
}

function findingOf(scene: Scene, cause: readonly Gone[], reference: KeptReference, at: number): LeakFinding {
  const { census, replay, iterations, moments } = scene;
  const [entry] = cause as readonly [Gone];
  const typeOf = ({ group }: Gone): number => census.groups[group]!.type;
  const isOwn = (one: Gone): number => Number(![null, "builtins"].includes(replay.names.module(typeOf(one))));
  const headline = [...cause].sort((x, y) => isOwn(y) - isOwn(x))[0]!;
  const sizes = cause.map(({ group, objects }) => {
    let bytes = 0;
    for (const object of objects.values()) bytes += object.bytes;
    return { group, objects: objects.size, bytes };
  });
  const total = { objects: 0, bytes: 0 };
  for (const { objects, bytes } of sizes) {
    total.objects += objects;
    total.bytes += bytes;
  }
  const holder = holderOf(scene, entry, at);
  const { objects, bytes } = sizes.find(({ group }) => group === headline.group)!;
  const type = scene.typeName(typeOf(headline));
  const createdAt = scene.createdAt(headline.group);
  const isAsked = iterations.chosen === "asked" || iterations.by === "mark";
  const rest = total.objects - objects;
  const number = (n: number): string => n.toLocaleString("en-US");
  const base = (place: SourcePlace): string | null => place.file?.split("/").at(-1) ?? null;
  const until = moments.end < replay.end ? "that time" : "the last round";
  const kind = iterations.by === "events" ? "growth" : isAsked ? "leak" : "growth";
  const perRound = headline.inRounds / Math.max(1, iterations.count - 1);
  return {
    kind,
    isProblem: isAsked,
    fingerprint: fingerprintOf(["released", type, createdAt.function, base(createdAt), reference.culprit.function]),
    title: `${number(objects)} ${type} objects${rest > 0 ? ` and ${number(rest)} more with them` : ""}, ${number(total.bytes)} bytes${holder ? `, kept by ${holder.expression}` : ""}; given back after ${until}`,
    advice: isAsked
      ? `${holder ? `take the entry out of ${holder.expression}` : "let go of them"} while the rounds go on, when it is no longer needed, or give it a bound`
      : null,
    type,
    objects,
    bytes,
    createdAt,
    keptBy: null,
    culprit: reference.culprit,
    reference,
    holder,
    representative: middleOf(headline).id,
    total,
    perIteration: iterations.by === "events" ? null : perRound,
    unit: "objects",
    groups: sizes
      .sort((x, y) => y.bytes - x.bytes)
      .slice(0, 10)
      .map((size) => leakedGroup(scene, size.group, size)),
  };
}

/** The object in whose deallocation the first of a group died, by its type and where it was made: it has no name any more. */
function holderOf({ replay, typeName }: Scene, { holder }: Gone, at: number): LeakFinding["holder"] {
  const object = holder === undefined ? undefined : replay.seek(eventNumber(at)).objectAt(holder);
  if (!object) return null;
  const type = typeName(object.type);
  if (object.birth < 0) return { expression: `a ${type}`, type, others: 0 };
  const { function: name, file, line } = placeOf(replay, object.location);
  const where = file === null ? "" : ` made in ${name} ${file.split("/").at(-1)}:${line}`;
  return { expression: `a ${type}${where}`, type, others: 0 };
}
