/**
 * `node run-plain-cli.js [-m MODULE | -c CODE | SCRIPT] [ARGS…]`: a program in the interpreter without the recorder. Prints nothing of its
 * own, except what this CPython cannot do or what it died of, and passes the exit code on.
 */
import { writeSync } from "node:fs";
import type { Program } from "./configuration.js";
import { InterpreterCrash } from "./failures.js";
import { readLibrary } from "./library.js";
import { runPlain } from "./run-plain.js";

function programOf([first, ...rest]: string[]): Program | undefined {
  if (first === "-m" || first === "-c") {
    const [target, ...args] = rest;
    return target === undefined ? undefined : { kind: first === "-m" ? "module" : "code", target, args };
  }
  return first === undefined ? undefined : { kind: "script", target: first, args: rest };
}

const say = (line: string): void => void writeSync(2, `refledger: ${line}\n`);

async function main(): Promise<number> {
  const program = programOf(process.argv.slice(2));
  if (program === undefined) {
    say("usage: run-plain-cli.js [-m MODULE | -c CODE | SCRIPT] [ARGS…]");
    return 2;
  }
  try {
    const env = Object.fromEntries(Object.entries(process.env).filter((entry) => entry[1] !== undefined)) as Record<
      string,
      string
    >;
    const seed = Number(process.env["PYTHONHASHSEED"]);
    const { exitCode, limit } = await runPlain({
      program,
      cwd: process.cwd(),
      env,
      hashSeed: Number.isInteger(seed) ? seed : 0,
      version: "plain",
      standardLibrary: await readLibrary(),
    });
    if (limit !== undefined) say(limit);
    return exitCode;
  } catch (error) {
    if (!(error instanceof InterpreterCrash)) throw error;
    say(error.message);
    return error.exitCode;
  }
}

process.exitCode = await main();
