/**
 * Everything the interpreter's module can call outside of itself. It names 548 imports; `systemCalls` has those that an operating
 * system would have, `computations` those of a runtime, and that is all there is. The others (the bridge from Python to JavaScript, inline JavaScript, loading of
 * libraries at run time, WebGL, sound) have no implementation in this program: such a function throws `InterpreterCrash` when it is called,
 * which only code can do that casts its way there through ctypes. The WebGL functions are imported as function pointers; theirs are NULL.
 */

import { InterpreterCrash } from "./failures.js";
import type { AnyFunction } from "./function-table.js";
import { clockCalls } from "./kernel/clock-calls.js";
import { descriptorCalls, transferCalls } from "./kernel/descriptor-calls.js";
import { ffiCalls } from "./kernel/ffi-calls.js";
import { fileCalls } from "./kernel/file-calls.js";
import type { Kernel } from "./kernel/kernel.js";
import { processCalls } from "./kernel/process-calls.js";
import { type GuestProcess, type Machine, runtimeCalls } from "./kernel/runtime-calls.js";
import { type SleepCalls, sleepCalls } from "./kernel/sleep-calls.js";
import { socketCalls } from "./kernel/socket-calls.js";

/**
 * The functions that look outside, by the names under which the interpreter imports them, and the two behind `time.sleep`. Through
 * these comes everything that one run can see and another not; they are logged (input-log.ts).
 */
export function systemCalls(kernel: Kernel): Record<string, AnyFunction> & SleepCalls {
  return {
    ...fileCalls(kernel),
    ...transferCalls(kernel),
    ...descriptorCalls(kernel),
    ...socketCalls(kernel),
    ...clockCalls(kernel),
    ...processCalls(kernel),
    ...sleepCalls(kernel),
  };
}

/** The functions that answer the same to the same interpreter. `ending` is told before the process ends of its own accord. */
export function computations(
  machine: Machine,
  guest: () => GuestProcess,
  ending: () => void,
): Record<string, AnyFunction> {
  return { ...runtimeCalls(machine, guest, ending), ...ffiCalls(machine, guest) };
}

function closed(name: string): AnyFunction {
  return () => {
    throw new InterpreterCrash(`the interpreter called ${name}, which does not exist outside of a browser`, 134);
  };
}

/** Names of a module's imported functions that nothing is provided for. */
export function closedImports(module: WebAssembly.Module, provided: Readonly<Record<string, AnyFunction>>): string[] {
  return WebAssembly.Module.imports(module)
    .filter(({ kind, name }) => kind === "function" && !Object.hasOwn(provided, name))
    .map(({ name }) => name);
}

/** The import object for a module. `extra` is what a rewritten module imports besides, by module and name. */
export function importObject(
  module: WebAssembly.Module,
  provided: Readonly<Record<string, AnyFunction>>,
  extra: WebAssembly.Imports = {},
): WebAssembly.Imports {
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    const given = extra[from]?.[name];
    if (given !== undefined) imports[from][name] = given;
    else if (kind === "function") imports[from][name] = Object.hasOwn(provided, name) ? provided[name]! : closed(name);
    else if (kind === "global" && from === "GOT.func")
      imports[from][name] = new WebAssembly.Global({ value: "i32", mutable: true }, 0);
    else throw new Error(`refledger: the interpreter imports an unknown ${kind}, ${from}.${name}`);
  }
  return imports;
}
