/**
 * The rounds of a program's main loop, by which growth is measured: what one round makes and the same round gives back cancels, what is left over at
 * the same point of every round is growth.
 *
 * Where nobody says what the rounds are, they are looked for, in this order: a mark that is repeated; a line of the program's own code at the
 * head of a loop, or a function of its own that is called again and again. A line is the head of a loop when a frame comes back to it from
 * a line below, or from an instruction further on in the line itself. A candidate must come back often, without long gaps, and span much of
 * the time in which the program's own code ran, the importing of others' modules left out; of those that do, the one with the fewest frames below it is the main loop, and
 * of nested loops in one frame the outer one, or the function that it calls where that shows more of its rounds. When there is none, time itself is cut into equal parts by events: then "growth" is what survives, and it is said so.
 *
 * Many rounds are remembered by every second, fourth … one, so memory does not follow the trace.
 */
import { Failure } from "../base/failure.js";
import type { Replay } from "../replay/replay.js";
import { occurrences } from "../replay/times.js";
import { type EventColumns, Kind } from "../trace/events.js";

/** Fewer rounds than this tell nothing. */
export const FEWEST_ROUNDS = 8;
/** Rounds that a loop must have to be chosen without being asked for. */
const FEWEST_FOUND = 16;
/** Part of the events, from the first to the last of the program's own code, that a loop found must span. */
const LEAST_SPAN = 0.25;
/** Longest time between two rounds, as part of the loop's span. */
const LONGEST_GAP = 0.2;
/** How many times as long a function must be called as a line comes back, to be taken for the rounds instead. */
const MUCH_LONGER = 1.25;
/** Moments remembered of each candidate, at most. */
const REMEMBERED = 2048;

export interface Iterations {
  /** What a round is; "events" = no loop was found, time is cut into equal parts. */
  readonly by: "mark" | "line" | "call" | "events";
  /** As `--iterations` takes it; null for events. */
  readonly name: string | null;
  readonly chosen: "asked" | "found";
  /** How many rounds there were; for events, the number of parts. */
  readonly count: number;
  /** Events at which rounds begin, ascending: all of them, or every 2nd, 4th, … */
  readonly moments: readonly number[];
}

/** Files that are not the program's own: the interpreter's library, frozen modules, code without a file. */
export const isOwnFile = (file: string | null): boolean =>
  file !== null && !file.startsWith("/refledger-python/") && !file.startsWith("<frozen ");

/** The rounds that were asked for, as `--iterations` names them. */
export function iterationsNamed(replay: Replay, name: string): Iterations {
  const events = occurrences(replay, name, "--iterations");
  if (events.length < FEWEST_ROUNDS) {
    throw new Failure(
      `--iterations ${name}: occurs ${events.length} times, and fewer than ${FEWEST_ROUNDS} rounds show no growth; name what is repeated more often, or leave --iterations out`,
      2,
    );
  }
  const sampler = new Sampler();
  for (const event of events) sampler.add(event);
  return {
    by: name.slice(0, name.indexOf(":")) as "mark" | "line" | "call",
    name,
    chosen: "asked",
    count: events.length,
    moments: sampler.events,
  };
}

/** The rounds of the program's obvious loop; undefined where there is none. */
export function findIterations(replay: Replay): Iterations | undefined {
  return repeatedMark(replay) ?? mainLoop(replay);
}

/** Remembers moments evenly: when there are too many, every second one is dropped, now and from then on. */
class Sampler {
  events: number[] = [];
  count = 0;
  first = 0;
  last = 0;
  longestGap = 0;
  #stride = 1;

  /** `clock` is what gaps and spans are measured by. */
  add(event: number, clock = event): void {
    if (this.count === 0) this.first = clock;
    else if (clock - this.last > this.longestGap) this.longestGap = clock - this.last;
    this.last = clock;
    if (this.count++ % this.#stride !== 0) return;
    this.events.push(event);
    if (this.events.length < REMEMBERED) return;
    this.events = this.events.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
  }

  get span(): number {
    return this.last - this.first;
  }
  get isRegular(): boolean {
    return this.longestGap <= LONGEST_GAP * this.span;
  }
}

/** Of the marks with enough rounds the one that spans most; of equals the outer, which has fewer. */
function repeatedMark(replay: Replay): Iterations | undefined {
  const names = new Map([...replay.reader.rows("markNames")].map(({ id, name }) => [id, name]));
  const samplers = new Map<number, Sampler>();
  for (const { event, name } of replay.reader.rows("marks")) {
    const sampler = samplers.get(name) ?? new Sampler();
    samplers.set(name, sampler);
    sampler.add(event);
  }
  const fit = [...samplers].filter(([, { count }]) => count >= FEWEST_ROUNDS);
  const [best] = outermost(fit.map(([id, sampler]) => ({ id, sampler })));
  const name = best && names.get(best.id);
  if (!best || name === undefined) return undefined;
  return {
    by: "mark",
    name: `mark:${name}`,
    chosen: "found",
    count: best.sampler.count,
    moments: best.sampler.events,
  };
}

/** Those that span nearly as much as the widest, with the fewest rounds first. */
const outermost = <T extends { sampler: Sampler }>(candidates: readonly T[]): T[] => {
  const widest = Math.max(0, ...candidates.map(({ sampler }) => sampler.span));
  return candidates
    .filter(({ sampler }) => sampler.span >= 0.8 * widest)
    .sort((x, y) => x.sampler.count - y.sampler.count || x.sampler.first - y.sampler.first);
};

interface Candidate {
  readonly name: string;
  readonly by: "line" | "call";
  readonly depth: number;
  readonly sampler: Sampler;
}

/** What the pass over the events needs of each location. */
interface OwnPlaces {
  /** By location: line in the program's own code; 0 = somebody else's. */
  readonly line: Int32Array;
  /** By location: its code object. */
  readonly code: Int32Array;
  /** By location: offset of its instruction in the code object, in bytes. */
  readonly offset: Int32Array;
  /** By location: 1 where a module is imported. */
  readonly imports: Uint8Array;
  readonly own: ReadonlyMap<number, { name: string; file: string }>;
}

function ownPlaces(replay: Replay): OwnPlaces {
  const own = new Map<number, { name: string; file: string }>();
  for (const { id, qualname, file } of replay.reader.rows("codes")) {
    if (isOwnFile(file)) own.set(id, { name: qualname, file });
  }
  const locations = [...replay.reader.rows("locations")];
  const length = locations.reduce((most, { id }) => Math.max(most, id), 0) + 1;
  const line = new Int32Array(length);
  const code = new Int32Array(length);
  const offset = new Int32Array(length);
  const imports = new Uint8Array(length);
  for (const location of locations) {
    if (location.opcode === "IMPORT_NAME") imports[location.id] = 1;
    if (!own.has(location.code) || location.line === null) continue;
    line[location.id] = location.line;
    code[location.id] = location.code;
    offset[location.id] = location.offset;
  }
  return { line, code, offset, imports, own };
}

/** What is remembered of each frame on the stack. */
class FrameStack {
  depth = 0;
  /** Line of the program's own code at which the frame was last seen; 0 = none. */
  line = new Int32Array(1024);
  /** Offset of the instruction there. */
  offset = new Int32Array(1024);
  /** 1 where others' code is being imported, or runs below no frame of the program. */
  foreign = new Uint8Array(1024);

  enter(foreign: boolean): void {
    if (++this.depth === this.line.length) {
      this.line = enlarged(this.line, new Int32Array(2 * this.depth));
      this.offset = enlarged(this.offset, new Int32Array(2 * this.depth));
      this.foreign = enlarged(this.foreign, new Uint8Array(2 * this.depth));
    }
    this.line[this.depth] = 0;
    this.foreign[this.depth] = foreign ? 1 : 0;
  }
}

const enlarged = <T extends Int32Array | Uint8Array>(from: T, to: T): T => {
  to.set(from);
  return to;
};

/** Looks for the loop in chunks of events, given one after the other from the first. */
class LoopFinder {
  readonly #places: OwnPlaces;
  readonly #heads = new Map<number, Candidate>();
  readonly #calls = new Map<number, Candidate>();
  readonly #frames = new FrameStack();
  #first = -1;
  #last = 0;
  /** Events so far, and since the last change, in which others' code ran that is not the program's doing. */
  #foreign = 0;
  #foreignSince = 0;

  constructor(replay: Replay) {
    this.#places = ownPlaces(replay);
    this.#frames.foreign[0] = 1;
  }

  /**
   * The clock of the program's own code stands still while others' modules are imported, and while the interpreter runs others' code below no frame
   * of the program: before it begins, and when it prints the traceback of an exception that ended it.
   */
  #clock(event: number): number {
    return (this.#foreignSince < 0 ? event : this.#foreignSince) - this.#foreign;
  }

  #loopHead(location: number, event: number): void {
    const { code, line, own } = this.#places;
    const { depth } = this.#frames;
    const key = code[location]! * 2 ** 20 + line[location]!;
    let head = this.#heads.get(key);
    if (!head) {
      const { file } = own.get(code[location]!)!;
      head = { name: `line:${file}:${line[location]}`, by: "line", depth, sampler: new Sampler() };
      this.#heads.set(key, head);
    }
    if (head.depth === depth) head.sampler.add(event, this.#clock(event));
  }

  #called(id: number, event: number): void {
    const target = this.#places.own.get(id);
    if (!target) return;
    const { depth } = this.#frames;
    let call = this.#calls.get(id);
    if (!call) {
      call = { name: `call:${target.name}`, by: "call", depth, sampler: new Sampler() };
      this.#calls.set(id, call);
    }
    if (call.depth === depth) call.sampler.add(event, this.#clock(event));
  }

  #changed(event: number): void {
    const { foreign, depth } = this.#frames;
    const isForeign = foreign[depth] === 1;
    if (isForeign === this.#foreignSince >= 0) return;
    if (!isForeign) this.#foreign += event - this.#foreignSince;
    this.#foreignSince = isForeign ? event : -1;
  }

  take(columns: EventColumns): void {
    const { line, offset, imports, own } = this.#places;
    const frames = this.#frames;
    const { kind, location, a, count, first } = columns;
    for (let row = 0; row < count; row++) {
      const where = location[row]!;
      const now = line[where]!;
      if (now !== 0) {
        const { depth } = frames;
        const before = frames.line[depth]!;
        this.#last = this.#clock(first + row);
        if (this.#first < 0) this.#first = this.#last;
        if (now < before || (now === before && offset[where]! < frames.offset[depth]!))
          this.#loopHead(where, first + row);
        frames.line[depth] = now;
        frames.offset[depth] = offset[where]!;
      }
      const what = kind[row];
      if (what === Kind.call) {
        const event = first + row + 1;
        const target = a[row]!;
        // The call may also lead out of an import again: the body of a module of the program's own.
        const isForeign = !own.has(target) && (imports[where] === 1 || frames.foreign[frames.depth] === 1);
        this.#called(target, event);
        frames.enter(isForeign);
        this.#changed(event);
      } else if (what === Kind.return && frames.depth > 0) {
        frames.depth--;
        this.#changed(first + row + 1);
      }
    }
  }

  /** After the last chunk; undefined where there is no obvious loop. */
  result(): Iterations | undefined {
    const span = Math.max(1, this.#last - this.#first);
    const fit = [...this.#heads.values(), ...this.#calls.values()].filter(
      ({ sampler }) => sampler.count >= FEWEST_FOUND && sampler.span >= LEAST_SPAN * span && sampler.isRegular,
    );
    const lowest = Math.min(...fit.map((candidate) => candidate.depth));
    const here = fit.filter((candidate) => candidate.depth === lowest);
    const [line] = outermost(here.filter(({ by }) => by === "line"));
    const [call] = outermost(here.filter(({ by }) => by === "call"));
    // A loop over small integers, which are immortal, leaves no event at its head for them: then the function that it calls shows all its rounds.
    const isLonger = line && call && call.sampler.span > MUCH_LONGER * line.sampler.span;
    const best = isLonger ? call : (line ?? call);
    if (!best) return undefined;
    const { by, name, sampler } = best;
    return { by, name, chosen: "found", count: sampler.count, moments: sampler.events };
  }
}

function mainLoop(replay: Replay): Iterations | undefined {
  const finder = new LoopFinder(replay);
  // The index is wanted later anyway: where it has to be made, one pass does for both.
  if (!replay.prepare((columns) => finder.take(columns)))
    for (const { columns } of replay.range(0, replay.end)) finder.take(columns);
  return finder.result();
}
