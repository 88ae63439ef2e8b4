/** What the commands that wind a trace have in common: opening it, showing that an index is made, naming times, tables for people. */
import Table from "cli-table3";
import { Failure, type Frame, openReplay, type Replay, shownFile, type TimeInfo } from "../index.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { count, plural, seconds } from "./quantity.js";

/** Opens the trace, does the work, prints its text, closes. Names from the trace in an error are escaped, as everywhere. */
export async function explore(trace: string, work: (replay: Replay) => string | Promise<string>): Promise<void> {
  const replay = openReplay(trace, { progress: indexProgress() });
  let text: string;
  try {
    text = await work(replay);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(printable(error.message), error.exitCode, { cause: error });
  } finally {
    replay.close();
  }
  await standardOutput().write(text);
}

/** A line that overwrites itself, when a person watches: an index is made once, and takes a while in a long trace. */
export function indexProgress(what = "indexing, once"): (done: number, all: number) => void {
  if (!process.stderr.isTTY) return () => {};
  let shown = -1;
  return (done, all) => {
    const percent = Math.floor((done / all) * 100);
    if (percent === shown) return;
    shown = percent;
    process.stderr.write(done === all ? "\r\x1b[K" : `\r${what}: ${percent}% of ${plural(all, "event")}`);
  };
}

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

export type Align = "left" | "right";

/** A table without lines, its columns two spaces apart. Cells must be printable already. */
export function tableText(
  head: readonly string[],
  aligns: readonly Align[],
  rows: readonly (readonly string[])[],
): string {
  const none = {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: "  ",
  };
  const table = new Table({
    head: [...head],
    colAligns: [...aligns],
    chars: none,
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** The first rows, and a line about the rest. */
export function limited<R>(rows: readonly R[], limit: number, noun: string): { rows: readonly R[]; rest: string } {
  if (rows.length <= limit) return { rows, rest: "" };
  return {
    rows: rows.slice(0, limit),
    rest: `… ${plural(rows.length - limit, `more ${noun}`)}: see them with --limit\n`,
  };
}

export const checkLimit = (limit: number): void => checkWhole("--limit", limit);

export function checkWhole(option: string, n: number): void {
  if (!Number.isInteger(n) || n < 0) throw new Failure(`${option}: must be a whole number from 0`, 2);
}

/** "#12345 (1.2 s)". */
export const timeText = ({ event, seconds: s }: TimeInfo): string => `#${count(event)} (${secondsText(s)})`;

/** Short times need more digits than `seconds` has. */
export const secondsText = (s: number): string => (s < 59.95 ? `${s.toFixed(3)} s` : seconds(s));

export const hex = (address: number): string => `0x${address.toString(16)}`;

/** "function file:line"; "-" = no Python frame. `home`: the program's working directory, left out of paths in it. */
export function placeText(
  place: { readonly function: string | null; readonly file: string | null; readonly line: number | null },
  home: string,
): string {
  if (place.file === null) return "-";
  return `${printable(place.function)} ${printable(shortPath(place.file, home))}:${place.line ?? "?"}`;
}

/** The working directory that the program saw. */
export const homeOf = ({ reader }: Replay): string => reader.meta.cwd ?? "";

/** Files in the working directory are named from it on. */
const shortPath = (path: string, home: string): string =>
  home !== "" && path.startsWith(`${home}/`) ? path.slice(home.length + 1) : shownFile(path);

export const sourceText = (source: string | null, width = 60): string => {
  const text = printable(source ?? "");
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
};

/** A call stack, innermost first, one frame a line. */
export function stackText(stack: readonly Frame[], indent: string, home: string): string {
  return stack.map((frame) => `${indent}${placeText(frame, home)}   ${sourceText(frame.source)}`.trimEnd()).join("\n");
}

export const filterOptions = {
  type: { type: "string", describe: "only objects of this type, such as dict or decimal.Decimal" },
  file: { type: "string", describe: "only objects created in this file, such as app.py" },
  function: { type: "string", describe: "only objects created in this function, such as App.login" },
  "born-after": { type: "string", describe: "only objects born at this time or later, such as mark:warm" },
  all: { type: "boolean", default: false, describe: "the runtime's own objects from before the program, too" },
} as const;
