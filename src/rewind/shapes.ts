/**
 * Shapes of paths: what paths have in common when one cause made them. A shape has the kinds and names of the steps and the types on the way; it has no
 * keys and indices, and it does not tell how long a chain is: `head.prev`, `head.prev.prev` and `head` itself have one shape once
 * `.prev` is seen to repeat. So have all nodes of a tree whose `.left` and `.right` repeat.
 *
 * A *unit* is up to eight steps that follow each other twice. Where steps spell a unit, and end at an object of the type at which they
 * began, they are left out.
 */
import { EdgeKind as EDGE } from "../interpreter/graph.js";
import { NONE, type ObjectGraph } from "./object-graph.js";
import type { Path } from "./paths.js";

/** Steps of a unit, at most. */
const LONGEST_UNIT = 8;

/** The text of a dict's key that is an identifier. */
export const IDENTIFIER = /^'([A-Za-z_]\w*)'$/;

/** What of one step is part of the shape. */
export function partOf(graph: ObjectGraph, e: number): string {
  const { kind, label, target } = graph.edge(e);
  const named = kind === EDGE.attribute || kind === EDGE.root || kind === EDGE.local;
  // Names in a module or a class are part of the cause; keys of the program's own dicts are not.
  const key = kind === EDGE.value && IDENTIFIER.test(graph.labelText(label)) && isNamespace(graph, e);
  return `${kind}:${named || key ? graph.labelText(label) : ""}:${graph.type[target]}`;
}

/**
 * Whether the dict that owns the reference is somebody's `__dict__`, or `sys.modules`. A word of the interpreter's private state that leads to a dict says
 * nothing of it: the cache of methods has whatever was looked up in a class.
 */
export function isNamespace(graph: ObjectGraph, e: number): boolean {
  for (const into of graph.into(graph.edge(e).source)) {
    const { kind, label } = graph.edge(into);
    if (
      kind === EDGE.root ? !graph.isStateRoot(into) : kind === EDGE.attribute && graph.labelText(label) === "__dict__"
    )
      return true;
  }
  return false;
}

/** The shape of one path by itself. */
export function shapeOf(graph: ObjectGraph, { root, steps }: Path): string {
  const shapes = new Shapes();
  const tokens = steps.map(({ edge }) => shapes.token(partOf(graph, edge), graph.type[graph.edge(edge).target]!));
  tokens.forEach((_, i) => {
    shapes.learn((back) => tokens[i - back]);
  });
  const shape = tokens.reduce((at, token) => shapes.after(at, token), TOP);
  return [root, ...shapes.parts(shape)].join("/");
}

/**
 * Shapes of the shortest paths to all these nodes, which are equal where one cause made them; undefined for those that no root reaches. A unit that repeats
 * on the way to one of them is left out for all.
 */
export function shapesOf(graph: ObjectGraph, nodes: readonly number[]): (number | undefined)[] {
  const shapes = new Shapes();
  const above = new Int32Array(graph.nodes).fill(NONE);
  const token = new Int32Array(graph.nodes).fill(UNKNOWN);
  /** All nodes on the ways, each behind the one that it is reached from. */
  const order: number[] = [];
  for (const node of nodes) {
    const way: number[] = [];
    for (let at = node; at !== NONE && token[at] === UNKNOWN && graph.distance(at) !== NONE; at = above[at]!) {
      const e = graph.parent(at);
      token[at] = e === NONE ? START : shapes.token(partOf(graph, e), graph.type[at]!);
      above[at] = e === NONE ? NONE : graph.edge(e).source;
      way.push(at);
    }
    order.push(...way.reverse());
  }
  const recent: number[] = [];
  for (const node of order) {
    recent.length = 0;
    for (let at = node; at !== NONE && token[at] !== START && recent.length < 2 * LONGEST_UNIT; at = above[at]!)
      recent.push(token[at]!);
    shapes.learn((back) => recent[back]);
  }
  const shapeAt = new Int32Array(graph.nodes).fill(TOP);
  const from = new Map<number, number>();
  for (const node of order) {
    const before = above[node] === NONE ? TOP : shapeAt[above[node]!]!;
    // Static objects are roots, each type its own.
    if (token[node] === START) {
      let start = from.get(graph.type[node]!);
      if (start === undefined) {
        start = shapes.after(TOP, shapes.token("static", graph.type[node]!));
        from.set(graph.type[node]!, start);
      }
      shapeAt[node] = start;
    } else shapeAt[node] = shapes.after(before, token[node]!);
  }
  return nodes.map((node) => (graph.distance(node) === NONE ? undefined : shapeAt[node]!));
}

const UNKNOWN = -1;
/** Of a node that is a root itself. */
const START = -2;
/** The shape of no steps. */
const TOP = 0;

/** Shapes as numbers: each is one step behind a shorter one. */
class Shapes {
  readonly #tokens = new Map<string, number>();
  readonly #partOf: string[] = [];
  readonly #typeOf: number[] = [];
  readonly #units = new Set<string>();
  readonly #longer = new Map<string, number>();
  readonly #shorter: number[] = [TOP];
  readonly #last: number[] = [UNKNOWN];

  token(part: string, type: number): number {
    let token = this.#tokens.get(part);
    if (token === undefined) {
      token = this.#partOf.push(part) - 1;
      this.#typeOf.push(type);
      this.#tokens.set(part, token);
    }
    return token;
  }

  /** Takes note of the units with which a way ends. `token(0)` is its last step, `token(1)` the one before; undefined = it has no more. */
  learn(token: (back: number) => number | undefined): void {
    for (let steps = 1; steps <= LONGEST_UNIT; steps++) {
      let same = true;
      for (let back = 0; back < steps && same; back++) {
        const before = token(back + steps);
        same = before !== undefined && before === token(back);
      }
      if (!same) continue;
      this.#units.add(Array.from({ length: steps }, (_, back) => token(back)).join());
      return;
    }
  }

  /** The shape with one step more. */
  after(shape: number, token: number): number {
    const key = `${shape} ${token}`;
    let longer = this.#longer.get(key);
    if (longer === undefined) {
      longer = this.#shorter.push(shape) - 1;
      this.#last.push(token);
      this.#longer.set(key, this.#withoutUnit(longer));
    }
    return this.#longer.get(key)!;
  }

  #withoutUnit(shape: number): number {
    const tokens: number[] = [];
    let at = shape;
    for (let steps = 1; steps <= LONGEST_UNIT && at !== TOP; steps++) {
      tokens.push(this.#last[at]!);
      at = this.#shorter[at]!;
      if (at !== TOP && this.#typeOf[this.#last[at]!] === this.#typeOf[tokens[0]!] && this.#units.has(tokens.join()))
        return at;
    }
    return shape;
  }

  /** Its steps, from the first. */
  parts(shape: number): string[] {
    const parts: string[] = [];
    for (let at = shape; at !== TOP; at = this.#shorter[at]!) parts.push(this.#partOf[this.#last[at]!]!);
    return parts.reverse();
  }
}
