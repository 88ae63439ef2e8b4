/** `refledger record`: runs a program and writes down everything that happens to its memory. */
import type { CommandModule } from "yargs";
import {
  checkProgram,
  defaultTrace,
  endLine,
  Failure,
  hideLine,
  isFromInput,
  type Program,
  type Progress,
  programEnvironment,
  type RecordResult,
  record,
  showLine,
  version,
} from "../index.js";
import { printable } from "./printable.js";
import { bytes, count, seconds } from "./quantity.js";

interface Arguments {
  out: string | undefined;
  overwrite: boolean;
  from: "script" | "interpreter";
  "audit-every": number;
  env: string[];
  allow: string[];
  /** Undefined: as the program's PYTHONHASHSEED says, or 0. */
  "hash-seed"?: number | undefined;
  graphs: boolean;
  quiet: boolean;
}

/** Milliseconds between two states of the progress line. */
const TICK = 250;

/** Options of `record` that are followed by a value; all others stand alone. */
const WITH_VALUE = new Set(["--out", "-o", "--from", "--audit-every", "--env", "--allow", "--hash-seed"]);

/** What stands behind `record`: our options, and the program with all that belongs to it. */
export interface RecordLine {
  readonly options: readonly string[];
  readonly program: Program | undefined;
}

/**
 * Splits the command line as `python` does: from the script, or from the value of -m or -c on, everything is the program's, also what
 * looks like an option of ours.
 */
export function splitRecordLine(words: readonly string[]): RecordLine {
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "-m" || word === "-c") {
      const [target, ...args] = words.slice(i + 1);
      if (target === undefined)
        throw new Failure(`${word}: ${word === "-m" ? "a module's name" : "code"} must follow`, 2);
      return { options: words.slice(0, i), program: { kind: word === "-m" ? "module" : "code", target, args } };
    }
    if (WITH_VALUE.has(word)) i++;
    else if (word === "--" || word === "-" || !word.startsWith("-")) {
      const [target, ...args] = words.slice(word === "--" ? i + 1 : i);
      return {
        options: words.slice(0, i),
        program: target === undefined ? undefined : { kind: "script", target, args },
      };
    }
  }
  return { options: words, program: undefined };
}

/** The program is taken off the command line before yargs sees it. */
export function recordCommand(program: Program | undefined): CommandModule<object, Arguments> {
  return {
    command: "record",
    describe: "Run a program and record its memory: record [options] SCRIPT [ARGS…] | -m MODULE | -c CODE | -",
    builder: (yargs) =>
      yargs
        .usage(
          "$0 record [options] SCRIPT [ARGS…]\n$0 record [options] -m MODULE [ARGS…]\n$0 record [options] -c CODE [ARGS…]\n$0 record [options] - [ARGS…] < SCRIPT",
        )
        .option("out", {
          alias: "o",
          type: "string",
          describe: "the trace to write (NAME.trace.db in the working directory)",
        })
        .option("overwrite", { type: "boolean", default: false, describe: "replace a trace that is there" })
        .option("from", {
          choices: ["script", "interpreter"] as const,
          default: "script" as const,
          describe: "begin with the program, or with the interpreter's first instruction",
        })
        .option("audit-every", {
          type: "number",
          default: 0,
          describe: "seconds between audits while it runs; 0: at the end",
        })
        .option("env", {
          type: "string",
          array: true,
          nargs: 1,
          default: [] as string[],
          describe: "NAME=VALUE for the program's environment, or NAME to pass on the host's",
        })
        .option("allow", {
          type: "string",
          array: true,
          nargs: 1,
          default: [] as string[],
          describe:
            "a folder or file that the program may reach besides the working directory, its own folder, PYTHONPATH and temporary files; / allows all",
        })
        .option("hash-seed", {
          type: "number",
          describe: "PYTHONHASHSEED of the program, 0 to 4294967295 (0, or what --env says)",
        })
        .option("graphs", {
          type: "boolean",
          default: true,
          describe:
            "keep the object graph at the end, and at marks while that is cheap, for `why`; --no-graphs does not",
        })
        .option("quiet", {
          alias: "q",
          type: "boolean",
          default: false,
          describe: "print nothing but what the program prints",
        })
        .strictOptions()
        .example("$0 record app.py --port 80", "app.py gets the option, the trace is app.trace.db")
        .example("$0 record -o t.trace.db -m unittest test_app", "as python -m unittest test_app"),
    handler: async (options) => {
      if (program === undefined)
        throw new Failure("record: name a script, or use -m MODULE or -c CODE; see refledger record --help", 2);
      process.exitCode = await recordProgram(program, options);
    },
  };
}

function environment(asked: readonly string[]): Record<string, string> {
  const pairs = asked.map((text) => {
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const value = equals < 0 ? process.env[name] : text.slice(equals + 1);
    if (name === "" || value === undefined)
      throw new Failure(`--env ${text}: give NAME=VALUE, or the name of a variable that is set`, 2);
    return [name, value] as const;
  });
  return programEnvironment(process.env, Object.fromEntries(pairs));
}

/** The interpreter is told its seed, and does not look at its environment for one. */
function hashSeedOf(asked: number | undefined, env: Readonly<Record<string, string>>): number {
  const text = asked === undefined ? env["PYTHONHASHSEED"] : undefined;
  const seed = asked ?? (text === undefined ? 0 : /^\d+$/.test(text) ? Number(text) : Number.NaN);
  if (Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff) return seed;
  const what = text === undefined ? "--hash-seed" : `--env PYTHONHASHSEED=${text}`;
  throw new Failure(`${what}: must be a whole number from 0 to 4294967295`, 2);
}

/** Records and says what came of it; the answer is the exit code. */
export async function recordProgram(program: Program, options: Arguments): Promise<number> {
  const { "audit-every": auditEvery, quiet } = options;
  const env = environment(options.env);
  const hashSeed = hashSeedOf(options["hash-seed"], env);
  if (!(auditEvery >= 0)) throw new Failure("--audit-every: must be a number of seconds from 0", 2);
  const cwd = process.cwd();
  if (!isFromInput(program)) checkProgram(program, cwd);
  else if (process.stdin.isTTY)
    throw new Failure("record -: the script is read from standard input, not from a terminal: record - < SCRIPT", 2);
  const out = options.out ?? defaultTrace(program);
  let stopShowing = (): void => {};
  let beginLine = (): void => {};
  const say = (text: string): void => {
    beginLine();
    process.stderr.write(`refledger: ${printable(text)}\n`);
  };
  const result = await record({
    program,
    out,
    overwrite: options.overwrite,
    from: options.from,
    auditEvery,
    graphs: options.graphs,
    cwd,
    env,
    allow: options.allow,
    hashSeed,
    version,
    started: (read, line) => {
      beginLine = () => endLine(line);
      if (!quiet && process.stderr.isTTY) stopShowing = showProgress(read, line);
    },
  });
  stopShowing();
  if (result.limit !== undefined) say(result.limit);
  if (result.stopped !== undefined) say(`the trace is incomplete: ${result.stopped}`);
  else if (!quiet) say(summary(result, out));
  return result.traceFailed && result.exitCode === 0 ? 1 : result.exitCode;
}

function summary({ events, eventBytes }: RecordResult, out: string): string {
  const each = events > 0 ? ` (${(eventBytes / events).toFixed(2)} bytes each)` : "";
  return `recorded ${count(events)} events${each} in ${out}; next: refledger info ${out}, refledger verify ${out}`;
}

function showProgress(read: () => Progress, line: Int32Array): () => void {
  let last: Progress | undefined;
  const show = (): void => {
    const now = read();
    const rate = last ? (now.events - last.events) / (now.elapsed - last.elapsed) : 0;
    last = now;
    const parts = [
      seconds(now.elapsed),
      `${count(now.events)} events`,
      `${count(rate)} events/s`,
      `${count(now.objects)} live objects`,
      `trace ${bytes(now.traceBytes)}`,
    ];
    showLine(line, parts.join("  ").slice(0, (process.stderr.columns || 80) - 1));
  };
  const timer = setInterval(show, TICK);
  return () => {
    clearInterval(timer);
    hideLine(line);
  };
}
