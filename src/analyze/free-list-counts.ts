/**
 * Births and kept memory by type and size, counted as events come: which births found an object's memory left behind, and how many dead
 * objects lay there at once.
 *
 * A dead object that its destructor is about to free looks for a moment like one that is kept. It counts as kept once an
 * event of another place in the program came after its dealloc: by then the destructor is done, unless it runs Python code itself.
 */
import { RATE_WINDOWS } from "./pools-data.js";

/** Blocks larger than this share one row a type. */
export const LARGEST_SIZE = 512;

export interface Counts {
  readonly type: number;
  /** Bytes held; 0 = larger than LARGEST_SIZE. */
  readonly size: number;
  hits: number;
  fresh: number;
  fill: number;
  bytes: number;
  highestFill: number;
  /** Event of it; -1 = never anything. */
  highestAt: number;
  /** Windows with births, each as window, hits, births: most rows have few. */
  readonly windows: number[];
}

export class FreeListCounts {
  readonly rows: Counts[] = [];
  readonly #byKey = new Map<number, number>();
  /** The current window; -1 = the time asked about has not begun. */
  window = -1;
  elsewhere = 0;

  /** Number of the row of a type and size. */
  rowOf(type: number, held: number): number {
    const size = held > LARGEST_SIZE ? 0 : held;
    const key = type * 1024 + size;
    let row = this.#byKey.get(key);
    if (row === undefined) {
      row = this.rows.length;
      this.#byKey.set(key, row);
      const nothing = { hits: 0, fresh: 0, fill: 0, bytes: 0, highestFill: 0, highestAt: -1 };
      this.rows.push({ type, size, ...nothing, windows: [] });
    }
    return row;
  }

  birth(row: number, hit: boolean): void {
    if (this.window < 0) return;
    const counts = this.rows[row]!;
    if (hit) counts.hits++;
    else counts.fresh++;
    const { windows } = counts;
    let last = windows.length - 3;
    if (last < 0 || windows[last] !== this.window) {
      windows.push(this.window, 0, 0);
      last += 3;
    }
    if (hit) windows[last + 1]!++;
    windows[last + 2]!++;
  }

  kept(row: number, held: number, event: number): void {
    const counts = this.rows[row]!;
    counts.bytes += held;
    if (++counts.fill > counts.highestFill) {
      counts.highestFill = counts.fill;
      counts.highestAt = event;
    }
  }

  taken(row: number, held: number): void {
    const counts = this.rows[row]!;
    counts.fill--;
    counts.bytes -= held;
  }

  /** The time asked about begins: highest fills are counted from here. */
  begin(event: number): void {
    this.window = 0;
    for (const counts of this.rows) {
      counts.highestFill = counts.fill;
      counts.highestAt = counts.fill > 0 ? event : -1;
    }
  }
}

/** By window: births from the free list, and all. */
export function windowColumns({ windows }: Counts): { hits: number[]; births: number[] } {
  const hits = new Array<number>(RATE_WINDOWS).fill(0);
  const births = new Array<number>(RATE_WINDOWS).fill(0);
  for (let i = 0; i < windows.length; i += 3) {
    hits[windows[i]!] = windows[i + 1]!;
    births[windows[i]!] = windows[i + 2]!;
  }
  return { hits, births };
}
