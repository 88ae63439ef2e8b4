/**
 * Which line of the program each event belongs to. Code of the program's own files is itself the place; what happens in a library or
 * in C belongs to the line that called it, which the stack of `call` and `return` events gives.
 *
 * A *round* of a line is the time from when a function gets to the line until it gets to another one or jumps back in it; calls that
 * the line makes lie inside it, but what happens on the lines of the called functions is theirs. A line on which nothing happened to any count or block
 * leaves no events, so rounds are counted as far as memory noticed them.
 *
 * A function can be at a line several times in one round, so a round has one or more *visits*. `with` ends where it began, a decorator is
 * called after the function below it was made, an expression of many lines goes back to its first: whoever comes back to a line further on in
 * the bytecode and has not jumped back meanwhile goes on with the round (`continued`). A loop that finds that there is no next value does not
 * go round once more: that, and what its line does then, belongs to its last round (`over`). Whether FOR_ITER has found a value is known
 * from what comes after it; until then its round has no number.
 *
 *     for i in items:      visits of the line:   1 round, nth 1   2 round, nth 2   3 over, nth 2
 *         use(i)           with two items
 */
import { type EventColumns, Kind } from "../trace/events.js";
import type { TraceReader } from "../trace/reader.js";

export type Phase = "round" | "continued" | "over";

/** One visit of a line: a round, or what belongs to one. */
export interface Round {
  readonly line: number;
  /** 1 = the first visit of this line. */
  readonly visit: number;
  /** 1 = the first round of this line; 0 = not known yet. */
  nth: number;
  phase: Phase;
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
  /** Lines where it was since it last jumped back, with their latest offset, which rises from one to the next. */
  readonly seen: { readonly line: number; nth: number; offset: number }[];
  /** `round` began with FOR_ITER and has nothing else yet. It is the number of the round before it on the line, and 0 = none is open. */
  pending: number;
}

/** What an instruction does in a loop. */
const NEXT = 1;
const OVER = 2;

/** Instructions that make one object and no other (Python/bytecodes.c). */
const MAKES = /^(BUILD_(LIST|TUPLE|SET|MAP|SLICE|STRING)|MAKE_FUNCTION)$/;

const ENDS = /^(END_FOR|POP_ITER|END_ASYNC_FOR)$/;

/** Frames that are looked through for the one that an event names. */
const NEAR = 8;

export class LineWalker {
  /** Rounds so far, by line. */
  readonly rounds: number[] = [];
  readonly #visits: number[] = [];
  readonly #counted: ((round: Round) => void) | undefined;
  readonly #loopOf: Uint8Array;
  readonly #codeOf: Uint32Array;
  readonly #lineOf: Uint32Array;
  readonly #offsetOf: Uint32Array;
  readonly #isProgram: Uint8Array;
  readonly #functions: string[] = [];
  /** By code object: its first line. */
  readonly #headOf: number[] = [];
  readonly #stack: RunningFrame[] = [];
  /** Instructions that make one object: where they make a second, they run once more, and nothing in between left an event. */
  readonly #makes: Uint8Array;
  #lastLocation = -1;
  /** An object was made at the latest location since the program came there. */
  #made = false;
  #here: Round | undefined;

  /** `file`: as in `codes.file`; `source`: its lines; `counted` is told of each visit when its number is known. */
  constructor(reader: TraceReader, file: string, source: readonly string[], counted?: (round: Round) => void) {
    this.#counted = counted;
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
    this.#loopOf = new Uint8Array(size);
    this.#makes = new Uint8Array(size);
    // `break` and `return` give the iterator up as well, on their own line.
    const heads = source.map((text) => /\bfor\b/.test(text.replace(/"[^"]*"|'[^']*'|#.*/g, "")));
    for (const { id, code, line, offset, opcode } of rows) {
      if (opcode?.startsWith("FOR_ITER")) this.#loopOf[id] = NEXT;
      else if (opcode && ENDS.test(opcode) && heads[(line ?? 0) - 1]) this.#loopOf[id] = OVER;
      if (opcode && MAKES.test(opcode)) this.#makes[id] = 1;
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
      const again = kind === Kind.new && this.#makes[location] === 1 && this.#made;
      if (!again) {
        if (kind === Kind.new) this.#made = true;
        if (this.#here) this.#here.last = event;
        return this.#here;
      }
      const frame = this.#stack.at(-1);
      if (frame) frame.offset = this.#offsetOf[location]! + 1;
    }
    this.#made = kind === Kind.new;
    const round = this.#at(location, event);
    this.#lastLocation = location;
    this.#here = round;
    if (kind === Kind.call) {
      this.#push(columns.a[row]!);
      this.#lastLocation = -1;
    } else if (kind === Kind.return) {
      const left = this.#stack.pop();
      if (left?.round && left.round.nth === 0) this.#count(left, left.round);
      this.#lastLocation = -1;
    }
    return round;
  }

  /** The round that the program is in after the latest event: after a return, the caller's. */
  get caller(): Round | undefined {
    return this.#stack.at(-1)?.home?.round;
  }

  /** After the last event: nothing is open any more. */
  end(): void {
    for (const frame of this.#stack) if (frame.round?.nth === 0) this.#count(frame, frame.round);
  }

  /** Whether a function of the program, or its module, is under way. */
  get running(): boolean {
    return this.#stack.some(({ home }) => home !== undefined);
  }

  #push(code: number): RunningFrame {
    const below = this.#stack.at(-1)?.home;
    const own = this.owns(code);
    const depth = (below?.depth ?? 0) + (own ? 1 : 0);
    const frame: RunningFrame = {
      code,
      home: below,
      depth,
      line: 0,
      offset: 0,
      round: undefined,
      seen: [],
      pending: 0,
    };
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
    if (line !== 0) this.#arrive(frame, line, this.#offsetOf[location] ?? 0, this.#loopOf[location]!, event);
    if (frame.round) frame.round.last = event;
    return frame.round;
  }

  /** An instruction of this line, in this frame. */
  #arrive(frame: RunningFrame, line: number, offset: number, loop: number, event: number): void {
    // Instructions of one line follow each other, but for the jump back of a loop.
    const back = offset < frame.offset;
    const { round, seen } = frame;
    frame.offset = offset;
    let before = 0;
    if (back)
      for (let last = seen.at(-1); last && last.offset >= offset; last = seen.at(-1)) {
        if (last.line === line) before = Math.max(before, last.nth);
        seen.pop();
      }
    if (round && !back && line === frame.line) {
      const top = seen.at(-1)!;
      top.offset = offset;
      if (round.nth === 0) {
        if (loop === NEXT) return;
        if (loop === OVER) {
          round.phase = "over";
          round.nth = frame.pending;
          top.nth = frame.pending;
          this.#counted?.(round);
          return;
        }
        this.#count(frame, round);
      }
      if (loop !== OVER || round.phase === "over") return;
      this.#visit(frame, line, event, "over", round.nth);
      return;
    }
    if (round?.nth === 0) this.#count(frame, round);
    frame.line = line;
    const known = back ? undefined : seen.findLast((one) => one.line === line);
    if (loop === OVER) {
      const nth = known?.nth ?? (before || (this.rounds[line] ?? 0));
      this.#visit(frame, line, event, nth === 0 ? "round" : "over", nth);
    } else if (known) this.#visit(frame, line, event, "continued", known.nth);
    else if (loop === NEXT && (back || !round)) {
      frame.pending = before || (seen.findLast((one) => one.line === line)?.nth ?? this.rounds[line] ?? 0);
      // An iterator that has nothing from the beginning: the line's only round.
      this.#visit(frame, line, event, "round", frame.pending === 0 ? 0 : -1);
    } else this.#visit(frame, line, event, "round", 0);
  }

  /** `nth`: 0 = a new round, -1 = perhaps one. */
  #visit(frame: RunningFrame, line: number, event: number, phase: Phase, nth: number): void {
    const visit = (this.#visits[line] ?? 0) + 1;
    this.#visits[line] = visit;
    const round: Round = {
      line,
      visit,
      nth: Math.max(nth, 0),
      phase,
      function: this.#functions[frame.code] ?? "?",
      depth: frame.depth,
      first: event,
      last: event,
      calls: undefined,
      returns: undefined,
    };
    frame.round = round;
    frame.seen.push({ line, nth: round.nth, offset: frame.offset });
    if (nth === 0) this.#count(frame, round);
    else if (nth > 0) this.#counted?.(round);
  }

  /** It is a round of its own. */
  #count(frame: RunningFrame, round: Round): void {
    const nth = (this.rounds[round.line] ?? 0) + 1;
    this.rounds[round.line] = nth;
    round.nth = nth;
    const entry = frame.seen.at(-1);
    if (entry?.line === round.line) entry.nth = nth;
    this.#counted?.(round);
  }
}
