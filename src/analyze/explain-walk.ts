/**
 * Which line of the program each event belongs to. Code of the program's own files is itself the place; what happens in a library or
 * in C belongs to the line that called it, which the stack of `call` and `return` events gives.
 *
 * A *round* of a line is the time from when a function gets to the line until it gets to another one or jumps back in it; calls that
 * the line makes lie inside it, but what happens on the lines of the called functions is theirs. A line on which nothing happened to any count or block
 * leaves no events, so rounds are counted as far as memory noticed them.
 */
import { type EventColumns, Kind } from "../trace/events.js";
import type { TraceReader } from "../trace/reader.js";

/** One round of a line. */
export interface Round {
  readonly line: number;
  /** 1 = the first round of this line. */
  readonly nth: number;
  /** Qualified name of the function. */
  readonly function: string;
  /** Functions of the program that were running, this one included. */
  readonly depth: number;
  /** First and last event. */
  readonly first: number;
  last: number;
  /** Events with which functions of the program were entered from here, as far as the walk's user noted them; undefined = none. */
  calls: number[] | undefined;
  /** Events with which functions of the program were left into this round, likewise. */
  returns: number[] | undefined;
}

interface RunningFrame {
  readonly code: number;
  /** This frame or the nearest one below it that is the program's. */
  home: RunningFrame | undefined;
  readonly depth: number;
  line: number;
  /** Offset of the latest instruction with an event. */
  offset: number;
  round: Round | undefined;
}

/** Frames that are looked through for the one that an event names. */
const NEAR = 8;

export class LineWalker {
  /** Rounds so far, by line. */
  readonly rounds: number[] = [];
  readonly #codeOf: Uint32Array;
  readonly #lineOf: Uint32Array;
  readonly #offsetOf: Uint32Array;
  readonly #isProgram: Uint8Array;
  readonly #functions: string[] = [];
  /** By code object: its first line. */
  readonly #headOf: number[] = [];
  readonly #stack: RunningFrame[] = [];
  #lastLocation = -1;
  #here: Round | undefined;

  /** `file`: as in `codes.file`. */
  constructor(reader: TraceReader, file: string) {
    const codes: number[] = [];
    for (const { id, file: of, qualname, first_line } of reader.rows("codes")) {
      codes[id] = of === file ? 1 : 0;
      this.#functions[id] = qualname;
      this.#headOf[id] = first_line;
    }
    this.#isProgram = Uint8Array.from({ length: codes.length }, (_, i) => codes[i] ?? 0);
    const rows = [...reader.rows("locations")];
    const size = rows.reduce((most, { id }) => Math.max(most, id + 1), 1);
    this.#codeOf = new Uint32Array(size);
    this.#lineOf = new Uint32Array(size);
    this.#offsetOf = new Uint32Array(size);
    for (const { id, code, line, offset } of rows) {
      this.#offsetOf[id] = offset;
      this.#codeOf[id] = code;
      this.#lineOf[id] = line ?? 0;
    }
  }

  /** Whether this code object is the program's own. */
  owns(code: number): boolean {
    return this.#isProgram[code] === 1;
  }

  /** The round that the event belongs to; undefined = before the program's first line, or after its last. Every event, in order. */
  step(columns: EventColumns, row: number): Round | undefined {
    const kind = columns.kind[row]!;
    const location = columns.location[row]!;
    const event = columns.first + row;
    if (kind !== Kind.call && kind !== Kind.return && location === this.#lastLocation) {
      if (this.#here) this.#here.last = event;
      return this.#here;
    }
    const round = this.#at(location, event);
    this.#lastLocation = location;
    this.#here = round;
    if (kind === Kind.call) {
      this.#push(columns.a[row]!);
      this.#lastLocation = -1;
    } else if (kind === Kind.return) {
      this.#stack.pop();
      this.#lastLocation = -1;
    }
    return round;
  }

  /** The round that the program is in after the latest event: after a return, the caller's. */
  get caller(): Round | undefined {
    return this.#stack.at(-1)?.home?.round;
  }

  /** Whether a function of the program, or its module, is under way. */
  get running(): boolean {
    return this.#stack.some(({ home }) => home !== undefined);
  }

  #push(code: number): RunningFrame {
    const below = this.#stack.at(-1)?.home;
    const own = this.owns(code);
    const depth = (below?.depth ?? 0) + (own ? 1 : 0);
    const frame: RunningFrame = { code, home: below, depth, line: 0, offset: 0, round: undefined };
    if (own) frame.home = frame;
    this.#stack.push(frame);
    return frame;
  }

  #at(location: number, event: number): Round | undefined {
    const code = this.#codeOf[location] ?? 0;
    const top = this.#stack.at(-1);
    let frame = top?.home;
    if (this.owns(code) && frame?.code !== code) {
      // The event is of a frame that is being set up or left, or of one that ran before the recording began.
      const near = this.#stack.slice(-NEAR).findLast((other) => other.code === code);
      frame = near ?? (top === undefined ? this.#push(code) : frame);
    }
    if (!frame) return undefined;
    let line = this.owns(code) && frame.code === code ? this.#lineOf[location]! : 0;
    // What a function does before its first line, such as making cells, is its head's.
    if (line === 0 && !frame.round) line = this.#headOf[frame.code] ?? 0;
    // Instructions of one line follow each other, but for the jump back of a loop.
    const offset = this.#offsetOf[location] ?? 0;
    const again = line !== 0 && offset < frame.offset;
    if (line !== 0) frame.offset = offset;
    if (line !== 0 && (again || line !== frame.line || frame.round === undefined)) {
      frame.line = line;
      const nth = (this.rounds[line] ?? 0) + 1;
      this.rounds[line] = nth;
      frame.round = {
        line,
        nth,
        function: this.#functions[frame.code] ?? "?",
        depth: frame.depth,
        first: event,
        last: event,
        calls: undefined,
        returns: undefined,
      };
    }
    if (frame.round) frame.round.last = event;
    return frame.round;
  }
}
