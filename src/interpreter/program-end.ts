/**
 * Noticing the instant between the program's end and the tearing down of the interpreter, without a trace in the program: `atexit`
 * would show one more callback, PyUnstable_AtExit comes after the modules are gone, and neither Py_RunMain nor Py_Exit (where
 * `sys.exit` ends up) gives the caller a turn in between.
 *
 * `_Py_Finalize` (Python/pylifecycle.c) waits for threads, runs the exit callbacks, flushes the standard streams, declares the runtime to be
 * finalizing, and then begins to clear modules by setting `sys.path` and its like to None. So the dictionary of `sys` is
 * watched (PyDict_Watch, a C-level facility of CPython); the first change in a finalizing runtime is that instant, and everything is
 * still alive.
 */
import type { Guest } from "./guest.js";

/** Calls `ended` once, at that instant. */
export function watchForEnd(guest: Guest, ended: () => void): void {
  let seen = false;
  const changed = (): number => {
    if (!seen && guest.call("Py_IsFinalizing") !== 0) {
      seen = true;
      ended();
    }
    return 0;
  };
  const watcher = guest.call("PyDict_AddWatcher", guest.table.add(changed, ["i32", "i32", "i32", "i32"], ["i32"]));
  guest.withStack(() => {
    const sys = guest.call("PyImport_ImportModule", guest.string("sys"));
    guest.call("PyDict_Watch", watcher, guest.call("PyModule_GetDict", sys));
    guest.call("Py_DecRef", sys);
  });
}
