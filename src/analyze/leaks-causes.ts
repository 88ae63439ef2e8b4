/** Causes of growth, one a cluster: whether one is a leak by itself, and which reference of an entry its holder keeps. */
import { NONE } from "../rewind/object-graph.js";
import { type Made, storesOf } from "../rewind/provenance.js";
import type { Cluster } from "./leaks-holders.js";
import { handedReference, type KeptReference, referenceAt, storedReference, storingScore } from "./leaks-ledger.js";
import { namedAt, partOf, type Scene } from "./leaks-scene.js";

/**
 * Whether the holder got the name by which it is kept only after all of it was in it: a list that one expression makes, `[f(x) for x in …]`. It was
 * built once, as large as it was meant to be. A container that replaces an older one (`a = a + [x]`) is younger than what is in it.
 */
export function wasUnderConstruction(scene: Scene, { holder, entries }: Cluster): boolean {
  const named = holder === NONE ? undefined : namedAt(scene, holder);
  if (named === undefined) return false;
  const { birth } = scene;
  return entries.every((entry) => birth[entry]! > birth[holder]! && birth[entry]! < named);
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
  const isList = graph!.isStateRoot(edge) || graph!.labelText(graph!.edge(edge).label) === "tp_subclasses";
  return isList && entries.every((entry) => ["ReferenceType", "int"].includes(typeName(graph!.type[entry]!)));
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
  return handedReference(replay, made.event, address, false);
}

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
  const first = scene.provenanceAt(until)?.of(edge);
  return first && storesOf(scene.graph!, edge)?.test(first.opcode ?? "") ? first : last;
}
