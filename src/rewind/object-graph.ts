/**
 * The object graph at a moment, as columns: nodes sorted by address, references out of each in the order that the interpreter gave
 * them, and into each. Distances from the roots and dominators are computed once, on demand.
 *
 * Roots come in two ranks. What a program works with (modules, frames) are what a person can let go of; what the
 * interpreter's private state and static memory hold (built-in types and what hangs on them) is there for ever, and explains an object only when the first does not.
 */
import { Failure } from "../base/failure.js";
import { EdgeKind as EDGE, STATE_ROOT, THREAD_ROOT } from "../interpreter/graph.js";
import type { TraceReader } from "../trace/reader.js";
import { joined } from "./graph-columns.js";

export { EdgeKind } from "../interpreter/graph.js";

export const NONE = -1;
const STATE_LABELS = new Set([STATE_ROOT, THREAD_ROOT]);

/** One reference, by its number in the graph. */
export interface Edge {
  /** Node that refers; NONE: the interpreter itself. */
  readonly source: number;
  readonly target: number;
  readonly kind: number;
  readonly label: number;
}

/** Columns as the interpreter's side writes them. */
export interface GraphParts {
  /** address, type (id in the trace), count, bytes of the own block: sorted by address. */
  readonly nodes: readonly Uint32Array[];
  /** Address of the source (0: the interpreter), address of the target, kind, label (or an index). */
  readonly edges: readonly Uint32Array[];
  /** Texts by label. */
  readonly labels: ReadonlyMap<number, string>;
}

export class ObjectGraph {
  readonly address: Uint32Array;
  readonly type: Uint32Array;
  readonly count: Uint32Array;
  readonly bytes: Uint32Array;
  readonly #source: Int32Array;
  readonly #target: Int32Array;
  readonly #kind: Uint32Array;
  readonly #label: Uint32Array;
  readonly #outStart: Int32Array;
  readonly #inStart: Int32Array;
  readonly #inEdges: Int32Array;
  readonly #labels: ReadonlyMap<number, string>;
  /**
   * Keys and members that lead to no node: static objects, such as one-character strings, have a place among the keys of a dict all the same. By
   * the number of the reference that follows each, ascending.
   */
  readonly #gaps: { readonly before: number; readonly source: number; readonly kind: number }[] = [];
  readonly rootEdges: readonly number[];
  readonly #stateLabels: ReadonlySet<number>;
  /** References that were taken for borrowed since their objects' counts have no room for them. */
  readonly surplus: { readonly stack: number; readonly others: number };
  #parent: Int32Array | undefined;
  #holding: readonly number[] | undefined;
  #distance: Int32Array | undefined;

  private constructor({ nodes, edges, labels }: GraphParts) {
    const [address, type, count, bytes] = nodes as readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
    this.address = address;
    this.type = type;
    this.count = count;
    this.bytes = bytes;
    this.#labels = labels;
    const [source, target, kind, label] = edges as readonly [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
    // References to objects that are no nodes (static data that nobody adopted) lead nowhere and are left out.
    const n = address.length;
    const from = new Int32Array(source.length);
    const to = new Int32Array(source.length);
    const dropped = n; // as a source: sorts behind all others
    let kept = 0;
    let lastSource = 0;
    let lastNode = NONE;
    for (let e = 0; e < source.length; e++) {
      if (source[e] !== lastSource) {
        lastSource = source[e]!;
        lastNode = lastSource === 0 ? NONE : this.nodeAt(lastSource);
      }
      to[e] = this.nodeAt(target[e]!);
      const keep = to[e]! >= 0 && (lastSource === 0 || lastNode >= 0);
      from[e] = keep ? lastNode : dropped;
      if (keep) kept++;
    }
    this.#outStart = starts(from, n);
    const roots = this.#outStart[0]!;
    // Stable counting sort by source, the interpreter's own references first: millions of edges take no objects.
    const next = this.#outStart.slice();
    let nextRoot = 0;
    this.#source = new Int32Array(kept);
    this.#target = new Int32Array(kept);
    this.#kind = new Uint32Array(kept);
    this.#label = new Uint32Array(kept);
    for (let e = 0; e < source.length; e++) {
      const owner = from[e]!;
      if (owner === dropped) {
        if ((kind[e] !== EDGE.key && kind[e] !== EDGE.member) || to[e]! >= 0) continue;
        const node = this.nodeAt(source[e]!);
        if (node >= 0) this.#gaps.push({ before: next[node]!, source: node, kind: kind[e]! });
        continue;
      }
      const at = owner === NONE ? nextRoot++ : next[owner]!++;
      this.#source[at] = owner;
      this.#target[at] = to[e]!;
      this.#kind[at] = kind[e]!;
      this.#label[at] = label[e]!;
    }
    this.#inStart = starts(this.#target, n);
    this.#inEdges = new Int32Array(kept);
    const nextIn = this.#inStart.slice();
    for (let e = 0; e < kept; e++) this.#inEdges[nextIn[this.#target[e]!]!++] = e;
    this.rootEdges = Array.from({ length: roots }, (_, e) => e);
    this.#stateLabels = new Set([...labels].flatMap(([id, text]) => (STATE_LABELS.has(text) ? [id] : [])));
    this.surplus = this.#lendSurplus();
  }

  /**
   * No object has more counted references than its count. In the middle of an instruction a stack slot still shows what was given
   * away: where references exceed the count, those of evaluation stacks are taken for borrowed, then variables, then others.
   */
  #lendSurplus(): { stack: number; others: number } {
    const surplus = { stack: 0, others: 0 };
    for (let node = 0; node < this.nodes; node++) {
      let over = -this.count[node]!;
      const first = this.#inStart[node]!;
      const end = this.#inStart[node + 1]!;
      if (end - first <= -over) continue;
      for (let i = first; i < end; i++) {
        const e = this.#inEdges[i]!;
        if (this.#kind[e] !== EDGE.borrowed && !this.isStateRoot(e)) over++;
      }
      for (const rank of [0, 1, 2]) {
        for (let i = first; i < end && over > 0; i++) {
          const e = this.#inEdges[i]!;
          const kind = this.#kind[e]!;
          if (kind === EDGE.borrowed || this.isStateRoot(e)) continue;
          if (rank === 0 ? kind !== EDGE.temporary : rank === 1 && kind !== EDGE.local) continue;
          this.#kind[e] = EDGE.borrowed;
          over--;
          if (rank === 0) surplus.stack++;
          else surplus.others++;
        }
      }
    }
    return surplus;
  }

  /** The graph of an audit; undefined where the trace has none. */
  static load(reader: TraceReader, audit: number): ObjectGraph | undefined {
    const nodes = joined([...reader.graph(audit, "nodes")]);
    if (nodes[0]!.length === 0) return undefined;
    const labels = new Map([...reader.rows("graphLabels")].map(({ id, text }) => [id, text]));
    return ObjectGraph.of({ nodes, edges: joined([...reader.graph(audit, "edges")]), labels });
  }

  /** The graph of these columns; throws Failure where nodes are not sorted by address. */
  static of(parts: GraphParts): ObjectGraph {
    if (!ObjectGraph.isSorted(parts.nodes))
      throw new Failure("the object graph in the trace is damaged; record the program again");
    return new ObjectGraph(parts);
  }

  /** Whether nodes are sorted by address, each there once. */
  static isSorted([address]: readonly Uint32Array[]): boolean {
    for (let i = 1; i < address!.length; i++) if (address![i - 1]! >= address![i]!) return false;
    return true;
  }

  get nodes(): number {
    return this.address.length;
  }

  get edges(): number {
    return this.#source.length;
  }

  /** The node at an address, or NONE. */
  nodeAt(address: number): number {
    let low = 0;
    let high = this.address.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const here = this.address[middle]!;
      if (here === address) return middle;
      if (here < address) low = middle + 1;
      else high = middle - 1;
    }
    return NONE;
  }

  edge(e: number): Edge {
    return { source: this.#source[e]!, target: this.#target[e]!, kind: this.#kind[e]!, label: this.#label[e]! };
  }

  labelText(label: number): string {
    return this.#labels.get(label) ?? "?";
  }

  /** Numbers of the references that a node owns, in its own order. */
  out(node: number): Iterable<number> {
    return range(this.#outStart[node]!, this.#outStart[node + 1]!);
  }

  /** Numbers of the references to a node. */
  *into(node: number): Generator<number> {
    for (let i = this.#inStart[node]!; i < this.#inStart[node + 1]!; i++) yield this.#inEdges[i]!;
  }

  /** Position of a reference among those of the same kind that its source owns: for keys and members, which have no index. */
  rank(e: number): number {
    const source = this.#source[e]!;
    const kind = this.#kind[e];
    let rank = 0;
    for (let at = this.#firstGap(this.#outStart[source]!); at < this.#gaps.length; at++) {
      const gap = this.#gaps[at]!;
      if (gap.before > e) break;
      if (gap.source === source && gap.kind === kind) rank++;
    }
    for (const other of this.out(source)) {
      if (other === e) return rank;
      if (this.#kind[other] === kind) rank++;
    }
    throw new RangeError(`reference ${e} is not its source's`);
  }

  /** The first gap before this reference or a later one. */
  #firstGap(before: number): number {
    let low = 0;
    let high = this.#gaps.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#gaps[middle]!.before < before) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The reference by which a node is reached on a shortest path from a root; NONE for a node of the second rank or not reached. */
  parent(node: number): number {
    this.#search();
    return this.#parent![node]!;
  }

  /** References between a root and the node; NONE when no path leads there. */
  distance(node: number): number {
    this.#search();
    return this.#distance![node]!;
  }

  /**
   * Breadth first from modules and variables of running functions, `__main__` before other modules; then from what frames only have
   * on their stacks; then from the interpreter's private state and static objects.
   */
  #search(): void {
    if (this.#parent) return;
    const n = this.nodes;
    const parent = new Int32Array(n).fill(NONE);
    const distance = new Int32Array(n).fill(NONE);
    const queue = new Int32Array(n);
    let head = 0;
    let tail = 0;
    const reach = (node: number, by: number, far: number): void => {
      if (distance[node] !== NONE) return;
      distance[node] = far;
      parent[node] = by;
      queue[tail++] = node;
    };
    const follow = (): void => {
      while (head < tail) {
        const node = queue[head++]!;
        const all = [...this.out(node)];
        // Where there is a choice, the program's own module names the path.
        all.sort((a, b) => Number(this.#isMain(b)) - Number(this.#isMain(a)) || a - b);
        for (const e of all) reach(this.#target[e]!, e, distance[node]! + 1);
      }
    };
    const fleeting = (e: number): boolean => this.#kind[e] === EDGE.temporary || this.#kind[e] === EDGE.borrowed;
    for (const e of this.rootEdges) if (!this.isStateRoot(e) && !fleeting(e)) reach(this.#target[e]!, e, 1);
    follow();
    for (const e of this.rootEdges) if (fleeting(e)) reach(this.#target[e]!, e, 1);
    follow();
    for (const e of this.holdingRoots()) reach(this.#target[e]!, e, 1);
    follow();
    for (let node = 0; node < n; node++) if (this.bytes[node] === 0) reach(node, NONE, 0);
    follow();
    this.#parent = parent;
    this.#distance = distance;
  }

  /** Whether a root is a word of the interpreter's or a thread's private state: found by its value, so not certain to be counted. */
  isStateRoot(e: number): boolean {
    return this.#kind[e] === EDGE.root && this.#stateLabels.has(this.#label[e]!);
  }

  /**
   * Roots that keep their object alive: all but those words of the private state for which the other references leave no room in the
   * count, such as the borrowed ones of the cache of methods.
   */
  holdingRoots(): readonly number[] {
    if (this.#holding) return this.#holding;
    const room = new Map<number, boolean>();
    this.#holding = [...this.rootEdges].filter((e) => {
      if (!this.isStateRoot(e)) return true;
      const node = this.#target[e]!;
      let has = room.get(node);
      if (has === undefined) {
        has = this.#hasRoom(node);
        room.set(node, has);
      }
      return has;
    });
    return this.#holding;
  }

  #hasRoom(node: number): boolean {
    const count = this.count[node]!;
    const [first, end] = [this.#inStart[node]!, this.#inStart[node + 1]!];
    // Immortal ones, to which thousands of roots and other references lead.
    if (end - first < count) return true;
    let others = 0;
    for (let i = first; i < end; i++) {
      const e = this.#inEdges[i]!;
      if (this.#kind[e] !== EDGE.borrowed && !this.isStateRoot(e)) others++;
    }
    return others < count;
  }

  #isMain(e: number): boolean {
    return this.#kind[e] === EDGE.value && this.labelText(this.#label[e]!) === "'__main__'";
  }
}

function* range(from: number, to: number): Generator<number> {
  for (let i = from; i < to; i++) yield i;
}

/** For owners 0…n-1 in any order: where each one's rows begin when grouped. Rows of NONE come before all; owner n is nobody. */
function starts(owner: Int32Array, n: number): Int32Array {
  const at = new Int32Array(n + 1);
  let before = 0;
  for (const o of owner) {
    if (o < 0) before++;
    else if (o < n) at[o + 1]!++;
  }
  at[0] = before;
  for (let i = 0; i < n; i++) at[i + 1]! += at[i]!;
  return at;
}
