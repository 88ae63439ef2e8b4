/**
 * Who keeps what grows: growing objects are sorted into clusters, one for each cause.
 *
 *     __main__ ─▶ app ─▶ permissions ─▶ known {dict}  ─▶ (key) tuple ─▶ Session ─▶ list, dict, str, …
 *     ── was there before, does not grow ── holder ──▶ entry ─────────▶ what the entry keeps ──────
 *
 * On the shortest path from a root, the first object that grows is the **entry**, and what refers to it there is the **holder**: the container
 * that somebody forgets to empty. Everything behind an entry goes when the entry goes, so it belongs to the same cause.
 * A key of a dict goes with its value, where that grows too.
 * Clusters are told apart by the shape of the holder's path (names and types, not keys and indices) and by the entry's group: two hundred users
 * with a growing list each are one cause.
 */
import { EdgeKind, NONE, type ObjectGraph } from "../rewind/object-graph.js";
import { type Path, pathsTo, shapeOf } from "../rewind/paths.js";

/** Holders whose paths are described one by one; beyond, they are told apart by their type. */
const MOST_HOLDERS = 1000;

export interface Member {
  /** Index of the group. */
  readonly group: number;
  readonly isEntry: boolean;
  objects: number;
  bytes: number;
  /** Nodes by birth, at most 4,096: of the rounds, or, where it has none of them, of the time outside. */
  readonly nodes: number[];
  /** Objects born in a round. */
  inRounds: number;
}

/** When an object was born: in which third of the time that counts, in a round before that, or before and after all rounds. */
export type Phase = "first" | "second" | "third" | "warm-up" | "outside";

export interface Cluster {
  /** A holder; NONE = a root itself holds the entries. */
  readonly holder: number;
  readonly holders: Set<number>;
  /** Names and types of the path to the holder. */
  readonly shape: string;
  /** By birth: of the rounds, or, where it has none of them, of the time outside. */
  readonly entries: number[];
  /** By group; entries apart from what they keep. */
  readonly members: Map<string, Member>;
  /** Objects by the time of their birth. */
  readonly born: Record<Phase, number>;
}

/**
 * `groupOf`: by node, its group when it grows, else NONE. `order`: growing nodes by birth, those of the rounds first. `isOlder`: whether a node was there
 * before the rounds.
 */
export function clustersOf(
  graph: ObjectGraph,
  groupOf: Int32Array,
  order: readonly number[],
  phaseOf: (node: number) => Phase,
  isOlder: (node: number) => boolean,
): Cluster[] {
  const entries = topmost(graph, groupOf, order, isOlder);
  const holderOf = (entry: number): number => {
    const edge = graph.parent(entry);
    return edge === NONE ? NONE : graph.edge(edge).source;
  };
  const shapes = new Map<number, string>();
  const shapeOfHolder = (holder: number): string => {
    let shape = shapes.get(holder);
    if (shape === undefined) {
      const path = holder === NONE || shapes.size >= MOST_HOLDERS ? undefined : pathTo(graph, holder);
      shape = path ? shapeOf(graph, path) : holder === NONE ? "root" : `type ${graph.type[holder]}`;
      shapes.set(holder, shape);
    }
    return shape;
  };
  const clusters = new Map<string, Cluster>();
  for (const node of order) {
    const entry = entries[node]!;
    const holder = holderOf(entry);
    const shape = shapeOfHolder(holder);
    const key = `${shape} ${groupOf[entry]}`;
    let cluster = clusters.get(key);
    if (!cluster) {
      const born = { first: 0, second: 0, third: 0, "warm-up": 0, outside: 0 };
      cluster = { holder, holders: new Set(), shape, entries: [], members: new Map(), born };
      clusters.set(key, cluster);
    }
    const phase = phaseOf(node);
    if (entry === node) {
      const [first] = cluster.entries;
      if (phase !== "outside" || first === undefined || phaseOf(first) === "outside") cluster.entries.push(node);
      cluster.holders.add(holder);
    }
    cluster.born[phase]++;
    addMember(cluster, groupOf[node]!, entry === node, node, graph.bytes[node]!, phase === "outside");
  }
  return [...clusters.values()];
}

/** The value that a dict has for the key to which this reference leads, where the dict is how a root reaches that value; else NONE. */
function valueBeside(graph: ObjectGraph, edge: number): number {
  const { kind, source, target, label } = graph.edge(edge);
  if (kind !== EdgeKind.key || edge === 0) return NONE;
  // The graph has the value of an entry right before its key.
  const before = graph.edge(edge - 1);
  const isValue = before.kind === EdgeKind.value && before.source === source && before.label === label;
  return isValue && before.target !== target && graph.parent(before.target) === edge - 1 ? before.target : NONE;
}

/**
 * By node in `order`: the growing node nearest to the root on its path. What lies between two growing nodes goes with the upper one. But what was there
 * before the rounds may be the container into which they put things, though it is of a kind of which they make more: `root.kids`, when each kid has its own.
 */
function topmost(
  graph: ObjectGraph,
  groupOf: Int32Array,
  order: readonly number[],
  isOlder: (node: number) => boolean,
): Int32Array {
  const NOT_YET = -2;
  const containers = new Set<number>();
  // Nodes below which the growing node nearest to the root is no such container.
  const settled = new Set<number>();
  const top = new Int32Array(graph.nodes).fill(NOT_YET);
  for (const start of order) {
    const way: number[] = [];
    let node = start;
    let above: number = NONE;
    while (top[node] === NOT_YET) {
      way.push(node);
      const edge = graph.parent(node);
      const value = edge === NONE ? NONE : valueBeside(graph, edge);
      const parent = edge === NONE ? NONE : value !== NONE && groupOf[value] !== NONE ? value : graph.edge(edge).source;
      if (parent === NONE) break;
      node = parent;
    }
    if (top[node] !== NOT_YET) above = top[node]!;
    let isSure = settled.has(node);
    for (const one of way.reverse()) {
      const group = groupOf[one]!;
      if (group !== NONE && above !== NONE && !isSure) {
        // The next link of a chain, or what the rounds put into it; what was put in before them comes later.
        if (groupOf[above] === group) isSure = !isOlder(one);
        else if (!isOlder(one)) containers.add(above);
        if (!isSure && groupOf[above] !== group && containers.has(above)) above = NONE;
      }
      if (above === NONE && group !== NONE) {
        above = one;
        isSure = !isOlder(one);
      }
      top[one] = above;
      if (isSure) settled.add(one);
    }
  }
  return top;
}

export const pathTo = (graph: ObjectGraph, node: number): Path | undefined => pathsTo(graph, node, 1)[0];

/** Nodes remembered of a member, to choose a representative from. */
const REMEMBERED = 4096;

function addMember(
  cluster: Cluster,
  group: number,
  isEntry: boolean,
  node: number,
  bytes: number,
  isOutside: boolean,
): void {
  const key = `${group} ${isEntry}`;
  let member = cluster.members.get(key);
  if (!member) {
    member = { group, isEntry, objects: 0, bytes: 0, nodes: [], inRounds: 0 };
    cluster.members.set(key, member);
  }
  if (!isOutside) member.inRounds++;
  // What is outside of the rounds comes after all that is in them.
  if (member.nodes.length < REMEMBERED && (!isOutside || member.inRounds === 0)) member.nodes.push(node);
  member.objects++;
  member.bytes += bytes;
}

/** Puts what is in one cluster into another. */
export function mergeInto(target: Cluster, from: Cluster): void {
  for (const holder of from.holders) target.holders.add(holder);
  for (const entry of from.entries) target.entries.push(entry);
  for (const [phase, n] of Object.entries(from.born)) target.born[phase as Phase] += n;
  for (const [key, member] of from.members) {
    const same = target.members.get(key);
    if (!same) {
      target.members.set(key, member);
      continue;
    }
    same.objects += member.objects;
    same.bytes += member.bytes;
    if (same.inRounds === 0 && member.inRounds > 0) same.nodes.length = 0;
    if (same.inRounds === 0 || member.inRounds > 0)
      for (const node of member.nodes) if (same.nodes.length < REMEMBERED) same.nodes.push(node);
    same.inRounds += member.inRounds;
  }
}
