#!/usr/bin/env node
/**
 * The command line: parses, calls, prints. The only file that sets the exit code for trouble: 1 when the answer is "no", 2 for
 * wrong usage, one line each that says what to do.
 */
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { Failure, version } from "../index.js";
import { atCommand } from "./at.js";
import { chartCommand } from "./chart.js";
import { checkCommand } from "./check.js";
import { cyclesCommand } from "./cycles.js";
import { diffCommand } from "./diff.js";
import { dumpCommand } from "./dump.js";
import { evalCommand } from "./eval.js";
import { explainCommand } from "./explain.js";
import { historyCommand } from "./history.js";
import { infoCommand } from "./info.js";
import { leaksCommand } from "./leaks.js";
import { objectsCommand } from "./objects.js";
import { poolsCommand } from "./pools.js";
import { printable } from "./printable.js";
import { recordCommand, splitRecordLine } from "./record.js";
import { reportCommand } from "./report.js";
import { rerunCommand } from "./rerun.js";
import { shellCommand } from "./shell.js";
import { sqlCommand } from "./sql.js";
import { tourCommand } from "./tour.js";
import { verifyCommand } from "./verify.js";
import { whyCommand } from "./why.js";

async function main(words: readonly string[]): Promise<void> {
  const isRecord = words[0] === "record";
  const split = isRecord ? splitRecordLine(words.slice(1)) : undefined;
  await yargs(split ? ["record", ...split.options] : words)
    .scriptName("refledger")
    .usage("$0 <verb>: a flight recorder for CPython's memory\n\nWhy is this object still alive?")
    .command(recordCommand(split?.program))
    .command(infoCommand)
    .command(verifyCommand)
    .command(whyCommand)
    .command(explainCommand)
    .command(atCommand)
    .command(diffCommand)
    .command(objectsCommand)
    .command(historyCommand)
    .command(cyclesCommand)
    .command(poolsCommand)
    .command(leaksCommand)
    .command(checkCommand)
    .command(sqlCommand)
    .command(dumpCommand)
    .command(reportCommand)
    .command(chartCommand)
    .command(evalCommand)
    .command(shellCommand)
    .command(rerunCommand)
    .command(tourCommand)
    .demandCommand(1, "name a verb; refledger --help lists them")
    .strict()
    .version(version)
    .help()
    .alias("h", "help")
    .wrap(Math.min(120, process.stdout.columns || 100))
    .fail((message, error) => {
      throw error ?? new Failure(`${message}; see refledger --help`, 2);
    })
    .parseAsync();
}

try {
  await main(hideBin(process.argv));
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
