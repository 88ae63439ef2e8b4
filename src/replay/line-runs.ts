/**
 * When a line ran, as far as counts and blocks noticed. An event tells the instruction, and so the line; that the program moved on is told by
 * nothing of its own. So a run of a line begins with the first event that a frame leaves there
 *
 * - since the frame was entered, or
 * - since it jumped back: since an event at an instruction further on in the same frame.
 *
 * Within one pass of a loop instructions follow each other, so what comes later on the same line belongs to the same run: the rest of a call that
 * is written over several lines, the end of a `with`. A loop that is one line, or whose other lines leave no events (loading
 * and storing small integers does not), jumps back in the line itself.
 *
 * A generator that goes on behind a `yield` goes on with the run in which it stopped.
 *
 * Not seen are runs that leave no event; and of runs with events at one instruction alone, those that follow each other with nothing else in between.
 */
import { type EventColumns, Kind } from "../trace/events.js";
import type { TraceReader } from "../trace/reader.js";

/** Finds the runs of one line, in chunks of events that are given one after the other from the first. */
export class LineRuns {
  /** First events of the runs so far, ascending. */
  readonly found: number[] = [];
  readonly #wanted: Uint8Array;
  readonly #code: Uint32Array;
  readonly #offset: Uint32Array;
  /** Offsets on the line at which frames have stopped, to be entered again there: by code object. */
  readonly #stops = new Map<number, Set<number>>();
  /** Instructions behind a YIELD_VALUE: a frame that stops is at the next one already. */
  readonly #isResume: Uint8Array;
  readonly #isSend: Uint8Array;
  /** Location of the latest event; -1 = the frame was entered, or left, since. */
  #latest = -1;
  // By depth of the stack. The frames below the recording's start count as one, of code object 0.
  #depth = 0;
  #frameCode = new Uint32Array(1024);
  /** Offset of the latest event; -1 = none since the frame was entered. */
  #last = new Int32Array(1024).fill(-1);
  /** Whether the line has run since the frame was entered, or jumped back. */
  #ran = new Uint8Array(1024);

  /** `locations`: all those of the line. */
  constructor(reader: TraceReader, locations: readonly number[]) {
    const rows = [...reader.rows("locations")];
    const size = rows.reduce((most, { id }) => Math.max(most, id + 1), 1);
    this.#wanted = new Uint8Array(size);
    this.#code = new Uint32Array(size);
    this.#offset = new Uint32Array(size);
    this.#isResume = new Uint8Array(size);
    this.#isSend = new Uint8Array(size);
    for (const id of locations) this.#wanted[id] = 1;
    for (const { id, code, offset, opcode } of rows) {
      this.#code[id] = code;
      this.#offset[id] = offset;
      if (this.#wanted[id] !== 1 || opcode === null) continue;
      if (opcode === "RESUME") this.#isResume[id] = 1;
      if (SENDS.test(opcode)) this.#isSend[id] = 1;
    }
  }

  take({ kind, location, a, first, count }: EventColumns): void {
    const wanted = this.#wanted;
    const codeOf = this.#code;
    const offsetOf = this.#offset;
    let latest = this.#latest;
    for (let row = 0; row < count; row++) {
      const where = location[row]!;
      const what = kind[row]!;
      const moves = what === Kind.call || what === Kind.return;
      // Most events are at the instruction of the one before.
      if (where === latest && !moves) continue;
      latest = where;
      const depth = this.#depth;
      // What is done while a frame is set up or left may be another's.
      if (depth === 0 || codeOf[where] === this.#frameCode[depth]) {
        const offset = offsetOf[where]!;
        const before = this.#last[depth]!;
        if (offset < before) this.#ran[depth] = 0;
        this.#last[depth] = offset;
        if (wanted[where] === 1 && this.#ran[depth] === 0) {
          this.#ran[depth] = 1;
          // A frame whose first event is that it stops has been all around a loop, or has just begun.
          const goesOn = before === -1 && what !== Kind.return && this.#goesOn(where);
          if (!goesOn) this.found.push(first + row);
        }
      }
      if (!moves) continue;
      latest = -1;
      if (what === Kind.call) this.#enter(a[row]!);
      else this.#leave(where);
    }
    this.#latest = latest;
  }

  /** Whether a frame that was entered and has its first event there goes on with what it was at when it stopped. */
  #goesOn(where: number): boolean {
    const stops = this.#stops.get(this.#code[where]!);
    if (!stops) return false;
    if (this.#isSend[where] === 1) return true;
    for (const stop of stops) if (stop <= this.#offset[where]!) return true;
    return false;
  }

  #enter(code: number): void {
    const depth = ++this.#depth;
    if (depth === this.#ran.length) {
      this.#frameCode = enlarged(this.#frameCode, new Uint32Array(2 * depth));
      this.#last = enlarged(this.#last, new Int32Array(2 * depth));
      this.#ran = enlarged(this.#ran, new Uint8Array(2 * depth));
    }
    this.#frameCode[depth] = code;
    this.#last[depth] = -1;
    this.#ran[depth] = 0;
  }

  #leave(where: number): void {
    if (this.#isResume[where] === 1) {
      const code = this.#code[where]!;
      let stops = this.#stops.get(code);
      if (!stops) {
        stops = new Set();
        this.#stops.set(code, stops);
      }
      stops.add(this.#offset[where]!);
    }
    if (this.#depth > 0) this.#depth--;
  }
}

/** Where `await` and `yield from` go on: behind their YIELD_VALUE is a jump back to SEND. */
const SENDS = /^(SEND|END_SEND|CLEANUP_THROW)$/;

const enlarged = <T extends Int32Array | Uint32Array | Uint8Array>(from: T, to: T): T => {
  to.set(from);
  return to;
};
