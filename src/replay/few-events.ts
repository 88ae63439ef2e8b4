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
const MANY = 255;

/** Makes the lists of one chunk after the other; its memory is used again. */
export class FewEvents {
  /** By row of the heap: its events in the chunk, MANY for more than FEW; and afterwards where its next event goes. */
  #events = new Uint8Array(0);
  #place = new Uint32Array(0);

  /**
   * The columns of `chunk_objects.events`. `heap` is the state after the chunk and `rowOf` the row of each of its events, as `Heap.applyNoting` gives it; objects
   * up to the number `oldest` are old. What is in its place after the chunk, born before it and not moved, was there all the time.
   */
  of(heap: Heap, columns: EventColumns, rowOf: Uint32Array, oldest: number): Uint32Array[] {
    const { kind, site, location, a, count } = columns;
    const found = this.#count(heap, columns, rowOf, oldest);
    const events = this.#events;
    const listed = found.filter((row) => events[row]! <= FEW).sort((x, y) => heap.idOf(x) - heap.idOf(y));
    if (this.#place.length < events.length) this.#place = new Uint32Array(events.length);
    const place = this.#place;
    let all = 0;
    for (const row of listed) {
      place[row] = all;
      all += events[row]!;
    }
    const order = new Uint32Array(all);
    const numbers = new Uint32Array(all);
    for (let i = 0; i < count; i++) {
      const row = rowOf[i]!;
      // What is not counted is young or gone.
      if (events[row] === 0 || events[row]! > FEW) continue;
      const at = place[row]!++;
      order[at] = i;
      numbers[at] = heap.idOf(row);
    }
    for (const row of found) events[row] = 0;
    const column = (values: Uint8Array | Uint32Array): Uint32Array => {
      const picked = new Uint32Array(all);
      for (let i = 0; i < all; i++) picked[i] = values[order[i]!]!;
      return picked;
    };
    return [numbers, order, column(kind), column(site), column(location), column(a)];
  }

  /** Counts the events of the old objects that stayed where they are; the rows of those that have any. Row 0 stays at 0. */
  #count(heap: Heap, { kind, address, b, count }: EventColumns, rowOf: Uint32Array, oldest: number): number[] {
    if (this.#events.length < heap.rows) this.#events = new Uint8Array(2 * heap.rows);
    const events = this.#events;
    const found: number[] = [];
    for (let i = 0; i < count; i++) {
      if (kind[i] === Kind.realloc) this.#leaveOut(heap, [address[i]!, b[i]!], found);
      const row = rowOf[i]!;
      if (row === 0) continue;
      const before = events[row]!;
      if (before === 0) {
        if (heap.idOf(row) > oldest || !heap.isInPlace(row)) continue;
        found.push(row);
      }
      if (before < MANY) events[row] = before + 1;
    }
    return found;
  }

  /** Objects in blocks that were moved or resized. */
  #leaveOut(heap: Heap, blocks: readonly number[], found: number[]): void {
    for (const block of blocks) {
      for (const offset of [0, 8, 16]) {
        const row = heap.rowAt((block + offset) >>> 0);
        if (row === 0) continue;
        if (this.#events[row] === 0) found.push(row);
        this.#events[row] = MANY;
      }
    }
  }
}
