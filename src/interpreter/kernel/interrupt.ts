/**
 * Signals from outside, and waiting. One shared 32-bit word carries signals from the main thread into the worker, bit n - 1 for
 * signal n, set while it waits for the interpreter. Every wait of the kernel waits on that word, so that it ends at once when the main
 * thread sets a bit and notifies. The interpreter sees the signal where CPython polls for it (the import
 * `_Py_CheckEmscriptenSignals_Helper`): between bytecodes, and after each system call that failed with EINTR.
 */

export const SIGINT = 2;

/** What is passed on to the program: all that end a process which does not handle them, and that Node can hand on. */
export const PASSED_ON = { SIGHUP: 1, SIGINT, SIGUSR1: 10, SIGUSR2: 12, SIGTERM: 15 } as const;

/** The bit of a signal in the shared word. */
export const signalBit = (signal: number): number => 1 << (signal - 1);

/** Index of the word in the shared array. */
const word = 0;
/** Milliseconds between two calls of `idle` in a long wait. */
const idleSlice = 500;

export class Interrupt {
  readonly #shared: Int32Array;
  /** Until then signals stay where they are: the interpreter could do nothing with them yet. */
  isHeard = false;

  /** `idle` is told that the program waits, again and again: time for what should not wait with it. */
  constructor(
    shared: Int32Array,
    private readonly idle: () => void = () => {},
  ) {
    this.#shared = shared;
  }

  get pending(): boolean {
    return Atomics.load(this.#shared, word) !== 0;
  }

  /** The lowest signal that is waiting, taken; 0 if none. */
  take(): number {
    const waiting = this.isHeard ? Atomics.load(this.#shared, word) : 0;
    if (waiting === 0) return 0;
    const lowest = waiting & -waiting;
    Atomics.and(this.#shared, word, ~lowest);
    return 32 - Math.clz32(lowest);
  }

  /** Waits that many milliseconds (may be Infinity), or less: true if a signal ended it. */
  wait(milliseconds: number): boolean {
    const end = performance.now() + milliseconds;
    for (;;) {
      if (this.pending) return true;
      const now = performance.now();
      if (now >= end) return false;
      this.idle();
      Atomics.wait(this.#shared, word, 0, Math.min(end - now, idleSlice));
    }
  }
}
