/**
 * Garbage that waits for the collector: what no root reaches, though the graph explains every reference to it. It is kept by a cycle, its
 * own or another that leads to it. What C code holds is no garbage, and neither is what that leads to: the method is the collector's
 * (Python/gc.c, `deduce_unreachable`), counts less the references found.
 */
import { cyclesOf } from "./components.js";
import { NONE, type ObjectGraph } from "./object-graph.js";
import { references } from "./references.js";
import { partOf } from "./shapes.js";

/** Counts from here on are those of immortal objects. */
const IMMORTAL = 2 ** 30;

/** What keeps a piece of garbage, as numbers of references in the graph. */
export interface Ring {
  /** A node of the cycle: the asked one, if it is in a cycle, else the nearest to it that is. */
  readonly start: number;
  /** The shortest way from that node back to itself. */
  readonly ring: readonly number[];
  /** From there to the asked one; empty where that is itself. */
  readonly path: readonly number[];
}

/** Looks at garbage only when first asked for some. */
export class Garbage {
  readonly #graph: ObjectGraph;
  /** For nodes that no root reaches: 1 = garbage, 0 = C code holds it, or what leads to it. Undefined = nobody asked. */
  #isGarbage: Uint8Array | undefined;
  /** By node: the cycle that it is in, from 1; 0 = none. */
  #cycle: Uint32Array = new Uint32Array(0);
  readonly #shapes = new Map<string, string>();

  constructor(graph: ObjectGraph) {
    this.#graph = graph;
  }

  has(node: number): boolean {
    return this.#graph.distance(node) === NONE && this.#marks()[node] === 1;
  }

  #marks(): Uint8Array {
    if (this.#isGarbage) return this.#isGarbage;
    const graph = this.#graph;
    const marks = new Uint8Array(graph.nodes);
    const held: number[] = [];
    for (let node = 0; node < graph.nodes; node++) {
      if (graph.distance(node) !== NONE) continue;
      marks[node] = 1;
      const count = graph.count[node]!;
      if (count >= IMMORTAL || count > references(graph, node).explained) held.push(node);
    }
    for (const node of held) marks[node] = 0;
    for (let node = held.pop(); node !== undefined; node = held.pop()) {
      for (const e of graph.out(node)) {
        const { target } = graph.edge(e);
        if (marks[target] === 0) continue;
        marks[target] = 0;
        held.push(target);
      }
    }
    this.#isGarbage = marks;
    this.#cycle = this.#cycles(marks);
    return marks;
  }

  #cycles(marks: Uint8Array): Uint32Array {
    const graph = this.#graph;
    const nodes: number[] = [];
    const place = new Int32Array(graph.nodes).fill(NONE);
    marks.forEach((mark, node) => {
      if (mark === 1) place[node] = nodes.push(node) - 1;
    });
    const edges: { from: number; to: number }[] = [];
    nodes.forEach((node, from) => {
      for (const e of graph.out(node)) {
        const to = place[graph.edge(e).target]!;
        if (to !== NONE) edges.push({ from, to });
      }
    });
    const { cycle } = cyclesOf(nodes.length, edges);
    const all = new Uint32Array(graph.nodes);
    nodes.forEach((node, i) => {
      all[node] = cycle[i]!;
    });
    return all;
  }

  /** The cycle that keeps a piece of garbage; undefined where none is found. */
  ringOf(node: number): Ring | undefined {
    if (!this.has(node)) return undefined;
    const back = this.#nearest(node);
    return back && { ...back, ring: this.#shortest(back.start) };
  }

  /** The nearest node that is in a cycle and leads to this one. */
  #nearest(node: number): { start: number; path: number[] } | undefined {
    const graph = this.#graph;
    /** By node: the reference by which it leads on. */
    const next = new Map<number, number>([[node, NONE]]);
    const queue = [node];
    for (const at of queue) {
      if (this.#cycle[at] !== 0) {
        const path: number[] = [];
        for (let e = next.get(at)!; e !== NONE; e = next.get(graph.edge(e).target)!) path.push(e);
        return { start: at, path };
      }
      for (const e of graph.into(at)) {
        const { source } = graph.edge(e);
        if (source === NONE || next.has(source)) continue;
        next.set(source, e);
        queue.push(source);
      }
    }
    return undefined;
  }

  /** The shortest way from a node of a cycle back to it. */
  #shortest(start: number): number[] {
    const graph = this.#graph;
    const by = new Map<number, number>();
    const queue = [start];
    for (const at of queue) {
      for (const e of graph.out(at)) {
        const { target } = graph.edge(e);
        if (this.#cycle[target] !== this.#cycle[start] || by.has(target)) continue;
        by.set(target, e);
        if (target !== start) queue.push(target);
        else {
          const ring: number[] = [];
          let node = start;
          do {
            const edge = by.get(node)!;
            ring.push(edge);
            node = graph.edge(edge).source;
          } while (node !== start);
          return ring.reverse();
        }
      }
    }
    throw new RangeError(`node ${start} is in no cycle`);
  }

  /**
   * What garbage has in common when one cause made it: the steps of its cycle, wherever one enters it and however many they are, and the way
   * from there. Undefined where no cycle is found.
   */
  shapeOf(node: number): string | undefined {
    const back = this.has(node) ? this.#nearest(node) : undefined;
    if (!back) return undefined;
    const { start, path } = back;
    const parts = (edges: readonly number[]): string[] => edges.map((e) => partOf(this.#graph, e));
    // Objects of one type in one tangle of cycles have one cause: a cycle of ten thousand is gone around once.
    const key = `${this.#cycle[start]} ${this.#graph.type[start]}`;
    let ring = this.#shapes.get(key);
    if (ring === undefined) {
      ring = [...new Set(parts(this.#shortest(start)).sort())].join("/");
      this.#shapes.set(key, ring);
    }
    return ["garbage", ring, ...parts(path)].join("//");
  }

  /** What goes with it when the collector takes it: the garbage that it leads to, itself included. */
  leadsTo(node: number): { objects: number; bytes: number } {
    const graph = this.#graph;
    const marks = this.#marks();
    const seen = new Set([node]);
    let bytes = 0;
    for (const at of seen) {
      bytes += graph.bytes[at]!;
      for (const e of graph.out(at)) {
        const { target } = graph.edge(e);
        if (marks[target] === 1) seen.add(target);
      }
    }
    return { objects: seen.size, bytes };
  }
}
