/**
 * The object graph at an instant, from wherever it is to be had first: the recorder took one at the program's end; one that was learned
 * before is kept in the trace; else the past is entered again, the graph is read there, and kept.
 *
 * A graph is exactly that of the state before the event asked for: all earlier events have happened, and no other. In the middle of
 * an instruction some objects are half built, and C functions hold references in their own variables: see graph-columns.ts.
 */
import type { EventNumber } from "../base/ids.js";
import { keepBytes, recallBytes } from "../trace/answers.js";
import { DamagedData } from "../trace/compression.js";
import { packPlain, unpackPlain } from "../trace/packed.js";
import { TraceReader } from "../trace/reader.js";
import type { GraphColumns } from "./graph-columns.js";
import { ObjectGraph } from "./object-graph.js";
import { Past } from "./rewind.js";

/** Of the form and the meaning of what is kept. */
const VERSION = "2";

export interface GraphAtOptions {
  /** Folder of the rewritten interpreter; the platform's by default. */
  readonly cache?: string;
  /** Events that have happened again, now and then, while the program runs again. */
  readonly onProgress?: (event: number) => void;
  /** A past of this trace that is open already; it is left open, held at the instant if it was needed. */
  readonly past?: Past;
}

/** Where the answer came from: the recorder's own graph, one kept in the trace, or a run that was made for it. */
export type GraphOrigin = "recorded" | "kept" | "entered";

export interface GraphAnswer {
  readonly graph: ObjectGraph;
  readonly origin: GraphOrigin;
}

/** The graph before event `at`. Throws Failure where the trace has none and cannot be run again. */
export async function graphAt(path: string, at: EventNumber, options: GraphAtOptions = {}): Promise<ObjectGraph> {
  return (await graphWithOrigin(path, at, options)).graph;
}

export async function graphWithOrigin(
  path: string,
  at: EventNumber,
  options: GraphAtOptions = {},
): Promise<GraphAnswer> {
  const reader = TraceReader.open(path);
  try {
    const recorded = recordedGraph(reader, at);
    if (recorded) return { graph: recorded, origin: "recorded" };
    const kept = recallBytes(reader, nameOf(at), VERSION);
    const known = kept && decodeGraph(kept);
    if (known?.event === at) return { graph: graphOf(known), origin: "kept" };
    const past = options.past ?? (await Past.enter(path, options));
    try {
      await past.goTo(at);
      const columns = await past.graph();
      keepBytes(reader, nameOf(at), VERSION, encodeGraph(columns));
      return { graph: graphOf(columns), origin: "entered" };
    } finally {
      if (!options.past) await past.close();
    }
  } finally {
    reader.close();
  }
}

const nameOf = (at: EventNumber): string => `graph:${at}`;

/** The graph that the recorder took at this very event; undefined where it took none. */
export function recordedGraph(reader: TraceReader, at: EventNumber): ObjectGraph | undefined {
  const audit = reader.audits().findLast(({ event }) => event === at);
  return audit && ObjectGraph.load(reader, audit.id);
}

/** The graph of columns that were read in the past. */
export const graphOf = ({ nodes, edges, labels }: GraphColumns): ObjectGraph =>
  ObjectGraph.of({ nodes, edges, labels: new Map(labels.map((text, i) => [i + 1, text])) });

/** Bytes of the header: event as a double, then four sizes. */
const HEADER = 24;

/**
 * What is kept, little-endian: event (f64), objects that could not be read, bytes of nodes, edges and labels (u32 each); nodes and edges
 * as packed columns (trace/packed.ts); labels as a JSON array of texts.
 */
export function encodeGraph({ event, nodes, edges, labels, unread }: GraphColumns): Uint8Array {
  const parts = [
    packPlain(nodes, nodes[0]!.length),
    packPlain(edges, edges[0]!.length),
    new TextEncoder().encode(JSON.stringify(labels)),
  ];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, HEADER));
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, event, true);
  view.setUint32(8, unread, true);
  let at = HEADER;
  parts.forEach((part, i) => {
    view.setUint32(12 + 4 * i, part.length, true);
    bytes.set(part, at);
    at += part.length;
  });
  return bytes;
}

/** Undefined where the bytes are no graph: they come from a file. */
export function decodeGraph(bytes: Uint8Array): GraphColumns | undefined {
  if (bytes.length < HEADER) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = HEADER;
  const [nodePart, edgePart, labelPart] = [0, 1, 2].map((i) => {
    const length = view.getUint32(12 + 4 * i, true);
    at += length;
    return bytes.subarray(at - length, at);
  }) as [Uint8Array, Uint8Array, Uint8Array];
  if (at !== bytes.length) return undefined;
  try {
    const nodes = unpackPlain(nodePart, 4);
    const edges = unpackPlain(edgePart, 4);
    const labels: unknown = JSON.parse(new TextDecoder().decode(labelPart));
    if (!ObjectGraph.isSorted(nodes) || !Array.isArray(labels) || labels.some((text) => typeof text !== "string"))
      return undefined;
    return { event: view.getFloat64(0, true), nodes, edges, labels, unread: view.getUint32(8, true) };
  } catch (error) {
    if (error instanceof DamagedData || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
