/**
 * Why is this object alive at any instant? The object graph there (graph-at.ts) says who holds it; replay says who the objects are, when they
 * were born, and, where one is not alive then, how it ended; its ledger says when and where each reference was made (provenance.ts).
 */
import { assert, Failure } from "../base/failure.js";
import { type EventNumber, eventNumber } from "../base/ids.js";
import { BEFORE_TRACE } from "../replay/heap.js";
import { historyOf } from "../replay/history.js";
import { openReplay, type Replay } from "../replay/replay.js";
import { checkObject } from "../replay/select.js";
import { timeInfo } from "../replay/survey.js";
import { resolveTime } from "../replay/times.js";
import { Kind } from "../trace/events.js";
import { graphWithOrigin } from "./graph-at.js";
import { NONE, type ObjectGraph } from "./object-graph.js";
import { observe } from "./observe.js";
import { type LedgerObject, type Made, Provenance } from "./provenance.js";
import { Past } from "./rewind.js";
import {
  type Explained,
  explain,
  select,
  typeNames,
  typesNamed,
  type WhyAnswer,
  type WhyDeath,
  type WhyOptions,
  type WhyResult,
} from "./why.js";

export interface WhyAtOptions extends WhyOptions {
  /** When, as `--time` has it; the end by default. */
  readonly time?: string;
  /** Causes, the most frequent first, for which it is looked up when and where references were made; 10 by default. */
  readonly detailed?: number;
  /** Runs the program again, a few times, to see when the references of the first path of the first cause were stored. */
  readonly observe?: boolean;
  /** Folder of the rewritten interpreter; the platform's by default. */
  readonly cache?: string;
  /** Events that have happened again, now and then, while the program runs again. */
  readonly onProgress?: (event: number) => void;
  /** Events indexed so far, of all: once in a trace's life. */
  readonly onIndex?: (done: number, all: number) => void;
}

/**
 * `asked`: `#1234`, `0x2d84010` (who lives there then), `TypeName` (all of them), `TypeName[3]` (by birth, from 1; -1 = the last), or
 * `expr:EXPRESSION`, which Python answers at the next moment at which it can be asked: `event` of the result says when that was.
 * Throws Failure when nothing fits.
 */
export async function whyAt(path: string, asked: string, options: WhyAtOptions = {}): Promise<WhyResult> {
  checkObject(asked);
  const replay = openReplay(path, options.onIndex ? { progress: options.onIndex } : {});
  const lent: { past?: Past } = {};
  const past = async (): Promise<Past> => (lent.past ??= await Past.enter(path, options));
  try {
    const at = resolveTime(replay, options.time ?? "end");
    return await answer(path, replay, asked, at, options, past);
  } finally {
    await lent.past?.close();
    replay.close();
  }
}

async function answer(
  path: string,
  replay: Replay,
  asked: string,
  time: EventNumber,
  options: WhyAtOptions,
  past: () => Promise<Past>,
): Promise<WhyResult> {
  const expression = /^expr:(.*)$/s.exec(asked)?.[1];
  const named = expression === undefined ? undefined : await addressOf(await past(), expression, time);
  const at = named?.event ?? time;
  const result = (objects: number, answers: readonly WhyAnswer[]): WhyResult => ({
    ...timeInfo(replay, at),
    asked,
    ...(named?.note ? { note: named.note } : {}),
    objects,
    answers,
  });
  const who = oneObject(replay, asked, named?.address, at);
  if (who && !who.alive) return result(1, [notAlive(replay, who.id, at)]);
  const { graph } = await graphWithOrigin(path, at, { ...options, ...(named ? { past: await past() } : {}) });
  const objects = objectsOf(replay, graph, at);
  const typeName = typeNames(replay.reader);
  const when = at === replay.end ? "at the program's end" : `at #${at}`;
  const others = (type: string): string | undefined => livesOf(replay, type, at);
  const nodes = who ? [graph.nodeAt(who.address)] : select(graph, asked, replay.reader, when, objects.id, others);
  assert(nodes[0] !== NONE, "what lives in the trace lives in the interpreter");
  const found = explain(graph, nodes, typeName, options.paths ?? 3);
  const provenance = new Provenance(replay, graph, at, objects.at);
  const detailed = options.detailed ?? 10;
  const observed = new Map<number, Made>();
  if (options.observe === true && found[0]?.paths[0])
    for (const [edge, made] of await observe(
      await past(),
      replay,
      graph,
      found[0].paths[0],
      at,
      objects.at,
      (edge) => provenance.of(edge).event,
    ))
      observed.set(edge, made);
  const answers = found.map((one, i) =>
    detail(
      replay,
      one,
      objects,
      i < detailed ? (edge) => observed.get(edge) ?? provenance.of(edge) : undefined,
      provenance,
    ),
  );
  return result(nodes.length, answers);
}

/** The address that Python gives for an expression, and the event at which it could be asked. */
async function addressOf(
  past: Past,
  expression: string,
  time: EventNumber,
): Promise<{ address: number; event: EventNumber; note: string | null }> {
  await past.goTo(time);
  const { ok, text, event, note } = await past.evaluate(`id((${expression}\n))`);
  if (!ok) throw new Failure(`expr:${expression}: ${text}`);
  return { address: Number(text), event: eventNumber(event), note };
}

/** One object that was asked for by number, address or expression; undefined for a type. Leaves the replay at the instant. */
function oneObject(
  replay: Replay,
  asked: string,
  address: number | undefined,
  at: EventNumber,
): { id: number; address: number; alive: boolean } | undefined {
  const id = Number(/^#(\d{1,15})$/.exec(asked)?.[1] ?? 0);
  if (id > 0) {
    const birth = replay.birthOf(id);
    if (!birth) throw new Failure(`${asked}: no object has that number; see: refledger objects TRACE`, 2);
    const heap = replay.seek(at);
    if (birth.event >= at) return { id, address: birth.address, alive: false };
    if (heap.idAt(birth.address) === id)
      return { id, address: birth.address, alive: heap.objectAt(birth.address)?.alive === true };
    // Its block may have been moved, as that of a tuple that is built item by item.
    for (const object of heap.eachObject())
      if (object.id === id) return { id, address: object.address, alive: object.alive };
    return { id, address: birth.address, alive: false };
  }
  const where = address ?? (/^0x[0-9a-f]{1,8}$/i.test(asked) ? Number(asked) : undefined);
  if (where === undefined) return undefined;
  const object = replay.seek(at).objectAt(where);
  // An address from an expression where nobody lives is that of a value which went with the question.
  if (object && (address === undefined || object.alive)) return { id: object.id, address: where, alive: object.alive };
  throw new Failure(
    address === undefined
      ? `${asked}: no object lives there at #${at}; see who does with: refledger objects TRACE --time '#${at}'`
      : `${asked}: its value is made by the question itself, it is no object of the program`,
  );
}

/** What became of the objects of a type of which none is alive at an event, in words; undefined where there never were any. Reads all events. */
function livesOf(replay: Replay, type: string, at: EventNumber): string | undefined {
  const types = typesNamed(replay.reader, type);
  if (types.size === 0) return undefined;
  let id = replay.reader.summary().baselineObjects;
  let died = 0;
  let last: { id: number; event: number } | undefined;
  let later = 0;
  let next: { id: number; event: number } | undefined;
  for (const { columns, first, last: end } of replay.range(0, replay.end)) {
    const { kind, a } = columns;
    for (let row = first; row < end; row++) {
      if (kind[row] !== Kind.new) continue;
      id++;
      if (!types.has(a[row]!)) continue;
      const event = columns.first + row;
      if (event < at) {
        died++;
        last = { id, event };
      } else {
        later++;
        next ??= { id, event };
      }
    }
  }
  const many = (n: number): string => n.toLocaleString("en-US");
  const birth = ({ id: number, event }: { id: number; event: number }): string => {
    const { seconds } = timeInfo(replay, event);
    return `#${number}, born at #${event} (${seconds.toFixed(3)} s)`;
  };
  const words: string[] = [];
  if (last) {
    const which = died === 1 ? "1 lived and died," : `${many(died)} lived and died, the last of them`;
    words.push(`${which} ${birth(last)}: refledger why TRACE '#${last.id}' tells how it ended`);
  }
  if (next) {
    const which = later === 1 ? "1 was born later," : `${many(later)} were born later, the first of them`;
    words.push(`${which} ${birth(next)}: try --time '#${next.event + 1}'`);
  }
  return words.length === 0 ? undefined : words.join("; ");
}

/** What is no longer, or not yet. */
function notAlive(replay: Replay, id: number, at: EventNumber): WhyAnswer {
  const birth = replay.birthOf(id)!;
  const unborn = birth.event >= at;
  const { object, death } = historyOf(replay, id, unborn ? {} : { until: at });
  let ended: WhyDeath | undefined;
  if (!unborn) {
    assert(death, "an object that is born and not alive has died");
    const { collector } = replay.seek(eventNumber(death.time.event));
    const collection =
      collector.since === null ? null : { number: collector.started, generation: collector.generation };
    ended = { ...death, collection };
  }
  return {
    object: { id, address: object.address, type: object.type, size: object.bytes, born: object.born },
    alive: false,
    alike: 1,
    alikeBytes: object.bytes,
    refcount: 0,
    immortal: false,
    explained: 0,
    unexplained: 0,
    borrowed: 0,
    retainedObjects: 0,
    retainedBytes: 0,
    paths: [],
    ...(ended ? { death: ended } : {}),
  };
}

/** Who the objects of a graph are, by node. */
export interface Objects {
  /** The number of the object at a node; 0 = the trace knows none there. */
  id(node: number): number;
  at(node: number): LedgerObject | undefined;
}

/** Who stands at each node, taken down before the replay is wound elsewhere. */
export function objectsOf(replay: Replay, graph: ObjectGraph, at: EventNumber): Objects {
  const heap = replay.seek(at);
  const ids = new Float64Array(graph.nodes);
  const births = new Float64Array(graph.nodes);
  const locations = new Uint32Array(graph.nodes);
  for (let node = 0; node < graph.nodes; node++) {
    const object = heap.objectAt(graph.address[node]!);
    if (!object?.alive) continue;
    ids[node] = object.id;
    births[node] = object.birth;
    locations[node] = object.location;
  }
  return {
    id: (node) => ids[node]!,
    at: (node) => (ids[node] === 0 ? undefined : { id: ids[node]!, birth: births[node]!, location: locations[node]! }),
  };
}

/** Steps at each end of a path for which it is looked up when and where the reference was made: some 0.01 s each. */
const MOST_LOOKED = 50;

/** Adds who the objects are, and, where asked for, when and where references were made. */
function detail(
  replay: Replay,
  { node, answer: plain, paths, ring }: Explained,
  objects: Objects,
  made: ((edge: number) => Made) | undefined,
  provenance: Provenance,
): WhyAnswer {
  const object = objects.at(node);
  const history = made && !plain.immortal ? provenance.history(node) : undefined;
  const ledger = typeof history === "object" ? { open: history.open, openElsewhere: history.openElsewhere } : {};
  const stepped = plain.paths.map((path, i) => ({
    ...path,
    steps: path.steps.map((step, k) => {
      const { node: at, edge } = paths[i]!.steps[k]!;
      const isLooked = made && (k < MOST_LOOKED || k >= path.steps.length - MOST_LOOKED);
      return { ...step, id: objects.id(at) || null, ...(isLooked ? { made: made(edge) } : {}) };
    }),
  }));
  return {
    ...plain,
    object: {
      ...plain.object,
      id: object?.id ?? null,
      born: object === undefined || object.birth === BEFORE_TRACE ? null : timeInfo(replay, object.birth),
    },
    ...ledger,
    paths: stepped,
    ...(ring > 0 ? { cycle: stepped[0]!.steps.slice(0, ring) } : {}),
  };
}
