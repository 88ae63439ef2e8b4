/** `refledger sql`: any question that SQL can ask of a trace. */
import type { CommandModule } from "yargs";
import { Failure, replayTables, type SqlValue, TraceReader } from "../index.js";
import { indexProgress, tableText } from "./explore.js";
import { type Output, standardOutput } from "./output.js";
import { printable } from "./printable.js";

interface Arguments {
  trace: string;
  query: string;
  csv: boolean;
  json: boolean;
}

/** Rows that a table for people has at most: its columns are as wide as the widest cell. */
const MOST_TABLE_ROWS = 1000;
/** Events read one by one, some seconds, before it is said that there is a quicker way. */
const LONG_SCAN = 3_000_000;
const SCAN_HINT =
  "refledger: sql: reading every event of the trace; WHERE event BETWEEN 1000 AND 2000 reads these alone, kind IN ('call', 'mark') the chunks with such, object = 48213 those of one object\n";
/** Text is handed over in pieces of about this many characters. */
const PIECE = 1 << 16;

export const sqlCommand: CommandModule<object, Arguments> = {
  command: "sql <trace> <query>",
  describe: "Ask a trace in SQL: its tables, and events, objects and blocks",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .positional("query", { type: "string", demandOption: true, describe: "one SELECT" })
      .option("csv", { type: "boolean", default: false, describe: "print comma-separated values (RFC 4180)" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object a line" })
      .example(
        "$0 sql app.trace.db \"SELECT type, count(*) n, sum(bytes) FROM objects('peak') GROUP BY type ORDER BY n DESC LIMIT 5\"",
        "types at the peak",
      )
      .example(
        '$0 sql app.trace.db "SELECT event, kind, line FROM events WHERE event BETWEEN 1000 AND 2000"',
        "a range of events",
      )
      .example('$0 sql app.trace.db "SELECT * FROM events WHERE object = 48213"', "the events of object #48213")
      .epilogue(
        "Virtual tables and their parameters, each also a hidden column for WHERE … = …: events(first, last, kinds, about), " +
          "objects(time, number), blocks(time). Times are event numbers or names such as 'peak'; kinds are separated by commas. " +
          "Where terms joined by AND compare event, kind or object with numbers or words, only what they ask for is read. " +
          "The other tables are described in docs/trace-format.md.",
      ) as never,
  handler: async ({ trace, query, csv, json }) => {
    if (csv && json) throw new Failure("--csv and --json: choose one of them", 2);
    const replayed = TraceReader.open(trace);
    const { tables, close } = replayTables(replayed, {
      progress: indexProgress(),
      onLongScan: { events: LONG_SCAN, call: () => process.stderr.write(SCAN_HINT) },
    });
    try {
      const asked = TraceReader.open(trace);
      try {
        const { columns, rows } = asked.sql(query, tables);
        const output = standardOutput();
        if (csv) await printLines(output, csvLines(columns, rows, process.stdout.isTTY === true));
        else if (json) await printLines(output, jsonLines(columns, rows));
        else await output.write(tableOf(columns, rows));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        throw new Failure(printable(error.message), error.exitCode, { cause: error });
      } finally {
        asked.close();
      }
    } finally {
      close();
      replayed.close();
    }
  },
};

async function printLines(output: Output, lines: Iterable<string>): Promise<void> {
  let piece = "";
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < PIECE) continue;
    if (!(await output.write(piece))) return;
    piece = "";
  }
  if (piece !== "") await output.write(piece);
}

const plainValue = (value: SqlValue): string | number | bigint | null =>
  value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;

/** Integers are written in full, also those that JSON.stringify cannot write. */
function* jsonLines(columns: readonly string[], rows: Iterable<SqlValue[]>): Generator<string> {
  const text = (value: ReturnType<typeof plainValue>): string =>
    typeof value === "bigint" ? `${value}` : JSON.stringify(value);
  for (const row of rows) {
    const fields = new Map(columns.map((name, i) => [name, text(plainValue(row[i]!))]));
    yield `{${[...fields].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(",")}}`;
  }
}

/** Exact in a file or a pipe; `isSeen`: on a terminal, which what the program named must not steer. */
export function* csvLines(columns: readonly string[], rows: Iterable<SqlValue[]>, isSeen: boolean): Generator<string> {
  const cell = (value: SqlValue): string => {
    const exact = String(plainValue(value) ?? "");
    const text = isSeen ? printable(exact) : exact;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  yield columns.map(cell).join(",");
  for (const row of rows) yield row.map(cell).join(",");
}

/** Fractions in a table have as many digits as tell something: seconds are measured in microseconds. */
function numberText(value: number, column: string): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return `${value}`;
  return /(^|_)seconds$/.test(column) ? value.toFixed(6) : `${Number(value.toPrecision(12))}`;
}

export function tableOf(columns: readonly string[], rows: Iterable<SqlValue[]>): string {
  const shown: string[][] = [];
  let rest = "";
  const numeric = columns.map(() => true);
  for (const row of rows) {
    if (shown.length === MOST_TABLE_ROWS) {
      rest = `… more than ${MOST_TABLE_ROWS.toLocaleString("en-US")} rows: use LIMIT, or see all with --csv or --json\n`;
      break;
    }
    shown.push(
      row.map((value, i) => {
        if (typeof value === "string") numeric[i] = false;
        if (value === null) return "-";
        if (typeof value === "number") return numberText(value, columns[i]!);
        return value instanceof Uint8Array ? `${value.length} bytes` : printable(value);
      }),
    );
  }
  return (
    tableText(
      columns.map(printable),
      numeric.map((right) => (right ? "right" : "left")),
      shown,
    ) + rest
  );
}
