/**
 * What the parts of the leak analysis look at together: the census, the graph at the program's end, and which object of the one is which
 * node of the other.
 */
import type { Replay } from "../replay/replay.js";
import { type Dominators, dominators } from "../rewind/dominators.js";
import { EdgeKind, NONE, ObjectGraph } from "../rewind/object-graph.js";
import { type LedgerObject, Provenance } from "../rewind/provenance.js";
import { answerPath, type WhyPath } from "../rewind/why.js";
import type { SourcePlace } from "./finding.js";
import type { Census, Moments } from "./leaks-census.js";
import { pathTo } from "./leaks-holders.js";
import type { Iterations } from "./leaks-iterations.js";
import { placeOf } from "./leaks-ledger.js";

/** Counts from here on mean "immortal": `_Py_IMMORTAL_MINIMUM_REFCNT` of a 32-bit build. */
export const IMMORTAL = 2 ** 30;

export interface Scene {
  readonly replay: Replay;
  readonly iterations: Iterations;
  readonly moments: Moments;
  readonly census: Census;
  /** Undefined where the trace has no graph. */
  readonly graph: ObjectGraph | undefined;
  /** By node: its birth; BEFORE_TRACE, or NaN where the fold does not know the object. */
  readonly birth: Float64Array;
  /** By node: its number. */
  readonly id: Float64Array;
  /** By node: index of its group; NONE = born before the recording. */
  readonly group: Int32Array;
  /** Whether an object with this call stack and place of birth was born while a module was imported. */
  readonly imported: (stack: number, location: number) => boolean;
  readonly keptBy: (node: number) => WhyPath | null;
  /** When and where the references of the graph were made; undefined where there is none. */
  readonly provenance: Provenance | undefined;
  /** The same by what had happened before an event. */
  readonly provenanceAt: (until: number) => Provenance | undefined;
  readonly createdAt: (group: number) => SourcePlace;
  readonly typeName: (type: number) => string;
}

export function createScene(replay: Replay, iterations: Iterations, moments: Moments, census: Census): Scene {
  const { reader, names } = replay;
  const audit = reader.audits().at(-1);
  const graph = audit && ObjectGraph.load(reader, audit.id);
  const nodes = graph?.nodes ?? 0;
  const birth = new Float64Array(nodes).fill(Number.NaN);
  const id = new Float64Array(nodes);
  const group = new Int32Array(nodes).fill(NONE);
  const location = new Int32Array(nodes);
  if (graph) {
    census.heap.visitLive((table, row) => {
      const node = graph.nodeAt(table.address[row]!);
      if (node === NONE) return;
      birth[node] = table.birth[row]!;
      id[node] = table.id[row]!;
      location[node] = table.location[row]!;
      group[node] = census.groupOf(table.type[row]!, table.location[row]!) ?? NONE;
    });
  }
  const objectAt = (node: number): LedgerObject | undefined =>
    Number.isNaN(birth[node]) ? undefined : { id: id[node]!, birth: birth[node]!, location: location[node]! };
  let tree: Dominators | undefined;
  return {
    replay,
    iterations,
    moments,
    census,
    graph,
    birth,
    id,
    group,
    imported: importTest(census, replay),
    keptBy: (node) => {
      const path = graph && pathTo(graph, node);
      if (!path) return null;
      tree ??= dominators(graph);
      return answerPath(graph, tree, node, path, names.type);
    },
    provenance: graph && new Provenance(replay, graph, replay.end, objectAt),
    provenanceAt: (until) => graph && new Provenance(replay, graph, until, objectAt),
    createdAt: (index) => placeOf(replay, census.groups[index]!.location),
    typeName: names.type,
  };
}

/**
 * Event at which a node was given the first of the references by which roots reach it, those of what it holds itself left out; undefined where one of them
 * is not known for certain, or was its birth.
 */
export function namedAt({ graph, provenance }: Scene, node: number): number | undefined {
  let first: number | undefined;
  for (const edge of graph!.into(node)) {
    const { source, kind } = graph!.edge(edge);
    if (kind === EdgeKind.borrowed || (source !== NONE && !isNearer(graph!, source, node))) continue;
    const made = provenance?.of(edge);
    if (!made || made.event === null || made.by === "birth" || made.alternatives > 0) return undefined;
    first = Math.min(first ?? made.event, made.event);
  }
  return first;
}

/** Whether a node is on the way to another: what that other one holds is further from the roots. */
const isNearer = (graph: ObjectGraph, node: number, than: number): boolean =>
  graph.distance(node) !== NONE && graph.distance(node) <= graph.distance(than) && node !== than;

/** Part of the time into which an event falls; NONE = before or after. */
export function partOf({ points }: Moments, event: number): number {
  if (event < points[0]! || event >= points.at(-1)!) return NONE;
  let low = 0;
  let high = points.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (points[middle]! <= event) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Rounds from a on: what rates are made of. */
export const roundsCounted = ({ iterations, moments }: Scene): number =>
  Math.max(
    1,
    Math.round((iterations.count * (moments.points.length - 1 - moments.from)) / (moments.points.length - 1)),
  );

/** Whether an object was born while a module was imported: that is the program, not its data. */
function importTest(census: Census, { names }: Replay): (stack: number, location: number) => boolean {
  const { parent, code } = census.heap.calls;
  const isImporter = (file: string | null): boolean => file?.startsWith("<frozen importlib") === true;
  // By node of the call tree; callers have smaller numbers.
  const known = new Map<number, boolean>([[0, false]]);
  return (stack, location) => {
    if (isImporter(names.place(location).file)) return true;
    const way: number[] = [];
    let node = stack;
    while (!known.has(node) && !isImporter(names.codePlace(code[node]!).file)) {
      way.push(node);
      node = parent[node]!;
    }
    const answer = known.get(node) ?? true;
    known.set(node, answer);
    for (const one of way) known.set(one, answer);
    return answer;
  };
}
