/** `refledger at`: the heap at one moment, by type and by place, and where the program was. */
import type { CommandModule } from "yargs";
import { checkFilter, type PlaceRow, resolveTime, type Survey, survey } from "../index.js";
import {
  checkLimit,
  explore,
  filterOptions,
  homeOf,
  json as jsonText,
  limited,
  placeText,
  sourceText,
  stackText,
  tableText,
  timeText,
} from "./explore.js";
import { printable } from "./printable.js";
import { bytes, count, plural } from "./quantity.js";

interface Arguments {
  trace: string;
  time: string;
  stacks: boolean;
  type: string | undefined;
  file: string | undefined;
  function: string | undefined;
  bornAfter: string | undefined;
  minCount: number;
  limit: number;
  all: boolean;
  json: boolean;
}

export const atCommand: CommandModule<object, Arguments> = {
  command: "at <trace>",
  describe: "Show the heap at a moment: objects by type and by the place that created them",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("time", { type: "string", default: "end", describe: "when: peak, 42%, 1.5s, #123456, mark:NAME[2], …" })
      .option("stacks", { type: "boolean", default: false, describe: "tell places apart by their whole call stack" })
      .options(filterOptions)
      .option("min-count", { type: "number", default: 1, describe: "only types and places with so many objects" })
      .option("limit", { type: "number", default: 15, describe: "rows of each table" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 at app.trace.db --time peak", "what filled the memory when it was fullest")
      .example("$0 at app.trace.db --time mark:warm --type dict --stacks", "who made the dicts that were there")
      .example("$0 at app.trace.db --born-after mark:warm", "what is there at the end and was not when warm") as never,
  handler: async ({ trace, time, bornAfter, limit, json, ...options }) => {
    checkLimit(limit);
    await explore(trace, (replay) => {
      checkFilter(replay, options);
      const after = bornAfter === undefined ? undefined : resolveTime(replay, bornAfter, "--born-after");
      replay.seek(resolveTime(replay, time));
      const result = survey(replay, { ...options, bornAfter: after });
      return json ? jsonText(result) : surveyText(result, { limit, all: options.all, home: homeOf(replay) });
    });
  },
};

/** `home`: the program's working directory. */
export function surveyText(
  result: Survey,
  { limit, all, home }: { limit: number; all: boolean; home: string },
): string {
  const { time, alive, freeListed } = result;
  const rest = alive.objects - result.objects;
  const facts = [
    ["time", timeText(time)],
    [
      "objects",
      `${count(result.objects)} (${bytes(result.bytes)})${rest > 0 ? `; ${count(rest)} others${all ? "" : ", most of them the runtime's own: --all"}` : ""}`,
    ],
    ["blocks", count(alive.blocks)],
    ["free-listed", `${plural(freeListed.objects, "dead object")} whose memory is kept (${bytes(freeListed.bytes)})`],
    ["collector", `${plural(result.collections, "collection")} so far${result.collecting ? ", one under way" : ""}`],
  ];
  const lines = facts.map(([name, value]) => `${name!.padEnd(11)}  ${value}\n`).join("");
  const stack = result.stack.length === 0 ? "no Python frame\n" : `${stackText(result.stack, "  ", home)}\n`;
  const types = limited(result.types, limit, "type");
  const places = limited(result.places, limit, "place");
  return [
    lines,
    "\nThe program was in\n",
    stack,
    "\n",
    tableText(
      ["type", "objects", "bytes", "most of them created in"],
      ["left", "right", "right", "left"],
      types.rows.map((row) => [
        printable(row.type),
        count(row.count),
        bytes(row.bytes),
        row.places[0] ? `${placeText(row.places[0], home)}${share(row.places[0], row.count)}` : "-",
      ]),
    ),
    types.rest,
    "\n",
    places.rows.some(({ stack: frames }) => frames !== undefined)
      ? places.rows
          .map((row) => `${plural(row.count, "object")}, ${bytes(row.bytes)}\n${stackText(row.stack!, "  ", home)}\n`)
          .join("")
      : tableText(
          ["objects", "bytes", "created in", "source"],
          ["right", "right", "left", "left"],
          places.rows.map((row) => [count(row.count), bytes(row.bytes), placeText(row, home), sourceText(row.source)]),
        ),
    places.rest,
  ].join("");
}

const share = ({ count: n }: PlaceRow, all: number): string =>
  n === all || n * 200 < all ? "" : ` (${Math.round((n / all) * 100)}%)`;
