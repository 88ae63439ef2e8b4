/**
 * Retaining paths: how an object is reached from a root, step by step and as an expression that Python would understand. The
 * shortest comes first; others follow that enter the object, or its last holders, in another way.
 */
import { EdgeKind as EDGE } from "../interpreter/graph.js";
import { NONE, type ObjectGraph } from "./object-graph.js";
import { IDENTIFIER, shapeOf } from "./shapes.js";

export { shapeOf };

/** One reference on the way from a root to the object. */
export interface Step {
  /** Number of the reference in the graph. */
  readonly edge: number;
  /** What the step adds to the expression: `.cache`, `['k']`, `[3]`. */
  readonly name: string;
  /** The expression up to and with this step. */
  readonly expression: string;
  /** Node that the step leads to. */
  readonly node: number;
}

export interface Path {
  /** What kind of root it begins at: "modules", "frame", "interpreter" or "static"; "garbage": at none, but in a cycle. */
  readonly root: string;
  readonly expression: string;
  readonly steps: readonly Step[];
}

/** The shortest path to a node and up to `most` - 1 others, shortest first; none where no root reaches it. */
export function pathsTo(graph: ObjectGraph, node: number, most: number): Path[] {
  const first = backwards(graph, node);
  if (!first) return [];
  const found = [describe(graph, first)];
  const shapes = new Set([shapeOf(graph, found[0]!)]);
  // Every other reference to the object ends a path of its own; the shortest by each are the candidates.
  const others: { edges: number[] }[] = [];
  for (const e of graph.into(node)) {
    if (e === first.at(-1)) continue;
    const { source } = graph.edge(e);
    const before = source === NONE ? [] : source === node ? undefined : backwards(graph, source);
    if (!before || before.some((step) => graph.edge(step).source === node || graph.edge(step).target === node))
      continue;
    others.push({ edges: [...before, e] });
  }
  others.sort((a, b) => weight(graph, a.edges) - weight(graph, b.edges));
  for (const { edges } of others) {
    if (found.length >= most) break;
    const path = describe(graph, edges);
    const shape = shapeOf(graph, path);
    // A module of a package is both in `sys.modules` and an attribute of the package: for Python one expression.
    if (shapes.has(shape) || found.some(({ expression }) => expression === path.expression)) continue;
    shapes.add(shape);
    found.push(path);
  }
  return found;
}

/** Paths through what a live frame only has on its evaluation stack rank behind durable holders. */
function weight(graph: ObjectGraph, edges: readonly number[]): number {
  const fleeting = edges.some((e) => graph.edge(e).kind === EDGE.temporary || graph.edge(e).kind === EDGE.borrowed);
  return edges.length + (fleeting ? 1e6 : 0);
}

/** References from a root to the node along the search tree; undefined where no root reaches it. */
function backwards(graph: ObjectGraph, node: number): number[] | undefined {
  if (graph.distance(node) === NONE) return undefined;
  const edges: number[] = [];
  for (let at = node; ; ) {
    const e = graph.parent(at);
    if (e === NONE) break;
    edges.push(e);
    const { source } = graph.edge(e);
    if (source === NONE) break;
    at = source;
  }
  return edges.reverse();
}

/** A path by its references. `name`: of the object that it begins at, where that is no root. */
export function describe(graph: ObjectGraph, edges: readonly number[], name?: string): Path {
  const first = edges[0];
  const start = first === undefined ? undefined : graph.edge(first);
  let root = name === undefined ? "static" : "garbage";
  let expression = name ?? (start && start.source !== NONE ? `<static ${hex(graph.address[start.source]!)}>` : "");
  const steps: Step[] = [];
  edges.forEach((e, i) => {
    const { kind, label, source, target } = graph.edge(e);
    const text = graph.labelText(label);
    const before = expression;
    if (source === NONE) {
      root = kind === EDGE.root ? (text === "sys.modules" ? "modules" : "interpreter") : "frame";
      expression = text;
    } else if (kind === EDGE.attribute) expression = `${before}.${text}`;
    else if (kind === EDGE.item) expression = `${before}[${label}]`;
    else if (kind === EDGE.value) {
      const name = IDENTIFIER.exec(text)?.[1];
      if (before === "sys.modules" && i === 1) expression = text.slice(1, -1);
      else if (name !== undefined && before.endsWith(".__dict__"))
        expression = `${before.slice(0, -".__dict__".length)}.${name}`;
      else expression = `${before}[${text}]`;
    } else if (kind === EDGE.key || kind === EDGE.member) expression = `list(${before})[${graph.rank(e)}]`;
    else if (kind === EDGE.type) expression = `type(${before})`;
    else if (kind === EDGE.local) expression = `${before}.${text}`;
    else if (kind === EDGE.temporary || kind === EDGE.borrowed) expression = `${before}.<${text}>`;
    else expression = label === 0 ? `${before}.<unnamed>` : `${before}.<field at +${label}>`;
    steps.push({
      edge: e,
      name: stepName(expression, before, kind),
      expression,
      node: target,
    });
  });
  return { root, expression, steps };
}

/** What a step adds: the tail of the expression, or for keys, members and types what is done to it. */
function stepName(expression: string, before: string, kind: number): string {
  if (expression.startsWith(before)) return expression.slice(before.length);
  if (kind === EDGE.key || kind === EDGE.member) return `list(…)${expression.slice(expression.lastIndexOf("["))}`;
  if (kind === EDGE.type) return "type(…)";
  const stem = before.endsWith(".__dict__") ? before.slice(0, -".__dict__".length) : "";
  return stem !== "" && expression.startsWith(stem) ? expression.slice(stem.length) : expression;
}

const hex = (address: number): string => `0x${address.toString(16)}`;
