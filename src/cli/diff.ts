/** `refledger diff`: what two moments have and have not in common. */
import type { CommandModule } from "yargs";
import { type ChangeRow, type Comparison, checkFilter, compareTimes, resolveTime } from "../index.js";
import {
  checkLimit,
  explore,
  filterOptions,
  homeOf,
  json as jsonText,
  limited,
  placeText,
  sourceText,
  tableText,
  timeText,
} from "./explore.js";
import { printable } from "./printable.js";
import { bytes, count } from "./quantity.js";

interface Arguments {
  trace: string;
  from: string;
  to: string;
  type: string | undefined;
  file: string | undefined;
  function: string | undefined;
  limit: number;
  all: boolean;
  json: boolean;
}

const { type, file, function: functionOption, all } = filterOptions;

export const diffCommand: CommandModule<object, Arguments> = {
  command: "diff <trace> <from> <to>",
  describe: "Show what was born, died and survived between two moments, by type and by place",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .positional("from", { type: "string", demandOption: true, describe: "a time, such as mark:request[10]" })
      .positional("to", { type: "string", demandOption: true, describe: "a later time" })
      .options({ type, file, function: functionOption, all })
      .option("limit", { type: "number", default: 15, describe: "rows of each table" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 diff app.trace.db mark:request[10] mark:request[11]", "what one request left behind")
      .example("$0 diff app.trace.db 25% 75%", "what grew in the middle half") as never,
  handler: async ({ trace, from, to, limit, json, ...filter }) => {
    checkLimit(limit);
    await explore(trace, (replay) => {
      checkFilter(replay, filter);
      const result = compareTimes(replay, resolveTime(replay, from, "from"), resolveTime(replay, to, "to"), filter);
      return json ? jsonText(result) : comparisonText(result, limit, homeOf(replay));
    });
  },
};

const signed = (n: number): string => (n > 0 ? `+${bytes(n)}` : n < 0 ? `-${bytes(-n)}` : "0 B");
const cells = (row: ChangeRow): string[] => [
  signed(row.growth),
  count(row.born),
  bytes(row.bornBytes),
  count(row.died),
  bytes(row.diedBytes),
  count(row.survived),
];

export function comparisonText(
  { from, to, total, passing, types, places }: Comparison,
  limit: number,
  home: string,
): string {
  const shownTypes = limited(types, limit, "type");
  const shownPlaces = limited(places, limit, "place");
  const head = ["growth", "born", "bytes", "died", "bytes", "survived"];
  const right = head.map(() => "right" as const);
  return [
    `from         ${timeText(from)}\n`,
    `to           ${timeText(to)}\n`,
    `born         ${count(total.born)} still there (${bytes(total.bornBytes)}); ${count(passing)} more came and went\n`,
    `died         ${count(total.died)} (${bytes(total.diedBytes)})\n`,
    `survived     ${count(total.survived)} (${bytes(total.survivedBytes)})\n`,
    `growth       ${signed(total.growth)}\n\n`,
    tableText(
      [...head, "type"],
      [...right, "left"],
      shownTypes.rows.map((row) => [...cells(row), printable(row.type)]),
    ),
    shownTypes.rest,
    "\n",
    tableText(
      [...head, "created in", "source"],
      [...right, "left", "left"],
      shownPlaces.rows.map((row) => [...cells(row), placeText(row, home), sourceText(row.source, 40)]),
    ),
    shownPlaces.rest,
  ].join("");
}
