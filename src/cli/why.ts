/** `refledger why`: who keeps an object alive, as paths from the roots. */
import type { CommandModule } from "yargs";
import { Failure, TraceReader, type WhyAnswer, type WhyPath, type WhyResult, why } from "../index.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { bytes, plural } from "./quantity.js";

interface Arguments {
  trace: string;
  object: string;
  paths: number;
  limit: number;
  json: boolean;
}

export const whyCommand: CommandModule<object, Arguments> = {
  command: "why <trace> <object>",
  describe: "Say why an object is still alive at the program's end: who holds it, and what would go with it",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .positional("object", { type: "string", demandOption: true, describe: "TypeName, TypeName[n] or 0xADDRESS" })
      .option("paths", { type: "number", default: 3, describe: "print at most this many different paths" })
      .option("limit", { type: "number", default: 10, describe: "print at most this many causes" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 why leaky-cache.trace.db Session", "all objects of the type, one answer a cause")
      .example("$0 why leaky-cache.trace.db Session[3] --paths 5", "the third one, by five different paths"),
  handler: async ({ trace, object, paths, limit, json }) => {
    for (const [name, value] of Object.entries({ paths, limit }))
      if (!Number.isInteger(value) || value < 1) throw new Failure(`--${name}: must be a whole number from 1`, 2);
    const reader = TraceReader.open(trace);
    try {
      const result = why(reader, object, { paths });
      await standardOutput().write(json ? `${JSON.stringify(result, null, 2)}\n` : whyText(result, limit));
    } finally {
      reader.close();
    }
  },
};

const hex = (address: number): string => `0x${address.toString(16)}`;

export function whyText({ asked, objects, answers }: WhyResult, limit: number): string {
  const lines = [`${plural(objects, "object")} fit ${printable(asked)} at the program's end`];
  if (objects > 1) lines[0] += `, held in ${plural(answers.length, "way")}`;
  lines.push("");
  for (const answer of answers.slice(0, limit)) lines.push(...answerLines(answer), "");
  if (answers.length > limit) lines.push(`… and ${plural(answers.length - limit, "more way")}; --limit shows more`);
  return `${lines.join("\n").trimEnd()}\n`;
}

function answerLines(answer: WhyAnswer): string[] {
  const { object, alike, alikeBytes, refcount, explained, unexplained, borrowed, immortal } = answer;
  const which = `${printable(object.type)} at ${hex(object.address)} (${bytes(object.size)})`;
  const lines = [alike > 1 ? `${plural(alike, "object")} (${bytes(alikeBytes)}), such as the ${which}` : which];
  const count = immortal
    ? "immortal: no reference keeps it alive"
    : `${plural(refcount, "reference")}: ${explained} found${unexplained === 0 ? "" : `, ${unexplained} that nothing in the heap explains (held by C code, or leaked by it)`}`;
  lines.push(`  ${count}${borrowed > 0 ? `; ${borrowed} more borrowed by frames` : ""}`);
  if (answer.retainedObjects > 0)
    lines.push(`  if it went, ${plural(answer.retainedObjects, "object")} would go: ${bytes(answer.retainedBytes)}`);
  if (answer.paths.length === 0)
    lines.push("  no path leads to it: only C code, or a cycle that nothing else refers to, holds it");
  answer.paths.forEach((path, i) => {
    lines.push(...pathLines(path, i));
  });
  return lines;
}

function pathLines({ expression, steps }: WhyPath, i: number): string[] {
  const lines = [`  ${i === 0 ? "kept by" : "also by"}  ${printable(expression)}`];
  const width = Math.min(48, Math.max(...steps.map(({ name }) => printable(name).length)));
  for (const { name, type, address, retainedObjects, retainedBytes } of steps) {
    const goes =
      retainedObjects === null ? "" : `  lets go of ${plural(retainedObjects, "object")}, ${bytes(retainedBytes ?? 0)}`;
    lines.push(`      ${printable(name).padEnd(width)}  ${printable(type)} ${hex(address)}${goes}`);
  }
  return lines;
}
