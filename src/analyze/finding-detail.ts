/**
 * What a finding's retaining path does not say by itself: when and where each of its references was made, which of them is the suspect, and the
 * ledger of the object at its end.
 *
 * **When a reference was made** is what `why` says of the same path (src/rewind/provenance.ts). **The suspect** is the last reference on the path
 * whose holder keeps at least as many objects alive as the finding has: from there on each object has its own way, up to there they share it.
 */
import { historyOf } from "../replay/history.js";
import type { Replay } from "../replay/replay.js";
import { ObjectGraph } from "../rewind/object-graph.js";
import { type Made, Provenance } from "../rewind/provenance.js";
import { objectsOf } from "../rewind/why-at.js";
import type { Finding } from "./finding.js";
import type { LeakFinding } from "./leaks.js";
import { pathTo } from "./leaks-holders.js";
import type { Suspect } from "./suspects.js";

/** References from the end of a path back that are looked up: each costs a pass over its object's events. */
const LOOKED_UP = 4;

export interface StepDetail {
  /** Number of the object; null = not known. */
  readonly id: number | null;
  /** When and where the reference was made; null = not looked up. */
  readonly made: Made | null;
}

export interface FindingDetail {
  readonly finding: Finding;
  /** One for each step of `keptBy`. */
  readonly steps: readonly StepDetail[];
  /** Step whose reference is the suspect; null = none. */
  readonly suspect: number | null;
  /** Ledger of the object at the path's end. */
  readonly ledger: Suspect | null;
  /** The same finding as the search for leaks has it, with the line that stored and the groups; null = another kind of finding. */
  readonly leak: LeakFinding | null;
  /** What is seen of the finding in the recording, for a reader who looks at a part of it: first and last event; null = it is about the end. */
  readonly span: { readonly from: number; readonly to: number } | null;
}

/** Details of findings one after the other. Winds the replay elsewhere. */
export function findingDetails(
  replay: Replay,
  findings: readonly { finding: Finding; leak: LeakFinding | null }[],
): FindingDetail[] {
  const audit = replay.reader.audits().at(-1);
  const graph = audit && ObjectGraph.load(replay.reader, audit.id);
  const objects = graph && objectsOf(replay, graph, replay.end);
  const provenance = graph && objects && new Provenance(replay, graph, replay.end, objects.at);
  return findings.map(({ finding, leak }) => {
    const steps = stepsOf(finding, graph, (node) => objects?.id(node) || null, provenance);
    const { id } = steps.at(-1) ?? { id: null };
    const ledger =
      id === null
        ? null
        : { because: `A representative of: ${finding.title.replace(/\.$/, "")}.`, history: historyOf(replay, id) };
    return { finding, steps, suspect: suspectOf(finding), ledger, leak, span: spanOf(leak, ledger) };
  });
}

function stepsOf(
  { keptBy }: Finding,
  graph: ObjectGraph | undefined,
  idOf: (node: number) => number | null,
  provenance: Provenance | undefined,
): StepDetail[] {
  const shown = keptBy?.steps ?? [];
  const last = shown.at(-1);
  if (!graph || !last) return shown.map(() => ({ id: null, made: null }));
  // The same way to the same object: what was found with it is not stored with the finding.
  const path = pathTo(graph, graph.nodeAt(last.address))?.steps ?? [];
  return shown.map(({ address }, i): StepDetail => {
    const step = path[i];
    if (!step || graph.address[step.node] !== address) return { id: null, made: null };
    return {
      id: idOf(step.node),
      made: i < shown.length - LOOKED_UP ? null : (provenance?.of(step.edge) ?? null),
    };
  });
}

/** From the birth of the representative to the moment when the reference was made that keeps it. */
function spanOf(leak: LeakFinding | null, ledger: Suspect | null): FindingDetail["span"] {
  const stored = leak?.reference?.made.event;
  const object = ledger?.history.object;
  const isItself = (leak?.reference?.object ?? leak?.representative) === leak?.representative;
  const born = isItself && object?.id === leak?.representative ? object?.born?.event : undefined;
  const known = [stored, born].filter((event) => event !== undefined);
  return known.length === 0 ? null : { from: Math.min(...known), to: Math.max(...known) };
}

function suspectOf({ keptBy, objects }: Finding): number | null {
  const steps = keptBy?.steps ?? [];
  for (let i = steps.length - 1; i > 0; i--) if ((steps[i - 1]!.retainedObjects ?? 0) >= objects) return i;
  return steps.length === 0 ? null : steps.length - 1;
}
