/** `refledger cycles`: what the cycle collector did, the cycles that died or were left, and what is garbage at a moment. */
import type { CommandModule } from "yargs";
import {
  analyseCycles,
  type CollectionInfo,
  type CycleExample,
  type CycleFinding,
  type CyclesAnswer,
  createdCycles,
  Failure,
  type GarbageCheck,
  type GarbageNow,
  garbageNow,
  type Moment,
  openReplay,
  type Replay,
  resolveTime,
  type SourcePlace,
} from "../index.js";
import {
  checkLimit,
  homeOf,
  indexProgress,
  json as jsonText,
  limited,
  placeText,
  secondsText,
  sourceText,
  tableText,
  timeText,
} from "./explore.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { bytes, count, plural } from "./quantity.js";

interface Arguments {
  trace: string;
  time: string | undefined;
  check: boolean;
  assertNone: boolean;
  since: string | undefined;
  rerun: boolean;
  entries: number;
  limit: number;
  json: boolean;
}

export const cyclesCommand: CommandModule<object, Arguments> = {
  command: "cycles <trace>",
  describe:
    "Show every collection, the reference cycles that died in them or were left, and what is garbage at a moment",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("time", {
        type: "string",
        describe: "what a full collection would free then: 42%, mark:NAME, #123456, …",
      })
      .option("check", {
        type: "boolean",
        default: false,
        describe: "with --time: compare with a collection that is forced there, in a run that is thrown away",
      })
      .option("assert-none", { type: "boolean", default: false, describe: "exit 1 if a cycle was created" })
      .option("since", { type: "string", describe: "leave out cycles that were closed before this time" })
      .option("rerun", {
        type: "boolean",
        default: true,
        describe: "run the program again to read the references of examples (--no-rerun: infer them)",
      })
      .option("entries", { type: "number", default: 6, describe: "collections at which the past is entered at most" })
      .option("limit", { type: "number", default: 10, describe: "rows of each table, and causes told in full" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 cycles app.trace.db", "collections, and cycles by cause")
      .example("$0 cycles app.trace.db --time mark:warm", "what is garbage then")
      .example("$0 cycles app.trace.db --assert-none --since mark:warm", "exit 1 if a cycle was made since")
      .epilogue("Method and words: docs/cycles.md") as never,
  handler: async ({ trace, time, check, assertNone, since, rerun, entries, limit, json }) => {
    checkLimit(limit);
    if (!Number.isInteger(entries) || entries < 0) throw new Failure("--entries: must be a whole number from 0", 2);
    if (time !== undefined && (assertNone || since !== undefined || !rerun))
      throw new Failure("--time asks what is garbage then: it takes neither --assert-none, --since nor --no-rerun", 2);
    if (check && time === undefined) throw new Failure("--check compares what --time finds: give a --time", 2);
    const replay = openReplay(trace, { progress: indexProgress() });
    const onProgress = progress("running again", () => replay.end);
    let text: string;
    let failed = false;
    try {
      if (time !== undefined) {
        const now = await garbageNow(replay, resolveTime(replay, time), { check, onProgress });
        text = json ? jsonText(now) : garbageText(now, limit, homeOf(replay));
        failed = now.unchecked !== null || (now.check !== null && now.check.missing > 0);
      } else {
        const from = since === undefined ? undefined : resolveTime(replay, since, "--since");
        const onScan = progress("reading", () => replay.end);
        const answer = await analyseCycles(replay, { since: from, rerun, most: entries, onScan, onProgress });
        failed = assertNone && createdCycles(answer).length > 0;
        if (assertNone && !answer.atEnd.known && !failed && rerun)
          throw new Failure(`${trace}: what was garbage at the end is not known (${answer.atEnd.note})`);
        const shown = assertNone ? { ...answer, findings: createdCycles(answer) } : answer;
        text = json
          ? jsonText(shown)
          : assertNone
            ? assertText(shown, limit, replay)
            : cyclesText(shown, limit, homeOf(replay));
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw new Failure(printable(error.message), error.exitCode, { cause: error });
    } finally {
      if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
      replay.close();
    }
    await standardOutput().write(text);
    if (failed) process.exitCode = 1;
  },
};

/** A line that overwrites itself, when a person watches. */
function progress(what: string, all: () => number): (done: number) => void {
  if (!process.stderr.isTTY) return () => {};
  let shown = -1;
  return (done) => {
    const percent = Math.floor((done / Math.max(1, all())) * 100);
    if (percent === shown) return;
    shown = percent;
    process.stderr.write(`\r${what}: ${percent}% of ${plural(all(), "event")}`);
  };
}

const unknown = (n: number | null, text: (n: number) => string = count): string => (n === null ? "?" : text(n));

export function cyclesText(answer: CyclesAnswer, limit: number, home: string): string {
  const { collections, findings } = answer;
  const sum = (of: (row: CollectionInfo) => number | null): number =>
    collections.reduce((all, row) => all + (of(row) ?? 0), 0);
  const lines = [
    `${plural(collections.length, "collection")}: ${count(sum(({ collected }) => collected))} containers collected, ` +
      `${count(sum(({ uncollectable }) => uncollectable))} uncollectable, ${plural(
        sum(({ freed }) => freed),
        "object",
      )} freed ` +
      `(${bytes(sum(({ freedBytes }) => freedBytes))}), ${secondsText(sum(({ seconds }) => seconds))} in all\n\n`,
  ];
  if (collections.length > 0) lines.push(collectionsText(collections, limit));
  lines.push(findingsText(findings, limit, home, "No cycle died, and none was left.\n"));
  lines.push(footer(answer));
  return lines.join("");
}

function collectionsText(collections: readonly CollectionInfo[], limit: number): string {
  // Those that freed something matter; of the others the first.
  const rows = collections
    .filter((row) => (row.freed ?? 0) > 0)
    .concat(collections.filter((row) => !((row.freed ?? 0) > 0)))
    .slice(0, limit)
    .sort((x, y) => x.number - y.number);
  const table = tableText(
    [
      "gc",
      "time",
      "generation",
      "why",
      "allocated",
      "looked at",
      "collected",
      "uncollectable",
      "freed",
      "bytes",
      "took",
    ],
    ["right", "left", "right", "left", "right", "right", "right", "right", "right", "right", "left"],
    rows.map((row) => [
      String(row.number),
      timeText(row.start),
      String(row.generation),
      printable(row.reason),
      unknown(row.allocated),
      unknown(row.lookedAt),
      unknown(row.collected),
      unknown(row.uncollectable),
      unknown(row.freed),
      unknown(row.freedBytes, bytes),
      row.events === null ? "did not end" : `${plural(row.events, "event")}, ${secondsText(row.seconds ?? 0)}`,
    ]),
  );
  const rest = collections.length - rows.length;
  return `${table}${rest > 0 ? `… ${plural(rest, "more collection")}: see them with --limit\n` : ""}\n`;
}

function findingsText(findings: readonly CycleFinding[], limit: number, home: string, none: string): string {
  if (findings.length === 0) return none;
  const { rows, rest } = limited(findings, limit, "cause");
  return `${rows.map((finding) => findingText(finding, home)).join("\n")}${rest}`;
}

function findingText(finding: CycleFinding, home: string): string {
  const { example, deadEvents, deadSeconds } = finding;
  const lines = [`${finding.isProblem ? "!" : "·"} ${printable(finding.title)}  [${printable(finding.fingerprint)}]`];
  for (const { type, objects, createdAt } of finding.classes.slice(0, 6))
    lines.push(
      `    ${count(objects)} × ${printable(type)}${createdAt ? `, created in ${where(createdAt, home)}` : ", from before the recording"}`,
    );
  if (deadEvents && deadSeconds)
    lines.push(
      `    lay dead for ${count(deadEvents.least)} to ${count(deadEvents.most)} events, ` +
        `${secondsText(deadSeconds.least)} to ${secondsText(deadSeconds.most)}; ${count(finding.byteSeconds)} byte-seconds in all`,
    );
  if (finding.orphanedAt.length > 1)
    lines.push(
      `    let go in ${finding.orphanedAt.map(({ place, structures }) => `${place ? placeText(place, home) : "-"} (${count(structures)})`).join(", ")}`,
    );
  lines.push(...exampleLines(example, home));
  if (finding.advice) lines.push(`    ${printable(finding.advice)}`);
  return `${lines.join("\n")}\n`;
}

const where = (place: SourcePlace, home: string): string =>
  `${placeText(place, home)}${place.source === null ? "" : `   ${sourceText(place.source)}`}`;

function exampleLines(example: CycleExample, home: string): string[] {
  const lines = [`    for example (references ${printable(example.edgesAre)}):`];
  const names = example.members.map(({ object, type }) => `#${object} ${printable(type)}`);
  const inCycle = (i: number): boolean => example.members[i]!.cycle !== 0;
  const cyclic = example.edges.filter(({ from, to }) => inCycle(from) && inCycle(to));
  const others = example.edges.length - cyclic.length + example.moreEdges;
  for (const { from, to, name } of cyclic.slice(0, 8))
    lines.push(`      ${names[from]}${name === null ? "" : printable(name)} → ${names[to]}`);
  const hidden = Math.max(0, cyclic.length - 8) + others;
  if (hidden > 0) lines.push(`      … and ${plural(hidden, "more reference")}`);
  const youngest = example.members.filter(({ cycle, born }) => cycle !== 0 && born !== null);
  const birth = youngest.reduce<number | null>((most, { born }) => Math.max(most ?? 0, born!.event), null);
  const moments: [string, string][] = [];
  const last = youngest.find(({ born }) => born!.event === birth);
  if (last) moments.push(["born", `${timeText(last.born!)}  the last member, #${last.object}`]);
  if (example.closed) moments.push(["closed", momentText(example.closed, home)]);
  if (example.orphaned) moments.push(["orphaned", momentText(example.orphaned, home)]);
  moments.push(
    example.collected
      ? ["collected", `${timeText(example.collected)}  by collection ${example.collection}`]
      : ["collected", "never: it was still there"],
  );
  for (const [name, text] of moments) lines.push(`      ${name.padEnd(9)}  ${text}`);
  return lines;
}

function momentText({ time, place, opcode, object, how }: Moment, home: string): string {
  const line = place ? where(place, home) : "-";
  return `${timeText(time)}  #${object}${opcode ? ` ${printable(opcode)}` : ""} in ${line}${how === "inferred" ? "  (inferred)" : ""}`;
}

function footer(answer: CyclesAnswer): string {
  const lines: string[] = [""];
  if (answer.before > 0 && answer.since)
    lines.push(`${plural(answer.before, "structure")} from before ${timeText(answer.since)} left out.`);
  lines.push(
    answer.atEnd.known
      ? `At the end ${plural(answer.atEnd.objects, "object")} ${answer.atEnd.objects === 1 ? "was" : "were"} garbage.`
      : `What was garbage at the end is not known: ${printable(answer.atEnd.note ?? "")}.`,
  );
  if (answer.notEntered > 0)
    lines.push(
      `Of ${plural(answer.entered + answer.notEntered, "collection")} that freed something, ${count(answer.entered)} ${answer.entered === 1 ? "was" : "were"} entered again to read references (--entries).`,
    );
  return `${lines.join("\n")}\n`;
}

function assertText(answer: CyclesAnswer, limit: number, replay: Replay): string {
  const since = answer.since ? ` since ${timeText(answer.since)}` : "";
  const unknownEnd = answer.atEnd.known ? "" : "; what was garbage at the end was not looked at";
  if (answer.findings.length === 0) return `No cycle was created${since}${unknownEnd}.\n`;
  const all = answer.findings.reduce((sum, { structures }) => sum + structures, 0);
  return `${plural(all, "cycle")} ${all === 1 ? "was" : "were"} created${since}${unknownEnd}:\n\n${findingsText(answer.findings, limit, homeOf(replay), "")}`;
}

function checkText({ freed, missing, extra, event, collection }: GarbageCheck, at: number): string {
  const later = event === at ? "there" : `at #${count(event)}, ${plural(event - at, "event")} later,`;
  const which =
    collection === null
      ? `a collection that was forced ${later}`
      : `collection ${collection}, which the program ran ${later}`;
  return missing === 0 && extra === 0
    ? `Checked: ${which} freed exactly these ${plural(freed, "object")}.\n`
    : `Checked: ${which} freed ${plural(freed, "object")}: ${count(extra)} more, and not ${count(missing)} of these.\n`;
}

export function garbageText(now: GarbageNow, limit: number, home: string): string {
  const lines = [
    `${timeText(now.time)}: a full collection would find ${plural(now.unreachable, "container")} unreachable and free ${plural(now.objects - now.uncollectable, "object")} (${bytes(now.bytes)})\n`,
    `It looks at ${plural(now.tracked, "container")}${now.frozen > 0 ? `; ${count(now.frozen)} are frozen` : ""}.\n`,
  ];
  if (now.uncollectable > 0) lines.push(`${plural(now.uncollectable, "object")} would be kept as uncollectable.\n`);
  if (now.check) lines.push(checkText(now.check, now.time.event));
  if (now.unchecked !== null) lines.push(`Not checked: ${printable(now.unchecked)}.\n`);
  for (const { type, count: n } of now.finalizers.slice(0, limit))
    lines.push(`Would run: the finalizer of ${plural(n, "object")} of type ${printable(type)}\n`);
  for (const { callback, type, count: n } of now.callbacks.slice(0, limit))
    lines.push(
      `Would run: ${printable(callback)}(), a callback of ${plural(n, "weak reference")} to ${printable(type)}\n`,
    );
  if (now.finalizers.length > 0) lines.push("A finalizer can bring objects back; whether it would is not known.\n");
  lines.push("\n", findingsText(now.findings, limit, home, "No cycle is garbage.\n"));
  return lines.join("");
}
