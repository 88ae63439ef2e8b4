/**
 * `refledger explain`: what each line of a program did to memory. The program is recorded into a temporary folder by a process of its own,
 * so that what it prints goes to standard error and standard output has the explanation alone; a trace that is there
 * already is explained as it is.
 */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandModule } from "yargs";
import { checkProgram, type Explanation, explain, Failure, openReplay, sourceLines, stepperPage } from "../index.js";
import { explainText } from "./explain-text.js";
import { json as jsonText } from "./explore.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { plural } from "./quantity.js";

interface Arguments {
  script: string;
  args: string[];
  lines: string | undefined;
  object: string | undefined;
  all: boolean;
  html: string | undefined;
  rounds: number;
  json: boolean;
}

const MAIN = fileURLToPath(new URL("main.js", import.meta.url));
/** Objects that the page's picture of one step can have. */
const PAGE_OBJECTS = 60;
const SQLITE = "SQLite format 3\0";

export const explainCommand: CommandModule<object, Arguments> = {
  command: "explain <script> [args..]",
  describe: "Run a program and say what each line did to memory: counts, births, deaths, names",
  builder: (yargs) =>
    yargs
      .positional("script", { type: "string", demandOption: true, describe: "a Python script, or the trace of one" })
      .positional("args", {
        type: "string",
        array: true,
        default: [] as string[],
        describe: "its arguments (after --)",
      })
      .option("lines", { type: "string", describe: "only these lines: 12, 3-9 or 20-" })
      .option("object", {
        type: "string",
        describe: "only the objects that this variable names, or the one numbered #123",
      })
      .option("all", { type: "boolean", default: false, describe: "every object, not only what variables name" })
      .option("rounds", { type: "number", default: 1, describe: "rounds of a loop shown from its beginning" })
      .option("html", { type: "string", describe: "write a page that steps through the program to this file" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 explain app.py", "each line, and what it did to the objects that variables name")
      .example("$0 explain app.py --lines 10-20 --object cache", "one variable's objects on some lines")
      .epilogue(
        "What the program prints goes to standard error. A loop's lines show their first and last round, and the sum.",
      ),
  handler: async ({ script, args, lines, object, all, html, rounds, json }) => {
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > 10_000)
      throw new Failure("--rounds: must be a whole number from 1 to 10000", 2);
    const range = lines === undefined ? undefined : lineRange(lines);
    const given = isTrace(script);
    if (html !== undefined) keepApart(html, script);
    if (range && !given) checkRange(lines!, range, script);
    const folder = given ? undefined : mkdtempSync(join(tmpdir(), "refledger-explain-"));
    try {
      const trace = folder === undefined ? script : join(folder, "explain.trace.db");
      if (folder !== undefined) await recordInto(trace, script, args);
      const replay = openReplay(trace);
      let explanation: Explanation;
      try {
        const { meta } = replay.reader;
        if (html !== undefined && meta.program?.kind === "script")
          keepApart(html, posix.resolve(meta.cwd ?? "/", meta.program.text));
        const graphObjects = html === undefined ? 0 : PAGE_OBJECTS;
        const result = await explain(trace, replay, {
          all,
          first: rounds,
          graphObjects,
          ...(range ? { lines: range } : {}),
        });
        ({ explanation } = result);
        if (html !== undefined) writeFileSync(html, stepperPage(explanation, result.steps));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        throw new Failure(printable(error.message), error.exitCode, { cause: error });
      } finally {
        replay.close();
      }
      if (html !== undefined && !json) {
        process.stderr.write(`refledger: wrote ${printable(html)}\n`);
        return;
      }
      const only = object === undefined ? undefined : objectsNamed(explanation, object);
      const text = json
        ? jsonText(only ? restricted(explanation, only) : explanation)
        : explainText(explanation, { only, everyLine: only === undefined });
      await standardOutput().write(text);
      if (explanation.exitCode !== null && explanation.exitCode !== 0) process.exitCode = 1;
    } finally {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    }
  },
};

function isTrace(path: string): boolean {
  checkProgram({ kind: "script", target: path, args: [] }, process.cwd());
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return false; // a folder with a __main__.py
  }
  try {
    const head = Buffer.alloc(SQLITE.length);
    return readSync(file, head, 0, head.length, 0) === head.length && head.toString("latin1") === SQLITE;
  } catch {
    return false;
  } finally {
    closeSync(file);
  }
}

/** A page in the place of what it explains would be the end of that. */
function keepApart(html: string, input: string): void {
  const page = statSync(html, { throwIfNoEntry: false });
  const other = page && statSync(input, { throwIfNoEntry: false });
  if (page && other && page.dev === other.dev && page.ino === other.ino)
    throw new Failure(`--html ${printable(html)}: is the file that is explained; give the page another name`, 2);
}

/** Before the program is run for nothing. */
function checkRange(text: string, { from }: { readonly from: number }, script: string): void {
  let source: string;
  try {
    source = readFileSync(script, "utf8");
  } catch {
    return; // a folder: its program is known once it was recorded
  }
  const { length } = sourceLines(source);
  if (from > length) throw new Failure(`--lines ${text}: ${printable(script)} has ${plural(length, "line")}`, 2);
}

/** Records in another process, whose standard output is this one's standard error. */
async function recordInto(trace: string, script: string, args: readonly string[]): Promise<void> {
  const words = [...process.execArgv, MAIN, "record", "--quiet", "--no-graphs", "--out", trace, "--", script, ...args];
  const child = spawn(process.execPath, words, { stdio: ["inherit", 2, "inherit"] });
  // Ctrl-C reaches both; the program decides what comes of it.
  const wait = (): void => {};
  process.on("SIGINT", wait);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (exit, signal) => resolve(signal === null ? exit : null));
    });
    if (code === 2) throw new Failure(`${script}: could not be recorded`, 2);
    if (code === null) throw new Failure(`${script}: the recording was stopped before the program ended; run it again`);
  } finally {
    process.off("SIGINT", wait);
  }
}

function lineRange(text: string): { from: number; to: number } {
  const [, from, dash, to] = /^(\d{1,7})(-)?(\d{1,7})?$/.exec(text) ?? [];
  const first = Number(from);
  const last = dash === undefined ? first : to === undefined ? Number.MAX_SAFE_INTEGER : Number(to);
  if (from === undefined || first < 1 || last < first)
    throw new Failure(`--lines ${text}: give a line or a range, such as 12, 3-9 or 20-`, 2);
  return { from: first, to: last };
}

/** Objects by number, or by a variable: `x` for the module's, `foo.x` or any function's `x` for a local one. */
function objectsNamed({ objects }: Explanation, name: string): ReadonlySet<number> {
  const number = /^#(\d{1,15})$/.exec(name);
  const found = objects.filter(({ object, names }) =>
    number ? object === Number(number[1]) : names.some((one) => one === name || one.endsWith(`.${name}`)),
  );
  if (found.length === 0) {
    const known = [...new Set(objects.flatMap(({ names }) => names))].slice(0, 10);
    throw new Failure(
      `--object ${name}: no object of the lines shown has that name${known.length > 0 ? `; there are: ${known.join(", ")}` : ""}`,
      2,
    );
  }
  return new Set(found.map(({ object }) => object));
}

function restricted(explanation: Explanation, only: ReadonlySet<number>): Explanation {
  const has = ({ object }: { readonly object: number }): boolean => only.has(object);
  return {
    ...explanation,
    objects: explanation.objects.filter(has),
    lines: explanation.lines.map((line) => ({
      ...line,
      objects: line.objects.filter(has),
      shown: line.shown.map((round) => ({ ...round, objects: round.objects.filter(has) })),
    })),
  };
}
