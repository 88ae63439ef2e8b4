/**
 * A program of the course (traces/NN-*.py), recorded once, and questions to its events by the marks that it set: what happened between two
 * marks, to one object or to all. The marks stand directly around the statement that a rule is about, so that an answer is the whole of what
 * the interpreter did there, and a rule that it does not follow shows.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import {
  type DescribedEvent,
  describeEvents,
  type EventNumber,
  eventNumber,
  openReplay,
  type Replay,
  resolveObject,
  resolveTime,
} from "../../src/index.js";
import { refledger, splitError } from "./recording.js";

export const coursePrograms = resolve(import.meta.dirname, "../../traces");

export interface Lesson {
  readonly replay: Replay;
  /** What the program printed. */
  readonly printed: string;
  /** What traces/expected says that it prints. */
  readonly expected: string;
  /** What it wrote on stderr. */
  readonly errors: string;
  readonly exitCode: number | null;
  readonly path: string;
}

/** Lessons in a folder of their own; `close` closes their traces and removes it. */
export function course(): { take: (name: string) => Promise<Lesson>; close: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "refledger-course-"));
  const lessons: Lesson[] = [];
  return {
    take: async (name) => {
      const the = await lesson(name, folder);
      lessons.push(the);
      return the;
    },
    close: () => {
      for (const { replay } of lessons) replay.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Records the program into the folder and opens its trace. */
async function lesson(name: string, folder: string): Promise<Lesson> {
  const path = join(folder, `${name}.trace.db`);
  const { code, out, err } = await refledger(["record", "--quiet", "--out", path, join(coursePrograms, `${name}.py`)], {
    cwd: folder,
  });
  return {
    replay: openReplay(path),
    printed: out,
    expected: readFileSync(join(coursePrograms, "expected", `${name}.txt`), "utf8"),
    errors: splitError(err).program,
    exitCode: code,
    path,
  };
}

/** The program's own assertions held, and it printed what stands beside it. */
export function expectAsExpected({ errors, exitCode, printed, expected }: Lesson): void {
  expect(errors).toBe("");
  expect(exitCode).toBe(0);
  expect(printed).toBe(expected);
}

export const timeOf = ({ replay }: Lesson, mark: string): EventNumber => resolveTime(replay, `mark:${mark}`);

/** The events after one mark and before another; the call of `mark` itself is left out at neither end. */
export function between(the: Lesson, from: string, to: string): DescribedEvent[] {
  const last = timeOf(the, to) - 1;
  return [...describeEvents(the.replay.reader, { from: timeOf(the, from), to: eventNumber(last) })];
}

/** An object: its address, and how many references it has, at the mark. */
export interface Seen {
  readonly id: number;
  readonly address: number;
  readonly count: number;
  readonly bytes: number;
}

/** The object that the text names (`Thing`, `Thing[2]`, `#1234`) at the mark. */
export function seen(the: Lesson, mark: string, object: string): Seen {
  const { replay } = the;
  replay.seek(timeOf(the, mark));
  const id = resolveObject(replay, object);
  const birth = replay.birthOf(id)!;
  const found = replay.heap.objectAt(birth.address);
  if (found?.id !== id) throw new Error(`${object} is not at its birth place at ${mark}`);
  return { id, address: found.address, count: found.count, bytes: found.bytes };
}

export const countAt = (the: Lesson, mark: string, object: string): number => seen(the, mark, object).count;

const SIGNS: Partial<Record<DescribedEvent["kind"], string>> = { incref: "+1", decref: "-1" };

/** Every event of the object at an address between two marks, with the instruction that did it: `+1 LOAD_NAME, -1 CALL`. */
export function ledgerOf(the: Lesson, from: string, to: string, address: number): string {
  return between(the, from, to)
    .filter((event) => event.address === address && !["alloc", "free", "realloc"].includes(event.kind))
    .map(({ kind, opcode }) => `${SIGNS[kind] ?? kind} ${opcode ?? "C"}`)
    .join(", ");
}

/** Events of one kind between two marks, of one type if given. */
export const eventsOf = (
  the: Lesson,
  from: string,
  to: string,
  kind: DescribedEvent["kind"],
  type?: string,
): DescribedEvent[] =>
  between(the, from, to).filter((event) => event.kind === kind && (type === undefined || event.type === type));
