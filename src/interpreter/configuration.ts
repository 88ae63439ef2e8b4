/**
 * The interpreter's configuration (PEP 741), so that it behaves as `python SCRIPT`, `python -m MODULE` or `python -c CODE` would:
 * PYTHON* variables count, `sys.path[0]` is computed, tracebacks and exit codes are those of `Py_RunMain`.
 */
import { InterpreterCrash } from "./failures.js";
import type { Guest } from "./guest.js";
import { ownPrefix } from "./kernel/own-files.js";
import type { BuiltinModule } from "./refledger-module.js";

export interface Program {
  kind: "script" | "module" | "code";
  /** The script's path ("-" = standard input), the module's name, or the code. */
  target: string;
  args: readonly string[];
}

/** `python -`: the script is read from standard input. */
export const isFromInput = ({ kind, target }: Pick<Program, "kind" | "target">): boolean =>
  kind === "script" && target === "-";

export interface ConfigurationOptions {
  program: Program;
  /** "3.14". */
  pythonVersion: string;
  /** 0 to 4294967295; 0 is "no randomisation", as PYTHONHASHSEED=0. */
  hashSeed: number;
  /** Built-in modules to register. */
  modules: readonly BuiltinModule[];
}

interface CommandLine {
  readonly argv: string[];
  readonly original: string[];
  /** What is run, as a field of the configuration; without one, standard input. */
  readonly run?: readonly [string, string];
}

function commandLine(program: Program): CommandLine {
  const { kind, target, args } = program;
  if (isFromInput(program)) return { argv: ["-", ...args], original: ["python", "-", ...args] };
  switch (kind) {
    case "script":
      return { argv: [target, ...args], original: ["python", target, ...args], run: ["run_filename", target] };
    case "module":
      return { argv: ["-m", ...args], original: ["python", "-m", target, ...args], run: ["run_module", target] };
    case "code":
      // As the command line of CPython does: the code is a file of its own and ends with a newline.
      return {
        argv: ["-c", ...args],
        original: ["python", "-c", target, ...args],
        run: ["run_command", `${target}\n`],
      };
  }
}

/** Initialises the interpreter, up to the point where it could run its program. Throws InterpreterCrash with CPython's reason. */
export function initialise(guest: Guest, options: ConfigurationOptions): void {
  const { argv, original, run } = commandLine(options.program);
  const prefix = ownPrefix;
  const zip = `${prefix}/lib/python${options.pythonVersion.replace(".", "")}.zip`;
  const integers: Record<string, number> = {
    // `PyInitConfig_Create` starts from the isolated configuration; these bring back what `python` does.
    isolated: 0,
    use_environment: 1,
    safe_path: 0,
    configure_locale: 1,
    install_signal_handlers: 1,
    configure_c_stdio: 1,
    buffered_stdio: 1,
    parse_argv: 0,
    use_hash_seed: 1,
    hash_seed: options.hashSeed,
    utf8_mode: 1,
    write_bytecode: 0,
    site_import: 1,
    user_site_directory: 0,
    pathconfig_warnings: 0,
  };
  const strings: Record<string, string> = {
    program_name: "python",
    executable: `${prefix}/bin/python`,
    base_executable: `${prefix}/bin/python`,
    home: prefix,
    prefix,
    base_prefix: prefix,
    exec_prefix: prefix,
    base_exec_prefix: prefix,
    stdlib_dir: zip,
    ...(run ? { [run[0]]: run[1] } : {}),
  };
  const lists: Record<string, string[]> = {
    argv,
    orig_argv: original,
  };

  guest.withStack(() => {
    const config = guest.call("PyInitConfig_Create");
    const check = (result: number, what: string): void => {
      if (result === 0) return;
      const place = guest.call("_emscripten_stack_alloc", 16);
      const known = guest.call("PyInitConfig_GetError", config, place) === 1;
      const reason = known ? guest.memory.text(guest.memory.u32(place)) : "no reason given";
      throw new InterpreterCrash(`the interpreter did not start (${what}): ${reason}`, 134);
    };
    for (const [name, value] of Object.entries(integers))
      check(guest.call("PyInitConfig_SetInt", config, guest.string(name), BigInt(value)), name);
    for (const [name, value] of Object.entries(strings))
      check(guest.call("PyInitConfig_SetStr", config, guest.string(name), guest.string(value)), name);
    for (const [name, list] of Object.entries(lists))
      check(guest.call("PyInitConfig_SetStrList", config, guest.string(name), list.length, guest.strings(list)), name);
    for (const { name, init } of options.modules)
      check(guest.call("PyInitConfig_AddModule", config, name, init), "built-in modules");
    check(guest.call("Py_InitializeFromInitConfig", config), "initialisation");
    guest.call("PyInitConfig_Free", config);
  });
}
