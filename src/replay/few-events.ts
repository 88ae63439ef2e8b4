/**
 * The index's shortcut for objects that live long and are touched now and then: their events in a chunk, written down beside the list of the
 * chunk's objects, so that a history need not decode hundreds of chunks for a few events in each. Objects that are busy in a
 * chunk are left out (decoding it is worth its while then), and so are young ones (they have few chunks) and those that moved, were
 * resized or ended in the chunk, which only the whole chunk tells.
 */
import { type EventColumns, Kind } from "../trace/events.js";
import type { Heap } from "./heap.js";

/** Chunks that an object must have lived before: a history decodes at most so many more than it must. */
export const OLD_CHUNKS = 4;
/** Most events of an object in a chunk: the lists then take about an eighth of the events' bytes (53 million events of a parser at work). */
const FEW = 8;

/**
 * The columns of `chunk_objects.events`. `heap` is the state after the chunk; objects up to the number `oldest` are old. What is at an
 * address after the chunk, born before it and not moved, was there all the time.
 */
export function fewEvents(heap: Heap, columns: EventColumns, oldest: number): Uint32Array[] {
  const { kind, site, location, address, a, b, count } = columns;
  const ids = new Float64Array(count);
  const counts = new Map<number, number>();
  const moved = new Set<number>();
  for (let row = 0; row < count; row++) {
    const code = kind[row]!;
    if (code === Kind.realloc) {
      for (const block of [address[row]!, b[row]!]) {
        for (const offset of [0, 8, 16]) moved.add(heap.idAt((block + offset) >>> 0));
      }
    }
    if (code < Kind.dealloc || code > Kind.resurrect) continue;
    const id = heap.idAt(address[row]!);
    if (id === 0 || id > oldest) continue;
    ids[row] = id;
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const rows: number[] = [];
  for (let row = 0; row < count; row++) {
    const id = ids[row]!;
    if (id !== 0 && counts.get(id)! <= FEW && !moved.has(id)) rows.push(row);
  }
  const order = Uint32Array.from(rows).sort((x, y) => ids[x]! - ids[y]! || x - y);
  const column = (of: (row: number) => number): Uint32Array => Uint32Array.from(order, of);
  return [
    column((row) => ids[row]!),
    order,
    column((row) => kind[row]!),
    column((row) => site[row]!),
    column((row) => location[row]!),
    column((row) => a[row]!),
  ];
}
