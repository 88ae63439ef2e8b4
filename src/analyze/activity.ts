/**
 * What the program did when and where, from one pass over the events: the recording is cut into equal stretches of events, and for each of them
 * births and deaths by type, calls, and for each line of the program's own files its increfs, decrefs, births and deaths are counted. No heap is
 * folded. A count here is the number of events of that kind, so `sql` over `events` gives the same.
 *
 * Memory: one dense row of counts for the stretch at hand, and what is not zero of the others.
 */
import type { Replay } from "../replay/replay.js";
import { type TimeInfo, timeInfo } from "../replay/survey.js";
import { type EventColumns, KIND_COUNT, Kind } from "../trace/events.js";

/** Stretches that a recording is cut into, unless it has fewer events. */
export const STRETCHES = 64;

/** What is counted at a line, in this order. */
export const LINE_COUNTS = ["increfs", "decrefs", "births", "deaths"] as const;

/** Counts of one stretch: its number and what was counted in it. */
export type Counted = readonly [stretch: number, ...counts: number[]];

export interface LineActivity {
  /** Index in `files`. */
  readonly file: number;
  /** From 1. */
  readonly line: number;
  /** Qualified name of the function whose code has the line; the one with the most events where several have. */
  readonly function: string;
  /** Over the whole recording, in the order of LINE_COUNTS. */
  readonly total: readonly number[];
  /** The same by stretch; those without any are left out. */
  readonly stretches: readonly Counted[];
}

export interface TypeActivity {
  readonly type: string;
  readonly module: string | null;
  readonly births: number;
  readonly deaths: number;
  /** Births and deaths by stretch. */
  readonly stretches: readonly Counted[];
}

export interface Activity {
  /** Ends of the stretches, ascending: stretch i has the events from `edges[i]` to `edges[i + 1]` - 1. */
  readonly edges: readonly TimeInfo[];
  /** By stretch. */
  readonly calls: readonly number[];
  readonly increfs: readonly number[];
  readonly decrefs: readonly number[];
  /** By births, the most first. */
  readonly types: readonly TypeActivity[];
  /** The program's own files: those whose text the trace has. */
  readonly files: readonly string[];
  /** By the sum of the counts, the most first. */
  readonly lines: readonly LineActivity[];
  /** Events of the four kinds that happened elsewhere: in library code, and where no Python code ran. */
  readonly elsewhere: { readonly library: number; readonly noFrame: number };
}

/** Column of each kind of event in LINE_COUNTS; -1 = not counted. */
const COLUMN = new Int8Array(KIND_COUNT).fill(-1);
COLUMN[Kind.incref] = 0;
COLUMN[Kind.decref] = 1;
COLUMN[Kind.new] = 2;
COLUMN[Kind.dealloc] = 3;

/** Lines of locations: each line of an own file has a number; the two that stand for everything else come first. */
const [NO_FRAME, LIBRARY] = [0, 1];

interface Lines {
  /** Number of the line, by location. */
  readonly of: Uint32Array;
  readonly all: { file: number; line: number; functions: Map<string, number> }[];
  /** Name of the function, by location. */
  readonly functions: readonly string[];
  readonly files: readonly string[];
}

/**
 * Ends of the stretches of a recording of so many events. Rounded down, as the windows of pools.ts are: of a whole recording, with as many of
 * them, both are the same.
 */
export function stretchEdges(events: number): number[] {
  const stretches = Math.max(1, Math.min(STRETCHES, events));
  return Array.from({ length: stretches + 1 }, (_, i) => Math.floor((i * events) / stretches));
}

/** Counts what chunks of events say, given one after the other from the first. */
export class ActivityCounter {
  readonly #replay: Replay;
  readonly #edges: readonly number[];
  readonly #lines: Lines;
  readonly #byLine: Table;
  readonly #byType: Table;
  readonly #calls: number[];
  readonly #increfs: number[];
  readonly #decrefs: number[];
  readonly #eventsAt: Float64Array;
  #stretch = 0;

  constructor(replay: Replay) {
    this.#replay = replay;
    this.#edges = stretchEdges(replay.end);
    const stretches = this.#edges.length - 1;
    this.#lines = linesOf(replay);
    this.#byLine = new Table(this.#lines.all.length, LINE_COUNTS.length, stretches);
    let types = 0;
    for (const { id } of replay.reader.rows("types")) types = Math.max(types, id);
    this.#byType = new Table(types + 1, 2, stretches);
    const zeros = (): number[] => new Array<number>(stretches).fill(0);
    [this.#calls, this.#increfs, this.#decrefs] = [zeros(), zeros(), zeros()];
    this.#eventsAt = new Float64Array(this.#lines.of.length);
  }

  take(columns: EventColumns): void {
    const { kind, location, a, first, count } = columns;
    const edges = this.#edges;
    const { of } = this.#lines;
    const eventsAt = this.#eventsAt;
    const width = LINE_COUNTS.length;
    for (let start = 0; start < count; ) {
      while (first + start >= edges[this.#stretch + 1]!) {
        this.#byLine.next();
        this.#byType.next();
        this.#stretch++;
      }
      const stretch = this.#stretch;
      const stop = Math.min(count, edges[stretch + 1]! - first);
      const { now } = this.#byLine;
      const { now: typesNow } = this.#byType;
      let [called, up, down] = [0, 0, 0];
      for (let row = start; row < stop; row++) {
        const code = kind[row]!;
        const column = COLUMN[code]!;
        if (column < 0) {
          if (code === Kind.call) called++;
          continue;
        }
        const at = location[row]!;
        eventsAt[at]!++;
        now[of[at]! * width + column]!++;
        if (column === 0) up++;
        else if (column === 1) down++;
        else typesNow[a[row]! * 2 + column - 2]!++;
      }
      this.#calls[stretch]! += called;
      this.#increfs[stretch]! += up;
      this.#decrefs[stretch]! += down;
      start = stop;
    }
  }

  /** After the last chunk. */
  result(): Activity {
    const lines = this.#lines;
    const [byLine, byType] = [this.#byLine, this.#byType];
    byLine.next();
    byType.next();
    lines.of.forEach((line, location) => {
      if (line <= LIBRARY || this.#eventsAt[location] === 0) return;
      const { functions } = lines.all[line]!;
      const name = lines.functions[location]!;
      functions.set(name, (functions.get(name) ?? 0) + this.#eventsAt[location]!);
    });
    const sumOf = (counts: readonly number[]): number => counts.reduce((sum, n) => sum + n, 0);
    return {
      edges: this.#edges.map((event) => timeInfo(this.#replay, event)),
      calls: this.#calls,
      increfs: this.#increfs,
      decrefs: this.#decrefs,
      types: typeRows(this.#replay, byType),
      files: lines.files,
      lines: lines.all
        .map(({ file, line, functions }, i) => ({
          file,
          line,
          function: [...functions].sort((x, y) => y[1] - x[1])[0]?.[0] ?? "",
          ...byLine.row(i),
        }))
        .slice(LIBRARY + 1)
        .filter(({ total }) => sumOf(total) > 0)
        .sort((x, y) => sumOf(y.total) - sumOf(x.total) || x.file - y.file || x.line - y.line),
      elsewhere: { library: sumOf(byLine.row(LIBRARY).total), noFrame: sumOf(byLine.row(NO_FRAME).total) },
    };
  }
}

export function activityOf(replay: Replay): Activity {
  const counter = new ActivityCounter(replay);
  for (const { columns } of replay.range(0, replay.end)) counter.take(columns);
  return counter.result();
}

/** Counts by row and stretch: dense for the stretch at hand, sparse for those before. */
class Table {
  readonly now: Uint32Array;
  readonly #width: number;
  readonly #stretches: number;
  readonly #kept: Map<number, (readonly [number, ...number[]])[]> = new Map();
  #stretch = 0;

  constructor(rows: number, width: number, stretches: number) {
    this.now = new Uint32Array(rows * width);
    this.#width = width;
    this.#stretches = stretches;
  }

  /** Keeps the stretch at hand and begins the next. */
  next(): void {
    const { now } = this;
    const width = this.#width;
    for (let at = 0; at < now.length; at += width) {
      const counts = now.subarray(at, at + width);
      if (counts.every((n) => n === 0)) continue;
      const row = at / width;
      const kept = this.#kept.get(row);
      const counted = [this.#stretch, ...counts] as const;
      if (kept) kept.push(counted);
      else this.#kept.set(row, [counted]);
    }
    now.fill(0);
    this.#stretch = Math.min(this.#stretch + 1, this.#stretches);
  }

  row(row: number): { total: number[]; stretches: readonly Counted[] } {
    const stretches = this.#kept.get(row) ?? [];
    const total = new Array<number>(this.#width).fill(0);
    for (const [, ...counts] of stretches)
      counts.forEach((n, i) => {
        total[i]! += n;
      });
    return { total, stretches };
  }
}

function linesOf({ reader, names }: Replay): Lines {
  const files = reader.files().map(({ path }) => path);
  const numbers = new Map(files.map((path, i) => [path, i]));
  const codes = new Map<number, { file: number; name: string }>();
  for (const { id, file, qualname } of reader.rows("codes"))
    codes.set(id, { file: numbers.get(file) ?? -1, name: qualname });
  let most = 0;
  for (const { id } of reader.rows("locations")) most = Math.max(most, id);
  const of = new Uint32Array(most + 1);
  const functions: string[] = [];
  const all: Lines["all"] = [NO_FRAME, LIBRARY].map(() => ({ file: -1, line: 0, functions: new Map() }));
  const known = new Map<string, number>();
  for (const { id, code } of reader.rows("locations")) {
    const at = codes.get(code);
    // The line that names.place gives is the one that every command prints.
    const { line } = names.place(id);
    functions[id] = at?.name ?? "";
    if (!at || at.file < 0 || line === null) {
      of[id] = LIBRARY;
      continue;
    }
    const key = `${at.file}:${line}`;
    let number = known.get(key);
    if (number === undefined) {
      number = all.push({ file: at.file, line, functions: new Map() }) - 1;
      known.set(key, number);
    }
    of[id] = number;
  }
  return { of, all, functions, files };
}

function typeRows({ reader }: Replay, table: Table): TypeActivity[] {
  const byName = new Map<string, { type: string; module: string | null; stretches: Map<number, [number, number]> }>();
  for (const { id, name, module } of reader.rows("types")) {
    const { stretches } = table.row(id);
    if (stretches.length === 0) continue;
    const key = `${module} ${name}`;
    const row = byName.get(key) ?? { type: name, module, stretches: new Map() };
    byName.set(key, row);
    for (const [stretch, births, deaths] of stretches) {
      const sum = row.stretches.get(stretch) ?? [0, 0];
      row.stretches.set(stretch, [sum[0] + births!, sum[1] + deaths!]);
    }
  }
  return [...byName.values()]
    .map(({ type, module, stretches }) => {
      const rows = [...stretches].sort((x, y) => x[0] - y[0]).map(([n, [b, d]]): Counted => [n, b, d]);
      return {
        type,
        module,
        births: rows.reduce((sum, [, b]) => sum + b!, 0),
        deaths: rows.reduce((sum, [, , d]) => sum + d!, 0),
        stretches: rows,
      };
    })
    .sort((x, y) => y.births - x.births || (x.type < y.type ? -1 : 1));
}
