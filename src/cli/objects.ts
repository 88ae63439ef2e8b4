/** `refledger objects`: one line for each object alive at a moment. */
import type { CommandModule } from "yargs";
import {
  checkFilter,
  Failure,
  listObjects,
  type ObjectRow,
  objectRow,
  resolveTime,
  SORT_KEYS,
  type SortKey,
  timeInfo,
} from "../index.js";
import {
  checkLimit,
  explore,
  filterOptions,
  hex,
  homeOf,
  json as jsonText,
  placeText,
  tableText,
  timeText,
} from "./explore.js";
import { printable } from "./printable.js";
import { bytes, count } from "./quantity.js";

interface Arguments {
  trace: string;
  time: string;
  type: string | undefined;
  file: string | undefined;
  function: string | undefined;
  bornAfter: string | undefined;
  minCount: number | undefined;
  sort: SortKey;
  limit: number;
  all: boolean;
  json: boolean;
}

export const objectsCommand: CommandModule<object, Arguments> = {
  command: "objects <trace>",
  describe: "List the objects alive at a moment, one a line",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("time", { type: "string", default: "end", describe: "when: peak, 42%, 1.5s, #123456, mark:NAME[2], …" })
      .options(filterOptions)
      .option("min-count", { type: "number", describe: "only objects with at least this reference count" })
      .option("sort", { choices: SORT_KEYS, default: "age" as SortKey, describe: "the most of it first" })
      .option("limit", { type: "number", default: 30, describe: "lines" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 objects app.trace.db --type Session", "the sessions that are there at the end, the oldest first")
      .example("$0 objects app.trace.db --time peak --sort size", "the largest objects at the peak") as never,
  handler: async ({ trace, time, bornAfter, minCount, sort, limit, json, ...filter }) => {
    checkLimit(limit);
    if (minCount !== undefined && !Number.isInteger(minCount))
      throw new Failure("--min-count: must be a whole number", 2);
    await explore(trace, (replay) => {
      checkFilter(replay, filter);
      const after = bornAfter === undefined ? undefined : resolveTime(replay, bornAfter, "--born-after");
      const at = resolveTime(replay, time);
      replay.seek(at);
      const found = listObjects(replay, { ...filter, bornAfter: after }, sort).filter(
        (object) => minCount === undefined || object.count >= minCount,
      );
      const rows = found.slice(0, limit).map((object) => objectRow(replay, object));
      const sum = found.reduce((all, object) => all + object.bytes, 0);
      const now = timeInfo(replay, at);
      if (json) return jsonText({ time: now, objects: found.length, bytes: sum, rows });
      return (
        `${timeText(now)}: ${count(found.length)} objects, ${bytes(sum)}\n\n${rowsText(rows, homeOf(replay))}` +
        (found.length > rows.length ? `… ${count(found.length - rows.length)} more: see them with --limit\n` : "")
      );
    });
  },
};

function rowsText(rows: readonly ObjectRow[], home: string): string {
  if (rows.length === 0) return "";
  return tableText(
    ["object", "address", "type", "count", "changes", "bytes", "born", "created in"],
    ["right", "left", "left", "right", "right", "right", "left", "left"],
    rows.map((row) => [
      `#${row.id}`,
      hex(row.address),
      printable(row.type),
      row.count === null ? "immortal" : count(row.count),
      count(row.changes),
      bytes(row.bytes),
      row.born ? timeText(row.born) : "before",
      placeText(row, home),
    ]),
  );
}
