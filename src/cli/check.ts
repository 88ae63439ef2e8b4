/** `refledger check`: one command for CI, exits 1 with the findings when a rule is broken. */
import { readFileSync } from "node:fs";
import type { CommandModule } from "yargs";
import { type CheckResult, check, Failure, parseRules, type Rules } from "../index.js";
import { indexProgress } from "./explore.js";
import { findingLines } from "./leaks.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { count } from "./quantity.js";

interface Arguments {
  trace: string;
  rules: string | undefined;
  "no-leaks": boolean | undefined;
  "max-leaked-objects": number | undefined;
  "max-growth": number | undefined;
  "max-live-bytes": number | undefined;
  iterations: string | undefined;
  json: boolean;
}

export const checkCommand: CommandModule<object, Arguments> = {
  command: "check <trace>",
  describe: "Check a trace against rules, for CI: exits 1 with the findings when one is broken",
  builder: (yargs) =>
    yargs
      // `--no-leaks` is a rule of that name, not "leaks" set to false.
      .parserConfiguration({ "boolean-negation": false })
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("rules", { type: "string", describe: "a JSON file of rules; see docs/leaks.md" })
      .option("no-leaks", { type: "boolean", describe: "no leak and no lost reference" })
      .option("max-leaked-objects", { type: "number", describe: "objects that leaks may hold" })
      .option("max-growth", { type: "number", describe: "bytes by which live objects may grow after the warm-up" })
      .option("max-live-bytes", { type: "number", describe: "bytes of live objects at the highest" })
      .option("iterations", { type: "string", describe: "what a round is, as for: refledger leaks" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 check app.trace.db --no-leaks", "exits 1 when something leaks")
      .example("$0 check app.trace.db --rules memory.json", "the rules that a project has agreed on") as never,
  handler: async (words) => {
    const { trace, rules: file, json, iterations } = words;
    const given: Record<string, unknown> = {
      noLeaks: words["no-leaks"],
      maxLeakedObjects: words["max-leaked-objects"],
      maxGrowth: words["max-growth"],
      maxLiveBytes: words["max-live-bytes"],
      iterations,
    };
    for (const key of Object.keys(given)) if (given[key] === undefined) delete given[key];
    if (Object.values(given).some((value) => Number.isNaN(value)))
      throw new Failure("--max-…: must be a number from 0", 2);
    const rules: Rules = {
      ...(file === undefined ? {} : parseRules(readRules(file), file)),
      ...parseRules(JSON.stringify(given), "the command line"),
    };
    const result = check(trace, rules, { progress: indexProgress() });
    await standardOutput().write(json ? `${JSON.stringify(result, null, 2)}\n` : checkText(result));
    if (!result.ok) process.exitCode = 1;
  },
};

function readRules(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`--rules ${file}: ${(error as Error).message}`, 2);
  }
}

function checkText({ ok, broken }: CheckResult): string {
  if (ok) return "ok: no rule is broken\n";
  const lines = broken.map(
    ({ rule, allowed, found }) => `broken: ${printable(rule)}: ${count(found)} found, ${count(allowed)} allowed`,
  );
  const findings = new Set(broken.flatMap((one) => one.findings));
  for (const [i, finding] of [...findings].entries()) lines.push("", ...findingLines(finding, i + 1));
  return `${lines.join("\n")}\n`;
}
