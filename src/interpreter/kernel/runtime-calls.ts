/**
 * What the interpreter asks of the runtime around it, and not of an operating system: the end of the process, calling signal handlers, looking
 * up its own functions by name (ctypes.pythonapi). Nothing in here looks outside: given the same interpreter, the answers are the same, so
 * they are not logged, and an interpreter that is run again asks these very functions again. Starting processes and loading libraries fail.
 */
import { InterpreterCrash, ProgramExit } from "../failures.js";
import type { FunctionTable } from "../function-table.js";
import { cString, type GuestMemory } from "../memory.js";
import { errno } from "./errno.js";

/** The interpreter's own functions that the host calls: memory for results that C frees, and the place of `errno`. */
export interface GuestFunctions {
  emscripten_builtin_memalign(alignment: number, size: number): number;
  malloc(size: number): number;
  __errno_location(): number;
}

/** The interpreter's memory and functions; there once it has been instantiated. */
export interface Machine {
  /** Whether the program wanted a command to be run: nothing ran, and no exception says so. */
  askedForShell?: boolean;
  memory: GuestMemory;
  guest: GuestFunctions;
}

/** The interpreter, as far as these calls need it; there once it has been instantiated. */
export interface GuestProcess {
  instance: WebAssembly.Instance;
  table: FunctionTable;
}

/** `ending` is told before the process ends of its own accord. */
export function runtimeCalls(machine: Machine, guest: () => GuestProcess, ending: () => void) {
  const exports = (): Record<string, unknown> => guest().instance.exports;
  const call = (name: string, ...args: number[]): number =>
    (exports()[name] as (...values: number[]) => number)(...args);

  return {
    _emscripten_get_progname(to: number, size: number): void {
      machine.memory.put(to, cString("python").subarray(0, size));
    },
    /** `_exit`: no cleaning up. */
    proc_exit(code: number): never {
      ending();
      throw new ProgramExit(code & 0xff);
    },
    /** C's `exit`: runs the C library's exit functions and writes out its buffers first. */
    exit(code: number): never {
      call("__funcs_on_exit");
      call("fflush", 0);
      ending();
      throw new ProgramExit(code & 0xff);
    },
    _abort_js(): never {
      throw new InterpreterCrash("the interpreter aborted", 134);
    },
    __assert_fail(condition: number, file: number, line: number, functionName: number): never {
      const [what, where, inside] = [condition, file, functionName].map((at) =>
        at === 0 ? "?" : machine.memory.text(at),
      );
      throw new InterpreterCrash(`the interpreter's assertion failed: ${what} (${where}:${line}, ${inside})`, 134);
    },

    __call_sighandler(handler: number, signal: number): void {
      (guest().table.get(handler) as (signal: number) => void)(signal);
    },

    /** What `sys._emscripten_info.runtime` says; the caller frees it. The same everywhere, lest lengths differ between machines. */
    _Py_emscripten_runtime(): number {
      const text = cString("refledger");
      const address = machine.guest.malloc(text.length) >>> 0;
      if (address !== 0) machine.memory.put(address, text);
      return address;
    },
    /** An exported function's place in the table, or an exported variable's address; 0 for what there is not. */
    _dlsym_js(_library: number, symbol: number): number {
      const name = machine.memory.text(symbol);
      if (name.startsWith("refledger_")) return 0; // what a rewritten module exports for the recorder alone
      const found = exports()[name];
      if (typeof found === "function") return guest().table.indexOf(found as () => unknown);
      return found instanceof WebAssembly.Global && typeof found.value === "number" ? found.value : 0;
    },
    /** No library can be loaded. */
    _dlopen_js: () => 0,
    _emscripten_system(command: number): number {
      if (command === 0) return 0; // whether there is a shell
      machine.askedForShell = true;
      return -errno.ENOSYS;
    },
    /** A constructor of the bridge to JavaScript makes a table with this, before anything runs; nothing looks into it. */
    __hiwire_deduplicate_new: () => null,
    emscripten_runtime_keepalive_push(): void {},
    emscripten_runtime_keepalive_pop(): void {},
    _emscripten_runtime_keepalive_clear(): void {},
  };
}
