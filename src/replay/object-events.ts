/**
 * The events of one object, from its birth to its end, without folding the heap: the index of chunks says where to look, and in those
 * chunks the object's address is followed, through moves of its block, until something else stands there.
 */
import { Failure } from "../base/failure.js";
import { eventNumber } from "../base/ids.js";
import { type EventColumns, Kind } from "../trace/events.js";
import { BEFORE_TRACE, type HeapObject } from "./heap.js";
import type { Replay } from "./replay.js";

const {
  alloc: ALLOC,
  realloc: REALLOC,
  free: FREE,
  new: NEW,
  dealloc: DEALLOC,
  setref: SETREF,
  incref: INCREF,
  decref: DECREF,
  settype: SETTYPE,
  resurrect: RESURRECT,
} = Kind;

/** One object just after its birth, and the start of its block: 0 = static memory. */
export interface Origin {
  readonly object: HeapObject;
  readonly block: number;
}

/** Winds the replay to just after the object's birth. */
export function originOf(replay: Replay, id: number): Origin {
  const birth = replay.birthOf(id);
  if (!birth) throw new Failure(`#${id}: no object has that number; see: refledger objects TRACE`, 2);
  const heap = replay.seek(eventNumber(birth.event + 1));
  const object = heap.objectAt(birth.address);
  if (object?.id !== id) {
    throw new Failure(
      `#${id}: the index says that it was born at event ${birth.event}, the events do not; record again`,
    );
  }
  return { object, block: heap.blockOf(object.address)?.address ?? 0 };
}

/** What an event means for the object. */
export type ObjectEvent = "birth" | "count" | "type" | "dealloc" | "resurrect" | "resized" | "gone";

/** What an event about the object's address means for it. */
function meaningOf(code: number): ObjectEvent {
  if (code === INCREF || code === DECREF || code === SETREF) return "count";
  return code === DEALLOC ? "dealloc" : code === SETTYPE ? "type" : "resurrect";
}

/** One event of an object. Only its row of the columns is meant; they are used again for the next chunk. */
export interface ObjectEventRow {
  readonly what: ObjectEvent;
  readonly columns: EventColumns;
  readonly row: number;
}

/**
 * The object's events in order. After "gone" (its block was freed, or something was born in its place) there are no more; that event
 * itself belongs to somebody else. The replay must not be wound meanwhile.
 */
export function* eachEventOf(replay: Replay, { object, block: firstBlock }: Origin): Generator<ObjectEventRow> {
  let at = object.address;
  // No event has this for its block: static memory is neither moved nor freed.
  let block = firstBlock === 0 ? -1 : firstBlock;
  const { birth } = object;
  for (const chunk of replay.chunksOf(object.id, birth, replay.end)) {
    const few = birth < replay.reader.chunks[chunk]!.first ? replay.fewEvents(object.id, chunk, at) : undefined;
    if (few) {
      for (const row of few.rows) yield { what: meaningOf(few.columns.kind[row]!), columns: few.columns, row };
      continue;
    }
    const columns = replay.chunk(chunk);
    const { kind, address, b, first, count } = columns;
    let row = 0;
    if (birth !== BEFORE_TRACE && birth >= first) {
      row = birth - first;
      yield { what: "birth", columns, row: row++ };
    }
    for (; row < count; row++) {
      const here = address[row]!;
      if (here !== at && here !== block && b[row] !== block) continue;
      const code = kind[row]!;
      if (here === at && code >= DEALLOC && code <= RESURRECT) {
        yield { what: meaningOf(code), columns, row };
      } else if (code === REALLOC && b[row] === block) {
        at = (at + here - block) >>> 0;
        block = here;
        yield { what: "resized", columns, row };
      } else if (
        (code === NEW && here === at) ||
        ((code === FREE || code === ALLOC || code === REALLOC) && here === block)
      ) {
        yield { what: "gone", columns, row };
        return;
      }
    }
  }
}
