/** What the commands that run a program again have in common: a line of progress for a person who watches, and the instant asked for. */
import { type EventNumber, eventNumber, openReplay, resolveTime, TraceReader } from "../index.js";
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
