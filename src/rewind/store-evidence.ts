/**
 * What a line of source says about the slot that a reference went to. The ledger of an object says that an instruction of some line took a
 * reference; whether it was for this slot, the name of the slot tells: `self.rows = …` assigns to `.rows`, and `hits["a"] = x` on a line that
 * stores into another dict does not store under the global name `x`.
 */
import { EdgeKind as EDGE } from "../interpreter/graph.js";
import type { LedgerRow } from "../replay/history.js";
import { NONE, type ObjectGraph } from "./object-graph.js";
import { IDENTIFIER, isNamespace } from "./shapes.js";

/** How much a row speaks for a slot: 0 = nothing; ASSIGNED = its line assigns to the slot's name. */
export type Evidence = (row: LedgerRow) => number;

const ASSIGNED = 5;
const NAMED = 3;
const HOLDER_NAMED = 1;
/** References to a holder whose names are tried. */
const MOST_NAMES = 8;

/** Whether the reference is one that a name stands for, in a namespace. */
export const isNamed = (graph: ObjectGraph, edge: number): boolean => {
  const { source, kind } = graph.edge(edge);
  return kind === EDGE.value && source !== NONE && isNamespace(graph, edge);
};

export function evidenceFor(graph: ObjectGraph, edge: number): Evidence {
  const named = isNamed(graph, edge);
  const name = nameOf(graph, edge, named);
  if (name !== undefined) {
    const assigned = new RegExp(`\\.${name}\\s*=(?!=)`);
    const attribute = new RegExp(`\\.${name}\\b`);
    const bare = new RegExp(`(?<![.\\w])${name}\\b`);
    const quoted = new RegExp(`["']${name}["']`);
    return ({ source, opcode }) => {
      if (source === null || opcode === null) return 0;
      if (assigned.test(source)) return !named || opcode === "STORE_ATTR" ? ASSIGNED : NAMED;
      if (opcode === "STORE_ATTR") return attribute.test(source) ? NAMED : 0;
      if (/^STORE_(NAME|GLOBAL)$/.test(opcode)) return named && bare.test(source) ? NAMED : 0;
      return quoted.test(source) ? NAMED : 0;
    };
  }
  const holder = holderNames(graph, edge);
  if (holder === undefined) return () => 0;
  return ({ source }) => (source !== null && holder.test(source) ? HOLDER_NAMED : 0);
}

function nameOf(graph: ObjectGraph, edge: number, named: boolean): string | undefined {
  const { kind, label } = graph.edge(edge);
  const text = graph.labelText(label);
  if (kind === EDGE.attribute) return /^[A-Za-z_]\w*$/.test(text) ? text : undefined;
  return named ? IDENTIFIER.exec(text)?.[1] : undefined;
}

/** The names by which a container is known: `rows.append(x)` puts x into what is called `rows`. */
function holderNames(graph: ObjectGraph, edge: number): RegExp | undefined {
  const { source, kind } = graph.edge(edge);
  if (source === NONE || !CONTAINED.has(kind)) return undefined;
  const names = new Set<string>();
  let tried = 0;
  for (const into of graph.into(source)) {
    if (tried++ === MOST_NAMES) break;
    const { kind: how, label } = graph.edge(into);
    const text = graph.labelText(label);
    const name =
      how === EDGE.value ? IDENTIFIER.exec(text)?.[1] : how === EDGE.attribute || how === EDGE.local ? text : undefined;
    // Of a frame's variable: `rows in serve()`.
    const word = name === undefined ? undefined : /^([A-Za-z_]\w*)( in |$)/.exec(name)?.[1];
    if (word !== undefined && !word.startsWith("__")) names.add(word);
  }
  return names.size === 0 ? undefined : new RegExp(`\\b(${[...names].join("|")})\\b`);
}

const CONTAINED: ReadonlySet<number> = new Set([EDGE.item, EDGE.value, EDGE.key, EDGE.member]);
