/**
 * When a reference was really stored: the program runs again and is held at many instants, and at each the holder's memory is asked whether
 * it refers to the object. Between the last instant at which it does not and the next, the search goes on, in another run, until
 * two neighbouring events are left: the store happened between them. All references of a path are searched in the same runs.
 *
 * Exact, but for a reference that was taken out and put back between two instants that were looked at: then one of the stores is found, not
 * for certain the last. A run costs what running the program costs; where the ledger's guess is right, the first run has found it, else 48 instants
 * a reference and run find one event of 5 million in four runs.
 */
import { type EventNumber, eventNumber } from "../base/ids.js";
import { EdgeKind as EDGE } from "../interpreter/graph.js";
import type { Place } from "../replay/names.js";
import type { Replay } from "../replay/replay.js";
import { timeInfo } from "../replay/survey.js";
import type { HeldReference } from "./graph-columns.js";
import { NONE, type ObjectGraph } from "./object-graph.js";
import type { Path } from "./paths.js";
import { type LedgerObject, type Made, storesOf } from "./provenance.js";
import type { Past } from "./rewind.js";

/** Instants in one run for each reference. */
const STOPS = 48;

interface Search {
  readonly edge: number;
  readonly reference: HeldReference;
  /** Birth of the younger of the two. */
  readonly start: number;
  /** The reference is not there before this event. */
  low: number;
  /** And is there before this one. */
  high: number;
}

/**
 * The steps of the path whose store was seen, by their edge. Leaves out the interpreter's
 * own, borrowed ones and those older than the recording. `guess`: the event with which a reference may have been taken.
 */
export async function observe(
  past: Past,
  replay: Replay,
  graph: ObjectGraph,
  path: Path,
  at: EventNumber,
  objectAt: (node: number) => LedgerObject | undefined,
  guess: (edge: number) => number | null,
): Promise<Map<number, Made>> {
  const searches: Search[] = [];
  for (const { edge } of path.steps) {
    const { source, target, kind } = graph.edge(edge);
    const holder = source === NONE ? undefined : objectAt(source);
    const held = objectAt(target);
    if (kind === EDGE.root || kind === EDGE.borrowed || !held || (source !== NONE && !holder)) continue;
    // Both older than the recording: so is perhaps the reference.
    const low = Math.max(held.birth, holder?.birth ?? -1);
    searches.push({
      edge,
      reference: { source: source === NONE ? 0 : graph.address[source]!, target: graph.address[target]!, kind },
      start: low,
      low,
      high: at,
    });
  }
  for (;;) {
    const open = searches.filter(({ low, high }) => high - low > 1);
    if (open.length === 0) break;
    const looks = open.map(
      (search): Look => ({ search, low: search.low, high: undefined, stops: stopsOf(search, guess(search.edge)) }),
    );
    const stops = [...new Set(looks.flatMap((look) => [...look.stops]))].sort((a, b) => a - b);
    for (const stop of stops) {
      const here = looks.filter((look) => look.stops.has(stop));
      await past.goTo(eventNumber(stop));
      const held = await past.holds(here.map(({ search }) => search.reference));
      here.forEach((look, i) => {
        if (held[i]) look.high ??= stop;
        else {
          look.low = stop;
          look.high = undefined;
        }
      });
    }
    for (const { search, low, high } of looks) {
      search.low = low;
      search.high = high ?? search.high;
    }
  }
  const seen = new Map<number, Made>();
  for (const { edge, high, start } of searches)
    if (high > 0) seen.set(edge, observed(replay, high - 1, start, storesOf(graph, edge)));
  return seen;
}

/** One search in one run: the last instant so far without the reference, and the first after it with it. */
interface Look {
  readonly search: Search;
  low: number;
  high: number | undefined;
  readonly stops: ReadonlySet<number>;
}

/** Instants strictly between the ends: evenly, and around the event that is guessed. */
function stopsOf({ low, high }: Search, guess: number | null): Set<number> {
  const stops = new Set<number>();
  for (let i = 0; guess !== null && i < 4; i++) if (guess + i > low && guess + i < high) stops.add(guess + i);
  const between = high - low - 1;
  for (let i = 1; i <= Math.min(STOPS, between); i++)
    stops.add(low + Math.floor((i * (between + 1)) / (Math.min(STOPS, between) + 1)));
  return stops;
}

/** `event`: before it the slot did not hold the reference, after it it did. */
function observed(replay: Replay, event: number, start: number, storing: RegExp | undefined): Made {
  const placeOf = (at: number): Place => {
    const { columns, row } = replay.event(eventNumber(at));
    return replay.names.place(columns.location[row]!);
  };
  const stores = ({ opcode }: Place): boolean => opcode !== null && storing?.test(opcode) === true;
  // A store comes after the instruction's own incref, before the next event; an instruction that only moves has none before.
  const place = placeOf(event);
  const before = event > start && event > 0 ? placeOf(event - 1) : place;
  const { function: name, file, line, opcode } = !stores(before) && stores(place) ? place : before;
  return {
    certainty: "observed",
    reason: null,
    ...timeInfo(replay, event),
    function: name,
    file,
    line,
    source: replay.names.source(file, line),
    opcode,
    by: null,
    alternatives: 0,
  };
}
