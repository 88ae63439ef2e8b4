/**
 * Who keeps what grows: growing objects are sorted into clusters, one for each cause.
 *
 *     __main__ ─▶ app ─▶ permissions ─▶ known {dict}  ─▶ (key) tuple ─▶ Session ─▶ list, dict, str, …
 *     ── was there before, does not grow ── holder ──▶ entry ─────────▶ what the entry keeps ──────
 *
 * On the shortest path from a root, the last object that does not grow is the **holder**: the container that somebody forgets to empty.
 * What it refers to on that path is the **entry**. Everything behind an entry goes when the entry goes, so it belongs to the same cause.
 * Clusters are told apart by the shape of the holder's path (names and types, not keys and indices) and by the entry's group: two hundred users
 * with a growing list each are one cause.
 */
import { NONE, type ObjectGraph } from "../rewind/object-graph.js";
import { type Path, pathsTo, shapeOf } from "../rewind/paths.js";

/** Holders whose paths are described one by one; beyond, they are told apart by their type. */
const MOST_HOLDERS = 1000;

export interface Member {
  /** Index of the group. */
  readonly group: number;
  readonly isEntry: boolean;
  objects: number;
  bytes: number;
  /** Nodes in the order in which they were given: by birth. */
  readonly nodes: number[];
}

export interface Cluster {
  /** A holder; NONE = a root itself holds the entries. */
  readonly holder: number;
  readonly holders: Set<number>;
  /** Names and types of the path to the holder. */
  readonly shape: string;
  readonly entries: number[];
  /** By group; entries apart from what they keep. */
  readonly members: Map<string, Member>;
}

/** `groupOf`: by node, its group when it grows, else NONE. `order`: growing nodes by birth. */
export function clustersOf(graph: ObjectGraph, groupOf: Int32Array, order: readonly number[]): Cluster[] {
  const entryOf = new Int32Array(graph.nodes).fill(NONE);
  const holderOf = (entry: number): number => {
    const edge = graph.parent(entry);
    return edge === NONE ? NONE : graph.edge(edge).source;
  };
  for (const start of order) {
    const way: number[] = [];
    let node = start;
    while (entryOf[node] === NONE) {
      way.push(node);
      const above = holderOf(node);
      if (above === NONE || groupOf[above] === NONE) break;
      node = above;
    }
    const entry = entryOf[node] === NONE ? node : entryOf[node]!;
    for (const one of way) entryOf[one] = entry;
  }
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
    const entry = entryOf[node]!;
    const holder = holderOf(entry);
    const shape = shapeOfHolder(holder);
    const key = `${shape} ${groupOf[entry]}`;
    let cluster = clusters.get(key);
    if (!cluster) {
      cluster = { holder, holders: new Set(), shape, entries: [], members: new Map() };
      clusters.set(key, cluster);
    }
    if (entry === node) {
      cluster.entries.push(node);
      cluster.holders.add(holder);
    }
    addMember(cluster, groupOf[node]!, entry === node, node, graph.bytes[node]!);
  }
  return [...clusters.values()];
}

export const pathTo = (graph: ObjectGraph, node: number): Path | undefined => pathsTo(graph, node, 1)[0];

/** Nodes remembered of a member, to choose a representative from. */
const REMEMBERED = 4096;

function addMember(cluster: Cluster, group: number, isEntry: boolean, node: number, bytes: number): void {
  const key = `${group} ${isEntry}`;
  let member = cluster.members.get(key);
  if (!member) {
    member = { group, isEntry, objects: 0, bytes: 0, nodes: [] };
    cluster.members.set(key, member);
  }
  member.objects++;
  member.bytes += bytes;
  if (member.nodes.length < REMEMBERED) member.nodes.push(node);
}

/** Puts what is in one cluster into another. */
export function mergeInto(target: Cluster, from: Cluster): void {
  for (const holder of from.holders) target.holders.add(holder);
  for (const entry of from.entries) target.entries.push(entry);
  for (const [key, member] of from.members) {
    const same = target.members.get(key);
    if (same) {
      same.objects += member.objects;
      same.bytes += member.bytes;
      for (const node of member.nodes) if (same.nodes.length < REMEMBERED) same.nodes.push(node);
    } else target.members.set(key, member);
  }
}
