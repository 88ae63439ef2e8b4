/**
 * Dominators of the object graph: D dominates T when every path from a root to T passes D, so that T goes when D goes. By the
 * algorithm of Cooper, Harvey and Kennedy ("A Simple, Fast Dominance Algorithm", 2001): intersect along the tree in reverse
 * postorder until nothing changes. One virtual root stands over all roots; what no root reaches has no dominator.
 */
import { NONE, type ObjectGraph } from "./object-graph.js";

export interface Dominators {
  /** The nearest dominator of each node; NONE where it is the virtual root, or the node is not reached. */
  readonly immediate: Int32Array;
  /** Objects, and bytes of their own blocks, that go when the node goes, itself included; 0 where it is not reached. */
  readonly retainedObjects: Uint32Array;
  readonly retainedBytes: Float64Array;
}

export function dominators(graph: ObjectGraph): Dominators {
  const n = graph.nodes;
  const roots = new Set<number>(graph.holdingRoots().map((e) => graph.edge(e).target));
  for (let node = 0; node < n; node++) if (graph.bytes[node] === 0) roots.add(node);
  const order = postorder(graph, roots);
  const position = new Int32Array(n + 1).fill(NONE);
  order.forEach((node, i) => {
    position[node] = i;
  });
  const top = n; // the virtual root
  position[top] = order.length;
  const idom = new Int32Array(n + 1).fill(NONE);
  idom[top] = top;
  const intersect = (a: number, b: number): number => {
    let x = a;
    let y = b;
    while (x !== y) {
      while (position[x]! < position[y]!) x = idom[x]!;
      while (position[y]! < position[x]!) y = idom[y]!;
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = order.length - 1; i >= 0; i--) {
      const node = order[i]!;
      let best = roots.has(node) ? top : NONE;
      for (const e of graph.into(node)) {
        const { source } = graph.edge(e);
        if (source === NONE || idom[source] === NONE) continue;
        best = best === NONE ? source : intersect(source, best);
      }
      if (idom[node] !== best) {
        idom[node] = best;
        changed = true;
      }
    }
  }
  const retainedObjects = new Uint32Array(n);
  const retainedBytes = new Float64Array(n);
  for (const node of order) {
    retainedObjects[node]! += 1;
    retainedBytes[node]! += graph.bytes[node]!;
    const above = idom[node]!;
    if (above === top || above === NONE) continue;
    retainedObjects[above]! += retainedObjects[node]!;
    retainedBytes[above]! += retainedBytes[node]!;
  }
  const immediate = idom.slice(0, n);
  for (let node = 0; node < n; node++) if (immediate[node] === top) immediate[node] = NONE;
  return { immediate, retainedObjects, retainedBytes };
}

/** Nodes that a root reaches, each after everything first reached through it. Iterative: chains can be a million long. */
function postorder(graph: ObjectGraph, roots: ReadonlySet<number>): number[] {
  const seen = new Uint8Array(graph.nodes);
  const order: number[] = [];
  for (const root of roots) {
    if (seen[root]) continue;
    seen[root] = 1;
    const stack: { node: number; edges: Iterator<number> }[] = [
      { node: root, edges: graph.out(root)[Symbol.iterator]() },
    ];
    while (stack.length > 0) {
      const { node, edges } = stack[stack.length - 1]!;
      const next = edges.next();
      if (next.done) {
        order.push(node);
        stack.pop();
        continue;
      }
      const { target } = graph.edge(next.value);
      if (seen[target]) continue;
      seen[target] = 1;
      stack.push({ node: target, edges: graph.out(target)[Symbol.iterator]() });
    }
  }
  return order;
}
