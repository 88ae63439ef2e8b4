/**
 * `refledger shell`: a Python prompt in the past. Lines come from a person (with history and completion) or from a pipe, without prompts
 * then. The program is held all the while; what lines change is forgotten at the end, and the trace never changes.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { CommandModule } from "yargs";
import { Failure, Past, type QuestionOptions, TookTooLong } from "../index.js";
import { printable, printableLines } from "./printable.js";
import { count } from "./quantity.js";
import {
  againLine,
  instantOf,
  PAST_NOTE,
  type PlaceArguments,
  placeOptions,
  questionOptions,
  traceEvents,
} from "./second-run.js";

interface Arguments extends PlaceArguments {
  trace: string;
  "history-file": boolean;
}

/** Lines that the history keeps. */
const HISTORY = 1000;
const AGAIN = "refledger: the program has to be run again, so what you assigned is gone\n";
const LEAVE = /^\s*(exit|quit)\s*(\(\s*\))?\s*$/;
/** A name with its dots at the end of a line. */
const NAME = /[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}\p{N}_]*)*$/u;

export const shellCommand: CommandModule<object, Arguments> = {
  command: "shell <trace>",
  describe: "A Python prompt at an instant of the recorded program",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace to go back into" })
      .options(placeOptions)
      .option("history-file", {
        type: "boolean",
        default: true,
        describe: "keep what you type for the next time; --no-history-file does not",
      })
      .example("$0 shell app.trace.db --time mark:warm", "look around in the function that set the mark")
      .example("echo 'print(len(cache))' | $0 shell app.trace.db", "from a script")
      .epilogue(PAST_NOTE) as never,
  handler: async ({ trace, "history-file": keepsHistory, ...place }) => {
    const options = questionOptions(place);
    const instant = instantOf(trace, place.time);
    const line = againLine(traceEvents(trace));
    const past = await Past.enter(trace, { onProgress: line.show });
    try {
      await past.goTo(instant).finally(line.hide);
      const { ok, text, where, note, left } = await past.evaluate("None", options).finally(line.hide);
      if (!ok) throw new Failure(printable(text), left ? 1 : 2);
      if (note !== null) process.stderr.write(`refledger: ${printable(note)}\n`);
      await (process.stdin.isTTY ? talk(past, options, where, keepsHistory) : obey(past, options));
    } finally {
      await past.close();
    }
  },
};

/** The statement under way and what to do with the next line. */
class Prompt {
  readonly #past: Past;
  readonly #options: QuestionOptions;
  #lines: string[] = [];
  /** Whether the last statement came to an exception or to no end. */
  lastFailed = false;

  constructor(past: Past, options: QuestionOptions) {
    this.#past = past;
    this.#options = options;
  }

  get isContinued(): boolean {
    return this.#lines.length > 0;
  }

  forget(): void {
    this.#lines = [];
  }

  /** Runs the line, or keeps it for a statement that goes on; true when it asks to leave. */
  async take(text: string): Promise<boolean> {
    if (!this.isContinued && LEAVE.test(text)) return true;
    this.#lines.push(text);
    try {
      const { status, printed, traceback, died } = await this.#past.line(this.#lines.join("\n"), this.#options);
      for (const part of printed) (part.to === 1 ? process.stdout : process.stderr).write(printableLines(part.text));
      process.stderr.write(printableLines(traceback));
      if (died) process.stderr.write(AGAIN);
      if (status !== "more") this.lastFailed = status === "failed";
      if (status === "more") return false;
      this.#lines = [];
      return status === "left";
    } catch (error) {
      if (!(error instanceof TookTooLong)) throw error;
      process.stderr.write(`refledger: ${printable(error.message)}\n`);
      process.stderr.write(AGAIN);
      this.lastFailed = true;
      this.#lines = [];
      return false;
    }
  }
}

/** Lines from a pipe. */
async function obey(past: Past, options: QuestionOptions): Promise<void> {
  const prompt = new Prompt(past, options);
  for await (const line of createInterface({ input: process.stdin })) if (await prompt.take(line)) return;
  // What the last line left open ends with the input.
  if (prompt.isContinued) await prompt.take("");
  if (prompt.isContinued) throw new Failure("the input ends in the middle of a statement");
  if (prompt.lastFailed) process.exitCode = 1;
}

/** Lines from a person. */
async function talk(past: Past, options: QuestionOptions, where: string | null, keepsHistory: boolean): Promise<void> {
  const file = keepsHistory ? historyFile() : undefined;
  const prompt = new Prompt(past, options);
  let isBusy = false;
  const lines = createInterface({
    input: process.stdin,
    output: process.stdout,
    historySize: HISTORY,
    history: readHistory(file),
    removeHistoryDuplicates: true,
    completer: (text: string, done: (error: null, found: [string[], string]) => void) => {
      const name = NAME.exec(text)?.[0];
      if (isBusy) done(null, [[], text]);
      else if (name === undefined) done(null, [/^\s*$/.test(text) ? [`${text}    `] : [], text]);
      else
        past.complete(name, options).then(
          (found) => done(null, [found.map(printable), name]),
          () => done(null, [[], name]),
        );
    },
  });
  process.stdout.write(
    `Python at #${count(past.event)}${where === null ? "" : `, in ${printable(where)}`}. Nothing that you do here changes the trace; exit or Ctrl-D leaves.\n`,
  );
  let isOver = false;
  lines.on("close", () => {
    if (!isOver) process.stdout.write("\n"); // Ctrl-D leaves the cursor behind the prompt
  });
  lines.on("history", (history: string[]) => writeHistory(file, history));
  lines.on("SIGINT", () => {
    if (isBusy) past.interrupt();
    else {
      prompt.forget();
      process.stdout.write("\nKeyboardInterrupt\n");
      ask(lines, prompt);
    }
  });
  ask(lines, prompt);
  for await (const line of lines) {
    isBusy = true;
    isOver = await prompt.take(line).finally(() => {
      isBusy = false;
    });
    if (isOver) break;
    ask(lines, prompt);
  }
  lines.close();
}

function ask(lines: Interface, prompt: Prompt): void {
  lines.setPrompt(prompt.isContinued ? "... " : ">>> ");
  lines.prompt();
}

/** In the user's folder for state (XDG Base Directory Specification). */
const historyFile = (): string =>
  join(process.env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "refledger", "shell-history");

function readHistory(file: string | undefined): string[] {
  if (file === undefined) return [];
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean).reverse();
  } catch {
    return []; // there is none yet, or it is not ours to read
  }
}

/** The newest line comes first in `history`, and last in the file. */
function writeHistory(file: string | undefined, history: readonly string[]): void {
  if (file === undefined) return;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, `${history.toReversed().join("\n")}\n`, { mode: 0o600 });
  } catch {
    // a history that cannot be kept is no reason to stop
  }
}
