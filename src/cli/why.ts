/** `refledger why`: who keeps an object alive at an instant, as paths from the roots, and since when. */
import type { CommandModule } from "yargs";
import {
  Failure,
  type Made,
  TraceReader,
  type WhyAnswer,
  type WhyPath,
  type WhyResult,
  type WhyStep,
  whyAt,
} from "../index.js";
import { indexProgress, placeText, secondsText, sourceText, timeText } from "./explore.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { bytes, count, plural } from "./quantity.js";
import { againLine, traceEvents } from "./second-run.js";

interface Arguments {
  trace: string;
  object: string;
  time: string;
  paths: number;
  limit: number;
  observe: boolean;
  json: boolean;
}

export const whyCommand: CommandModule<object, Arguments> = {
  command: "why <trace> <object>",
  describe: "Say why an object is alive at an instant: who holds it, since when, and what would go with it",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .positional("object", {
        type: "string",
        demandOption: true,
        describe: "TypeName, TypeName[n] (by birth), #1234, 0xADDRESS or expr:EXPRESSION",
      })
      .option("time", {
        type: "string",
        default: "end",
        describe: "when: end, peak, 42%, 1.5s, #123456, mark:NAME[2], gc:3, line:FILE:12, call:FUNCTION, …",
      })
      .option("paths", { type: "number", default: 3, describe: "print at most this many different paths" })
      .option("limit", { type: "number", default: 10, describe: "print at most this many causes" })
      .option("observe", {
        type: "boolean",
        default: false,
        describe: "run the program again, a few times, to see when the first path's references were stored",
      })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 why leaky-cache.trace.db Session", "all objects of the type, one answer a cause")
      .example("$0 why leaky-cache.trace.db 'Session[3]' --paths 5", "the third one, by five different paths")
      .example("$0 why app.trace.db '#48213' --time mark:warm", "one object at a mark; or how it died before")
      .example("$0 why app.trace.db \"expr:cache['k']\" --time 50%", "what Python finds there")
      .epilogue(
        "A reference's place is inferred from the ledger of its object (see docs/explore.md): ~ stands before places that others " +
          "are as likely as. With --observe it is seen. Times other than the end run the program again, once: what is learned is kept in the trace.",
      ),
  handler: async ({ trace, object, time, paths, limit, observe, json }) => {
    for (const [name, value] of Object.entries({ paths, limit }))
      if (!Number.isInteger(value) || value < 1) throw new Failure(`--${name}: must be a whole number from 1`, 2);
    const line = againLine(traceEvents(trace));
    let result: WhyResult;
    try {
      result = await whyAt(trace, object, {
        time,
        paths,
        observe,
        detailed: limit,
        onProgress: line.show,
        onIndex: indexProgress(),
      });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw new Failure(printable(error.message), error.exitCode, { cause: error });
    } finally {
      line.hide();
    }
    if (result.note !== undefined) process.stderr.write(`refledger: ${printable(result.note)}\n`);
    await standardOutput().write(
      json ? `${JSON.stringify(result, null, 2)}\n` : whyText(result, limit, { time, home: homeAt(trace) }),
    );
  },
};

/** The working directory that the program saw. */
function homeAt(trace: string): string {
  const reader = TraceReader.open(trace);
  try {
    return reader.meta.cwd ?? "";
  } finally {
    reader.close();
  }
}

const hex = (address: number): string => `0x${address.toString(16)}`;

/** `time`: as it was asked for; `home`: the program's working directory, left out of paths in it. */
export interface WhyTextOptions {
  readonly time?: string;
  readonly home?: string;
}

export function whyText(
  { asked, objects, answers, event, seconds }: WhyResult,
  limit: number,
  { time = "end", home = "" }: WhyTextOptions = {},
): string {
  const when =
    time === "end"
      ? "at the program's end"
      : `at #${count(event)}${seconds === undefined ? "" : ` (${secondsText(seconds)})`}`;
  if (answers.length === 1 && !answers[0]!.alive)
    return `${printable(asked)} ${when}: ${notAliveText(answers[0]!, home)}`;
  const lines = [`${plural(objects, "object")} fit ${printable(asked)} ${when}`];
  if (objects > 1) lines[0] += `, held in ${plural(answers.length, "way")}`;
  lines.push("");
  for (const answer of answers.slice(0, limit)) lines.push(...answerLines(answer, home), "");
  if (answers.length > limit) lines.push(`… and ${plural(answers.length - limit, "more way")}; --limit shows more`);
  return `${lines.join("\n").trimEnd()}\n`;
}

/** How it ended, or when it will be born. */
function notAliveText({ object, death }: WhyAnswer, home: string): string {
  const which = `#${object.id}, ${printable(object.type)} at ${hex(object.address)} (${bytes(object.size)})`;
  const born = object.born ? timeText(object.born) : "before the recording began";
  if (!death) return `not born yet\n  ${which}\n  born      ${born}\n`;
  const lines = [`dead`, `  ${which}`, `  born      ${born}`, `  died      ${timeText(death.time)}`];
  if (death.collection) {
    const { number, generation } = death.collection;
    lines.push(`  taken by  collection gc:${number}${generation === null ? "" : ` (generation ${generation})`}`);
  }
  const last = death.lastDecref;
  if (last) {
    const source = last.source === null ? "" : `   ${sourceText(last.source)}`;
    lines.push(`  last reference dropped at ${placeText(last, home)}${source}`);
  } else if (!death.collection) lines.push("  C code ended it without dropping a counted reference");
  const { objects, bytes: size } = death.cascade;
  if (objects > 0) lines.push(`  with it   ${plural(objects, "object")}, ${bytes(size)}`);
  return `${lines.join("\n")}\n`;
}

function answerLines(answer: WhyAnswer, home: string): string[] {
  const { object, alike, alikeBytes, refcount, explained, unexplained, borrowed, immortal } = answer;
  const number = object.id === null ? "" : `#${object.id}, `;
  const since = object.born ? `, born ${timeText(object.born)}` : "";
  const which = `${number}${printable(object.type)} at ${hex(object.address)} (${bytes(object.size)})${since}`;
  const lines = [alike > 1 ? `${plural(alike, "object")} (${bytes(alikeBytes)}), such as ${which}` : which];
  const count = immortal
    ? "immortal: no reference keeps it alive"
    : `${plural(refcount, "reference")}: ${explained} found${unexplained === 0 ? "" : `, ${unexplained} that nothing in the heap explains (held by C code, or leaked by it)`}`;
  lines.push(`  ${count}${borrowed > 0 ? `; ${borrowed} more borrowed by frames` : ""}`);
  const goes = `${plural(answer.retainedObjects, "object")} would go: ${bytes(answer.retainedBytes)}`;
  if (answer.garbage) {
    lines.push("  garbage: only a cycle keeps it, to which nothing else refers; it waits for the collector");
    lines.push(`  if the collector took it, ${goes}`);
    lines.push(...garbageLines(answer, home));
  } else {
    if (answer.retainedObjects > 0) lines.push(`  if it went, ${goes}`);
    if (answer.paths.length === 0)
      lines.push(`  no path leads to it: only C code holds it${unexplained > 0 ? "" : ", or what leads to it"}`);
    answer.paths.forEach((path, i) => {
      lines.push(...pathLines(i === 0 ? "kept by" : "also by", path, home));
    });
  }
  lines.push(...openLines(answer, home));
  return lines;
}

/** The cycle, and the way from it to the object. */
function garbageLines({ paths, cycle = [] }: WhyAnswer, home: string): string[] {
  const [path] = paths;
  const last = cycle.at(-1);
  if (!path || !last) return [];
  const ring = { ...path, expression: last.expression, steps: cycle };
  const lines = pathLines("kept by the cycle", ring, home);
  const onwards = path.steps.slice(cycle.length);
  // Once around is said already: the way on begins at the object of the cycle.
  const onwardsFrom = path.expression.replace(last.expression, last.type);
  if (onwards.length > 0)
    lines.push(...pathLines("which leads to", { ...path, expression: onwardsFrom, steps: onwards }, home));
  return lines;
}

/** References that the ledger has open; one that the path already shows is not said again. */
function openLines({ open, openElsewhere, refcount, unexplained }: WhyAnswer, home: string): string[] {
  if (!open || (open.length <= 1 && openElsewhere === 0 && unexplained === 0)) return [];
  const lines = [`  open references, ${count(refcount)} in all:`];
  for (const row of open.slice(0, MOST_OPEN)) {
    const source = row.source === null ? "" : `   ${sourceText(row.source, 50)}`;
    lines.push(`      ${row.sure ? " " : "~"} ${timeText(row.opened)}  ${placeText(row, home)}${source}`);
  }
  if (open.length > MOST_OPEN) lines.push(`        … ${count(open.length - MOST_OPEN)} more: see refledger history`);
  if (openElsewhere)
    lines.push(`        and ${count(openElsewhere)} from before the recording, or made in bulk by C code`);
  return lines;
}

/** Open references that are printed. */
const MOST_OPEN = 8;

/** Steps of a long chain that are printed at its begin and at its end, at least; chains that would get no shorter are printed whole. */
const CHAIN_ENDS = 3;
/** Steps of a unit that a chain repeats, at most. */
const LONGEST_UNIT = 4;

/** The steps of a chain that are left out: from `first` up to `last`, which repeat the ones before. Undefined = nothing is that long. */
function leftOut(steps: readonly WhyStep[]): { first: number; last: number } | undefined {
  const alike = (a: WhyStep, b: WhyStep): boolean => a.name === b.name && a.type === b.type;
  let longest: { first: number; last: number } | undefined;
  for (let unit = 1; unit <= LONGEST_UNIT; unit++) {
    for (let from = 0; from + unit < steps.length; from++) {
      let to = from;
      while (to + unit < steps.length && alike(steps[to]!, steps[to + unit]!)) to++;
      // From `from` to `to + unit` the same steps come again and again: whole units of them are left out.
      const keep = Math.ceil(CHAIN_ENDS / unit) * unit;
      const many = Math.floor((to + unit - from - 2 * keep) / unit) * unit;
      if (many > CHAIN_ENDS && (!longest || many > longest.last - longest.first))
        longest = { first: from + keep, last: from + keep + many };
      if (to > from) from = to;
    }
  }
  return longest;
}

function pathLines(by: string, { expression, steps }: WhyPath, home: string): string[] {
  const out = leftOut(steps);
  const width = Math.min(48, Math.max(...steps.map(({ name }) => printable(name).length)));
  let text = expression;
  if (out) {
    // The rest of the expression is around what is left out, or behind it.
    const [before, after] = [steps[out.first - 1]!.expression, steps[out.last - 1]!.expression];
    text = expression.replace(after, () => `${before}…`);
  }
  const lines = [`  ${by}  ${printable(text)}`];
  steps.forEach(({ name, type, address, id, made, retainedObjects, retainedBytes }, i) => {
    if (out && i === out.first) lines.push(`      … ${plural(out.last - out.first, "more step")} alike …`);
    if (out && i >= out.first && i < out.last) return;
    const goes =
      retainedObjects === null ? "" : `  lets go of ${plural(retainedObjects, "object")}, ${bytes(retainedBytes ?? 0)}`;
    const who = id ? `#${id}` : hex(address);
    lines.push(`      ${printable(name).padEnd(width)}  ${printable(type)} ${who}${goes}`);
    if (made && made.certainty !== "unknown") lines.push(`      ${" ".repeat(width)}    ${madeText(made, home)}`);
  });
  return lines;
}

function madeText(made: Made, home: string): string {
  const { certainty, event, seconds, source, alternatives } = made;
  const word = certainty === "observed" ? "stored, as seen," : alternatives === 0 ? "made" : "made ~";
  const text = source === null ? "" : `   ${sourceText(source, 50)}`;
  return `${word} ${timeText({ event: event!, seconds: seconds! })} in ${placeText(made, home)}${text}`;
}
