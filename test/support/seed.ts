/**
 * Where tests draw instants of programs at random, from what they draw them. By default it is always the same, so that a run can be
 * repeated; REFLEDGER_SEED=n takes another, REFLEDGER_SEED=random a new one each time, which a failing test prints.
 */
const asked = process.env["REFLEDGER_SEED"] ?? "20261128";

export const seed = asked === "random" ? Date.now() % 1_000_000 : Number(asked);
if (!Number.isSafeInteger(seed))
  throw new RangeError(`REFLEDGER_SEED=${asked}: is neither a whole number nor "random"`);
