/**
 * Garbage as structures: what hangs together, which part of it is cyclic, and of which classes (type and creating line) it is made. Two
 * structures whose cyclic parts are made of the same classes have one cause and are one group.
 */
import type { Names } from "../replay/names.js";
import { cyclesOf } from "../rewind/components.js";
import type { Member } from "./collector-scan.js";
import type { SourcePlace } from "./finding.js";

export { cyclesOf };

/** A reference between members, by their places in the list; the name is what Python would write, null = not known. */
export interface StructureEdge {
  readonly from: number;
  readonly to: number;
  readonly name: string | null;
}

/** Connected garbage. */
export interface Structure {
  readonly members: readonly Member[];
  readonly edges: readonly StructureEdge[];
  /** By member: the cycle that it is in, from 1; 0 = it only hung on one. */
  readonly cycle: Uint32Array;
  readonly cycles: number;
}

/** Rows of edges by the node at one end: those of node n are `rows[start[n]]` to `rows[start[n + 1] - 1]`. */
function byNode(
  nodes: number,
  edges: readonly StructureEdge[],
  end: "from" | "to",
): { start: Int32Array; rows: Int32Array } {
  const start = new Int32Array(nodes + 1);
  for (const edge of edges) start[edge[end] + 1]!++;
  for (let i = 0; i < nodes; i++) start[i + 1]! += start[i]!;
  const rows = new Int32Array(edges.length);
  const fill = start.slice();
  for (let e = 0; e < edges.length; e++) rows[fill[edges[e]![end]]!++] = e;
  return { start, rows };
}

/**
 * The structures that members and the edges between them make. What is in a cycle or leads to one hangs together; what only hangs on it, such as
 * a string that two structures share, goes to the first that leads there.
 */
export function structuresOf(members: readonly Member[], edges: readonly StructureEdge[]): Structure[] {
  const n = members.length;
  const { cycle } = cyclesOf(n, edges);
  const leads = leading(n, edges, cycle);
  const owner = new Int32Array(n).fill(-1);
  const parts: number[][] = [];
  // What leads to a cycle hangs together.
  parted(n, edges, (node) => leads[node] === 1, owner, parts);
  // What hangs on it comes along.
  const out = byNode(n, edges, "from");
  for (let p = 0; p < parts.length; p++) {
    const part = parts[p]!;
    for (let at = 0; at < part.length; at++) {
      const node = part[at]!;
      for (let i = out.start[node]!; i < out.start[node + 1]!; i++) {
        const { to } = edges[out.rows[i]!]!;
        if (owner[to] !== -1) continue;
        owner[to] = p;
        part.push(to);
      }
    }
  }
  // The rest has no cycle that is known.
  const rest = Uint8Array.from(owner, (p) => (p === -1 ? 1 : 0));
  parted(n, edges, (node) => rest[node] === 1, owner, parts);
  const place = new Int32Array(n);
  for (const part of parts) for (let i = 0; i < part.length; i++) place[part[i]!] = i;
  const inside: StructureEdge[][] = parts.map(() => []);
  for (const { from, to, name } of edges)
    if (owner[from] === owner[to]) inside[owner[from]!]!.push({ from: place[from]!, to: place[to]!, name });
  return parts.map((part, p) => {
    const own = new Uint32Array(part.length);
    const numbers = new Map<number, number>();
    part.forEach((node, i) => {
      const one = cycle[node]!;
      if (one === 0) return;
      if (!numbers.has(one)) numbers.set(one, numbers.size + 1);
      own[i] = numbers.get(one)!;
    });
    return { members: part.map((node) => members[node]!), edges: inside[p]!, cycle: own, cycles: numbers.size };
  });
}

/** 1 for what is in a cycle or leads to one. */
export function leading(nodes: number, edges: readonly StructureEdge[], cycle: Uint32Array): Uint8Array {
  const into = byNode(nodes, edges, "to");
  const leads = Uint8Array.from(cycle, (one) => (one === 0 ? 0 : 1));
  const work: number[] = [];
  for (let i = 0; i < nodes; i++) if (leads[i] === 1) work.push(i);
  while (work.length > 0) {
    const node = work.pop()!;
    for (let i = into.start[node]!; i < into.start[node + 1]!; i++) {
      const { from } = edges[into.rows[i]!]!;
      if (leads[from] === 1) continue;
      leads[from] = 1;
      work.push(from);
    }
  }
  return leads;
}

/** Adds the parts that the nodes meant make by the edges between them, whatever their direction. */
function parted(
  nodes: number,
  edges: readonly StructureEdge[],
  isMeant: (node: number) => boolean,
  owner: Int32Array,
  parts: number[][],
): void {
  const parent = new Int32Array(nodes);
  for (let i = 0; i < nodes; i++) parent[i] = i;
  const find = (node: number): number => {
    let root = node;
    while (parent[root] !== root) root = parent[root]!;
    for (let at = node; at !== root; ) {
      const next = parent[at]!;
      parent[at] = root;
      at = next;
    }
    return root;
  };
  for (const { from, to } of edges) if (isMeant(from) && isMeant(to)) parent[find(from)] = find(to);
  const lists = new Map<number, number>();
  for (let node = 0; node < nodes; node++) {
    if (!isMeant(node)) continue;
    const root = find(node);
    let p = lists.get(root);
    if (p === undefined) {
      p = parts.push([]) - 1;
      lists.set(root, p);
    }
    parts[p]!.push(node);
    owner[node] = p;
  }
}

/** What a member is: its type, and the line that made it. */
export interface MemberClass {
  readonly type: string;
  readonly createdAt: SourcePlace | null;
}

/** Classes of members, each known by a text that is the same in every recording of the program. */
export function memberClasses(names: Names): (member: Member) => MemberClass & { readonly key: string } {
  const known = new Map<string, MemberClass & { readonly key: string }>();
  return ({ type, location, birth }) => {
    const id = `${type} ${birth < 0 ? -1 : location}`;
    let found = known.get(id);
    if (!found) {
      const name = names.type(type);
      const createdAt = birth < 0 ? null : sourcePlace(names, location);
      const key = JSON.stringify([name, createdAt?.function ?? null, lastPart(createdAt?.file ?? null)]);
      found = { type: name, createdAt, key };
      known.set(id, found);
    }
    return found;
  };
}

/** The line of a location, or the nearest to it; null = no Python frame. */
export function sourcePlace(names: Names, location: number): SourcePlace | null {
  const { function: name, file } = names.place(location);
  const line = names.lineNear(location);
  return file === null ? null : { function: name, file, line, source: names.source(file, line) };
}

export const lastPart = (file: string | null): string | null => file?.slice(file.lastIndexOf("/") + 1) ?? null;
