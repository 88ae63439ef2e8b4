/**
 * The virtual tables of `sql`: `events`, `objects` and `blocks`, produced by replaying. What their parameters ask for is what is
 * replayed: a range of events through the nearest keyframe, the events of one object through the index, kinds that need no heap
 * only in the chunks that have them.
 *
 * Each cursor winds a replay of its own, as a join reads several at once; they are used again afterwards.
 */
import { Failure } from "../base/failure.js";
import { type EventNumber, eventNumber } from "../base/ids.js";
import { EVENT_KINDS, type EventColumns, type EventKindName, Kind, kindRow } from "../trace/events.js";
import type { TraceReader } from "../trace/reader.js";
import type { SqlValue, VirtualTable } from "../trace/sql.js";
import type { Heap, HeapObject } from "./heap.js";
import { eachEventOf, originOf } from "./object-events.js";
import { Replay, type ReplayOptions } from "./replay.js";
import { countOf } from "./survey.js";
import { resolveTime, wallAt } from "./times.js";

const EVENT_COLUMNS = [
  "event",
  "seconds",
  "kind",
  "object",
  "type",
  "address",
  "a",
  "b",
  "function",
  "file",
  "line",
  "opcode",
  "c_function",
] as const;

const OBJECT_COLUMNS = [
  "object",
  "address",
  "type",
  "module",
  "count",
  "bytes",
  "changes",
  "born",
  "born_seconds",
  "function",
  "file",
  "line",
  "opcode",
] as const;

const BLOCK_COLUMNS = ["address", "size", "held", "domain", "born", "born_seconds", "object", "type"] as const;

/** The virtual tables over a trace; `close` when the query is done. The reader stays the caller's. */
export function replayTables(
  reader: TraceReader,
  options: ReplayOptions & {
    /** Called once when a query has read this many events without any parameter: a plain WHERE is a filter behind. */
    readonly onLongScan?: { readonly events: number; call(): void };
  } = {},
): { tables: readonly VirtualTable[]; close(): void } {
  const idle: Replay[] = [];
  const all: Replay[] = [];
  let isTold = false;
  const scanned = (events: number): void => {
    if (isTold || !options.onLongScan || events < options.onLongScan.events) return;
    isTold = true;
    options.onLongScan.call();
  };
  function* winding(rows: (replay: Replay) => Generator<SqlValue[]>): Generator<SqlValue[]> {
    let replay = idle.pop();
    if (!replay) {
      replay = new Replay(reader, options);
      all.push(replay);
    }
    try {
      yield* rows(replay);
    } finally {
      idle.push(replay);
    }
  }
  const tables: VirtualTable[] = [
    {
      name: "events",
      columns: EVENT_COLUMNS,
      parameters: ["first", "last", "kinds", "about", "of_object"],
      narrowing: [
        { column: "event", range: ["first", "last"] },
        { column: "kind", words: { parameter: "kinds", known: EVENT_KINDS.map(({ name }) => name) } },
        { column: "object", value: "of_object" },
      ],
      rows: (given) => winding((replay) => eventRows(replay, given, scanned)),
    },
    {
      name: "objects",
      columns: OBJECT_COLUMNS,
      parameters: ["time", "number", "of_object"],
      narrowing: [{ column: "object", value: "of_object" }],
      rows: (given) => winding((replay) => objectRows(replay, given)),
    },
    {
      name: "blocks",
      columns: BLOCK_COLUMNS,
      parameters: ["time"],
      rows: (given) => winding((replay) => blockRows(replay, given)),
    },
  ];
  return { tables, close: () => all.forEach((replay) => void replay.release()) };
}

/** A time given as event number or as text; `otherwise` where none is given. `isBound`: of a range, which may go beyond the end. */
function timeOf(replay: Replay, given: SqlValue | undefined, otherwise: EventNumber, isBound = false): EventNumber {
  if (given === null || given === undefined) return otherwise;
  if (typeof given === "string") return resolveTime(replay, /^\d+$/.test(given) ? `#${given}` : given, "sql: time");
  const event = Number(given);
  if (!Number.isInteger(event) || event < 0) throw new Failure(`sql: ${event} is no event number`, 2);
  if (!isBound && event > replay.end) {
    throw new Failure(
      `sql: time ${given}: the trace has ${replay.end} events: times go from 0 to ${replay.end}, or are named, such as 'end'`,
      2,
    );
  }
  return eventNumber(Math.min(event, replay.end));
}

/** The number of an object that is asked for as 24284 or '#24284'; undefined where none is. */
function objectOf(replay: Replay, given: SqlValue | undefined): number | undefined {
  if (given === null || given === undefined) return undefined;
  const text = String(given);
  const id = /^#?\d{1,15}$/.test(text) ? Number(text.replace("#", "")) : Number.NaN;
  if (Number.isNaN(id)) throw new Failure(`sql: ${text}: an object is asked for by its number: 24284 or '#24284'`, 2);
  if (!replay.birthOf(id)) throw new Failure(`sql: #${id}: no object has that number; see: refledger objects TRACE`, 2);
  return id;
}

function kindsOf(given: SqlValue | undefined): Uint8Array {
  const wanted = new Uint8Array(EVENT_KINDS.length).fill(given === null || given === undefined ? 1 : 0);
  if (given === null || given === undefined) return wanted;
  for (const name of String(given).split(",")) {
    const code = Kind[name.trim() as EventKindName];
    if (code === undefined) {
      throw new Failure(`sql: kind ${name.trim()}: kinds are ${EVENT_KINDS.map((row) => row.name).join(", ")}`, 2);
    }
    wanted[code] = 1;
  }
  return wanted;
}

function eventRow(replay: Replay, columns: EventColumns, row: number, object: HeapObject | undefined): SqlValue[] {
  const { names } = replay;
  const code = columns.kind[row]!;
  const spec = kindRow(code);
  const place = names.place(columns.location[row]!);
  const event = columns.first + row;
  return [
    event,
    wallAt(replay, event) / 1000,
    spec.name,
    object?.id ?? null,
    object ? names.type(code === Kind.new ? columns.a[row]! : object.type) : null,
    spec.address ? columns.address[row]! : null,
    spec.a ? columns.a[row]! : null,
    spec.b ? columns.b[row]! : null,
    place.function,
    place.file,
    place.line,
    place.opcode,
    names.cFunction(columns.site[row]!),
  ];
}

function* eventRows(
  replay: Replay,
  given: readonly SqlValue[],
  scanned: (events: number) => void,
): Generator<SqlValue[]> {
  const [first, last, kinds, about, ofObject] = given;
  const isUnbound = given.every((value) => value === null || value === undefined);
  const from = timeOf(replay, first, eventNumber(0), true);
  const to = Math.min(replay.end, timeOf(replay, last, replay.end, true) + 1);
  const wanted = kindsOf(kinds);
  if (from >= to) return;
  // Asked for by its number, an object that is none is a mistake; compared with, it is a row that is not there.
  if (ofObject !== null && ofObject !== undefined && !replay.birthOf(Number(ofObject))) return;
  const one = objectOf(replay, about) ?? objectOf(replay, ofObject);
  if (one !== undefined) {
    yield* objectEventRows(replay, one, wanted, from, to);
    return;
  }
  const aboutObjects = EVENT_KINDS.some((row, code) => wanted[code] === 1 && kindRow(code).address === "object" && row);
  if (!aboutObjects) {
    const chunks = new Set<number>();
    for (const row of replay.reader.rows("chunkKinds")) if (wanted[row.kind] === 1) chunks.add(row.chunk);
    for (const chunk of replay.reader.chunks) {
      if (chunk.last < from || chunk.first >= to || !chunks.has(chunk.id)) continue;
      for (const part of replay.range(Math.max(from, chunk.first), Math.min(to, chunk.last + 1))) {
        for (let row = part.first; row < part.last; row++) {
          if (wanted[part.columns.kind[row]!] === 1) yield eventRow(replay, part.columns, row, undefined);
        }
      }
    }
    return;
  }
  const heap = replay.seek(from);
  for (const { columns, first: begin, last: end } of replay.range(from, to)) {
    if (isUnbound) scanned(columns.first);
    for (let row = begin; row < end; row++) {
      const code = columns.kind[row]!;
      const isBirth = code === Kind.new;
      if (isBirth) heap.apply(columns, row, row + 1);
      if (wanted[code] === 1) {
        const object = kindRow(code).address === "object" ? heap.objectAt(columns.address[row]!) : undefined;
        yield eventRow(replay, columns, row, object);
      }
      if (!isBirth) heap.apply(columns, row, row + 1);
    }
  }
}

/** The events of one object; those of its block say whose they are by their address alone, as everywhere. */
function* objectEventRows(
  replay: Replay,
  id: number,
  wanted: Uint8Array,
  from: number,
  to: number,
): Generator<SqlValue[]> {
  const { object, block } = originOf(replay, id);
  let { type } = object;
  for (const { what, columns, row } of eachEventOf(replay, { object, block })) {
    const event = columns.first + row;
    if (event >= to) return;
    const code = columns.kind[row]!;
    if (what !== "gone" && event >= from && wanted[code] === 1)
      yield eventRow(replay, columns, row, kindRow(code).address === "object" ? { ...object, type } : undefined);
    if (what === "type") type = columns.a[row]!;
  }
}

function* objectRows(replay: Replay, [time, number, ofObject]: readonly SqlValue[]): Generator<SqlValue[]> {
  const one = objectOf(replay, number) ?? (ofObject === null || ofObject === undefined ? undefined : Number(ofObject));
  replay.seek(timeOf(replay, time, replay.end));
  const { names } = replay;
  for (const object of replay.liveObjects()) {
    if (one !== undefined && object.id !== one) continue;
    const place = names.place(object.location);
    yield [
      object.id,
      object.address,
      names.type(object.type),
      names.module(object.type),
      countOf(object.count),
      object.bytes,
      object.changes,
      object.birth < 0 ? null : object.birth,
      object.birth < 0 ? null : wallAt(replay, object.birth) / 1000,
      place.function,
      place.file,
      place.line,
      place.opcode,
    ];
  }
}

const DOMAIN_NAMES = ["none", "raw", "mem", "object"] as const;

function* blockRows(replay: Replay, [time]: readonly SqlValue[]): Generator<SqlValue[]> {
  const heap = replay.seek(timeOf(replay, time, replay.end));
  const blocks = [...heap.eachBlock()].sort((x, y) => x.address - y.address);
  for (const { address, size, held, domain, birth } of blocks) {
    const object = objectIn(heap, address);
    yield [
      address,
      size,
      held ? 1 : 0,
      DOMAIN_NAMES[domain] ?? null,
      birth < 0 ? null : birth,
      birth < 0 ? null : wallAt(replay, birth) / 1000,
      object?.id ?? null,
      object ? replay.names.type(object.type) : null,
    ];
  }
}

/** The live object in a block, behind its headers if it has any. */
function objectIn(heap: Heap, block: number): HeapObject | undefined {
  for (const offset of [0, 8, 16]) {
    const object = heap.objectAt(block + offset);
    if (object?.alive && heap.blockOf(object.address)?.address === block) return object;
  }
  return undefined;
}
