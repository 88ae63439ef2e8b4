/**
 * The rounds of a program's main loop, by which growth is measured: what one round makes and the same round gives back cancels, what is left over at
 * the same point of every round is growth.
 *
 * Where nobody says what the rounds are, they are looked for, in this order: a mark that is repeated; a line of the program's own code at the
 * head of a loop, or a function of its own that is called again and again. A line is the head of a loop when a frame comes back to it from
 * a line below. A candidate must come back often, without long gaps, and span much of the time in which the program's own
 * code ran; of those that do, the one with the fewest frames below it is the main loop, and of nested loops in one frame the outer one. When there is
 * none, time itself is cut into equal parts by events: then "growth" is what survives, and it is said so.
 *
 * Many rounds are remembered by every second, fourth … one, so memory does not follow the trace.
 */
import { Failure } from "../base/failure.js";
import type { Replay } from "../replay/replay.js";
import { occurrences } from "../replay/times.js";
import { Kind } from "../trace/events.js";

/** Fewer rounds than this tell nothing. */
export const FEWEST_ROUNDS = 8;
/** Rounds that a loop must have to be chosen without being asked for. */
const FEWEST_FOUND = 16;
/** Part of the events, from the first to the last of the program's own code, that a loop found must span. */
const LEAST_SPAN = 0.25;
/** Longest time between two rounds, as part of the loop's span. */
const LONGEST_GAP = 0.2;
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

  add(event: number): void {
    if (this.count === 0) this.first = event;
    else if (event - this.last > this.longestGap) this.longestGap = event - this.last;
    this.last = event;
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
  for (const location of locations) {
    if (!own.has(location.code) || location.line === null) continue;
    line[location.id] = location.line;
    code[location.id] = location.code;
  }
  return { line, code, own };
}

function mainLoop(replay: Replay): Iterations | undefined {
  const { line, code, own } = ownPlaces(replay);
  if (own.size === 0) return undefined;
  const heads = new Map<number, Candidate>();
  const calls = new Map<number, Candidate>();
  let first = -1;
  let last = 0;
  let depth = 0;
  let lastLine = new Int32Array(1024);
  const loopHead = (location: number, event: number): void => {
    const key = code[location]! * 2 ** 20 + line[location]!;
    let head = heads.get(key);
    if (!head) {
      const { file } = own.get(code[location]!)!;
      head = { name: `line:${file}:${line[location]}`, by: "line", depth, sampler: new Sampler() };
      heads.set(key, head);
    }
    if (head.depth === depth) head.sampler.add(event);
  };
  const called = (id: number, event: number): void => {
    const target = own.get(id);
    if (!target) return;
    let call = calls.get(id);
    if (!call) {
      call = { name: `call:${target.name}`, by: "call", depth, sampler: new Sampler() };
      calls.set(id, call);
    }
    if (call.depth === depth) call.sampler.add(event);
  };
  for (const { columns } of replay.range(0, replay.end)) {
    const { kind, location, a, count } = columns;
    for (let row = 0; row < count; row++) {
      const where = location[row]!;
      const now = line[where]!;
      if (now !== 0 && now !== lastLine[depth]) {
        if (first < 0) first = columns.first + row;
        last = columns.first + row;
        if (now < lastLine[depth]!) loopHead(where, columns.first + row);
        lastLine[depth] = now;
      }
      const what = kind[row];
      if (what === Kind.call) {
        called(a[row]!, columns.first + row + 1);
        if (++depth === lastLine.length) {
          const larger = new Int32Array(depth * 2);
          larger.set(lastLine);
          lastLine = larger;
        }
        lastLine[depth] = 0;
      } else if (what === Kind.return && depth > 0) depth--;
    }
  }
  const span = Math.max(1, last - first);
  const fit = [...heads.values(), ...calls.values()].filter(
    ({ sampler }) => sampler.count >= FEWEST_FOUND && sampler.span >= LEAST_SPAN * span && sampler.isRegular,
  );
  const lowest = Math.min(...fit.map((candidate) => candidate.depth));
  const here = fit.filter((candidate) => candidate.depth === lowest);
  const lines = here.filter(({ by }) => by === "line");
  const [best] = outermost(lines.length > 0 ? lines : here);
  if (!best) return undefined;
  return { by: best.by, name: best.name, chosen: "found", count: best.sampler.count, moments: best.sampler.events };
}
