/**
 * From addresses of a 32-bit memory to small numbers (slots of a table), 0 meaning nothing. Cells lie side by side as the memory
 * does: pages of 1024 cells, made when first written and all in one array, found through a directory; page 0 stays empty and
 * stands for every page that was never written. So a lookup is two loads without a branch, removal is storing 0, and memory use follows the
 * memory that the recorded program used. Hashing was passed over: it needs room for the addresses and care at removal.
 *
 * A stranger's trace can write to every page of 4 GB, so the cells have a limit: half a gigabyte of memory with an object or a block on
 * every page, which is some ten million objects.
 */
import { Failure } from "../base/failure.js";

export const PAGE_BITS = 10;
export const PAGE_MASK = (1 << PAGE_BITS) - 1;

/** Most cells of one map: 512 MB. */
const MOST_CELLS = 1 << 27;

export interface AddressMap {
  /** log2 of the bytes that a cell stands for: 2 or 3. Addresses within one cell are the same to the map. */
  readonly shift: number;
  /** By page number: where its cells start in `cells`. */
  readonly directory: Uint32Array;
  /** Replaced when it grows: hot loops load it again after `setSlot`. */
  cells: Uint32Array;
  /** Cells in use. */
  used: number;
}

export function createAddressMap(shift: 2 | 3): AddressMap {
  return {
    shift,
    directory: new Uint32Array(1 << (32 - shift - PAGE_BITS)),
    cells: new Uint32Array(1 << 18),
    used: 1 << PAGE_BITS,
  };
}

export function getSlot(map: AddressMap, address: number): number {
  const cell = address >>> map.shift;
  return map.cells[map.directory[cell >>> PAGE_BITS]! + (cell & PAGE_MASK)]!;
}

export function setSlot(map: AddressMap, address: number, slot: number): void {
  const cell = address >>> map.shift;
  const page = cell >>> PAGE_BITS;
  if (map.directory[page] === 0) {
    if (slot === 0) return;
    const start = map.used;
    map.used += 1 << PAGE_BITS;
    if (map.used > map.cells.length) {
      if (map.used > MOST_CELLS) {
        throw new Failure(
          "the trace has objects or blocks all over more than 512 MB of memory: it is damaged, or too large to be replayed here",
        );
      }
      const grown = new Uint32Array(Math.min(map.cells.length * 2, MOST_CELLS));
      grown.set(map.cells);
      map.cells = grown;
    }
    map.directory[page] = start;
  }
  map.cells[map.directory[page]! + (cell & PAGE_MASK)] = slot;
}

export const cloneAddressMap = (map: AddressMap): AddressMap => ({
  ...map,
  directory: map.directory.slice(),
  cells: map.cells.slice(),
});
