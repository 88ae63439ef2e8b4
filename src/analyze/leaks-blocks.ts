/**
 * Blocks that grow and grow by `realloc`: the buffers of lists, bytearrays and strings that are added to. They show what leaks without a new
 * object: a list that is given the same small integers for ever. Which container owns a buffer is in no event; a list is known by its length, others by
 * being looked up in each statement in which the buffer grew.
 */

import { EdgeKind, NONE } from "../rewind/object-graph.js";
import { Kind } from "../trace/events.js";
import { fingerprintOf, type SourcePlace } from "./finding.js";
import type { LeakFinding, Told } from "./leaks.js";
import { type Riser, thirds } from "./leaks-census.js";
import { pathTo } from "./leaks-holders.js";
import { isOwnFile } from "./leaks-iterations.js";
import { ownFrame, placeOf, referenceAt } from "./leaks-ledger.js";
import { namedAt, roundsCounted, type Scene } from "./leaks-scene.js";

/** Bytes by which a block must have grown. */
const LEAST_GROWTH = 128;
/** Findings at most. */
const MOST = 5;
/** Times at which a block grew that are looked at to find its owner, and events around each of them. */
const MOST_LOOKED_AT = 8;
const NEAR_EVENTS = 40;
/** Bytes of a pointer in the recorded interpreter. */
const POINTER = 4;

export function growingBlocks(scene: Scene, told: Told): LeakFinding[] {
  const { replay, moments, census, iterations, graph } = scene;
  if (moments.end !== replay.end) return [];
  const grown = census.blocks
    .filter(({ values }) => values[4] - values[0] >= LEAST_GROWTH)
    .sort((x, y) => y.values[4] - y.values[0] - (x.values[4] - x.values[0]))
    .slice(0, 50);
  if (grown.length === 0) return [];
  const since = moments.points[thirds(moments)[0]]!;
  const last = lastReallocs(scene, grown, since);
  const findings = new Map<string, LeakFinding>();
  for (const { address, values } of grown) {
    const events = last.get(address);
    const event = events?.at(-1);
    if (event === undefined) continue;
    const { columns, row } = replay.event(event as never);
    const location = columns.location[row]!;
    const at = placeOf(replay, location);
    const culprit = isOwnFile(at.file) ? at : ownFrame(replay, event, location);
    // What the library and the interpreter grow for themselves is not the program's.
    if (!culprit) continue;
    const inside = [0, 8, 16].map((offset) => census.heap.objectAt(address + offset)).find((object) => object?.alive);
    const node = !graph ? NONE : inside ? graph.nodeAt(inside.address) : ownerOf(scene, values[4], events!);
    // A container that one expression makes gets its name when it is as large as it was meant to be.
    if (node !== NONE && (namedAt(scene, node) ?? -1) > event) continue;
    const path = node === NONE || !graph ? undefined : pathTo(graph, node);
    const expression = path?.expression;
    const key = `${culprit.file}:${culprit.line}`;
    if (isTold(told, culprit, expression, path) || findings.has(key)) continue;
    const growth = values[4] - values[0];
    const type = node === NONE || !graph ? "memory block" : scene.typeName(graph.type[node]!);
    const birth = inside?.birth ?? -1;
    findings.set(key, {
      kind: iterations.by === "events" ? "growth" : "leak",
      isProblem: true,
      fingerprint: fingerprintOf(["block", type, culprit.function, culprit.file?.split("/").at(-1) ?? null]),
      title: `${/^[aeiou]/i.test(type) ? "an" : "a"} ${type}${expression ? ` (${expression})` : ""} that grows and grows, by ${growth.toLocaleString("en-US")} bytes so far`,
      advice: `take out of ${expression ?? "it"} what is no longer needed, or give it a bound`,
      type,
      objects: 1,
      bytes: values[4],
      createdAt: birth >= 0 && inside ? placeOf(replay, inside.location) : null,
      keptBy: node === NONE ? null : scene.keptBy(node),
      culprit,
      reference: { ...referenceAt(replay, event, "stored"), culprit },
      holder: null,
      representative: node === NONE ? null : scene.id[node]!,
      total: { objects: 1, bytes: values[4] },
      perIteration: iterations.by === "events" ? null : growth / roundsCounted(scene),
      unit: "bytes",
      groups: [],
    });
    if (findings.size >= MOST) break;
  }
  return [...findings.values()];
}

/** Whether a finding names this line, what it keeps in this container, or what the container itself hangs on; or whether the line only built something. */
export const isTold = (
  { findings, entries, dismissed }: Told,
  { file, line }: SourcePlace,
  holder: string | undefined,
  path: { readonly steps: readonly { readonly node: number }[] } | undefined,
): boolean =>
  dismissed.some((place) => place.file === file && place.line === line) ||
  path?.steps.some(({ node }) => entries.has(node)) === true ||
  findings.some(
    (one) =>
      (one.culprit?.file === file && one.culprit?.line === line) ||
      (holder !== undefined && one.holder?.expression === holder),
  );

/** By address: the last events that gave the block its size, ascending. */
function lastReallocs({ replay }: Scene, blocks: readonly Riser[], since: number): Map<number, number[]> {
  const wanted = new Set(blocks.map(({ address }) => address));
  const last = new Map<number, number[]>();
  for (const { columns, first, last: end } of replay.range(since, replay.end)) {
    const { kind, address } = columns;
    for (let row = first; row < end; row++) {
      if (kind[row] !== Kind.realloc || !wanted.has(address[row]!)) continue;
      const events = last.get(address[row]!) ?? [];
      last.set(address[row]!, events);
      events.push(columns.first + row);
      if (events.length > MOST_LOOKED_AT) events.shift();
    }
  }
  return last;
}

/** Types whose objects have a buffer of their own that grows. */
const HAVE_BUFFERS = new Set(["list", "bytearray", "array", "StringIO"]);

/** The one object with a buffer whose count changed near each of these events; else the one list that has the length; else NONE. */
function ownerOf(scene: Scene, bytes: number, events: readonly number[]): number {
  const { graph, replay, typeName } = scene;
  let near: Set<number> | undefined;
  for (const event of events) {
    const here = new Set<number>();
    const from = Math.max(0, event - NEAR_EVENTS);
    for (const { columns, first, last } of replay.range(from, Math.min(replay.end, event + NEAR_EVENTS))) {
      const { kind, address } = columns;
      for (let row = first; row < last; row++) {
        if (kind[row] !== Kind.incref && kind[row] !== Kind.decref) continue;
        const node = graph!.nodeAt(address[row]!);
        if (node !== NONE && HAVE_BUFFERS.has(typeName(graph!.type[node]!))) here.add(node);
      }
    }
    near = near ? new Set([...near].filter((node) => here.has(node))) : here;
  }
  const [only, other] = [...(near ?? [])];
  return only !== undefined && other === undefined && events.length > 1 ? only : listOfLength(scene, bytes);
}

/** The one list whose items fit a buffer of this size (lists take an eighth more than they need: Objects/listobject.c, list_resize). */
function listOfLength({ graph, typeName }: Scene, bytes: number): number {
  const room = bytes / POINTER;
  let found: number = NONE;
  for (let node = 0; node < graph!.nodes; node++) {
    if (typeName(graph!.type[node]!) !== "list") continue;
    let items = 0;
    for (const e of graph!.out(node)) if (graph!.edge(e).kind === EdgeKind.item) items++;
    if (items > room || room > items + (items >> 3) + 9) continue;
    if (found !== NONE) return NONE;
    found = node;
  }
  return found;
}
