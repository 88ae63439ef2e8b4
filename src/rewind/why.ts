/**
 * Why is this object still alive? For one object, or every object of a type, in one object graph: who holds it, along which paths, how
 * many of its references the graph explains, and what would go if it went. Objects of one type whose paths have one shape are one
 * cause and one answer. When and where references were made, and what is no longer or not yet alive, is added by why-at.ts.
 */
import { Failure } from "../base/failure.js";
import { type TypeId, typeId } from "../base/ids.js";
import type { Death, OpenReference } from "../replay/history.js";
import type { TimeInfo } from "../replay/survey.js";
import type { TraceReader } from "../trace/reader.js";
import { type Dominators, dominators } from "./dominators.js";
import { Garbage } from "./garbage.js";
import { ObjectGraph } from "./object-graph.js";
import { describe, type Path, pathsTo } from "./paths.js";
import type { Made } from "./provenance.js";
import { references } from "./references.js";
import { shapesOf } from "./shapes.js";

export { references };

export interface WhyObject {
  /** The object's number, as `#1234`; null where only the graph was asked. */
  readonly id: number | null;
  readonly address: number;
  readonly type: string;
  /** Bytes of its own block; 0 = static memory. */
  readonly size: number;
  /** null = before the recording began, or only the graph was asked. */
  readonly born: TimeInfo | null;
}

export interface WhyStep {
  /** What the step adds to the expression. */
  readonly name: string;
  readonly expression: string;
  readonly type: string;
  readonly address: number;
  /** The object's number; null where only the graph was asked. */
  readonly id?: number | null;
  /** What would go if this object went, when every path to the asked one leads through it; null when not. */
  readonly retainedObjects: number | null;
  readonly retainedBytes: number | null;
  /** When and where the reference of this step was made; absent where nobody looked. */
  readonly made?: Made;
}

export interface WhyPath {
  /** "modules", "frame", "interpreter", "static"; "garbage" = no root: it begins in a cycle that keeps itself. */
  readonly root: string;
  readonly expression: string;
  readonly steps: readonly WhyStep[];
}

/** How an object that is not alive ended. */
export interface WhyDeath extends Death {
  /** The collection that was under way, from 1, and its generation; null = it died by its last decref alone. */
  readonly collection: { readonly number: number; readonly generation: number | null } | null;
}

export interface WhyAnswer {
  readonly object: WhyObject;
  /** At the instant asked about. An object that is not has no references and no paths. */
  readonly alive: boolean;
  /** How many objects of the type have a path of this shape, this one among them, and their own bytes. */
  readonly alike: number;
  readonly alikeBytes: number;
  readonly refcount: number;
  readonly immortal: boolean;
  /** Counted references that the graph shows, and those that it does not: held by C code, or leaked by it. */
  readonly explained: number;
  readonly unexplained: number;
  /** References that frames borrow without counting them. */
  readonly borrowed: number;
  /** What would go with it, itself included; of garbage, what the collector takes with it. 0 = neither is known. */
  readonly retainedObjects: number;
  readonly retainedBytes: number;
  /** Of garbage there is one: from its cycle, once around it, to the object. */
  readonly paths: readonly WhyPath[];
  /** No root reaches it, and the graph explains all references to it and to what leads to it: it waits for the collector. Absent where not so. */
  readonly garbage?: true;
  /** Only of garbage: the cycle that keeps it, step by step, from the object back to itself or, if it is in none, from the nearest that is. */
  readonly cycle?: readonly WhyStep[];
  /** References that the ledger has open, oldest first; absent where nobody looked, empty for the immortal. */
  readonly open?: readonly OpenReference[];
  /** References beyond those: made before the recording began, or set in bulk. `open` and these are the count. */
  readonly openElsewhere?: number;
  /** Only of an object that is dead at the instant. */
  readonly death?: WhyDeath;
}

export interface WhyResult {
  /** The event before which the graph was taken. */
  readonly event: number;
  /** Seconds since the program's start; absent where only the graph was asked. */
  readonly seconds?: number;
  readonly asked: string;
  /** One line: how the event differs from the time that was asked for, as it may for `expr:`; absent where it does not. */
  readonly note?: string;
  readonly objects: number;
  readonly answers: readonly WhyAnswer[];
}

export interface WhyOptions {
  /** Most different paths to an object; 3 by default. */
  readonly paths?: number;
}

export const IMMORTAL = 2 ** 30;

/** An answer, and the nodes and edges that it is about. */
export interface Explained {
  readonly node: number;
  readonly answer: WhyAnswer;
  /** Paths in the graph's own numbers, as those of the answer. */
  readonly paths: readonly Path[];
  /** Steps of the only path that are the cycle of garbage; 0 = it is none. */
  readonly ring: number;
}

/** Names of types by the trace's numbers. */
export function typeNames(reader: TraceReader): (id: number) => string {
  const names = new Map<number, string>();
  return (id) => {
    let name = names.get(id);
    if (name === undefined) {
      name = (id === 0 ? undefined : reader.type(typeId(id) as TypeId)?.name) ?? `type ${id}`;
      names.set(id, name);
    }
    return name;
  };
}

/** The types that a text names, by the trace's numbers: all of that name, or, with its module before it, that one. */
export function typesNamed(reader: TraceReader, text: string): ReadonlySet<number> {
  const fits = ({ name, module }: { name: string; module: string | null }): boolean =>
    name === text || `${module}.${name}` === text;
  return new Set([...reader.rows("types")].flatMap((type) => (fits(type) ? [type.id] : [])));
}

/**
 * At the program's end, from the recorder's graph alone. `asked`: `0x…`, `TypeName` or `TypeName[n]` (n-th by address, from 1).
 * Throws Failure when nothing fits. `whyAt` does the same at any instant, and says when references were made.
 */
export function why(reader: TraceReader, asked: string, options: WhyOptions = {}): WhyResult {
  const audit = reader.audits().at(-1);
  const graph = audit && ObjectGraph.load(reader, audit.id);
  if (!audit || !graph)
    throw new Failure(
      `${reader.path}: has no object graph; record it again without --no-graphs, and to the program's end`,
    );
  const typeName = typeNames(reader);
  const nodes = select(graph, asked, reader, "at the program's end");
  const answers = explain(graph, nodes, typeName, options.paths ?? 3).map(({ answer }) => answer);
  return { event: audit.event, asked, objects: nodes.length, answers };
}

/** One answer for each shape of path among the nodes, the most frequent first. */
export function explain(
  graph: ObjectGraph,
  nodes: readonly number[],
  typeName: (id: number) => string,
  most: number,
): Explained[] {
  const tree = dominators(graph);
  const garbage = new Garbage(graph);
  const groups = new Map<number | string, number[]>();
  shapesOf(graph, nodes).forEach((found, i) => {
    const node = nodes[i]!;
    const shape = found ?? garbage.shapeOf(node) ?? "";
    const group = groups.get(shape);
    if (group) group.push(node);
    else groups.set(shape, [node]);
  });
  return [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .map((group): Explained => {
      const node = group[0]!;
      const ring = garbage.ringOf(node);
      const { explained, borrowed } = references(graph, node);
      const refcount = graph.count[node]!;
      const immortal = refcount >= IMMORTAL;
      const paths = ring
        ? [describe(graph, [...ring.ring, ...ring.path], typeName(graph.type[ring.start]!))]
        : pathsTo(graph, node, most);
      const answered = paths.map((path) => answerPath(graph, tree, node, path, typeName));
      const goes = ring ? garbage.leadsTo(node) : undefined;
      const answer: WhyAnswer = {
        object: {
          id: null,
          address: graph.address[node]!,
          type: typeName(graph.type[node]!),
          size: graph.bytes[node]!,
          born: null,
        },
        alive: true,
        alike: group.length,
        alikeBytes: group.reduce((sum, one) => sum + graph.bytes[one]!, 0),
        refcount,
        immortal,
        explained,
        unexplained: immortal ? 0 : refcount - explained,
        borrowed,
        retainedObjects: goes?.objects ?? tree.retainedObjects[node]!,
        retainedBytes: goes?.bytes ?? tree.retainedBytes[node]!,
        paths: answered,
        ...(ring ? { garbage: true, cycle: answered[0]!.steps.slice(0, ring.ring.length) } : {}),
      };
      return { node, answer, paths, ring: ring?.ring.length ?? 0 };
    });
}

/** A path with names, and with what would go at each step that every path to the node leads through. */
export function answerPath(
  graph: ObjectGraph,
  tree: Dominators,
  node: number,
  path: Path,
  typeName: (id: number) => string,
): WhyPath {
  const over = new Set<number>();
  // What no root reaches has no dominators.
  if (path.root !== "garbage") for (let at = node; at >= 0; at = tree.immediate[at]!) over.add(at);
  return {
    root: path.root,
    expression: path.expression,
    steps: path.steps.map((step) => ({
      name: step.name,
      expression: step.expression,
      type: typeName(graph.type[step.node]!),
      address: graph.address[step.node]!,
      retainedObjects: over.has(step.node) ? tree.retainedObjects[step.node]! : null,
      retainedBytes: over.has(step.node) ? tree.retainedBytes[step.node]! : null,
    })),
  };
}

/**
 * The nodes that fit. `order`: how the objects of a type are numbered; by address where it is left out. `when`: for people. `others`: what became of
 * the objects of a type that has none there; undefined where there never were any.
 */
export function select(
  graph: ObjectGraph,
  asked: string,
  reader: TraceReader,
  when: string,
  order?: (node: number) => number,
  others?: (type: string) => string | undefined,
): number[] {
  if (/^0x[0-9a-f]+$/i.test(asked)) {
    const node = graph.nodeAt(Number(asked));
    if (node < 0) throw new Failure(`${asked}: no object lives there ${when}; name a type to see what does`);
    return [node];
  }
  const [, name, nth] = /^(.*?)(?:\[(-?\d{1,12})\])?$/s.exec(asked)!;
  const fitting: number[] = [];
  const types = typesNamed(reader, name!);
  for (let node = 0; node < graph.nodes; node++) if (types.has(graph.type[node]!)) fitting.push(node);
  if (fitting.length === 0) {
    const instead = others?.(name!) ?? similar(graph, name!, typeNames(reader));
    throw new Failure(`${asked}: no object of that type is alive ${when}; ${instead}`);
  }
  if (order) fitting.sort((a, b) => order(a) - order(b));
  if (nth === undefined) return fitting;
  const one = Number(nth) < 0 ? fitting[fitting.length + Number(nth)] : fitting[Number(nth) - 1];
  if (one === undefined) {
    const many = fitting.length;
    const there = many === 1 ? "only 1 object of that type is" : `only ${many} objects of that type are`;
    throw new Failure(`${asked}: ${there} alive ${when}; choose ${name}${many === 1 ? "" : `[1] to ${name}[${many}]`}`);
  }
  return [one];
}

/** What there is instead: types whose name has the asked one in it, or the most frequent. */
function similar(graph: ObjectGraph, name: string, typeName: (id: number) => string): string {
  const counts = new Map<string, number>();
  for (const type of graph.type) counts.set(typeName(type), (counts.get(typeName(type)) ?? 0) + 1);
  const all = [...counts].sort((a, b) => b[1] - a[1]).map(([one]) => one);
  const alike = all.filter((one) => one.toLowerCase().includes(name.toLowerCase()));
  return `there are ${(alike.length > 0 ? alike : all).slice(0, 6).join(", ")}`;
}
