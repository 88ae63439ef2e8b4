/**
 * Strongly connected components with a cycle in them (several nodes, or one that refers to itself), numbered from 1 in `cycle`. Tarjan's
 * algorithm ("Depth-first search and linear graph algorithms", 1972), without recursion: chains can be a million long.
 */
export function cyclesOf(
  nodes: number,
  edges: readonly { readonly from: number; readonly to: number }[],
): { cycle: Uint32Array; cycles: number } {
  const start = new Int32Array(nodes + 1);
  for (const { from } of edges) start[from + 1]!++;
  for (let i = 0; i < nodes; i++) start[i + 1]! += start[i]!;
  const targets = new Int32Array(edges.length);
  const fill = start.slice();
  const selfish = new Uint8Array(nodes);
  for (const { from, to } of edges) {
    targets[fill[from]!++] = to;
    if (from === to) selfish[from] = 1;
  }
  const order = new Int32Array(nodes).fill(-1);
  const low = new Int32Array(nodes);
  const onStack = new Uint8Array(nodes);
  const next = start.slice(0, nodes);
  const cycle = new Uint32Array(nodes);
  const stack: number[] = [];
  let counter = 0;
  let cycles = 0;
  for (let root = 0; root < nodes; root++) {
    if (order[root] !== -1) continue;
    const path = [root];
    while (path.length > 0) {
      const node = path[path.length - 1]!;
      if (order[node] === -1) {
        order[node] = low[node] = counter++;
        stack.push(node);
        onStack[node] = 1;
      }
      if (next[node]! < start[node + 1]!) {
        const target = targets[next[node]!++]!;
        if (order[target] === -1) path.push(target);
        else if (onStack[target] === 1) low[node] = Math.min(low[node]!, order[target]!);
        continue;
      }
      path.pop();
      const above = path[path.length - 1];
      if (above !== undefined) low[above] = Math.min(low[above]!, low[node]!);
      if (low[node] !== order[node]) continue;
      const from = stack.lastIndexOf(node);
      const part = stack.splice(from);
      for (const one of part) onStack[one] = 0;
      if (part.length === 1 && selfish[node] === 0) continue;
      cycles++;
      for (const one of part) cycle[one] = cycles;
    }
  }
  return { cycle, cycles };
}
