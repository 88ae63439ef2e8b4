/** How much of an object's count the graph explains. */
import { EdgeKind as EDGE } from "../interpreter/graph.js";
import type { ObjectGraph } from "./object-graph.js";

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
