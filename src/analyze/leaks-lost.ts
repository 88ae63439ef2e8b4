/**
 * Lost references: counts that no holder explains, taken by C code that forgot to give them back.
 *
 * Two kinds. An object that nothing reaches any more and that its surplus count keeps alive: found at the program's end, whenever
 * it was lost. And an object that lives on anyway, whose count rises by one now and then: found by its count at the same point of the rounds, less the
 * references from objects that were born since, which are explained by those.
 *
 * Some counts of a healthy program are not explained either: what the interpreter's own structures hold (caches of types, interned names).
 * Those were there before the program, or do not rise. So only what was born in the recording, or rose in each third of the time, is spoken of, and
 * only when it happened at least three times.
 */

import type { Replay } from "../replay/replay.js";
import { countOf } from "../replay/survey.js";
import { EdgeKind, NONE, type ObjectGraph } from "../rewind/object-graph.js";
import { references } from "../rewind/why.js";
import { fingerprintOf, type SourcePlace } from "./finding.js";
import { type LeakFinding, leakedGroup } from "./leaks.js";
import { type Group, thirds } from "./leaks-census.js";
import { pathTo } from "./leaks-holders.js";
import { isOwnFile } from "./leaks-iterations.js";
import { type KeptReference, placeOf, unbalancedReference } from "./leaks-ledger.js";
import { IMMORTAL, roundsCounted, type Scene } from "./leaks-scene.js";

/** Fewer are an accident, or a structure of the interpreter that this program does not know. */
const FEWEST = 3;
/** Part of all events that must lie between the first and the last loss of a line that does not lose in each third. */
const LEAST_APART = 0.01;
/** Objects whose ledgers are read, at most. */
const MOST_ASKED = 30;

const number = (n: number): string => n.toLocaleString("en-US");

const LOST_ADVICE =
  "C code took a reference and did not give it back: look at what that line calls, for a missing Py_DECREF (or Py_DecRef)";

/** Objects that nothing but a lost reference keeps alive, and what they keep. */
export function lostObjects(scene: Scene): LeakFinding[] {
  const { graph, birth, id, group, replay, census } = scene;
  if (!graph || scene.moments.end !== replay.end) return [];
  const byGroup = new Map<number, number[]>();
  for (let node = 0; node < graph.nodes; node++) {
    if (!(birth[node]! >= 0) || graph.count[node]! >= IMMORTAL || graph.distance(node) !== NONE) continue;
    if (graph.count[node]! <= references(graph, node).explained || group[node] === NONE) continue;
    const object = census.heap.objectAt(graph.address[node]!);
    if (!object || scene.imported(object.stack, object.location)) continue;
    if (scene.typeName(graph.type[node]!) === "dict" && mayBeInlineDict(graph, node)) continue;
    const nodes = byGroup.get(group[node]!);
    if (nodes) nodes.push(node);
    else byGroup.set(group[node]!, [node]);
  }
  const findings = new Map<string, LeakFinding>();
  for (const [index, nodes] of byGroup) {
    if (nodes.length < FEWEST || findings.size >= MOST_ASKED) continue;
    nodes.sort((x, y) => birth[x]! - birth[y]!);
    const node = nodes[nodes.length >> 1]!;
    const own = isOwnClass(scene, census.groups[index]!);
    const reference = own ? unbalancedReference(replay, id[node]!) : repeatedReference(scene, nodes, node);
    if (!reference) continue;
    const total = heldBy(scene, nodes);
    const type = scene.typeName(census.groups[index]!.type);
    const createdAt = scene.createdAt(index);
    const bytes = nodes.reduce((sum, one) => sum + graph.bytes[one]!, 0);
    const key = `${reference.culprit.file}:${reference.culprit.line} ${type}`;
    if (findings.has(key)) continue;
    findings.set(key, {
      kind: "lost-reference",
      isProblem: true,
      fingerprint: fingerprint(type, createdAt, reference),
      title: `${number(nodes.length)} ${type} objects, ${number(total.bytes)} bytes, kept by references that nothing in the heap explains`,
      advice: LOST_ADVICE,
      type,
      objects: nodes.length,
      bytes,
      createdAt,
      keptBy: null,
      culprit: reference.culprit,
      reference,
      holder: null,
      representative: id[node]!,
      total,
      perIteration: scene.iterations.by === "events" ? null : nodes.length / scene.iterations.count,
      unit: "objects",
      groups: [leakedGroup(scene, index, { objects: nodes.length, bytes })],
    });
  }
  return [...findings.values()];
}

/**
 * The reference that was lost again and again by one line; undefined when that is not so: what a class statement makes is held by the structures of
 * the type, once for each class. Repeated are losses in each third of the time, or of one line of the program at different times.
 */
function repeatedReference(scene: Scene, nodes: readonly number[], middle: number): KeptReference | undefined {
  const { replay, id, birth, moments } = scene;
  const reference = unbalancedReference(replay, id[middle]!);
  const [a, one, two, b] = thirds(moments).map((point) => moments.points[point]!) as [number, number, number, number];
  const between = (from: number, to: number): boolean =>
    nodes.some((node) => birth[node]! >= from && birth[node]! < to);
  if (between(a, one) && between(one, two) && between(two, b)) return reference;
  if (!isOwnFile(reference.at.file)) return undefined;
  const others = [nodes[0]!, nodes.at(-1)!].map((node) => unbalancedReference(replay, id[node]!));
  const sameLine = others.every(({ at }) => at.file === reference.at.file && at.line === reference.at.line);
  const [first, last] = others.map(({ made }) => made.event) as [number, number];
  return sameLine && last - first >= LEAST_APART * replay.end && !isOneInstruction(replay, first, last)
    ? reference
    : undefined;
}

/** Whether all from one event to another is done by one instruction: a C module that makes its state when it is first used, and keeps it. */
function isOneInstruction(replay: Replay, from: number, to: number): boolean {
  let location: number | undefined;
  for (const { columns, first, last } of replay.range(from, to)) {
    for (let row = first; row < last; row++) {
      location ??= columns.location[row]!;
      if (columns.location[row] !== location) return false;
    }
  }
  return true;
}

/**
 * Instances of a class that the program defines, made by a line of the program. The state of a C module is not made of those, so they
 * need not be lost again and again to be told from it: three at once are enough.
 */
function isOwnClass({ replay }: Scene, { type, location }: Group): boolean {
  return replay.names.module(type) === "__main__" && isOwnFile(replay.names.place(location).file);
}

/** More references to one object than a search of its holders is worth. */
const HUB = 64;

/**
 * Whether a dict that nothing refers to may be the `__dict__` of an object whose attributes are inline values: `PyObject_VisitManagedDict`
 * in Objects/dictobject.c visits the values in place of the dict, so no graph made by traversal shows who holds it. It refers to what its
 * owner refers to; where that cannot be told (no values, or only such as everybody refers to), it may be one.
 */
function mayBeInlineDict(graph: ObjectGraph, node: number): boolean {
  const targets = [...graph.out(node)].map((e) => graph.edge(e).target);
  const rare = targets.find((target) => graph.count[target]! < HUB);
  if (rare === undefined) return true;
  for (const e of graph.into(rare)) {
    const { source } = graph.edge(e);
    if (source === NONE || source === node) continue;
    const held = new Set([...graph.out(source)].map((other) => graph.edge(other).target));
    if (targets.every((target) => held.has(target) || graph.count[target]! >= HUB)) return true;
  }
  return false;
}

const fingerprint = (type: string, createdAt: SourcePlace | null, { culprit }: KeptReference): string =>
  fingerprintOf([
    "lost-reference",
    type,
    createdAt?.function ?? null,
    createdAt?.file?.split("/").at(-1) ?? null,
    culprit.function,
  ]);

/** The objects themselves and what no root reaches but they do. */
function heldBy({ graph }: Scene, nodes: readonly number[]): { objects: number; bytes: number } {
  const seen = new Set(nodes);
  const stack = [...nodes];
  let bytes = 0;
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    bytes += graph!.bytes[node]!;
    for (const e of graph!.out(node)) {
      const { target } = graph!.edge(e);
      if (seen.has(target) || graph!.distance(target) !== NONE) continue;
      seen.add(target);
      stack.push(target);
    }
  }
  return { objects: seen.size, bytes };
}

const CACHE = "_lru_cache_wrapper";

/** By address of their type: dead objects whose memory is kept in a free list. Some free lists keep the reference to the type in it, too. */
function deadByType({ census, replay }: Scene): Map<number, number> {
  const address = new Map([...replay.reader.rows("types")].map((type) => [type.id, type.address]));
  const dead = new Map<number, number>();
  for (const object of census.heap.eachObject()) {
    const type = object.alive ? undefined : address.get(object.type);
    if (type !== undefined) dead.set(type, (dead.get(type) ?? 0) + 1);
  }
  return dead;
}

/** Objects whose count rises and rises, without new objects that explain it. */
export function risenCounts(scene: Scene, leaks: readonly LeakFinding[]): LeakFinding[] {
  const { graph, birth, id, replay, census, moments, iterations } = scene;
  if (!graph || moments.end !== replay.end) return [];
  const since = moments.points[moments.from]!;
  const inFreeLists = deadByType(scene);
  const typeOf = (node: number): string => scene.typeName(graph.type[node]!);
  const candidates: { node: number; rise: number; kept: number; holder: number }[] = [];
  for (const { address, values } of census.counts) {
    const node = graph.nodeAt(address);
    if (node === NONE || graph.count[node]! >= IMMORTAL || countOf(values[4]) === null) continue;
    let fromNew = 0;
    const fromOld = new Map<number, number>();
    for (const e of graph.into(node)) {
      const { source, kind } = graph.edge(e);
      if (kind === EdgeKind.borrowed || source === NONE) continue;
      if (birth[source]! >= since) fromNew++;
      else fromOld.set(source, (fromOld.get(source) ?? 0) + 1);
    }
    const rise = values[4] - values[0] - fromNew;
    if (rise < FEWEST) continue;
    const { explained } = references(graph, node);
    const lost = Math.max(0, graph.count[node]! - explained - (inFreeLists.get(address) ?? 0));
    let holder: number = NONE;
    for (const [source, count] of fromOld) {
      if (count >= 0.5 * rise && count > (fromOld.get(holder) ?? 0)) holder = source;
    }
    if (lost < 0.5 * rise && holder === NONE) continue;
    // A bounded cache refers to the type of its links once for each of them (lru_cache_tp_traverse, Modules/_functoolsmodule.c).
    if (holder !== NONE && typeOf(node) === "type" && typeOf(holder) === CACHE) continue;
    const isLost = lost >= 0.5 * rise;
    candidates.push({ node, rise, kept: isLost ? lost : fromOld.get(holder)!, holder: isLost ? NONE : holder });
  }
  candidates.sort((x, y) => y.rise - x.rise);
  const findings: LeakFinding[] = [];
  for (const { node, rise, kept, holder } of candidates.slice(0, MOST_ASKED)) {
    const path = holder === NONE ? undefined : pathTo(graph, holder);
    // A container that grows by new objects as well has its finding.
    if (path && leaks.some((leak) => leak.holder?.expression === path.expression)) continue;
    const reference = unbalancedReference(replay, id[node]!, since);
    const type = scene.typeName(graph.type[node]!);
    const name = pathTo(graph, node)?.expression;
    const heapObject = census.heap.objectAt(graph.address[node]!);
    const createdAt = heapObject && heapObject.birth >= 0 ? placeOf(replay, heapObject.location) : null;
    const expression = path?.expression ?? "?";
    findings.push({
      kind: holder === NONE ? "lost-reference" : iterations.by === "events" ? "growth" : "leak",
      isProblem: true,
      fingerprint: fingerprint(type, createdAt, reference),
      title:
        holder === NONE
          ? `${number(kept)} references to one ${type} object${name ? ` (${name})` : ""} that nothing in the heap explains`
          : `${number(kept)} references to one ${type} object${name ? ` (${name})` : ""}, kept by ${expression}`,
      advice: holder === NONE ? LOST_ADVICE : `take the entries out of ${expression} when they are no longer needed`,
      type,
      objects: 1,
      bytes: graph.bytes[node]!,
      createdAt,
      keptBy: scene.keptBy(node),
      culprit: reference.culprit,
      reference,
      holder: holder === NONE ? null : { expression, type: scene.typeName(graph.type[holder]!), others: 0 },
      representative: id[node]!,
      total: { objects: 1, bytes: graph.bytes[node]! },
      perIteration: iterations.by === "events" ? null : rise / roundsCounted(scene),
      unit: "references",
      groups: [],
    });
  }
  return findings;
}
