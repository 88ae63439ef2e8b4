/** Everything that a report is made of, from one trace: the overview, the findings, and the ledgers of the objects that they name. */
import type { Replay } from "../replay/replay.js";
import type { Finding } from "./finding.js";
import { type FindingDetail, findingDetail } from "./finding-detail.js";
import { type Overview, overviewOf } from "./overview.js";

/** Findings of one kind that are shown with all their details. */
export const MOST_DETAILED = 20;

export interface ReportInput {
  readonly overview: Overview;
  /** All findings, problems first. */
  readonly findings: readonly Finding[];
  /** The same, with what is known of their paths. */
  readonly details: readonly FindingDetail[];
}

export function reportInput(replay: Replay): ReportInput {
  const overview = overviewOf(replay);
  const findings: Finding[] = [];
  return withDetails(replay, overview, findings);
}

export function withDetails(replay: Replay, overview: Overview, all: readonly Finding[]): ReportInput {
  const findings = [...all].sort((x, y) => Number(y.isProblem) - Number(x.isProblem) || y.bytes - x.bytes);
  return { overview, findings, details: findings.slice(0, MOST_DETAILED).map((one) => findingDetail(replay, one)) };
}
