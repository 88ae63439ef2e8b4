/** Everything that a report is made of, from one trace: the overview, the findings, and the ledgers of the objects that they name. */
import type { Replay } from "../replay/replay.js";
import type { Finding } from "./finding.js";
import { type Overview, overviewOf } from "./overview.js";
import type { Suspect } from "./suspects.js";

export interface ReportInput {
  readonly overview: Overview;
  readonly findings: readonly Finding[];
  readonly suspects: readonly Suspect[];
}

export function reportInput(replay: Replay): ReportInput {
  return { overview: overviewOf(replay), findings: [], suspects: [] };
}
