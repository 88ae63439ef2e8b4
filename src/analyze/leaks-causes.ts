/** Causes of growth, one a cluster: whether one is a leak by itself, which reference of an entry its holder keeps, and what to do about it. */
import { EdgeKind, NONE } from "../rewind/object-graph.js";
import { type Made, storesOf } from "../rewind/provenance.js";
import { type Cluster, mergeInto } from "./leaks-holders.js";
import { handedReference, type KeptReference, referenceAt, storedReference, storingScore } from "./leaks-ledger.js";
import { namedAt, partOf, type Scene } from "./leaks-scene.js";

/**
 * Whether the holder, or what it hangs on, got the name by which it is kept only after all of it was in it: a list that one expression makes,
 * `[f(x) for x in …]`, or what a function fills and returns. It was built once, as large as it was meant to be. A container that replaces an older one
 * (`a = a + [x]`) is younger than what is in it.
 */
export function wasUnderConstruction(scene: Scene, { holder, entries }: Cluster): boolean {
  const { graph, birth } = scene;
  let last = 0;
  for (const entry of entries) last = Math.max(last, birth[entry]!);
  for (let node = holder; node !== NONE && birth[node]! >= 0; ) {
    if (entries.some((entry) => birth[entry]! <= birth[node]!)) return false;
    const named = namedAt(scene, node);
    if (named !== undefined && named > last) return true;
    const edge = graph!.parent(node);
    node = edge === NONE ? NONE : graph!.edge(edge).source;
  }
  return false;
}

/**
 * Whether a cause by itself brings something in each third of the time: a group may grow although each of its holders was filled at once.
 * What words of the interpreter's private state hold directly (the method cache, say) is bounded by the size of those tables.
 */
export function goesOn(scene: Scene, { holder, entries, born }: Cluster, isBacklog: boolean): boolean {
  const { graph } = scene;
  const isState = (entry: number): boolean => graph!.parent(entry) === NONE || graph!.isStateRoot(graph!.parent(entry));
  if (holder === NONE && entries.every(isState)) return false;
  if (holder !== NONE && isListOfSubclasses(scene, holder, entries)) return false;
  return isBacklog || (born.first > 0 && born.second > 0 && born.third > 0);
}

/**
 * Whether weak references, by the addresses of what they refer to, are kept in a class's list of its subclasses (`tp_subclasses`; of a built-in
 * class it is in the interpreter's state). An entry goes with the class that it is for: if that class is kept, that is the finding, and
 * if it is garbage, the next collection takes both.
 */
function isListOfSubclasses({ graph, typeName }: Scene, holder: number, entries: readonly number[]): boolean {
  const edge = graph!.parent(holder);
  if (edge === NONE) return false;
  const isList = graph!.isStateRoot(edge) || /^<?tp_subclasses>?$/.test(graph!.labelText(graph!.edge(edge).label));
  return isList && entries.every((entry) => ["ReferenceType", "int"].includes(typeName(graph!.type[entry]!)));
}

/** What is known of one cause. */
export interface Cause {
  readonly cluster: Cluster;
  /** Of entries of what the cluster was put together from, by one line. */
  readonly references: (KeptReference | null)[];
}

const CACHE = "_lru_cache_wrapper";

/** Whether it fills an `lru_cache` that has a bound: such a cache has links in its dictionary, one without a bound has the results themselves. */
export function isBoundedCache({ graph, typeName }: Scene, { holder, entries }: Cluster): boolean {
  if (holder === NONE) return false;
  const typeOf = (node: number): string => typeName(graph!.type[node]!);
  // Results and keys are referred to by the cache itself, for its links.
  if (typeOf(holder) === CACHE) return true;
  return isCacheOfCalls({ graph, typeName }, holder) && entries.every((entry) => typeOf(entry) === "_lru_list_elem");
}

/** Whether a holder is the dictionary in which an `lru_cache` has its results. */
function isCacheOfCalls({ graph, typeName }: Pick<Scene, "graph" | "typeName">, holder: number): boolean {
  const edge = holder === NONE ? NONE : graph!.parent(holder);
  const owner = edge === NONE ? NONE : graph!.edge(edge).source;
  return owner !== NONE && typeName(graph!.type[owner]!) === CACHE;
}

/** What to do about a problem, by who holds it. */
export function remedyOf(scene: Scene, cluster: Cluster, holder: string, isAlone: boolean, isBacklog: boolean): string {
  if (isBacklog)
    return `${holder} is filled faster than it is emptied: take out as much as comes in, or give it a bound`;
  if (isCacheOfCalls(scene, cluster.holder)) {
    const name = holder.replace(/\.<cache>$/, "");
    return `give the cache of ${name} a bound, lru_cache(maxsize=…), or empty it with cache_clear() when its results are no longer needed`;
  }
  if (isAlone) return `${holder} leads to all of it: cut off what is no longer needed`;
  return `take the entry out of ${holder} when it is no longer needed, give it a bound, or hold it weakly`;
}

/**
 * Weak references with a callback go when their object goes, and lose the callback then: those that have one still are there since something else
 * keeps their object. Where that is told, they are told with it: of the cause with the same line, else of the largest.
 */
export function withoutConsequences(scene: Scene, causes: readonly Cause[]): readonly Cause[] {
  const isConsequence = ({ cluster }: Cause): boolean => cluster.entries.every((entry) => hasCallback(scene, entry));
  const causing = causes.filter((cause) => !isConsequence(cause));
  if (causing.length === 0) return causes;
  for (const cause of causes) {
    if (!isConsequence(cause)) continue;
    const { file, line } = cause.references[0]?.culprit ?? {};
    const same = causing.find(({ references: [one] }) => {
      return one?.culprit.file === file && one?.culprit.line === line && line !== undefined;
    });
    mergeInto((same ?? causing[0]!).cluster, { ...cause.cluster, holders: new Set(), entries: [] });
  }
  return causing;
}

/** Whether a node is a weak reference that would call back. */
function hasCallback({ graph }: Scene, node: number): boolean {
  for (const e of graph!.out(node)) {
    const { kind, label } = graph!.edge(e);
    if (kind === EdgeKind.attribute && graph!.labelText(label) === "__callback__") return true;
  }
  return false;
}

/** One from the middle: neither of the first rounds nor one that may still be wanted. */
export const middle = (nodes: readonly number[]): number => nodes[nodes.length >> 1]!;

/** The reference by which an entry is kept: `preferred`, if that is one, else one from the middle. */
export function referenceOf(scene: Scene, { entries }: Cluster, preferred: number): KeptReference | null {
  const entry = entries.includes(preferred) ? preferred : middle(entries);
  return entry === undefined ? null : { ...entryReference(scene, entry), object: scene.id[entry]! };
}

function entryReference(scene: Scene, entry: number): KeptReference {
  const { graph, replay, id } = scene;
  const edge = graph!.parent(entry);
  const holder = edge === NONE ? NONE : graph!.edge(edge).source;
  const made = edge === NONE ? undefined : madeAt(scene, entry, edge);
  const address = holder === NONE ? 0 : graph!.address[holder]!;
  if (!made || made.event === null) return storedReference(replay, id[entry]!, address);
  // The object's other stores belong to its other references: this one is the birth's own.
  if (made.by === "birth") return handedReference(replay, made.event, address, true);
  const reference = referenceAt(replay, made.event, "stored");
  if (storingScore(reference) > 0 || storesOf(graph!, edge)?.test(reference.opcode ?? "")) return reference;
  // A line that only reads it, to return it, put it nowhere: by a guess of the ledger its reference stands for the one that the birth handed over.
  if (RETURNS.test(reference.at.source ?? "") && !scene.provenance!.isOpen(entry, made.event)) {
    const first = handedReference(replay, scene.birth[entry]!, address, true);
    if (first.evidence === "handed-over") return first;
  }
  return handedReference(replay, made.event, address, false);
}

/** Source lines that give away what they read. */
const RETURNS = /^\s*(return|yield)\b/;

/**
 * The event of the reference that keeps an entry. Where the ledger at the end can only guess which of its references is open, what happened long after
 * the entry's own round (all tasks are cancelled, say) is left out: a reference that leaks is there when the next rounds begin.
 */
function madeAt(scene: Scene, entry: number, edge: number): Made | undefined {
  const { provenance, moments, birth } = scene;
  const last = provenance?.of(edge);
  const part = partOf(moments, birth[entry]!);
  if (!provenance || !last || last.event === null || part === NONE || provenance.isOpen(entry, last.event)) return last;
  const until = moments.points[Math.min(part + 2, moments.points.length - 1)]!;
  const then = scene.provenanceAt(until);
  // One that was open then as well is not from later.
  if (then?.isAmongOpen(entry, last.event)) return last;
  const first = then?.of(edge);
  return first && storesOf(scene.graph!, edge)?.test(first.opcode ?? "") ? first : last;
}
