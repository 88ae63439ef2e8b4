#!/usr/bin/env node
/**
 * The command line as a process. The only file that sets the exit code for trouble: 1 when the answer is "no", 2 for wrong usage, one line
 * each that says what to do.
 */
import { hideBin } from "yargs/helpers";
import { Failure } from "../index.js";
import { runCommandLine } from "./command-line.js";
import { printable } from "./printable.js";

try {
  await runCommandLine(hideBin(process.argv));
} catch (error) {
  if (error instanceof Failure) {
    process.stderr.write(`refledger: ${printable(error.message)}\n`);
    process.exitCode = error.exitCode;
  } else {
    const { message, stack } = error as Error;
    process.stderr.write(`refledger: a bug of ours: ${printable(message)} (set REFLEDGER_DEBUG=1 for the details)\n`);
    if (process.env["REFLEDGER_DEBUG"]) process.stderr.write(`${stack}\n`);
    process.exitCode = 1;
  }
}
