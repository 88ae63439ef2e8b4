/**
 * Two kinds of trouble, kept apart everywhere: bad input is an answer (`Failure`: one line that says what to do, an exit status),
 * a broken invariant is an assertion (`assert`: a bug of ours, never caught on the way up).
 */

/** The answer to bad input: `message` is one line for a person, and says what to do. `exitCode` is 1 ("no") or 2 (wrong usage). */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Holds an invariant; stays on in production. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`refledger: broken invariant: ${what}`);
}
