/**
 * Signals from outside, and waiting. One shared 32-bit word carries Ctrl-C from the main thread into the worker: 0 is "nothing",
 * anything else is "SIGINT, not yet seen". Every wait of the kernel waits on that word, so that it ends at once when the main
 * thread stores into it and notifies. The interpreter sees the signal where CPython polls for it (the import
 * `_Py_CheckEmscriptenSignals_Helper`): between bytecodes, and after each system call that failed with EINTR.
 */

export const SIGINT = 2;

/** Index of the word in the shared array. */
const word = 0;

export class Interrupt {
  readonly #shared: Int32Array;

  constructor(shared: Int32Array) {
    this.#shared = shared;
  }

  get pending(): boolean {
    return Atomics.load(this.#shared, word) !== 0;
  }

  /** The signal that is waiting, taken; 0 if none. */
  take(): number {
    return Atomics.exchange(this.#shared, word, 0) === 0 ? 0 : SIGINT;
  }

  /** Waits that many milliseconds (may be Infinity), or less: true if a signal ended it. */
  wait(milliseconds: number): boolean {
    const end = performance.now() + milliseconds;
    for (;;) {
      if (this.pending) return true;
      const now = performance.now();
      if (now >= end) return false;
      Atomics.wait(this.#shared, word, 0, end - now);
    }
  }
}
