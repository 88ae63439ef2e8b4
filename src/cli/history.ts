/** `refledger history`: the ledger of one object as a bank statement. */
import type { CommandModule } from "yargs";
import { type History, historyOf, type LedgerRow } from "../index.js";
import {
  checkLimit,
  explore,
  hex,
  homeOf,
  json as jsonText,
  placeText,
  secondsText,
  sourceText,
  stackText,
  tableText,
  timeText,
} from "./explore.js";
import { objectNamed } from "./named-object.js";
import { printable } from "./printable.js";
import { bytes, count, plural } from "./quantity.js";

interface Arguments {
  trace: string;
  object: string;
  time: string;
  all: boolean;
  limit: number;
  json: boolean;
}

export const historyCommand: CommandModule<object, Arguments> = {
  command: "history <trace> <object>",
  describe: "Show every change of one object's reference count, what is still open, and how it ended",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .positional("object", {
        type: "string",
        demandOption: true,
        describe: "#1234, 0x2d84010, TypeName, TypeName[3] (the third one alive, by birth) or expr:EXPRESSION",
      })
      .option("time", {
        type: "string",
        default: "end",
        describe: "when the object is alive, to find it by address, type or expression",
      })
      .option("all", { type: "boolean", default: false, describe: "fold nothing: one row for each change" })
      .option("limit", { type: "number", default: 60, describe: "rows of the ledger: the first and the last" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 history app.trace.db 'Session[1]'", "the oldest session that is there at the end")
      .example("$0 history app.trace.db '#48213' --all", "every single change")
      .example("$0 history app.trace.db \"expr:cache['k']\" --time mark:warm", "what Python finds there")
      .epilogue(
        "Pairs that opened and closed again on one line are one row. Which reference a decref gives up is not recorded: " +
          "open references with a ~ were found by guess (see docs/explore.md); their number is exact.",
      ),
  handler: async ({ trace, object, time, all, limit, json }) => {
    checkLimit(limit);
    await explore(trace, async (replay) => {
      const result = historyOf(replay, await objectNamed(replay, object, time), { all });
      return json ? jsonText(result) : historyText(result, limit, homeOf(replay));
    });
  },
};

const countText = (n: number | null): string => (n === null ? "immortal" : count(n));
const SIGNS: Partial<Record<LedgerRow["kind"], string>> = {
  birth: "born",
  incref: "+1",
  decref: "-1",
  settype: "new type",
  dealloc: "dealloc",
  resurrect: "resurrected",
  resized: "resized",
};

function changeText(row: LedgerRow): string {
  if (row.kind === "pairs") return row.pairs === 1 ? "+1 -1" : `${count(row.pairs)} × (+1 -1)`;
  if (row.kind === "setref") return row.balance === null ? "immortal" : `${row.delta < 0 ? "" : "+"}${row.delta}`;
  return SIGNS[row.kind]!;
}

function rowCells(row: LedgerRow, home: string): string[] {
  return [
    `#${row.time.event}${row.last > row.time.event ? `–${row.last}` : ""}`,
    secondsText(row.time.seconds),
    changeText(row),
    countText(row.balance),
    placeText(row, home),
    sourceText(row.source, 50),
    printable(row.opcode ?? "-"),
    printable(row.cFunction ?? "-"),
  ];
}

/** `home`: the program's working directory. */
export function historyText(history: History, limit: number, home: string): string {
  const { object, rows, open, death } = history;
  const kept = Math.min(rows.length, limit);
  const head = Math.ceil(kept / 2);
  const hidden = rows.length - kept + history.leftOut;
  const shown = [...rows.slice(0, head).map((row) => rowCells(row, home))];
  if (hidden > 0) shown.push(["…", "", `${count(hidden)} rows`, "", "see them with --limit", "", "", ""]);
  shown.push(...rows.slice(rows.length - (kept - head)).map((row) => rowCells(row, home)));
  const born =
    object.born === null
      ? "born         before the recording began\n"
      : `born         ${timeText(object.born)}\n${object.stack.length > 0 ? `${stackText(object.stack, "             ", home)}\n` : ""}`;
  return [
    `object       #${object.id}, ${printable(object.type)} at ${hex(object.address)}, ${bytes(object.bytes)}\n`,
    born,
    `changes      ${plural(history.changes, "change")} of its count, shown in ${plural(rows.length + history.leftOut, "row")}\n\n`,
    tableText(
      ["event", "time", "change", "count", "where", "source", "opcode", "C function"],
      ["left", "right", "left", "right", "left", "left", "left", "left"],
      shown,
    ),
    "\n",
    death ? deathText(death, home) : openText(history, open, home),
  ].join("");
}

function openText(history: History, open: History["open"], home: string): string {
  if (history.count === null) return "It is immortal: its count means nothing, it is never freed.\n";
  const rows = open
    .slice(0, 40)
    .map((row) => [
      row.sure ? "" : "~",
      `#${row.opened.event}`,
      `${count(row.age)} events`,
      row.kind === "incref" ? "+1" : row.kind === "birth" ? "birth" : "set",
      placeText(row, home),
      sourceText(row.source, 50),
      printable(row.opcode ?? "-"),
    ]);
  const elsewhere =
    history.openElsewhere > 0
      ? `and ${plural(history.openElsewhere, "reference")} from before the recording, or made in bulk by C code\n`
      : "";
  return [
    `Still alive at the end, with ${plural(history.count, "reference")}. Open:\n\n`,
    rows.length > 0
      ? tableText(
          ["", "opened", "age", "by", "where", "source", "opcode"],
          ["left", "left", "right", "left", "left", "left", "left"],
          rows,
        )
      : "",
    open.length > rows.length ? `… ${count(open.length - rows.length)} more\n` : "",
    elsewhere,
    open.some(({ sure }) => !sure)
      ? "~ by guess: a decref elsewhere may have given up this one instead of another\n"
      : "",
  ].join("");
}

function deathText({ time, lastDecref, gone, cascade }: NonNullable<History["death"]>, home: string): string {
  const last = lastDecref
    ? `last decref  #${lastDecref.time.event} ${placeText(lastDecref, home)}   ${sourceText(lastDecref.source)} (${printable(lastDecref.opcode ?? "-")})\n`
    : "last decref  none: it ended without one\n";
  const memory =
    gone === null ? "kept in a free list, to the end" : `given to somebody else, or freed, at #${count(gone)}`;
  const types = cascade.types.slice(0, 8).map((row) => `${count(row.count)} ${printable(row.type)}`);
  const more = cascade.types.length > types.length ? ", …" : "";
  const until = {
    free: "",
    instruction: "; it is kept in a free list, so whatever the same instruction dropped after it is counted too",
    limit: "; the search was given up there",
  }[cascade.until];
  return [
    `died         ${timeText(time)}\n`,
    last,
    `its memory   ${memory}\n`,
    cascade.objects === 0
      ? `with it      nothing\n`
      : `with it      ${plural(cascade.objects, "object")}, ${bytes(cascade.bytes)}: ${types.join(", ")}${more}${until}\n`,
  ].join("");
}
