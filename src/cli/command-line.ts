/**
 * The verbs and what holds for all of them: what was typed is checked in one place before a command sees it, and what is wrong with it is
 * said in one line. yargs parses; it takes an option given twice for a list, a missing value for none and a word for a boolean,
 * and says what it finds wrong in several lines and in the language of the machine.
 */
import yargs from "yargs";
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
import { recordCommand, splitRecordLine } from "./record.js";
import { reportCommand } from "./report.js";
import { rerunCommand } from "./rerun.js";
import { shellCommand } from "./shell.js";
import { sqlCommand } from "./sql.js";
import { tourCommand } from "./tour.js";
import { verifyCommand } from "./verify.js";
import { whyCommand } from "./why.js";

/** In the order of the help. */
const COMMANDS = [
  infoCommand,
  verifyCommand,
  whyCommand,
  explainCommand,
  atCommand,
  diffCommand,
  objectsCommand,
  historyCommand,
  cyclesCommand,
  poolsCommand,
  leaksCommand,
  checkCommand,
  sqlCommand,
  dumpCommand,
  reportCommand,
  chartCommand,
  evalCommand,
  shellCommand,
  rerunCommand,
  tourCommand,
];

/** The command line of a verb, such as "diff <trace> <from> <to>". */
const USAGES: readonly string[] = ["record", ...COMMANDS.map(({ command }) => String(command))];
const verbOf = (usage: string): string => usage.split(" ")[0]!;

/** Parses the words and runs what they ask for. Throws Failure when they ask for nothing that there is. */
export async function runCommandLine(words: readonly string[]): Promise<void> {
  const [verb] = words;
  const usage = USAGES.find((text) => verbOf(text) === verb);
  if (verb !== undefined && usage === undefined && !verb.startsWith("-")) {
    throw new Failure(`${verb}: no such verb; verbs are ${USAGES.map(verbOf).join(", ")}`, 2);
  }
  const split = verb === "record" ? splitRecordLine(words.slice(1)) : undefined;
  const own = (split ? ["record", ...split.options] : words).map(asText);
  const help = usage === undefined ? "refledger --help" : `refledger ${verb} --help`;
  const parser = yargs([...own])
    .locale("en")
    .scriptName("refledger")
    .usage("$0 <verb>: a flight recorder for CPython's memory\n\nWhy is this object still alive?")
    .command(recordCommand(split?.program));
  for (const command of COMMANDS) parser.command(command as never);
  await parser
    .demandCommand(1, "name a verb; refledger --help lists them")
    .strict()
    .check((argv, options) => checkOptions(own, argv, options as unknown as KnownOptions))
    .version(version)
    .help()
    .alias("h", "help")
    .wrap(Math.min(120, process.stdout.columns || 100))
    .fail((message: string | null, error: Error | undefined) => {
      if (error && error.name !== "YError") throw error;
      const text = inOneLine(message ?? error?.message ?? "", usage);
      throw new Failure(text.includes("--help") ? text : `${text}; see ${help}`, 2);
    })
    .parseAsync();
}

/** Text that begins with two dashes and a space is no option: a comment of SQL. */
const asText = (word: string): string => (/^--\s/.test(word) ? ` ${word}` : word);

/** What yargs knows of the options of a command, as far as it is used here. */
interface KnownOptions {
  readonly array: readonly string[];
  readonly boolean: readonly string[];
  readonly number: readonly string[];
  readonly key: Readonly<Record<string, unknown>>;
  readonly alias: Readonly<Record<string, readonly string[]>>;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Options that take one value are given once, with a value; numbers are numbers; the others stand alone. */
function checkOptions(words: readonly string[], argv: Readonly<Record<string, unknown>>, options: KnownOptions): true {
  const alias = new Map(
    Object.entries(options.alias).flatMap(([name, others]) =>
      others.filter((other) => other.length === 1).map((other) => [other, name]),
    ),
  );
  const given = new Set<string>();
  const end = words.indexOf("--");
  const typed = end < 0 ? words : words.slice(0, end);
  for (const [i, word] of typed.entries()) {
    const [, dashed, value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const [, letter] = /^-([a-z])/i.exec(word) ?? [];
    if (dashed === undefined && letter === undefined) continue;
    const typedName = kebab(dashed ?? letter!);
    const name = alias.get(typedName) ?? typedName;
    const option = name.length === 1 ? `-${name}` : `--${name}`;
    if (name.startsWith("no-")) {
      if (!options.boolean.includes(name.slice(3)) && !options.boolean.includes(name))
        throw new Failure(`${option}: --${name.slice(3)} takes a value and has no opposite: leave it out`, 2);
    } else if (options.boolean.includes(name)) {
      if (value !== undefined && value !== "true" && value !== "false")
        throw new Failure(`${option}=${value}: ${option} takes no value`, 2);
    } else if (name in options.key && !options.array.includes(name)) {
      if (given.has(name)) throw new Failure(`${option}: is given more than once; it takes one value`, 2);
      given.add(name);
      const next = typed[i + 1];
      const isAlone = dashed !== undefined ? value === undefined : word.length === 2;
      if (isAlone && (next === undefined || /^-(?![\d.])./.test(next)))
        throw new Failure(`${option}: a value must follow`, 2);
      if ((isAlone ? next : value) === "" && !options.number.includes(name))
        throw new Failure(`${option}: a value must follow, not an empty one`, 2);
      if (options.number.includes(name) && (Number.isNaN(argv[name]) || value === ""))
        throw new Failure(`${option}: must be a number`, 2);
    }
  }
  if (argv["trace"] === "") throw new Failure("<trace>: is empty; name the trace file", 2);
  for (const name of Object.keys(options.key)) {
    if (Array.isArray(argv[name]) && !options.array.includes(name))
      throw new Failure(`${name}: is given more than once; it takes one value`, 2);
  }
  return true;
}

/** What yargs finds wrong, without its line feeds, and with the names of what is missing. */
function inOneLine(message: string, usage: string | undefined): string {
  const choice = /^Invalid values:\s+Argument: (.*?), Given: (.*?), Choices: (.*)$/s.exec(message);
  if (choice) {
    const choices = choice[3]!.split("\n")[0]!.replaceAll('"', "");
    return `--${kebab(choice[1]!)} ${choice[2]!.replaceAll('"', "")}: must be one of ${choices}`;
  }
  const missing = /^Not enough non-option arguments: got (\d+), need at least \d+$/.exec(message);
  if (missing && usage !== undefined) {
    const names = [...usage.matchAll(/<(\w+)[^>]*>/g)].slice(Number(missing[1])).map(([all]) => all);
    return `${verbOf(usage)}: ${names.join(" and ")} ${names.length === 1 ? "is" : "are"} missing`;
  }
  const value = /^Not enough arguments following: (.*)$/.exec(message);
  if (value) return `--${kebab(value[1]!)}: a value must follow`;
  return message.replace(/\s*\n\s*/g, " ");
}
