/**
 * `time.sleep` that sleeps. The C library's way of sleeping on this platform is to ask for the time until it has come, which burns a
 * processor and cannot be interrupted. So the function pointer behind `time.sleep` is replaced, in the function table, by one that does what
 * CPython's `pysleep` does (Modules/timemodule.c): convert with the same rounding, wait, and on a signal run the handlers and wait
 * for the rest (PEP 475). The Python object stays what it was.
 */
import type { Guest } from "./guest.js";
import type { SleepCalls } from "./kernel/sleep-calls.js";

/** `_PyTime_ROUND_TIMEOUT`: away from zero. */
const roundTimeout = 3;
/** Offset of `m_ml` in PyCFunctionObject and of `ml_meth` in PyMethodDef, in bytes. */
const methodDefinition = 8;
const methodFunction = 4;

/** Finds `time.sleep` of the initialised interpreter and takes its place. */
export function installSleep(guest: Guest, calls: SleepCalls): void {
  const { memory, table } = guest;
  const sleep = (_module: number, duration: number): number => {
    const milliseconds = guest.withStack(() => {
      const to = guest.call("_emscripten_stack_alloc", 16);
      if (guest.call("_PyTime_FromSecondsObject", to, duration, roundTimeout) !== 0) return undefined;
      return Number(memory.view.getBigInt64(to, true)) / 1e6;
    });
    if (milliseconds === undefined) return 0;
    if (milliseconds < 0) {
      guest.withStack(() =>
        guest.call(
          "PyErr_SetString",
          memory.u32(guest.address("PyExc_ValueError")),
          guest.string("sleep length must be non-negative"),
        ),
      );
      return 0;
    }
    const end = calls.refledger_now() + milliseconds;
    while (calls.refledger_wait_until(end) !== 0) {
      if (guest.call("PyErr_CheckSignals") !== 0) return 0;
      if (calls.refledger_now() >= end) break;
    }
    return guest.address("_Py_NoneStruct");
  };

  const original = guest.withStack(() => {
    const module = guest.call("PyImport_ImportModule", guest.string("time"));
    const builtin = guest.call("PyObject_GetAttrString", module, guest.string("sleep"));
    const pointer = memory.u32(memory.u32(builtin + methodDefinition) + methodFunction);
    guest.call("Py_DecRef", builtin);
    guest.call("Py_DecRef", module);
    return pointer;
  });
  const replacement = table.add(sleep, ["i32", "i32"], ["i32"]);
  table.set(original, table.get(replacement)!);
}
