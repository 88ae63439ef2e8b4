/**
 * The object graph of a stopped interpreter, as columns. Memory is read and nothing else, so any event will do; but between two
 * bytecodes some objects are half built, and this file says what that means for their references:
 *
 * - an object that was born in the instruction under way and is not tracked by the collector yet may hold what its memory held before:
 *   a fresh tuple's items, a fresh code object's fields. What it seems to refer to is shown as borrowed, but for its type;
 * - an object that was handed to its destructor is no node, and nothing leads to it;
 * - a reference that a C function holds in its own variables, on the way from one place to another, is nobody's: it is not explained.
 *
 * What a stack slot still shows after it was given away is found later, by the counts (ObjectGraph).
 */
import { type EventNumber, eventNumber } from "../base/ids.js";
import { blockBytes, EdgeKind, GraphReader } from "../interpreter/graph.js";
import type { HeapReader } from "../interpreter/heap-reader.js";
import { GC_HEAD, TYPE_FLAGS } from "../interpreter/layout.js";
import type { Probe } from "../interpreter/probe.js";
import { PartWriter } from "../record/parts.js";
import { createColumns, Kind } from "../trace/events.js";
import type { TraceReader } from "../trace/reader.js";

export interface GraphColumns {
  /** Events that had happened. */
  readonly event: number;
  /** address, type (id in the trace), count, bytes of the own block; by address. */
  readonly nodes: readonly Uint32Array[];
  /** Address of the source (0: the interpreter), address of the target, kind, label or index. */
  readonly edges: readonly Uint32Array[];
  /** Texts of the labels from 1 on. */
  readonly labels: readonly string[];
  /** Objects that could not be read to their end, though they are not known to be half built. */
  readonly unread: number;
}

/** Events of one instruction that are looked at, from the latest back. */
const LONGEST_INSTRUCTION = 1 << 20;

/** Addresses of what was born in the instruction under way after `event` events: the latest events that have one location. */
function bornInInstruction(reader: TraceReader, event: EventNumber): Set<number> {
  const born = new Set<number>();
  const columns = createColumns(reader.chunkCapacity);
  let location: number | undefined;
  for (let at = event - 1; at >= 0 && at >= event - LONGEST_INSTRUCTION; ) {
    const chunk = reader.chunkAt(eventNumber(at));
    if (chunk === undefined) break;
    reader.readChunk(chunk, columns);
    for (let row = at - columns.first; row >= 0; row--, at--) {
      location ??= columns.location[row]!;
      if (columns.location[row] !== location) return born;
      if (columns.kind[row] === Kind.new) born.add(columns.address[row]!);
    }
  }
  return born;
}

/** `visitor` is told who traverses, and with undefined that nobody does any more. */
export function readGraph(
  probe: Probe,
  heap: HeapReader,
  reader: TraceReader,
  event: EventNumber,
  typeIdAt: (address: number) => number | undefined,
  visitor: (visitor: { visit(object: number): void } | undefined) => void,
): GraphColumns {
  const born = bornInInstruction(reader, event);
  const halfBuilt = (object: number): boolean => {
    if (!born.has(object)) return false;
    const collected = (heap.flagsOf(heap.typeOf(object)) & TYPE_FLAGS.gc) !== 0;
    return !collected || heap.u32(object - GC_HEAD) === 0;
  };
  const nodes = gathered();
  for (const at of probe.headers()) {
    if (probe.isDead(at)) continue;
    nodes.row(at, typeIdAt(heap.typeOf(at)) ?? 0, heap.u32(at), blockBytes(heap, probe.plan, at));
  }
  const edges = gathered();
  const labels = new Map<string, number>();
  let source = 0;
  let unsure = false;
  const graph = new GraphReader(
    probe,
    heap,
    {
      edge: (from, to, kind, label) => {
        if (!probe.isLive(to)) return;
        if (from !== source) {
          source = from;
          unsure = from !== 0 && halfBuilt(from);
        }
        edges.row(from, to, unsure && kind !== EdgeKind.type ? EdgeKind.borrowed : kind, label);
      },
      label: (text) => {
        let id = labels.get(text);
        if (id === undefined) {
          id = labels.size + 1;
          labels.set(text, id);
        }
        return id;
      },
    },
    true,
  );
  visitor(graph);
  try {
    probe.aside(() => graph.read());
  } finally {
    visitor(undefined);
  }
  return {
    event,
    nodes: nodes.columns(),
    edges: edges.columns(),
    labels: [...labels.keys()],
    unread: graph.unread.filter((object) => !halfBuilt(object)).length,
  };
}

/** A reference by its ends and its kind. */
export interface HeldReference {
  /** Address of the object that refers; 0 = a frame of a running function. */
  readonly source: number;
  readonly target: number;
  readonly kind: number;
}

/** Whether each of these references is there: its source lives, and refers to its target in that way. */
export function readHeld(
  probe: Probe,
  heap: HeapReader,
  references: readonly HeldReference[],
  visitor: (visitor: { visit(object: number): void } | undefined) => void,
): boolean[] {
  const found = new Set<string>();
  const edge = (source: number, target: number, kind: number): void => void found.add(`${source} ${target} ${kind}`);
  const graph = new GraphReader(probe, heap, { edge, label: () => 0 }, true);
  visitor(graph);
  try {
    probe.aside(() => {
      for (const source of new Set(references.map((reference) => reference.source)))
        if (source === 0 || probe.isLive(source)) graph.readOne(source);
    });
  } finally {
    visitor(undefined);
  }
  return references.map(({ source, target, kind }) => found.has(`${source} ${target} ${kind}`) && probe.isLive(target));
}

/** Rows of four numbers that become columns. */
function gathered(): { row(a: number, b: number, c: number, d: number): void; columns(): Uint32Array[] } {
  const parts: (readonly Uint32Array[])[] = [];
  const writer = new PartWriter((part) => void parts.push(part));
  return {
    row: (a, b, c, d) => writer.row(a, b, c, d),
    columns: () => {
      writer.end();
      return joined(parts);
    },
  };
}

/** Parts of four columns, one behind the other. */
export function joined(parts: readonly (readonly Uint32Array[])[]): Uint32Array[] {
  const rows = parts.reduce((sum, part) => sum + part[0]!.length, 0);
  return [0, 1, 2, 3].map((column) => {
    const all = new Uint32Array(rows);
    let at = 0;
    for (const part of parts) {
      all.set(part[column]!, at);
      at += part[column]!.length;
    }
    return all;
  });
}
