/**
 * How a run can end other than by returning. Both are thrown by system calls and pass through the interpreter's wasm frames up to the
 * caller; after either, the instance must not be entered again.
 */

/** The program asked the process to end (`os._exit`, the end of `Py_Exit`). Not an `Error`: nothing went wrong. */
export class ProgramExit {
  constructor(
    /** 0 to 255. */
    readonly code: number,
  ) {}
}

/** A fatal error of the interpreter: abort, a wasm trap, an exhausted stack, a call that the runtime does not provide. */
export class InterpreterCrash extends Error {
  override readonly name = "InterpreterCrash";

  constructor(
    message: string,
    /** As a shell would show it: 134 for an abort, 139 for what would be a segmentation fault. */
    readonly exitCode: 134 | 139,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Turns whatever came out of the interpreter into one of the two. An error of our own is handed on as it is. */
export function asEnd(thrown: unknown): ProgramExit | InterpreterCrash {
  if (thrown instanceof ProgramExit || thrown instanceof InterpreterCrash) return thrown;
  if (thrown instanceof WebAssembly.RuntimeError)
    return new InterpreterCrash(`the interpreter trapped: ${thrown.message}`, 139, { cause: thrown });
  if (thrown instanceof RangeError && /call stack/.test(thrown.message))
    return new InterpreterCrash("the interpreter's stack overflowed", 139, { cause: thrown });
  if (thrown instanceof WebAssembly.Exception)
    return new InterpreterCrash("the interpreter threw an exception that nobody caught", 134, { cause: thrown });
  throw thrown;
}
