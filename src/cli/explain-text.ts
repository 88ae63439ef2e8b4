/**
 * An explanation for people: each line of the source with its number, and below it what it did to the objects that the program's
 * variables name. What C code took and gave back at once is one word; equal changes are counted, not repeated.
 */
import type {
  Change,
  ExplainedLine,
  ExplainedObject,
  ExplainedRound,
  Explanation,
  ObjectInRound,
  ObjectOnLine,
} from "../index.js";
import { printable } from "./printable.js";
import { count, plural } from "./quantity.js";

const WIDTH = 100;
const INDENT = "        ";
/** Names of an object that are shown at each mention, and all in the list at the end. */
const NAMES = 2;
/** Objects of one round that are shown. */
const MOST_OBJECTS = 40;

export interface ExplainTextOptions {
  /** Only this object. */
  readonly only: ReadonlySet<number> | undefined;
  /** Every line, also those on which nothing happened. */
  readonly everyLine: boolean;
}

/** A loop's head often changes no count when it goes round, and then nobody saw that. */
const LOOP_HEAD = /^\s*(async\s+)?(for|while)\b/;

export function explainText(explanation: Explanation, { only, everyLine }: ExplainTextOptions): string {
  const objects = new Map(explanation.objects.map((object) => [object.object, object]));
  const digits = String(explanation.lines.at(-1)?.line ?? 1).length;
  const text: string[] = [];
  for (const line of explanation.lines) {
    const below = lineText(line, objects, only);
    if (below.length === 0 && !everyLine) continue;
    const often = roundsText(line);
    const rounds = often === undefined ? "" : `   (${often})`;
    text.push(
      `${String(line.line).padStart(digits)}  ${printable(line.source).trimEnd()}${rounds}`.trimEnd(),
      ...below,
    );
  }
  const ends = [...objects.values()].filter(({ object }) => only === undefined || only.has(object)).map(endText);
  if (ends.length > 0) text.push("", "At the end:", ...ends.flatMap((end) => wrapped(end, "  ", "      ")));
  const how = exitText(explanation);
  if (how !== undefined) text.push("", how);
  if (explanation.leftOut > 0)
    text.push("", `${plural(explanation.leftOut, "object")} that nothing names were too many to look at.`);
  return `${text.join("\n")}\n`;
}

function exitText({ exitCode, uncaught, compiled }: Explanation): string | undefined {
  const code = exitCode === null ? "" : ` (exit code ${exitCode})`;
  if (!compiled) return `The source does not compile: nothing of it ran${code}.`;
  if (uncaught) return `The program ended by an exception that nothing caught${code}.`;
  return exitCode === null || exitCode === 0 ? undefined : `The program ended with exit code ${exitCode}.`;
}

function lineText(
  line: ExplainedLine,
  objects: ReadonlyMap<number, ExplainedObject>,
  only: ReadonlySet<number> | undefined,
): string[] {
  const text: string[] = [];
  const manyRounds = line.rounds > new Set(line.shown.map(({ nth }) => nth)).size;
  const often = roundsText(line) !== undefined;
  for (const round of line.shown) {
    const found = round.objects.filter(({ object }) => only === undefined || only.has(object));
    const below = roundText(found, objects);
    const head = headOf(round, line, often);
    if (head !== "" && below.length > 0) text.push(`${INDENT}${head}:`);
    text.push(...below);
  }
  for (const { name, first, last } of only === undefined ? line.immortal : []) {
    const values = first === last ? printable(first) : `${printable(first)} … ${printable(last)}`;
    text.push(...wrapped(`\`${printable(name)}\` = ${values}: immortal, no count changes`, INDENT, `${INDENT}    `));
  }
  if (manyRounds && text.length > 0) {
    const sums = line.objects
      .filter(({ object, plus, minus }) => (only === undefined || only.has(object)) && plus + minus > 0)
      .slice(0, MOST_OBJECTS)
      .map((one) => `${named(objects, one.object).label} ${counts(one.before, one.after)} (${sumText(one)})`);
    const kinds = [
      ...line.born.slice(0, 3).map(({ type, count: n }) => `${count(n)} ${printable(type)} born`),
      ...line.freed.slice(0, 3).map(({ type, count: n }) => `${count(n)} ${printable(type)} freed`),
    ];
    const all = [`all ${count(line.rounds)} rounds: +${count(line.plus)} −${count(line.minus)}`, ...kinds, ...sums];
    text.push(...wrapped(all.join("; "), INDENT, `${INDENT}    `));
  }
  return text;
}

/** How often the line ran, unless that is once: a class body or a function that begins on its line is another thing than the line itself. */
function roundsText({ rounds, functions, source }: ExplainedLine): string | undefined {
  if (functions.every((one) => one.rounds <= 1)) return undefined;
  const seen = LOOP_HEAD.test(source) ? " that changed a count" : "";
  const [one, ...others] = functions;
  if (others.length === 0) return `${count(rounds)} rounds${seen}`;
  const where = ({ function: of, rounds: n }: { function: string; rounds: number }): string =>
    `${count(n)} ${of === "<module>" ? "in the module" : `in ${printable(of)}()`}`;
  const more = others.length > 3 ? ", …" : "";
  return `${plural(rounds, "round")}${seen}: ${[one!, ...others.slice(0, 3)].map(where).join(", ")}${more}`;
}

function headOf({ nth, phase, depth, function: of }: ExplainedRound, line: ExplainedLine, often: boolean): string {
  const body = new RegExp(`^\\s*class\\s+${of.split(".").at(-1)!.replace(/\W/g, "")}\\b`).test(line.source);
  const inside = body ? `in the body of ${printable(of)}` : depth > 1 ? `in ${printable(of)}()` : "";
  const parts = [];
  if (phase === "over") parts.push("when the loop was over");
  else if (phase === "continued")
    parts.push(often ? `round ${count(nth)}, further on` : "further on in this statement");
  else if (often) parts.push(`round ${count(nth)}`);
  if (inside !== "" && (often || line.functions.length > 1)) parts.push(inside);
  return parts.join(", ");
}

function sumText({ born, plus, minus, set, elsewhere }: ObjectOnLine): string {
  const signed = (n: number): string => `${n > 0 ? "+" : "−"}${count(Math.abs(n))}`;
  const parts = [`${born ? "born with 1, " : ""}+${count(plus)} −${count(minus)}`];
  if (set !== 0) parts.push(`${signed(set)} set by C code`);
  if (elsewhere !== 0) parts.push(`${signed(elsewhere)} on other lines`);
  return parts.join(", ");
}

function roundText(found: readonly ObjectInRound[], objects: ReadonlyMap<number, ExplainedObject>): string[] {
  const touched: string[] = [];
  const told = found.filter((one) => {
    const { rest, moments } = withoutMoments(one.changes);
    if (rest.length > 0 || one.elsewhere !== 0 || one.leftOut > 0) return true;
    touched.push(`${named(objects, one.object).label} +${count(moments)} −${count(moments)}`);
    return false;
  });
  const text = told.slice(0, MOST_OBJECTS).flatMap((one) => {
    const { label } = named(objects, one.object);
    const changes = changesText(one);
    return wrapped(`${label}  ${counts(one.before, one.after)}:  ${changes.join("; ")}`, INDENT, `${INDENT}    `);
  });
  if (told.length > MOST_OBJECTS)
    text.push(`${INDENT}… ${count(told.length - MOST_OBJECTS)} more objects: --json has them`);
  if (touched.length > 0) {
    const more = touched.length > MOST_OBJECTS ? ", …" : "";
    const all = `held for a moment by C code: ${touched.slice(0, MOST_OBJECTS).join(", ")}${more}`;
    text.push(...wrapped(all, INDENT, `${INDENT}    `));
  }
  return text;
}

const counts = (before: number | null, after: number | null): string =>
  `${before === null ? "immortal" : count(before)} → ${after === null ? "immortal" : count(after)}`;

function named(
  objects: ReadonlyMap<number, ExplainedObject>,
  id: number,
): { label: string; object: ExplainedObject | undefined } {
  const object = objects.get(id);
  if (!object) return { label: `#${id}`, object };
  const names = orderedNames(object)
    .slice(0, NAMES)
    .map((name) => `\`${printable(name)}\``);
  return { label: [`${printable(object.type)} #${id}`, ...names].join(" "), object };
}

/** Module variables first, as they are written. */
export const orderedNames = ({ names }: ExplainedObject): string[] =>
  [...names].sort((a, b) => Number(a.includes(".")) - Number(b.includes(".")));

function changesText({ changes, elsewhere, leftOut }: ObjectInRound): string[] {
  const { rest, moments } = withoutMoments(changes);
  const groups = new Map<string, { change: Change; times: number }>();
  for (const change of rest) {
    const key = `${change.delta} ${change.text}`;
    const group = groups.get(key);
    if (group) group.times++;
    else groups.set(key, { change, times: 1 });
  }
  const text = [...groups.values()].map(({ change: { by, delta, text: words, after }, times }) => {
    const said = printable(words);
    const many = times > 1 ? ` (${times} times)` : "";
    if (by === "birth") return `${said}, count 1`;
    if (delta === 0) return `${said}${many}`;
    if (by === "immortal" || Math.abs(delta) > 1)
      return `${said}${after === null ? "" : ` (${delta > 0 ? "+" : "−"}${count(Math.abs(delta))})`}`;
    return `${delta > 0 ? "+" : "−"}${times} ${said}`;
  });
  if (moments > 0) text.push(`held for a moment by C code: +${count(moments)} −${count(moments)}`);
  if (elsewhere !== 0)
    text.push(`${elsewhere > 0 ? "+" : "−"}${count(Math.abs(elsewhere))} on the lines of what it called`);
  if (leftOut > 0) text.push(`and ${plural(leftOut, "more change")}`);
  return text;
}

/** Takes out what C code took and gave back: brackets of +1 and -1. */
function withoutMoments(changes: readonly Change[]): { rest: Change[]; moments: number } {
  const open: number[] = [];
  const gone = new Set<number>();
  changes.forEach((change, i) => {
    if (change.by !== "c" && change.by !== "collector") return;
    if (change.delta === 1) open.push(i);
    else if (change.delta === -1) {
      const start = open.pop();
      if (start !== undefined) gone.add(start).add(i);
    }
  });
  return { rest: changes.filter((_, i) => !gone.has(i)), moments: gone.size / 2 };
}

function endText(object: ExplainedObject): string {
  const names = orderedNames(object).map((name) => `\`${printable(name)}\``);
  const head = `${printable(object.type)} #${object.object}${names.length > 0 ? ` (${names.join(", ")})` : ""}:`;
  const { death } = object;
  if (!death) {
    if (object.immortal) return `${head} immortal`;
    return `${head} alive, count ${object.count === null ? "?" : count(object.count)}`;
  }
  const where = death.line === null ? "" : ` on line ${death.line}`;
  const together = death.together.slice(0, 8).map((id) => `#${id}`);
  const more = death.together.length > 8 ? ", …" : "";
  const how =
    death.collection === null
      ? `freed${where} when its count reached 0`
      : `freed${where} by the cycle collector (collection ${death.collection}${together.length > 0 ? `, with ${together.join(", ")}${more}` : ""})`;
  const memory = {
    "free-list": "its memory was kept in a free list",
    freed: "its block went back to the allocator",
    kept: "its block was not given back to the allocator: it is kept for another object",
  }[death.memory];
  const reuse = death.reuse
    ? `, and given to ${printable(death.reuse.what)}${death.reuse.line === null ? "" : ` on line ${death.reuse.line}`}`
    : "";
  return `${head} ${how}; ${memory}${reuse}`;
}

/** Broken at spaces to the width of the page; the first line and the others begin as told. */
export function wrapped(text: string, first: string, other: string): string[] {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(" ")) {
    if (!empty && [...line].length + 1 + [...word].length > WIDTH) {
      lines.push(line.trimEnd());
      line = other;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  lines.push(line.trimEnd());
  return lines;
}
