/** `refledger verify`: whether a trace is exact. The details go to standard output, the "no" is a Failure and so the exit status. */
import type { CommandModule } from "yargs";
import { type Difference, Failure, TraceReader, type VerifyResult, verify } from "../index.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { count, plural } from "./quantity.js";

interface Arguments {
  trace: string;
  json: boolean;
  limit: number;
}

export const verifyCommand: CommandModule<object, Arguments> = {
  command: "verify <trace>",
  describe: "Fold the stored events and compare with what was read from the interpreter's memory",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .option("limit", { type: "number", default: 20, describe: "print at most this many differences in full" })
      .example("$0 verify leaky-cache.trace.db", "exits 0 when every count, type and block is exact, 1 when not"),
  handler: async ({ trace, json, limit }) => {
    if (!Number.isInteger(limit) || limit < 0) throw new Failure("--limit: must be a whole number from 0", 2);
    const reader = TraceReader.open(trace);
    try {
      const result = verify(reader, { limit, progress: progressLine() });
      // A trace that nothing can be held against has no table of what was compared.
      await standardOutput().write(json ? `${JSON.stringify(result, null, 2)}\n` : verifyText(result));
      if (!result.ok) throw new Failure(`${trace}: ${verdict(result)}`);
    } finally {
      reader.close();
    }
  },
};

export function verifyText(result: VerifyResult): string {
  if (result.audits === 0) return "";
  const { mismatches, unknownReferents, blockMismatches, strayEvents } = result;
  const at = result.lastAudit === null ? "" : `, the last at event #${result.lastAudit}`;
  const rows: [string, string][] = [
    ["events", `${count(result.events)} folded${result.complete ? "" : "; the recording is incomplete"}`],
    ["audits", `${count(result.audits)}${at}`],
    ["objects", `${count(result.objectsChecked)} compared, ${count(mismatches)} differ`],
    ["unknown referents", count(unknownReferents)],
    ["blocks", `${count(result.blocksChecked)} compared, ${count(blockMismatches)} differ`],
    [
      "stray events",
      `${count(strayEvents)}${result.firstStray === null ? "" : `, the first is #${result.firstStray}`}`,
    ],
    ["free-listed", `${plural(result.freeListed, "object")} deallocated whose memory is kept`],
  ];
  if (result.staticObjects)
    rows.push([
      "static",
      `${plural(result.staticObjects, "object")} of the interpreter's own data outside of this recording; they are immortal`,
    ]);
  const lines = rows.map(([name, value]) => `${name.padEnd(17)}  ${value}\n`);
  lines.push(...result.differences.map((difference) => `${differenceText(difference)}\n`));
  const inAll = mismatches + blockMismatches + unknownReferents;
  if (inAll > result.differences.length) lines.push(`… ${count(inAll)} in all; see more with --limit\n`);
  if (result.ok) lines.push("exact: folding the events gives what was in memory\n");
  return lines.join("");
}

function differenceText({ audit, event, what, address, type, expected, found, birth }: Difference): string {
  const born = birth === null ? "" : birth < 0 ? ", there from the start" : `, born at #${birth}`;
  const whose = type === null ? "block" : printable(type);
  return `audit ${audit} at #${event}: ${what}: 0x${address.toString(16)} ${whose}${born}: expected ${printable(expected)}, found ${printable(found)}`;
}

/** The answer "no" in one line. */
export function verdict(result: VerifyResult): string {
  if (result.audits === 0) {
    return `no audit in this trace: nothing could be compared (${plural(result.events, "event")} decoded and folded); record again and let it finish`;
  }
  const wrong = [
    [result.mismatches, "object"],
    [result.blockMismatches, "block"],
    [result.unknownReferents, "unknown referent"],
    [result.strayEvents, "stray event"],
  ] as const;
  const parts = wrong.filter(([n]) => n > 0).map(([n, noun]) => plural(n, noun));
  return `not exact: ${parts.join(", ")} differ from what was in memory; please report it with the trace`;
}

/** A line that overwrites itself, when a person watches. */
function progressLine(): (done: number, all: number) => void {
  if (!process.stderr.isTTY) return () => {};
  let shown = -1;
  return (done, all) => {
    const percent = Math.floor((done / all) * 100);
    if (percent === shown) return;
    shown = percent;
    process.stderr.write(done === all ? "\r\x1b[K" : `\rverifying: ${percent}% of ${plural(all, "event")}`);
  };
}
