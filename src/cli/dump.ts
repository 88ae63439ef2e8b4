/** `refledger dump`: events as text, one a line. The debugging tool, and the oracle of tests: its columns stay as they are. */
import type { CommandModule } from "yargs";
import {
  type DescribedEvent,
  describeEvents,
  EVENT_KINDS,
  type EventKindName,
  type EventNumber,
  eventNumber,
  Failure,
  openReplay,
  resolveTime,
  TraceReader,
} from "../index.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";

interface Arguments {
  trace: string;
  from: string | undefined;
  to: string | undefined;
  kind: string[] | undefined;
  object: string | undefined;
  json: boolean;
}

/** Text is handed over in pieces of about this many characters. */
const PIECE = 1 << 16;

const kindNames: readonly string[] = EVENT_KINDS.map(({ name }) => name);

export const dumpCommand: CommandModule<object, Arguments> = {
  command: "dump <trace>",
  describe: "Print the events of a trace, one a line",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("from", {
        type: "string",
        describe: "first event: 1000, #1000, or a time such as mark:NAME or line:FILE:12",
      })
      .option("to", { type: "string", describe: "last event, inclusive; likewise" })
      .option("kind", {
        type: "string",
        array: true,
        nargs: 1,
        describe: `only these kinds, separated by commas: ${kindNames.join(", ")}`,
      })
      .option("object", { type: "string", describe: "only events about this address, such as 0x2d84010" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object a line" })
      .example("$0 dump app.trace.db --to 99", "the first hundred events")
      .example("$0 dump app.trace.db --kind new,dealloc --from 5000", "births and deaths from event 5000 on")
      .example("$0 dump app.trace.db --from mark:a --to mark:b", "what happened between two marks")
      .example("$0 dump app.trace.db --object 0x2d84010", "everything that happened at one address")
      .epilogue(
        "Columns: event, kind, address, type, operands, place in Python (function file:line), opcode, C function; - where there is none. " +
          "Control characters in names are shown as escapes.",
      ),
  handler: async ({ trace, json, ...filter }) => {
    const from = eventOf("--from", filter.from, trace);
    const to = eventOf("--to", filter.to, trace);
    const kinds = kindsOf(filter.kind);
    const address = addressOf(filter.object);
    if (from !== undefined && to !== undefined && from > to)
      throw new Failure(`--from ${from} is after --to ${to}: swap them`, 2);
    const reader = TraceReader.open(trace);
    try {
      if (from !== undefined && from >= reader.events) {
        throw new Failure(`--from ${from}: the trace has ${reader.events} events, the first is #0`, 2);
      }
      const events = describeEvents(reader, {
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(kinds === undefined ? {} : { kinds }),
        ...(address === undefined ? {} : { address }),
      });
      const output = standardOutput();
      let piece = "";
      try {
        for (const event of events) {
          piece += json ? `${JSON.stringify(event)}\n` : `${eventText(event)}\n`;
          if (piece.length < PIECE) continue;
          const wanted = await output.write(piece);
          piece = "";
          if (!wanted) return;
        }
      } finally {
        // Also what comes before a damaged chunk.
        if (piece !== "") await output.write(piece);
      }
    } finally {
      reader.close();
    }
  },
};

/** One event as a line, without its end. */
export function eventText(event: DescribedEvent): string {
  const operands = Object.entries(event.operands).map(([name, value]) => `${name}=${printable(value)}`);
  const place =
    event.function === null ? "-" : `${printable(event.function)} ${printable(event.file)}:${event.line ?? "?"}`;
  return [
    `#${event.event}`.padEnd(10),
    event.kind.padEnd(13),
    (event.address === null ? "-" : `0x${event.address.toString(16).padStart(8, "0")}`).padEnd(10),
    (event.type === null ? "-" : printable(event.type)).padEnd(16),
    (operands.length === 0 ? "-" : operands.join(" ")).padEnd(24),
    place.padEnd(40),
    (event.opcode === null ? "-" : printable(event.opcode)).padEnd(20),
    event.cFunction === null ? "-" : printable(event.cFunction),
  ].join("  ");
}

const TIMES = /^(start$|end$|peak$|mark:|gc:|line:|call:|\d+(\.\d+)?[%s]$)/;

function eventOf(option: string, text: string | undefined, trace: string): EventNumber | undefined {
  if (text === undefined) return undefined;
  if (TIMES.test(text)) {
    const replay = openReplay(trace);
    try {
      return resolveTime(replay, text, option);
    } finally {
      replay.close();
    }
  }
  if (!/^#?\d{1,15}$/.test(text))
    throw new Failure(
      `${option} ${printable(text)}: must be an event number, such as 1000 or #1000, or a time, such as mark:NAME`,
      2,
    );
  return eventNumber(Number(text.replace("#", "")));
}

function kindsOf(texts: readonly string[] | undefined): EventKindName[] | undefined {
  if (texts === undefined) return undefined;
  const names = texts.flatMap((text) => text.split(",")).filter((name) => name !== "");
  for (const name of names) {
    if (!kindNames.includes(name))
      throw new Failure(`--kind ${printable(name)}: must be one of ${kindNames.join(", ")}`, 2);
  }
  if (names.length === 0) throw new Failure(`--kind: must be one of ${kindNames.join(", ")}`, 2);
  return names as EventKindName[];
}

function addressOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = /^(0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 0xffffffff))
    throw new Failure(`--object ${printable(text)}: must be an address, such as 0x2d84010`, 2);
  return value;
}
