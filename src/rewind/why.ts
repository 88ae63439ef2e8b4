/**
 * Why is this object still alive? For one object, or every object of a type, at a moment whose graph the trace has: who holds it,
 * along which paths, how many of its references the graph explains, and what would go if it went. Objects of one type whose
 * paths have one shape are one cause and one answer.
 */
import { Failure } from "../base/failure.js";
import { type TypeId, typeId } from "../base/ids.js";
import { EdgeKind as EDGE } from "../interpreter/graph.js";
import type { TraceReader } from "../trace/reader.js";
import { type Dominators, dominators } from "./dominators.js";
import { ObjectGraph } from "./object-graph.js";
import { type Path, pathsTo, shapeOf } from "./paths.js";

export interface WhyObject {
  readonly address: number;
  readonly type: string;
  /** Bytes of its own block; 0 = static memory. */
  readonly size: number;
}

export interface WhyStep {
  /** What the step adds to the expression. */
  readonly name: string;
  readonly expression: string;
  readonly type: string;
  readonly address: number;
  /** What would go if this object went, when every path to the asked one leads through it; null when not. */
  readonly retainedObjects: number | null;
  readonly retainedBytes: number | null;
}

export interface WhyPath {
  readonly root: string;
  readonly expression: string;
  readonly steps: readonly WhyStep[];
}

export interface WhyAnswer {
  readonly object: WhyObject;
  /** How many objects of the type have a path of this shape, this one among them, and their own bytes. */
  readonly alike: number;
  readonly alikeBytes: number;
  readonly refcount: number;
  readonly immortal: boolean;
  /** Counted references that the graph shows, and those that it does not: held by C code, or leaked by it. */
  readonly explained: number;
  readonly unexplained: number;
  /** References that frames borrow without counting them. */
  readonly borrowed: number;
  readonly retainedObjects: number;
  readonly retainedBytes: number;
  readonly paths: readonly WhyPath[];
}

export interface WhyResult {
  /** The event before which the graph was taken. */
  readonly event: number;
  readonly asked: string;
  readonly objects: number;
  readonly answers: readonly WhyAnswer[];
}

export interface WhyOptions {
  /** Most different paths to an object; 3 by default. */
  readonly paths?: number;
}

const IMMORTAL = 2 ** 30;

/** `asked`: `0x…`, `TypeName` or `TypeName[n]` (n-th by address, from 1). Throws Failure when nothing fits. */
export function why(reader: TraceReader, asked: string, options: WhyOptions = {}): WhyResult {
  const audit = reader.audits().at(-1);
  const graph = audit && ObjectGraph.load(reader, audit.id);
  if (!audit || !graph)
    throw new Failure(
      `${reader.path}: has no object graph; record it again without --no-graphs, and to the program's end`,
    );
  const names = new Map<number, string>();
  const typeName = (id: number): string => {
    let name = names.get(id);
    if (name === undefined) {
      name = reader.type(typeId(id) as TypeId)?.name ?? `type ${id}`;
      names.set(id, name);
    }
    return name;
  };
  const nodes = select(graph, asked, typeName);
  const tree = dominators(graph);
  const most = options.paths ?? 3;
  const groups = new Map<string, number[]>();
  for (const node of nodes) {
    const [path] = pathsTo(graph, node, 1);
    const shape = path ? shapeOf(graph, path) : "";
    const group = groups.get(shape);
    if (group) group.push(node);
    else groups.set(shape, [node]);
  }
  const answers = [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .map((group): WhyAnswer => {
      const node = group[0]!;
      const { explained, borrowed } = references(graph, node);
      const refcount = graph.count[node]!;
      const immortal = refcount >= IMMORTAL;
      return {
        object: { address: graph.address[node]!, type: typeName(graph.type[node]!), size: graph.bytes[node]! },
        alike: group.length,
        alikeBytes: group.reduce((sum, one) => sum + graph.bytes[one]!, 0),
        refcount,
        immortal,
        explained,
        unexplained: immortal ? 0 : refcount - explained,
        borrowed,
        retainedObjects: tree.retainedObjects[node]!,
        retainedBytes: tree.retainedBytes[node]!,
        paths: pathsTo(graph, node, most).map((path) => answerPath(graph, tree, node, path, typeName)),
      };
    });
  return { event: audit.event, asked, objects: nodes.length, answers };
}

/** A path with names, and with what would go at each step that every path to the node leads through. */
export function answerPath(
  graph: ObjectGraph,
  tree: Dominators,
  node: number,
  path: Path,
  typeName: (id: number) => string,
): WhyPath {
  const over = new Set<number>();
  for (let at = node; at >= 0; at = tree.immediate[at]!) over.add(at);
  return {
    root: path.root,
    expression: path.expression,
    steps: path.steps.map((step) => ({
      name: step.name,
      expression: step.expression,
      type: typeName(graph.type[step.node]!),
      address: graph.address[step.node]!,
      retainedObjects: over.has(step.node) ? tree.retainedObjects[step.node]! : null,
      retainedBytes: over.has(step.node) ? tree.retainedBytes[step.node]! : null,
    })),
  };
}

/**
 * How many counted references to a node the graph shows, and how many more frames borrow without counting.
 *
 * Words of the interpreter's private state explain no more than what the other references leave.
 */
export function references(graph: ObjectGraph, node: number): { explained: number; borrowed: number } {
  let explained = 0;
  let borrowed = 0;
  let state = 0;
  for (const e of graph.into(node)) {
    if (graph.edge(e).kind === EDGE.borrowed) borrowed++;
    else if (graph.isStateRoot(e)) state++;
    else explained++;
  }
  return { explained: explained + Math.max(0, Math.min(state, graph.count[node]! - explained)), borrowed };
}

function select(graph: ObjectGraph, asked: string, typeName: (id: number) => string): number[] {
  if (/^0x[0-9a-f]+$/i.test(asked)) {
    const node = graph.nodeAt(Number(asked));
    if (node < 0)
      throw new Failure(`${asked}: no object lives there at the program's end; name a type to see what does`);
    return [node];
  }
  const [, name, nth] = /^(.*?)(?:\[(\d+)\])?$/s.exec(asked)!;
  const fitting: number[] = [];
  for (let node = 0; node < graph.nodes; node++) if (typeName(graph.type[node]!) === name) fitting.push(node);
  if (fitting.length === 0) {
    const near = similar(graph, name!, typeName);
    throw new Failure(`${asked}: no object of that type is alive at the program's end; ${near}`);
  }
  if (nth === undefined) return fitting;
  const one = fitting[Number(nth) - 1];
  if (one === undefined)
    throw new Failure(`${asked}: only ${fitting.length} objects of that type are alive at the program's end`);
  return [one];
}

/** What there is instead: types whose name has the asked one in it, or the most frequent. */
function similar(graph: ObjectGraph, name: string, typeName: (id: number) => string): string {
  const counts = new Map<string, number>();
  for (const type of graph.type) counts.set(typeName(type), (counts.get(typeName(type)) ?? 0) + 1);
  const all = [...counts].sort((a, b) => b[1] - a[1]).map(([one]) => one);
  const alike = all.filter((one) => one.toLowerCase().includes(name.toLowerCase()));
  return `there are ${(alike.length > 0 ? alike : all).slice(0, 6).join(", ")}`;
}
