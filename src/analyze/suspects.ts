/** Ledgers of the objects that findings name. */
import type { History } from "../replay/history.js";

export type { History, LedgerRow } from "../replay/history.js";
export { historyOf } from "../replay/history.js";

/** An object that a finding names, with its ledger. */
export interface Suspect {
  /** Why it is looked at, one sentence. */
  readonly because: string;
  readonly history: History;
}
