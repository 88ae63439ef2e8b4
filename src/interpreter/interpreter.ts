/**
 * Starts CPython inside a worker and runs one program in it, from the first instruction to the last. There is no JavaScript of the
 * interpreter's own build in this: the module is instantiated over the kernel of this project, and its C API is called directly.
 *
 * The order of things, with the hooks that a recorder hangs itself on:
 *
 *     instantiate        ─▶ instantiated     nothing of the interpreter has run; memory and table may be grown
 *     constructors, refledger module, Py_InitializeFromInitConfig, time.sleep, runpy for -m, what kind of file a script is
 *                        ─▶ initialised      then ─▶ programStart
 *     Py_RunMain: the program, threading._shutdown, its atexit callbacks
 *                        ─▶ programEnd       everything is still alive
 *     the rest of Py_FinalizeEx: modules are cleared, last finalizers run
 *
 * `programEnd` also comes when the program ends inside Py_Exit, which does not return (program-end.ts tells how). It does not come
 * after os._exit, a signal that ends the process, or a crash.
 *
 * The worker needs a large stack (resourceLimits.stackSizeMb of 200): the destruction of long chains recurses in C.
 */
import { initialise, isFromInput, type Program } from "./configuration.js";
import { asEnd, InterpreterCrash, ProgramExit } from "./failures.js";
import { type AnyFunction, FunctionTable } from "./function-table.js";
import { Guest } from "./guest.js";
import { computations, importObject, systemCalls } from "./imports.js";
import type { InputLog } from "./input-log.js";
import type { InputReplay } from "./input-replay.js";
import { Interrupt } from "./kernel/interrupt.js";
import { Kernel } from "./kernel/kernel.js";
import { foldersOf } from "./kernel/reach.js";
import type { GuestFunctions, Machine } from "./kernel/runtime-calls.js";
import type { SleepCalls } from "./kernel/sleep-calls.js";
import { limitReached, NO_SHELL } from "./limits.js";
import { GuestMemory } from "./memory.js";
import { watchForEnd } from "./program-end.js";
import { installModule } from "./refledger-module.js";
import { installSleep } from "./sleep.js";
import { installTrampoline } from "./trampoline.js";

export interface InterpreterHooks {
  /** After instantiation, before the module's first instruction: the time for memory.grow, sbrk and table.grow. */
  instantiated?(instance: WebAssembly.Instance): void;
  /** The interpreter is ready and has not looked at the program. */
  initialised?(guest: Guest): void;
  /** Right before Py_RunMain. */
  programStart?(guest: Guest): void;
  /** After the program and its exit callbacks, before the interpreter is torn down. */
  programEnd?(guest: Guest): void;
  /** Before each read, write and wait, and now and then in a long wait. */
  systemCall?(): void;
  /** CPython asks whether a signal has come: a moment at which Python code might run, so no object is half made. */
  poll?(): void;
  /** Before the program writes these bytes to a terminal or to standard error. */
  terminalOutput?(bytes: Uint8Array): void;
  /** `refledger.mark(name)`. */
  mark?(name: string): void;
  /** The process ends: by os._exit, by a signal, or since the interpreter has been torn down. */
  processEnd?(guest: Guest): void;
}

export interface InterpreterOptions {
  /** The interpreter's module, plain or rewritten. */
  module: WebAssembly.Module;
  /** What a rewritten module imports besides, by module and name. */
  extraImports?: WebAssembly.Imports;
  /** python_stdlib.zip. */
  standardLibrary: Uint8Array;
  program: Program;
  /** Absolute. */
  cwd: string;
  /** All that `os.environ` will have. */
  env: Readonly<Record<string, string>>;
  /** Folders and files that the program may reach besides those it is meant to see (kernel/reach.ts). */
  allow?: readonly string[];
  /** Absolute paths of files that are not there for the program. */
  hidden?: readonly string[];
  /** 0 to 4294967295. */
  hashSeed: number;
  /** One shared word: the main thread sets a bit for each signal and notifies (see main-thread.ts). */
  interrupt: Int32Array;
  /** Two shared words, columns and rows. */
  terminalSize: Int32Array;
  /** `refledger.version`. */
  version: string;
  hooks?: InterpreterHooks;
  /** Logs what the program is given from outside. */
  log?: InputLog;
  /** Gives the program what an earlier run was given: there is no kernel then, and no way to the machine. */
  replay?: InputReplay;
}

export interface RunResult {
  /** 0 to 255. */
  exitCode: number;
  /** Whether the program came to its end (programEnd was called), or left through os._exit or by a signal. */
  ended: boolean;
  /** What this CPython cannot do and the program died of, or did not get, in one line without a newline. */
  limit: string | undefined;
}

const ASK_FOR_SIGNALS = "_Py_CheckEmscriptenSignals_Helper";
/** The C library's handler that stands for the default action. */
const SIG_DFL = 0;

/** "3.14" of the module: Py_Version is 0x030E02F0 for 3.14.2. */
function versionOf(guest: Guest): string {
  const version = guest.memory.u32(guest.address("Py_Version"));
  return `${version >>> 24}.${(version >>> 16) & 0xff}`;
}

/** The same as `versionOf`, known before there is an instance: the zip of this version is the only one this runtime has. */
const bundledVersion = "3.14";

/** Where the answers of system calls come from: a kernel, logged or not, or the log of an earlier run. */
function outsideOf(options: InterpreterOptions): {
  calls: Record<string, AnyFunction>;
  attach(memory: GuestMemory, guest: GuestFunctions): void;
  /** From here on the interpreter can do something with signals. */
  hearSignals(): void;
} {
  const { hooks, log, replay } = options;
  if (replay)
    return { calls: replay.calls(), attach: (memory, guest) => replay.attach(memory, guest), hearSignals: () => {} };
  const systemCall = hooks?.systemCall?.bind(hooks) ?? (() => {});
  const kernel = new Kernel({
    standardLibrary: options.standardLibrary,
    pythonVersion: bundledVersion,
    cwd: options.cwd,
    env: options.env,
    folders: foldersOf(options.program, options.cwd, options.env, options.allow ?? []),
    hidden: options.hidden ?? [],
    interrupt: new Interrupt(options.interrupt, systemCall),
    terminalSize: options.terminalSize,
    systemCall,
    poll: hooks?.poll?.bind(hooks) ?? (() => {}),
    beforeTerminalOutput: hooks?.terminalOutput?.bind(hooks),
  });
  const calls = systemCalls(kernel);
  return {
    calls: log ? log.wrap(calls) : calls,
    attach(memory, guest) {
      kernel.memory = memory;
      kernel.guest = log ? log.attach(memory, guest) : guest;
    },
    hearSignals() {
      kernel.interrupt.isHeard = true;
    },
  };
}

/**
 * The import by which CPython asks for signals, with what the operating system does about one that the program neither handles nor ignores: the
 * process ends. Whether it does is read from the interpreter, so a second run, which is given the same signals, ends at the same point.
 */
function withDefaultAction(ask: AnyFunction, guest: () => Guest, ending: () => void): AnyFunction {
  return () => {
    const signal = ask() as number;
    if (signal !== 0 && guest().call("PyOS_getsig", signal) === SIG_DFL) {
      ending();
      throw new ProgramExit(128 + signal);
    }
    return signal;
  };
}

/**
 * What Py_RunMain does first, done before it, so that it is part of the set-up and not of the program: it imports runpy for -m, and asks whether a
 * script is an archive or a folder (pymain_get_importer in Modules/main.c), which looks for a zip's directory in it with Python code. The answer is
 * kept in `sys.path_importer_cache`, where Py_RunMain finds it.
 */
function prepareProgram(guest: Guest, program: Program): void {
  guest.withStack(() => {
    const drop = (object: number): void =>
      void (object === 0 ? guest.call("PyErr_Clear") : guest.call("Py_DecRef", object));
    if (program.kind === "module") drop(guest.call("PyImport_ImportModule", guest.string("runpy")));
    if (program.kind !== "script" || isFromInput(program)) return;
    const path = guest.call("PyConfig_Get", guest.string("run_filename"));
    if (path !== 0) drop(guest.call("PyImport_GetImporter", path));
    drop(path);
  });
}

/** Runs the program. Returns when it has ended; throws InterpreterCrash when the interpreter did not survive it. */
export function runInterpreter(options: InterpreterOptions): RunResult {
  const hooks = options.hooks ?? {};
  const machine = {} as Machine;
  let guest!: Guest;
  const outside = outsideOf(options);
  const { calls } = outside;
  const ending = (): void => hooks.processEnd?.(guest);
  const instance = new WebAssembly.Instance(
    options.module,
    importObject(
      options.module,
      {
        ...calls,
        [ASK_FOR_SIGNALS]: withDefaultAction(calls[ASK_FOR_SIGNALS]!, () => guest, ending),
        ...computations(machine, () => guest, ending),
      },
      options.extraImports,
    ),
  );
  hooks.instantiated?.(instance);

  const memory = new GuestMemory(instance.exports["memory"] as WebAssembly.Memory);
  const table = new FunctionTable(instance.exports["__indirect_function_table"] as WebAssembly.Table);
  guest = new Guest(instance, memory, table);
  machine.memory = memory;
  machine.guest = instance.exports as unknown as GuestFunctions;
  outside.attach(memory, machine.guest);

  let ended = false;
  let limit: string | undefined;
  const run = (): number => {
    guest.call("__wasm_call_ctors");
    if (versionOf(guest) !== bundledVersion)
      throw new InterpreterCrash(`the module is CPython ${versionOf(guest)}, its library ${bundledVersion}`, 134);
    memory.setU32(guest.address("Py_EMSCRIPTEN_SIGNAL_HANDLING"), 1);
    installTrampoline(guest);
    const module = installModule(guest, options.version, (name) => hooks.mark?.(name));
    initialise(guest, {
      program: options.program,
      pythonVersion: bundledVersion,
      hashSeed: options.hashSeed,
      modules: [module],
    });
    installSleep(guest, calls as unknown as SleepCalls);
    prepareProgram(guest, options.program);
    watchForEnd(guest, () => {
      ended = true;
      hooks.programEnd?.(guest);
      limit = limitReached(guest);
    });
    outside.hearSignals();
    hooks.initialised?.(guest);
    hooks.programStart?.(guest);
    return guest.call("Py_RunMain") & 0xff;
  };

  let exitCode: number;
  try {
    exitCode = run();
  } catch (thrown) {
    const end = asEnd(thrown);
    if (end instanceof InterpreterCrash) throw end;
    exitCode = end.code;
  }
  if (machine.askedForShell) limit ??= NO_SHELL;
  return { exitCode, ended, limit };
}
