/** `refledger info`: what a trace is, at a glance. */
import type { CommandModule } from "yargs";
import { type TraceInfo, TraceReader, traceInfo } from "../index.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { bytes, count, plural, seconds } from "./quantity.js";

interface Arguments {
  trace: string;
  json: boolean;
}

export const infoCommand: CommandModule<object, Arguments> = {
  command: "info <trace>",
  describe: "Say what a trace recorded: program, time, events by kind, objects, size, last audit",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 info leaky-cache.trace.db", "what was recorded, and whether the recording is complete")
      .example("$0 info leaky-cache.trace.db --json | jq .events.total", "the number of events"),
  handler: async ({ trace, json }) => {
    const reader = TraceReader.open(trace);
    try {
      const info = traceInfo(reader);
      await standardOutput().write(json ? `${JSON.stringify(info, null, 2)}\n` : infoText(info));
    } finally {
      reader.close();
    }
  },
};

export function infoText(info: TraceInfo): string {
  const { events, objects, lastAudit } = info;
  const rows: [string, string][] = [
    ["trace", `${printable(info.trace)}, ${bytes(info.fileBytes)}, format ${info.format}`],
    ["program", programText(info)],
    ["recorded", recordedText(info)],
    ["python", printable(info.python ?? "unknown")],
    [
      "complete",
      info.complete
        ? "yes"
        : `no: ${info.stopped ? printable(info.stopped) : "not finished: it is still being recorded, or was cut off"}`,
    ],
    ["exit code", info.exitCode === null ? "none" : `${info.exitCode}`],
    ["wall time", seconds(info.wallSeconds)],
    [
      "events",
      `${count(events.total)}, ${count(info.eventsPerSecond)} a second, ${info.bytesPerEvent.toFixed(2)} bytes each`,
    ],
  ];
  for (const [kind, n] of Object.entries(events)) if (kind !== "total" && n > 0) rows.push([`  ${kind}`, count(n)]);
  rows.push(
    [
      "objects",
      `${count(objects.baseline)} at the start, ${count(objects.end)} at the end (${bytes(objects.endBytes)})`,
    ],
    ...(info.staticObjects
      ? ([
          ["static", `${plural(info.staticObjects, "object")} of the interpreter's own data, not in this recording`],
        ] as [string, string][])
      : []),
    ["collections", count(info.collections)],
    ["marks", count(info.marks)],
    [
      "last audit",
      lastAudit
        ? `at event #${lastAudit.event} (${seconds(lastAudit.wall / 1000)}): ${plural(lastAudit.objects, "object")}, ${plural(lastAudit.blocks, "block")}; compare with: refledger verify`
        : "none",
    ],
  );
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
}

function recordedText({ created, from }: TraceInfo): string {
  const when = printable(created ?? "at an unknown time");
  return from === null ? when : `${when}, from the ${from === "script" ? "program" : "interpreter"}'s start`;
}

function programText({ program, argv }: TraceInfo): string {
  if (!program) return "unknown";
  const flag = { script: "", module: "-m ", code: "-c " }[program.kind] ?? "";
  return [flag + printable(program.text), ...argv.map(printable)].join(" ");
}
