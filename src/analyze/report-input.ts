/** Everything that a report is made of, from one trace: the overview, the findings of all analyzers, and what is known of the objects that they name. */
import type { Replay } from "../replay/replay.js";
import type { CycleFinding } from "./cycle-findings.js";
import { analyseCycles, type CyclesAnswer } from "./cycles.js";
import type { Finding } from "./finding.js";
import { type FindingDetail, findingDetails } from "./finding-detail.js";
import { type LeakResult, leaksOf } from "./leaks.js";
import { type Overview, overviewOf } from "./overview.js";
import { poolsPass } from "./pools.js";
import type { PoolsAnalysis } from "./pools-data.js";
import { historyOf, type Suspect } from "./suspects.js";

/** Findings that are shown with all their details. */
const MOST_DETAILED = 20;

/** Kinds of cycles of which a member's ledger is read: each costs a pass over its object's events. */
const MOST_MEMBERS = 3;

/** Models that are compared: pymalloc in its three forms, with this interpreter's 32-bit pointers. */
const MODELS = ["early-32", "3.3-32", "3.10-32"];

export interface ReportInput {
  readonly overview: Overview;
  /** All findings, problems first. */
  readonly findings: readonly Finding[];
  /** The first of them, with what is known of their paths. */
  readonly details: readonly FindingDetail[];
  readonly leaks: LeakResult;
  readonly cycles: CyclesAnswer;
  /** Ledgers of members of the first problems among the cycles. */
  readonly members: readonly Suspect[];
  readonly pools: PoolsAnalysis;
}

/** In one pass. */
function poolsAndOverview(replay: Replay): { pools: PoolsAnalysis; overview: Overview } {
  const { take, result } = poolsPass(replay, { models: MODELS });
  const overview = overviewOf(replay, take ? { chunk: (columns) => take(columns, 0, columns.count) } : {});
  return { pools: result(), overview };
}

export async function reportInput(replay: Replay): Promise<ReportInput> {
  const leaks = leaksOf(replay);
  let rest: { pools: PoolsAnalysis; overview: Overview } | undefined;
  const work = (): void => {
    rest ??= poolsAndOverview(replay);
  };
  const cycles = await analyseCycles(replay, { meanwhile: work });
  work();
  const { pools, overview } = rest!;
  const findings = [...leaks.findings, ...cycles.findings, ...pools.findings].sort(
    (x, y) =>
      Number(y.isProblem) - Number(x.isProblem) ||
      Number(x.kind === "cycle") - Number(y.kind === "cycle") ||
      y.bytes - x.bytes,
  );
  const detailed = findings
    .filter(({ kind }) => kind !== "cycle")
    .slice(0, MOST_DETAILED)
    .map((finding) => ({ finding, leak: leaks.findings.find((one) => one === finding) ?? null }));
  const details = findingDetails(replay, detailed);
  const members = cycles.findings
    .filter(({ isProblem }) => isProblem)
    .slice(0, MOST_MEMBERS)
    .flatMap((finding) => memberOf(replay, finding));
  return { overview, findings, details, leaks, cycles, members, pools };
}

/** The ledger of the object whose store closed the example's ring, or else of the ring's first. */
function memberOf(replay: Replay, { title, example }: CycleFinding): Suspect[] {
  const id = example.closed?.object ?? example.members.find(({ cycle }) => cycle > 0)?.object;
  if (id === undefined) return [];
  const what = example.closed === null ? "A member" : "The object whose storing closed the ring";
  return [{ because: `${what}, of an example of: ${title.replace(/\.$/, "")}.`, history: historyOf(replay, id) }];
}
