/**
 * Leaks: what grows with every round of the program, who keeps it, and which line put it there. The way of an answer:
 *
 *     rounds ─▶ moments ─▶ census (one pass) ─▶ groups that grow ─▶ clusters by holder (graph) ─▶ the line that stored (ledger) ─▶ findings
 *                              └─▶ counts that rise ──────────────▶ lost references
 *                              └─▶ blocks that grow ──────────────▶ containers of what is no object of its own
 *
 * A false alarm costs more than a leak found one recording later: what grows only for a while, what is made by importing, what the next collection
 * frees and what is replaced as fast as it is made are no leaks.
 */
import { Failure } from "../base/failure.js";
import { openReplay, type Replay } from "../replay/replay.js";
import { type TimeInfo, timeInfo } from "../replay/survey.js";
import { resolveTime } from "../replay/times.js";
import { NONE } from "../rewind/object-graph.js";
import { keep, recall } from "../trace/answers.js";
import { type Finding, fingerprintOf, type SourcePlace } from "./finding.js";
import { growingBlocks } from "./leaks-blocks.js";
import {
  type Cause,
  goesOn,
  isBoundedCache,
  middle,
  referenceOf,
  remedyOf,
  wasUnderConstruction,
  withoutConsequences,
} from "./leaks-causes.js";
import { evenMoments, type Group, type Moments, momentsOf, takeCensus, thirds } from "./leaks-census.js";
import { type Cluster, clustersOf, type Member, mergeInto, type Phase, pathTo } from "./leaks-holders.js";
import { findIterations, type Iterations, iterationsNamed } from "./leaks-iterations.js";
import { FEWEST_WITHOUT_ROUNDS, judge, type Verdict } from "./leaks-judge.js";
import type { KeptReference } from "./leaks-ledger.js";
import { lostObjects, risenCounts } from "./leaks-lost.js";
import { releasedFindings } from "./leaks-released.js";
import { createScene, partOf, type Scene } from "./leaks-scene.js";
import { growingValues } from "./leaks-values.js";

/** Changed whenever the answer's form or meaning is. */
const VERSION = "leaks-24";
/** Clusters whose storing line is looked up, the largest first. */
const MOST_CLUSTERS = 40;
/** Findings of what is no problem. */
const MOST_OTHERS = 5;

export interface LeakOptions {
  /** `mark:NAME`, `line:FILE:N` or `call:FUNCTION`; left out: found by itself. */
  readonly iterations?: string | undefined;
  /** Times between which survivors are counted; either of them turns iterations off. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly progress?: (eventsDone: number, eventsInAll: number) => void;
}

/** Objects of one type and place that belong to a finding. */
export interface LeakedGroup {
  readonly type: string;
  readonly createdAt: SourcePlace;
  readonly objects: number;
  readonly bytes: number;
  /** Objects made there, in the recording or between the two times, and how many of them died. */
  readonly made: number;
  readonly died: number;
}

export interface LeakFinding extends Finding {
  /** The line that made the reference which was not given back; null = not known. */
  readonly culprit: SourcePlace | null;
  readonly reference: KeptReference | null;
  /** The container that grows, as an expression, and its type; null = no container. */
  readonly holder: { readonly expression: string; readonly type: string; readonly others: number } | null;
  /** Number (`#n`) of the representative; null = none. */
  readonly representative: number | null;
  /** What goes with the objects, themselves included. */
  readonly total: { readonly objects: number; readonly bytes: number };
  /** What remains from each round, in `unit`; null = no rounds. */
  readonly perIteration: number | null;
  readonly unit: "objects" | "references" | "bytes";
  /** All that belongs to it, the most bytes first; at most 10. */
  readonly groups: readonly LeakedGroup[];
}

export interface LeakResult {
  readonly iterations: Omit<Iterations, "moments">;
  /** The time that counts: after the warm-up, to the last round. */
  readonly from: TimeInfo;
  readonly to: TimeInfo;
  /** Problems first. */
  readonly findings: readonly LeakFinding[];
  /** Born in that time, dead in a cycle, and not collected yet when the program ended. */
  readonly garbage: { readonly objects: number; readonly bytes: number };
  /** Bytes of live objects at `from`, at `to`, and the most there ever were. */
  readonly bytes: { readonly from: number; readonly to: number; readonly peak: number };
  /** Whether the trace has the object graph at its end; without it nobody knows what keeps the objects. */
  readonly hasGraph: boolean;
}

/** What has been said of leaks, so that it is not said again of what grows with them. */
export interface Told {
  readonly findings: readonly LeakFinding[];
  /** Nodes of what leaks: what hangs on one of them goes with it. */
  readonly entries: ReadonlySet<number>;
  /** Lines that filled what only was being built, or what goes with something that is told. */
  readonly dismissed: readonly SourcePlace[];
}

/** Looks for leaks. Kept in the trace: the second time takes no pass over the events. */
export function findLeaks(path: string, options: LeakOptions = {}): LeakResult {
  const replay = openReplay(path, options.progress ? { progress: options.progress } : {});
  try {
    return leaksOf(replay, options);
  } finally {
    replay.close();
  }
}

/** The same on an open replay, which is wound elsewhere. */
export function leaksOf(replay: Replay, { iterations, from, to }: LeakOptions = {}): LeakResult {
  if (iterations !== undefined && (from !== undefined || to !== undefined)) {
    throw new Failure("--iterations and --from or --to exclude each other: rounds, or two times", 2);
  }
  const name = `leaks ${JSON.stringify([iterations ?? null, from ?? null, to ?? null])}`;
  const known = recall(replay.reader, name, VERSION) as LeakResult | undefined;
  if (Array.isArray(known?.findings) && known?.iterations) return known;
  const found = analyse(replay, iterations, from, to);
  keep(replay.reader, name, VERSION, found);
  return found;
}

function analyse(replay: Replay, name?: string, from?: string, to?: string): LeakResult {
  const rounds =
    name !== undefined
      ? iterationsNamed(replay, name)
      : from === undefined && to === undefined
        ? findIterations(replay)
        : undefined;
  const moments = rounds ? momentsOf(rounds.moments, replay.end) : betweenTimes(replay, from ?? "25%", to ?? "end");
  const iterations: Iterations = rounds ?? {
    by: "events",
    name: null,
    chosen: from !== undefined || to !== undefined ? "asked" : "found",
    count: moments.points.length - 1,
    moments: moments.points,
  };
  const census = takeCensus(replay, moments);
  const scene = createScene(replay, iterations, moments, census);
  const { verdicts, garbage } = verdictsOf(scene);
  const { findings: leaks, entries, dismissed } = leakFindings(scene, verdicts);
  const lost = scene.graph ? [...lostObjects(scene), ...risenCounts(scene, leaks)] : [];
  const blocks = growingBlocks(scene, { findings: [...leaks, ...lost], entries, dismissed });
  const texts = growingValues(scene, { findings: [...leaks, ...lost, ...blocks], entries, dismissed });
  const released = releasedFindings(scene, verdicts);
  const others = otherFindings(scene, verdicts, rounds ? "warm-up" : "steady").slice(0, MOST_OTHERS);
  const { from: a, points } = moments;
  const { moments: _, ...shown } = iterations;
  return {
    iterations: shown,
    from: timeInfo(replay, points[a]!),
    to: timeInfo(replay, points.at(-1)!),
    findings: [...leaks, ...lost, ...blocks, ...texts, ...released, ...others].sort(
      (x, y) => Number(y.isProblem) - Number(x.isProblem),
    ),
    garbage,
    bytes: { from: census.bytesFrom, to: census.bytesTo, peak: census.peakBytes },
    hasGraph: scene.graph !== undefined,
  };
}

function betweenTimes(replay: Replay, from: string, to: string): Moments {
  const [first, last] = [resolveTime(replay, from), resolveTime(replay, to)];
  if (last - first < 100) {
    throw new Failure(`from #${first} to #${last}: growth needs at least 100 events between the two times`, 2);
  }
  return evenMoments(first, last);
}

interface Survivors {
  readonly born: Uint32Array;
  early: number;
}

/** Whether each group grows, judged by its survivors that a root reaches. What no root reaches and no count holds is garbage. */
function verdictsOf(scene: Scene): { verdicts: (Verdict | undefined)[]; garbage: { objects: number; bytes: number } } {
  const { census, moments, graph } = scene;
  const survivors: (Survivors | undefined)[] = [];
  const garbage = { objects: 0, bytes: 0 };
  const { imported } = scene;
  const start = moments.points[0]!;
  census.heap.visitLive((table, row) => {
    const birth = table.birth[row]!;
    if (birth < start) return;
    const group = census.groupOf(table.type[row]!, table.location[row]!);
    if (group === undefined) return;
    if (graph && moments.end === scene.replay.end) {
      const node = graph.nodeAt(table.address[row]!);
      if (node === NONE || graph.distance(node) === NONE) {
        garbage.objects++;
        garbage.bytes += table.bytes[row]!;
        return;
      }
    }
    if (imported(table.stack[row]!, table.location[row]!)) return;
    let own = survivors[group];
    if (!own) {
      own = { born: new Uint32Array(moments.points.length), early: 0 };
      survivors[group] = own;
    }
    const part = partOf(moments, birth);
    if (part === NONE) return;
    own.born[part]!++;
    if (part < moments.from) own.early++;
  });
  const verdicts = census.groups.map(({ alive }, i) => {
    const own = survivors[i];
    if (!own) return undefined;
    const verdict = judge({ alive, born: own.born, early: own.early }, moments);
    if ((verdict !== "leak" && verdict !== "backlog") || scene.iterations.by !== "events") return verdict;
    return own.born.reduce((all, n) => all + n, 0) >= FEWEST_WITHOUT_ROUNDS ? verdict : "steady";
  });
  return { verdicts, garbage };
}

function phasesOf({ moments, birth }: Scene): (node: number) => Phase {
  const [, one, two] = thirds(moments);
  return (node) => {
    const part = partOf(moments, birth[node]!);
    if (part === NONE) return "outside";
    return part < moments.from ? "warm-up" : part < one ? "first" : part < two ? "second" : "third";
  };
}

/** Clusters of the groups with one of these verdicts, the most bytes first. */
function clustersWith(scene: Scene, verdicts: readonly (Verdict | undefined)[], wanted: readonly Verdict[]): Cluster[] {
  const { group, birth, moments } = scene;
  const graph = scene.graph!;
  const phaseOf = phasesOf(scene);
  const growing = new Int32Array(graph.nodes).fill(NONE);
  const order: number[] = [];
  for (let node = 0; node < graph.nodes; node++) {
    const own = group[node]!;
    const verdict = own === NONE ? undefined : verdicts[own];
    if (!verdict || !wanted.includes(verdict) || !(birth[node]! >= moments.since) || birth[node]! >= moments.end)
      continue;
    if (graph.distance(node) === NONE) continue;
    growing[node] = own;
    order.push(node);
  }
  const isOutside = (node: number): number => (phaseOf(node) === "outside" ? 1 : 0);
  order.sort((x, y) => isOutside(x) - isOutside(y) || birth[x]! - birth[y]!);
  return clustersOf(graph, growing, order, phaseOf, (node) => birth[node]! < moments.points[0]!).sort(
    (x, y) => totalOf(y).bytes - totalOf(x).bytes,
  );
}

/** What grows and is no problem. */
function otherFindings(scene: Scene, verdicts: readonly (Verdict | undefined)[], wanted: Verdict): LeakFinding[] {
  if (!scene.graph) return findingsWithoutGraph(scene, verdicts, wanted);
  return clustersWith(scene, verdicts, [wanted])
    .filter((cluster) => wanted === "steady" || totalOf(cluster).objects >= 8)
    .slice(0, MOST_OTHERS)
    .map((cluster) => findingOf(scene, cluster, [], wanted));
}

/** All that holders of a cluster hold of the kinds that it is about, those from outside of the rounds included. */
function* allEntries({ graph, group }: Scene, { holders, entries }: Cluster): Generator<number> {
  const kinds = new Set(entries.map((entry) => group[entry]!));
  yield* entries;
  for (const holder of holders) {
    if (holder === NONE) continue;
    for (const e of graph!.out(holder)) {
      const { target } = graph!.edge(e);
      if (kinds.has(group[target]!) && graph!.parent(target) === e) yield target;
    }
  }
}

function leakFindings(scene: Scene, verdicts: readonly (Verdict | undefined)[]): Told {
  const { graph, group } = scene;
  const told = { findings: [] as LeakFinding[], entries: new Set<number>(), dismissed: [] as SourcePlace[] };
  if (!graph) return { ...told, findings: findingsWithoutGraph(scene, verdicts, "leak") };
  const isBacklog = ({ entries }: Cluster): boolean => entries.some((entry) => verdicts[group[entry]!] === "backlog");
  // One line that stores is one cause, whatever it stores.
  const causes = new Map<string, Cause>();
  clustersWith(scene, verdicts, ["leak", "backlog"]).forEach((cluster, i) => {
    const shown = middle(headlineOf(scene, [...cluster.members.values()]).nodes);
    const reference = i < MOST_CLUSTERS ? referenceOf(scene, cluster, shown) : null;
    const { file, line } = reference?.culprit ?? { file: null, line: i };
    const key = `${cluster.shape} ${file}:${line}`;
    const same = causes.get(key);
    if (same) {
      mergeInto(same.cluster, cluster);
      same.references.push(reference);
    } else causes.set(key, { cluster, references: [reference] });
  });
  const leaks: Cause[] = [];
  for (const cause of causes.values()) {
    if (wasUnderConstruction(scene, cause.cluster)) {
      for (const one of cause.references) if (one) told.dismissed.push(one.culprit);
    } else if (!isBoundedCache(scene, cause.cluster) && goesOn(scene, cause.cluster, isBacklog(cause.cluster)))
      leaks.push(cause);
  }

  const causing = withoutConsequences(scene, leaks);
  for (const cause of leaks)
    if (!causing.includes(cause)) for (const one of cause.references) if (one) told.dismissed.push(one.culprit);
  for (const { cluster } of leaks) for (const entry of allEntries(scene, cluster)) told.entries.add(entry);
  const verdictOf = (cluster: Cluster): Verdict => (isBacklog(cluster) ? "backlog" : "leak");
  return {
    ...told,
    findings: causing.map(({ cluster, references }) => findingOf(scene, cluster, references, verdictOf(cluster))),
  };
}

const totalOf = ({ members }: Cluster): { objects: number; bytes: number } => {
  const total = { objects: 0, bytes: 0 };
  for (const { objects, bytes } of members.values()) {
    total.objects += objects;
    total.bytes += bytes;
  }
  return total;
};

/** What a person would call the thing that leaks: an object of a class that is no built-in one, if there is one; else the entry. */
function headlineOf(scene: Scene, members: readonly Member[]): Member {
  const { census, replay } = scene;
  const rank = ({ group, isEntry }: Member): number => {
    const module = replay.names.module(census.groups[group]!.type);
    return (module !== null && module !== "builtins" ? 2 : 0) + (isEntry ? 1 : 0);
  };
  return [...members].sort((x, y) => rank(y) - rank(x) || y.bytes - x.bytes || x.group - y.group)[0]!;
}

/** `references`: of entries of what the cluster was put together from, by one line. */
function findingOf(
  scene: Scene,
  cluster: Cluster,
  references: readonly (KeptReference | null)[],
  verdict: Verdict,
): LeakFinding {
  const { graph, id, census, iterations } = scene;
  const members = [...cluster.members.values()];
  const headline = headlineOf(scene, members);
  const { type } = census.groups[headline.group]!;
  // The same type made on the same line by another instruction, or both entry and kept, is the same thing.
  const createdAt = scene.createdAt(headline.group);
  const same = members.filter(({ group }) => {
    const place = scene.createdAt(group);
    return census.groups[group]!.type === type && place.file === createdAt.file && place.line === createdAt.line;
  });
  const objects = same.reduce((sum, member) => sum + member.objects, 0);
  const bytes = same.reduce((sum, member) => sum + member.bytes, 0);
  const node = middle(headline.nodes);
  const keptBy = scene.keptBy(node);
  // One entry alone is a chain, or a container that is made anew each time: the name that it has says more than where names are.
  const isAlone = cluster.entries.length === 1 && cluster.holders.size === 1;
  const kept = isAlone ? cluster.entries[0]! : cluster.holder;
  const holder =
    cluster.holder === NONE
      ? null
      : {
          expression: pathTo(graph!, kept)?.expression ?? "?",
          type: scene.typeName(graph!.type[kept]!),
          others: cluster.holders.size - 1,
        };
  return complete(scene, {
    kind:
      verdict === "leak" || verdict === "backlog"
        ? iterations.by === "events"
          ? "growth"
          : "leak"
        : verdict === "warm-up"
          ? "warm-up"
          : "growth",
    isProblem: verdict === "leak" || verdict === "backlog",
    remedy: holder && remedyOf(scene, cluster, holder.expression, isAlone, verdict === "backlog"),
    shape: namesOf(scene, cluster),
    type: scene.typeName(type),
    objects,
    inRounds:
      verdict === "backlog"
        ? [...new Set(same.map(({ group }) => group))].reduce((sum, one) => sum + risen(census.groups[one]!.alive), 0)
        : same.reduce((sum, member) => sum + member.inRounds, 0),
    bytes,
    createdAt,
    keptBy,
    holder,
    reference: references.find((one) => one?.object === id[node]) ?? references[0] ?? null,
    representative: id[node]!,
    total: totalOf(cluster),
    groups: members.map((member) => leakedGroup(scene, member.group, member)),
  });
}

const risen = (alive: ArrayLike<number>): number => alive[alive.length - 1]! - alive[0]!;

/** The holder's path by names, as far as they stay the same from run to run. */
function namesOf({ graph, typeName }: Scene, { holder }: Cluster): string {
  const path = holder === NONE ? undefined : pathTo(graph!, holder);
  return (
    path?.steps
      .map(({ node, name }) => `${name.startsWith(".") ? name : ""}:${typeName(graph!.type[node]!)}`)
      .join("/") ?? ""
  );
}

export function leakedGroup(
  scene: Scene,
  group: number,
  { objects, bytes }: { objects: number; bytes: number },
): LeakedGroup {
  const { type, made, died } = scene.census.groups[group] as Group;
  return {
    type: scene.typeName(type),
    createdAt: scene.createdAt(group),
    objects,
    bytes,
    made,
    died,
  };
}

/** Where the trace has no graph: what grows by type and place alone. */
function findingsWithoutGraph(
  scene: Scene,
  verdicts: readonly (Verdict | undefined)[],
  wanted: Verdict,
): LeakFinding[] {
  const { census, moments } = scene;
  const sums = new Map<number, { objects: number; inRounds: number; bytes: number }>();
  census.heap.visitLive((table, row) => {
    if (table.birth[row]! < moments.since) return;
    const group = census.groupOf(table.type[row]!, table.location[row]!);
    if (group === undefined || verdicts[group] !== wanted) return;
    const sum = sums.get(group) ?? { objects: 0, inRounds: 0, bytes: 0 };
    sum.objects++;
    if (partOf(moments, table.birth[row]!) !== NONE) sum.inRounds++;
    sum.bytes += table.bytes[row]!;
    sums.set(group, sum);
  });
  return [...sums]
    .sort(([, x], [, y]) => y.bytes - x.bytes)
    .slice(0, wanted === "leak" ? MOST_CLUSTERS : MOST_OTHERS)
    .map(([group, sum]) =>
      complete(scene, {
        kind:
          wanted === "leak"
            ? scene.iterations.by === "events"
              ? "growth"
              : "leak"
            : wanted === "warm-up"
              ? "warm-up"
              : "growth",
        isProblem: wanted === "leak",
        remedy: null,
        shape: "",
        type: scene.typeName(census.groups[group]!.type),
        ...sum,
        createdAt: scene.createdAt(group),
        keptBy: null,
        holder: null,
        reference: null,
        representative: null,
        total: { objects: sum.objects, bytes: sum.bytes },
        groups: [leakedGroup(scene, group, sum)],
      }),
    );
}

type Parts = Omit<LeakFinding, "fingerprint" | "title" | "advice" | "culprit" | "perIteration" | "unit"> & {
  readonly shape: string;
  /** Of `objects` those born between the first and the last beginning of a round; of a backlog, by how many it grew then. */
  readonly inRounds: number;
  /** What to do about a problem; null = nobody is known to hold it. */
  readonly remedy: string | null;
};

/** Adds what follows from the rest: fingerprint, sentence and advice. */
function complete(scene: Scene, { shape, inRounds, remedy, ...parts }: Parts): LeakFinding {
  const { kind, type, objects, total, holder, createdAt, reference, isProblem } = parts;
  const culprit = reference?.culprit ?? null;
  const base = (file: string | null | undefined): string | null => file?.split("/").at(-1) ?? null;
  const many = (n: number, noun: string): string => `${n.toLocaleString("en-US")} ${noun}${n === 1 ? "" : "s"}`;
  // The first round ends where the second begins: so many are between the first and the last beginning.
  const perIteration = scene.iterations.by === "events" ? null : inRounds / Math.max(1, scene.iterations.count - 1);
  const rest = total.objects - objects;
  const kept = holder
    ? `, kept by ${holder.expression}${holder.others > 0 ? ` and ${many(holder.others, "other")} alike` : ""}`
    : "";
  const more = rest > 0 ? ` and ${many(rest, "more object")} with them` : "";
  const grows =
    kind === "warm-up" ? "; grew at first and stopped" : isProblem ? "" : "; survivors that do not keep growing";
  return {
    ...parts,
    fingerprint: fingerprintOf([
      kind,
      type,
      createdAt?.function ?? null,
      base(createdAt?.file),
      culprit?.function ?? null,
      shape,
    ]),
    title: `${many(objects, `${type} object`)}${more}, ${total.bytes.toLocaleString("en-US")} bytes${kept}${grows}`,
    advice: !isProblem
      ? null
      : (remedy ?? "find out who should have let go of it: refledger history shows its references"),
    culprit,
    perIteration,
    unit: "objects",
    groups: [...parts.groups].sort((x, y) => y.bytes - x.bytes).slice(0, 10),
  };
}
