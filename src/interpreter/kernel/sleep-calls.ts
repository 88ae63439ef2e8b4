/** What `time.sleep` (sleep.ts) needs from outside: the clock, and a wait that a signal ends. */
import type { Kernel } from "./kernel.js";

export interface SleepCalls {
  /** Milliseconds of a clock that never goes back. */
  refledger_now(): number;
  /** Waits until that clock shows `end`; 1 if a signal came before. */
  refledger_wait_until(end: number): number;
}

export function sleepCalls(kernel: Kernel): SleepCalls {
  return {
    refledger_now: () => performance.now(),
    refledger_wait_until(end) {
      kernel.options.systemCall();
      return kernel.interrupt.wait(Math.max(0, end - performance.now())) ? 1 : 0;
    },
  };
}
