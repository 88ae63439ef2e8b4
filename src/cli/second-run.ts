/** What the commands that run a program again have in common: a line of progress for a person who watches, and the instant asked for. */
import {
  type EventNumber,
  eventNumber,
  Failure,
  openReplay,
  QUESTION_TIMEOUT,
  type QuestionOptions,
  resolveTime,
  TraceReader,
} from "../index.js";
import { count } from "./quantity.js";

export interface AgainLine {
  show(event: number): void;
  hide(): void;
}

/** A line that overwrites itself on a terminal, and nothing elsewhere. */
export function againLine(all: number): AgainLine {
  if (!process.stderr.isTTY) return { show: () => {}, hide: () => {} };
  return {
    show: (event) => process.stderr.write(`\rrunning again: ${count(event)} of ${count(all)} events\x1b[K`),
    hide: () => process.stderr.write("\r\x1b[K"),
  };
}

export function traceEvents(path: string): number {
  const reader = TraceReader.open(path);
  try {
    return reader.events;
  } finally {
    reader.close();
  }
}

/** The event that a time names. What the trace's tables answer is read there; for the rest the trace is replayed. */
export function instantOf(path: string, time: string): EventNumber {
  const reader = TraceReader.open(path);
  try {
    if (time === "start") return eventNumber(0);
    if (time === "end") return reader.events;
    const number = /^#(\d{1,15})$/.exec(time);
    if (number) return eventNumber(Number(number[1]));
    const mark = /^mark:(.+?)(?:\[(\d+)\])?$/.exec(time);
    let seen = 0;
    for (const { event, name } of mark ? reader.rows("marks") : [])
      if (reader.markName(name) === mark![1] && ++seen === Number(mark![2] ?? "1")) return eventNumber(event);
  } finally {
    reader.close();
  }
  const replay = openReplay(path);
  try {
    return resolveTime(replay, time);
  } finally {
    replay.close();
  }
}

export interface PlaceArguments {
  time: string;
  frame: number;
  module: string;
  timeout: number;
}

/** What holds for every question to the past. */
export const PAST_NOTE =
  "Nothing that is asked changes the trace. Clocks stand still there, the machine's files are out of reach, and Python's collector does not run by itself, " +
  "so that a question frees nothing: gc.collect() does.";

/** Where and how long Python is asked. */
export const placeOptions = {
  time: {
    type: "string",
    default: "end",
    describe: "when: end, peak, 42%, 1.5s, #123456, mark:NAME[2], line:FILE:12, call:FUNCTION, …",
  },
  frame: { type: "number", default: 0, describe: "0: the function that is running; 1: its caller; …" },
  module: { type: "string", default: "", describe: "the globals of this loaded module instead of a function's names" },
  timeout: { type: "number", default: QUESTION_TIMEOUT, describe: "seconds that an answer may take" },
} as const;

export function questionOptions({ frame, module, timeout }: PlaceArguments): QuestionOptions {
  if (!Number.isInteger(frame) || frame < 0) throw new Failure("--frame: must be a whole number from 0", 2);
  if (!(timeout > 0 && timeout < 1e6)) throw new Failure("--timeout: must be a number of seconds above 0", 2);
  if (module !== "" && frame !== 0) throw new Failure("--module has no frames: leave --frame out", 2);
  return { frame, module, timeout };
}
