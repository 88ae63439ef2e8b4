/** The whole state of the fold and of the naive model, in a form that can be compared: stacks spelled out, rows by address. */
import type { Heap } from "../../src/replay/heap.js";
import type { NaiveHeap } from "./naive-heap.js";

const byAddress = (x: { address: number }, y: { address: number }): number => x.address - y.address;

/** Code and call location of each frame, outermost first, as the naive model writes it. */
export function pathOf(heap: Heap, node: number): string {
  const { parent, code, location } = heap.calls;
  const path: string[] = [];
  for (let at = node; at !== 0; at = parent[at]!) path.push(`${code[at]}@${location[at]}`);
  return path.reverse().join(" ");
}

export function stateOf(heap: Heap): unknown {
  return {
    objects: [...heap.eachObject()].map((object) => ({ ...object, stack: pathOf(heap, object.stack) })).sort(byAddress),
    blocks: [...heap.eachBlock()].sort(byAddress),
    stray: heap.strayEvents,
    born: heap.born,
    frame: pathOf(heap, heap.frame),
  };
}

export function stateOfNaive(heap: NaiveHeap): unknown {
  const rows = <R extends object>(map: Map<number, R>): (R & { address: number })[] =>
    [...map].sort(([x], [y]) => x - y).map(([address, row]) => ({ address, ...row }));
  return {
    objects: rows(heap.objects),
    blocks: rows(heap.blocks),
    stray: heap.stray,
    born: heap.born,
    frame: heap.stack.join(" "),
  };
}
