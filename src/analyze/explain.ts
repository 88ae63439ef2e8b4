/**
 * What each line of a recorded program did to memory. Three passes: over the events, for the rounds of lines and where to look (explain-rounds);
 * over a second run, stopped there to read the variables (moments); and over the events again with the names known (explain-ledgers).
 * The second run starts beside the first pass, and while it is on its way to a stop, the third pass follows it up to the stop before: so a
 * person waits for the longer of two.
 */
import { posix } from "node:path";
import { Failure } from "../base/failure.js";
import { eventNumber } from "../base/ids.js";
import { sourceLines } from "../base/lines.js";
import type { Replay } from "../replay/replay.js";
import { countOf } from "../replay/survey.js";
import { type CodeInstructions, readBytecode } from "../rewind/bytecode.js";
import type { Moment } from "../rewind/moment.js";
import { Past, type RewindOptions } from "../rewind/rewind.js";
import type {
  ExplainedLine,
  ExplainedObject,
  ExplainedRound,
  Explanation,
  ObjectInRound,
  TypeCount,
} from "./explain-data.js";
import { type Binding, bornBefore, type Ledger, type Ledgers } from "./explain-ledger.js";
import { LedgerKeeper } from "./explain-ledgers.js";
import { type RoundSurvey, surveyRounds } from "./explain-rounds.js";
import { type Steps, stepsOf } from "./explain-steps.js";
import type { Round } from "./explain-walk.js";

export interface ExplainOptions extends RewindOptions {
  /** Also objects that no variable ever named. */
  readonly all?: boolean;
  /** Rounds of a line that are shown from its beginning and from its end; 1 and 1 by default. */
  readonly first?: number;
  readonly last?: number;
  /** Only these lines, from 1, both inclusive. */
  readonly lines?: { readonly from: number; readonly to: number };
  /** Objects whose references are read at each moment, for the stepping page; 0 by default. */
  readonly graphObjects?: number;
}

/** An explanation, and what the page that steps through it needs besides. */
export interface ExplainResult {
  readonly explanation: Explanation;
  readonly moments: readonly Moment[];
  /** The program's steps, for the page; empty unless `graphObjects` was given. */
  readonly steps: Steps;
}

/** The replay must be of a complete trace of a script. Throws a Failure otherwise, and where the trace cannot be run again. */
export async function explain(path: string, replay: Replay, options: ExplainOptions = {}): Promise<ExplainResult> {
  const { reader } = replay;
  const { meta } = reader;
  if (meta.program?.kind !== "script")
    throw new Failure(`${path}: explain takes a script; this is a recording of another kind of program`, 2);
  const program = reader.files().find(({ role }) => role === "program");
  const bytes = program && reader.file(program.path);
  if (!program || !bytes) throw new Failure(`${path}: has no source of the program; record again`);
  const text = new TextDecoder().decode(bytes);
  const source = sourceLines(text);
  const { lines: range } = options;
  if (range && range.from > source.length)
    throw new Failure(`--lines: ${program.path} has ${source.length} line${source.length === 1 ? "" : "s"}`, 2);
  // A script's code objects carry its absolute path (pymain_run_file, Modules/main.c).
  const file = posix.resolve(meta.cwd ?? "/", program.path);
  const first = options.first ?? 1;
  const last = options.last ?? 1;

  const past = await Past.enter(path, options);
  try {
    const reading = past.goTo(eventNumber(0)).then(() => readBytecode(past, file, text));
    reading.catch(() => {}); // waited for below
    const survey = surveyRounds(replay, file, source, first, last);
    const code = await reading;
    const wanted = (line: number): boolean => range === undefined || (line >= range.from && line <= range.to);
    const chosen = [...survey.lines.values()].flatMap((sum) => [...sum.first, ...sum.latest]);
    const shown = chosenAmong(chosen.filter(({ line }) => wanted(line)));
    const input = { replay, file, source, code, shown, all: options.all ?? false };
    const keeper = new LedgerKeeper(input);
    const moments = await readMoments(past, stopsOf(replay, chosen), file, options.graphObjects ?? 0, keeper);
    let ledgers = keeper.end();
    if (ledgers.missed.size > 0) {
      const again = new LedgerKeeper({ ...input, named: ledgers.missed });
      for (const [event, moment] of moments) {
        again.follow(event);
        again.meet(moment);
      }
      again.follow(replay.end);
      ledgers = again.end();
    }
    const explanation = assembled(replay, file, source, survey, ledgers, code, wanted, options.all ?? false);
    return {
      explanation,
      moments: [...moments.values()],
      steps: stepsOf(explanation, moments, ledgers, (type) => replay.names.type(type)),
    };
  } finally {
    await past.close();
  }
}

/** Asked for each of millions of visits, nearly all of which lie between the first and the latest. */
function chosenAmong(chosen: readonly Round[]): (round: Round) => boolean {
  const visits = new Set(chosen.map(key));
  const gaps: { from: number; to: number }[] = [];
  const byLine = new Map<number, Round[]>();
  for (const round of chosen) push(byLine, round.line, round);
  for (const [line, of] of byLine) {
    const numbers = of.map(({ visit }) => visit).sort((a, b) => a - b);
    let widest = { from: 0, to: 0 };
    for (const [i, to] of numbers.entries()) {
      const from = numbers[i - 1] ?? 0;
      if (to - from > widest.to - widest.from) widest = { from, to };
    }
    gaps[line] = widest;
  }
  return (round) => {
    const gap = gaps[round.line];
    if (!gap || (round.visit > gap.from && round.visit < gap.to)) return false;
    return visits.has(key(round));
  };
}

/** Of a visit of a line. */
const key = ({ line, visit }: Round): number => visit * LINES + line;
const LINES = 2 ** 18;

/** The events at which something about the program's variables is to be told, in order. */
function stopsOf(replay: Replay, rounds: readonly Round[]): Stop[] {
  const stops = new Map<number, Stop>();
  const stop = (event: number, what: "leaves" | "entered" | "settled"): void => {
    if (event > replay.end) return;
    const { leaves = false, settled = true } = stops.get(event) ?? {};
    stops.set(event, { event, leaves: leaves || what === "leaves", settled: settled && what !== "entered" });
  };
  for (const { first, last, calls = [], returns = [] } of rounds) {
    stop(first, "settled");
    stop(last + 1, "settled");
    // As the function finds it, not as its first line leaves it.
    for (const call of calls) stop(call + 1, "entered");
    for (const event of returns) {
      stop(event, "leaves");
      stop(event + 1, "settled");
    }
  }
  stop(replay.end, "settled");
  return [...stops.values()].sort((a, b) => a.event - b.event);
}

interface Stop {
  readonly event: number;
  /** The frame that is running is to be remembered, as the next event leaves it. */
  readonly leaves: boolean;
  /** With what the line goes on to do without an event. */
  readonly settled: boolean;
}

/** The program's variables at each of these events. While the run is on its way to one, the ledgers are brought up to it. */
async function readMoments(
  past: Past,
  stops: readonly Stop[],
  file: string,
  objects: number,
  keeper: LedgerKeeper,
): Promise<Map<number, Moment>> {
  const files = [file];
  const moments = new Map<number, Moment>();
  let left = 0;
  for (const { event, leaves, settled } of stops) {
    const coming = past.goTo(eventNumber(event));
    coming.catch(() => {}); // waited for below
    keeper.follow(event);
    await coming;
    const moment = await past.moment({ files, left, objects, settled });
    moments.set(event, moment);
    keeper.meet(moment);
    left = leaves ? moment.innermost : 0;
  }
  return moments;
}

function assembled(
  replay: Replay,
  file: string,
  source: readonly string[],
  { lines: sums, uncaught }: RoundSurvey,
  ledgers: Ledgers,
  code: readonly CodeInstructions[],
  wanted: (line: number) => boolean,
  all: boolean,
): Explanation {
  const told = ledgers.all.filter(({ names, rounds }) => rounds.length > 0 && (all || names.size > 0));
  told.sort((a, b) => a.object - b.object);
  const byRound = new Map<number, { ledger: Ledger; at: Ledger["rounds"][number] }[]>();
  const byLine = new Map<number, Ledger[]>();
  for (const ledger of told) {
    for (const at of ledger.rounds) push(byRound, key(at.round), { ledger, at });
    for (const line of ledger.lines.keys()) push(byLine, line, ledger);
  }
  const explainRound = (round: Round): ExplainedRound => ({
    nth: round.nth,
    phase: round.phase,
    function: round.function,
    depth: round.depth,
    first: round.first,
    last: round.last,
    objects: (byRound.get(key(round)) ?? []).map(
      ({ ledger, at }): ObjectInRound => ({
        object: ledger.object,
        before: countOf(at.before),
        after: countOf(at.after),
        plus: at.plus,
        minus: at.minus,
        elsewhere: at.elsewhere,
        changes: at.changes,
        leftOut: at.leftOut,
      }),
    ),
  });
  const immortal = immortalByLine(ledgers.immortal, code, wanted);
  const lines = source.flatMap((text, i): ExplainedLine[] => {
    const line = i + 1;
    if (!wanted(line)) return [];
    const sum = sums.get(line);
    return [
      {
        line,
        source: text,
        rounds: sum?.rounds ?? 0,
        functions: sum?.functions ?? [],
        events: sum?.events ?? 0,
        born: typeCounts(replay, sum?.born),
        freed: typeCounts(replay, sum?.freed),
        plus: sum?.plus ?? 0,
        minus: sum?.minus ?? 0,
        shown: sum ? [...sum.first, ...sum.latest].map(explainRound) : [],
        objects: (byLine.get(line) ?? []).flatMap((ledger) => {
          // What was met later may have been on this line before.
          const whole = ledger.since === ledger.bornAt || ledger.since <= (sum?.first[0]?.first ?? 0);
          const { born, plus, minus, set, before, after } = ledger.lines.get(line)!;
          const elsewhere = after - before - born - plus + minus - set;
          const mortal = countOf(before) !== null && countOf(after) !== null;
          return whole
            ? [
                {
                  object: ledger.object,
                  born,
                  plus,
                  minus,
                  set: mortal ? set : 0,
                  elsewhere: mortal ? elsewhere : 0,
                  before: countOf(before),
                  after: countOf(after),
                },
              ]
            : [];
        }),
        immortal: immortal.get(line) ?? [],
      },
    ];
  });
  return {
    file,
    python: replay.reader.meta.python ?? "?",
    events: replay.end,
    exitCode: replay.reader.meta.exitCode ?? null,
    uncaught,
    compiled: code.length > 0,
    lines,
    objects: told.map((ledger) => explainObject(replay, ledger, told)),
    // Of what no variable names nothing is told without `all`.
    leftOut: all ? ledgers.leftOut : 0,
  };
}

/**
 * The line that bound a variable to an immortal object: no event says so, but the bytecode has the lines that can have done it. It is the
 * one before the moment at which the binding was found, or the latest between that and the line that came after.
 */
function immortalByLine(
  bindings: readonly Binding[],
  code: readonly CodeInstructions[],
  wanted: (line: number) => boolean,
): ReadonlyMap<number, { name: string; first: string; last: string }[]> {
  const stores = new Map<string, Set<number>>();
  for (const { function: of, instructions, firstLine } of code)
    for (const { opcode, names, span } of instructions)
      for (const name of /^STORE_(NAME|GLOBAL|FAST|DEREF)/.test(opcode) ? names : []) {
        const key = `${opcode === "STORE_GLOBAL" ? "<module>" : of}\t${name}`;
        const lines = stores.get(key) ?? new Set();
        stores.set(key, lines.add(span?.line ?? firstLine));
      }
  const found = new Map<number, { name: string; first: string; last: string }[]>();
  for (const { between, function: of, name, text } of bindings) {
    const lines = [...(stores.get(`${of}\t${name}`) ?? [])].sort((a, b) => a - b);
    const [before, after] = between;
    const line = lines.includes(before)
      ? before
      : (lines.findLast((one) => one > before && one < after) ?? (lines.length === 1 ? lines[0] : undefined));
    if (line === undefined || !wanted(line)) continue;
    const here = found.get(line) ?? [];
    const known = here.find((one) => one.name === name);
    if (known) known.last = text;
    else here.push({ name, first: text, last: text });
    found.set(line, here);
  }
  return found;
}

function explainObject(replay: Replay, ledger: Ledger, told: readonly Ledger[]): ExplainedObject {
  const { ending } = ledger;
  return {
    object: ledger.object,
    type: replay.names.type(ledger.type),
    address: ledger.address,
    names: [...ledger.names],
    born: bornBefore(ledger) ? null : { event: ledger.bornAt, line: ledger.bornLine },
    death: ending
      ? {
          ...ending,
          together:
            ending.collection === null
              ? []
              : told
                  .filter((other) => other !== ledger && other.ending?.collection === ending.collection)
                  .map(({ object }) => object),
        }
      : null,
    count: ending ? null : countOf(ledger.count),
    immortal: countOf(ledger.count) === null,
  };
}

function typeCounts(replay: Replay, counts: ReadonlyMap<number, number> | undefined): TypeCount[] {
  const byName = new Map<string, number>();
  for (const [type, n] of counts ?? []) {
    const name = replay.names.type(type);
    byName.set(name, (byName.get(name) ?? 0) + n);
  }
  return [...byName]
    .map(([type, n]) => ({ type, count: n }))
    .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1));
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
