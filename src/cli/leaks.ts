/** `refledger leaks`: what grows with every round, who keeps it, and which line put it there. */
import type { CommandModule } from "yargs";
import {
  Failure,
  findLeaks,
  type LeakFinding,
  type LeakResult,
  openReplay,
  resolveTime,
  type SourcePlace,
} from "../index.js";
import { indexProgress } from "./explore.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { bytes, count, plural, rate, unitOfRate } from "./quantity.js";

interface Arguments {
  trace: string;
  iterations: string | undefined;
  from: string | undefined;
  to: string | undefined;
  limit: number;
  json: boolean;
}

export const leaksCommand: CommandModule<object, Arguments> = {
  command: "leaks <trace>",
  describe: "Find what grows with every round of the program, who keeps it, and which line put it there",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("iterations", {
        type: "string",
        describe: "what a round is: mark:NAME, line:FILE:N or call:FUNCTION; found by itself when left out",
      })
      .option("from", { type: "string", describe: "count survivors from this time instead; 25% when left out" })
      .option("to", { type: "string", describe: "and up to this time; end when left out" })
      .option("limit", { type: "number", default: 10, describe: "print at most this many findings" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 leaks app.trace.db", "rounds found by themselves; exits 1 when something leaks")
      .example("$0 leaks app.trace.db --iterations mark:request", "what every request leaves behind")
      .example(
        "$0 leaks app.trace.db --from mark:warm --to end",
        "what was made since then and is still there",
      ) as never,
  handler: async ({ trace, iterations, from, to, limit, json }) => {
    if (!Number.isInteger(limit) || limit < 1) throw new Failure("--limit: must be a whole number from 1", 2);
    let result: LeakResult;
    try {
      result = findLeaks(trace, { iterations, from, to, progress: indexProgress() });
    } catch (error) {
      if (error instanceof Failure && error.message.startsWith("--time ")) checkTimes(trace, from, to);
      throw error;
    }
    await standardOutput().write(json ? `${JSON.stringify(result, null, 2)}\n` : leaksText(result, limit));
    if (result.findings.some(({ isProblem }) => isProblem)) process.exitCode = 1;
  },
};

/** Throws with the name of the option whose time is none. */
function checkTimes(trace: string, from: string | undefined, to: string | undefined): void {
  const replay = openReplay(trace);
  try {
    if (from !== undefined) resolveTime(replay, from, "--from");
    if (to !== undefined) resolveTime(replay, to, "--to");
  } finally {
    replay.close();
  }
}

const where = ({ function: name, file, line }: SourcePlace): string =>
  file === null ? "C code" : `${printable(file)}:${line}${name === null ? "" : ` in ${printable(name)}`}`;
const withSource = (place: SourcePlace): string =>
  `${where(place)}${place.source === null ? "" : `\n                 ${printable(place.source)}`}`;

export function leaksText(result: LeakResult, limit: number): string {
  const { findings, iterations, garbage, hasGraph } = result;
  const problems = findings.filter(({ isProblem }) => isProblem);
  const lines = [
    problems.length === 0
      ? "no leak found"
      : `${plural(problems.length, "leak")}: ${printable(problems[0]!.title)}${problems.length > 1 ? "; …" : ""}`,
    iterations.by === "events"
      ? `rounds         none ${iterations.chosen === "asked" ? "asked for" : "found"}: survivors from #${result.from.event} to #${result.to.event}`
      : `rounds         ${count(iterations.count)} by ${printable(iterations.name)}${iterations.chosen === "found" ? ", found by itself (--iterations chooses another)" : ""}; the first quarter is warm-up`,
  ];
  if (!hasGraph)
    lines.push("graph          the trace has none at the program's end: what keeps the objects is not known");
  if (garbage.objects > 0)
    lines.push(
      `no leak        ${plural(garbage.objects, "object")} (${bytes(garbage.bytes)}) that nothing reaches: the next collection frees those in cycles`,
    );
  for (const [i, finding] of findings.slice(0, limit).entries()) lines.push("", ...findingLines(finding, i + 1));
  if (findings.length > limit)
    lines.push("", `… and ${plural(findings.length - limit, "more finding")}; --limit shows more`);
  return `${lines.join("\n")}\n`;
}

export function findingLines(finding: LeakFinding, n: number): string[] {
  const { kind, isProblem, title, createdAt, culprit, reference, keptBy, perIteration, unit, advice, groups } = finding;
  const lines = [`${n}. ${kind}${isProblem ? "" : " (no problem)"}: ${printable(title)}`];
  if (perIteration !== null && isProblem)
    lines.push(`   remains       ${rate(perIteration)} ${unitOfRate(perIteration, unit)} a round`);
  if (createdAt) lines.push(`   made at       ${withSource(createdAt)}`);
  if (culprit && reference) {
    const how = { stored: "stored at", "handed-over": "stored at", birth: "made at", unbalanced: "taken at" }[
      reference.evidence
    ];
    lines.push(`   ${how.padEnd(13)} ${withSource(culprit)}`);
    const of = whose(finding);
    const { event } = reference.made;
    if (unit === "bytes") lines.push(`   last grew     at #${event}`);
    else
      lines.push(
        isProblem ? `   not returned  the reference made at #${event}${of}` : `   reference     made at #${event}${of}`,
      );
  }
  if (keptBy) lines.push(`   kept by       ${printable(keptBy.expression)}`);
  for (const group of groups.slice(0, 4))
    lines.push(
      `   of which      ${plural(group.objects, `${printable(group.type)} object`)}, ${bytes(group.bytes)}, from ${where(group.createdAt)}; ${count(group.made)} made, ${count(group.died)} died`,
    );
  if (advice) lines.push(`   what to do    ${printable(advice)}`);
  lines.push(`   fingerprint   ${finding.fingerprint}`);
  return lines;
}

function whose({ representative, reference }: LeakFinding): string {
  const object = reference?.object ?? representative;
  if (object === null) return "";
  return object === representative ? `, of the representative #${object}` : `, of #${object}`;
}
