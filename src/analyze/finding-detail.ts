/**
 * What a finding's retaining path does not say by itself: when and where each of its references was made, which of them is the suspect, and the
 * ledger of the object at its end.
 *
 * **When a reference was made.** A ledger knows the references that are open, not which holder has which. With one open reference there is no
 * doubt; with several, those are candidates. **The suspect** is the last reference on the path whose holder keeps at least as many
 * objects alive as the finding has: from there on each object has its own way, up to there they share it.
 */
import { historyOf } from "../replay/history.js";
import type { Replay } from "../replay/replay.js";
import type { TimeInfo } from "../replay/survey.js";
import type { Finding, SourcePlace } from "./finding.js";
import type { LeakFinding } from "./leaks.js";
import type { Suspect } from "./suspects.js";

/** References from the end of a path back that are looked up: each costs a pass over its object's events. */
const LOOKED_UP = 4;
/** Candidates that are listed. */
const CANDIDATES = 3;

export interface Made {
  readonly at: TimeInfo;
  readonly place: SourcePlace;
  /** Name of the C function that took it; null = not known. */
  readonly cFunction: string | null;
}

export interface StepDetail {
  /** Number of the object; null = not known. */
  readonly id: number | null;
  /** Where the reference may have been made; one = it was. Empty = not looked up, or before the recording. */
  readonly made: readonly Made[];
  /** Open references in all, when they were looked up. */
  readonly open: number | null;
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

export function findingDetail(replay: Replay, finding: Finding, leak: LeakFinding | null): FindingDetail {
  const path = finding.keptBy?.steps ?? [];
  replay.seek(replay.end);
  const ids = path.map(({ address }) => replay.heap.objectAt(address)?.id ?? null);
  let ledger: Suspect | null = null;
  const steps = ids.map((id, i): StepDetail => {
    if (id === null || i < path.length - LOOKED_UP) return { id, made: [], open: null };
    const history = historyOf(replay, id);
    if (i === path.length - 1)
      ledger = { because: `A representative of: ${finding.title.replace(/\.$/, "")}.`, history };
    const open = history.open.slice(-CANDIDATES).reverse();
    return {
      id,
      made: open.map((one) => ({
        at: one.opened,
        place: { function: one.function, file: one.file, line: one.line, source: one.source },
        cFunction: one.cFunction,
      })),
      open: history.open.length + history.openElsewhere,
    };
  });
  return { finding, steps, suspect: suspectOf(finding), ledger, leak, span: spanOf(leak, ledger) };
}

/** From the birth of the representative to the moment when the reference was made that keeps it. */
function spanOf(leak: LeakFinding | null, ledger: Suspect | null): FindingDetail["span"] {
  const stored = leak?.reference?.made.event;
  const object = ledger?.history.object;
  const born = object?.id === leak?.representative ? object?.born?.event : undefined;
  const known = [stored, born].filter((event) => event !== undefined);
  return known.length === 0 ? null : { from: Math.min(...known), to: Math.max(...known) };
}

function suspectOf({ keptBy, objects }: Finding): number | null {
  const steps = keptBy?.steps ?? [];
  for (let i = steps.length - 1; i > 0; i--) if ((steps[i - 1]!.retainedObjects ?? 0) >= objects) return i;
  return steps.length === 0 ? null : steps.length - 1;
}
