/**
 * The two tables of the fold, objects and blocks, as columns of typed arrays that grow together, and what is done with whole tables:
 * rows that are free again, copies, and copies without gaps in the order of birth. Row 0 is nobody.
 */

/** Values of `ObjectTable.state`. */
export const FREE_ROW = 0;
export const LIVE = 1;
/** Handed to its destructor, its block not freed: on its way out, or kept in a free list. */
export const DEALLOCATED = 2;

export interface ObjectTable {
  address: Uint32Array;
  /** ob_refcnt, unsigned. */
  count: Uint32Array;
  type: Uint32Array;
  /**
   * Bytes of the own block as the allocator holds it; 0 = static memory. After a `realloc`, which tells only the request, what
   * the allocator holds at least: it may be up to 15 bytes more.
   */
  bytes: Uint32Array;
  /** FREE_ROW, LIVE or DEALLOCATED. */
  state: Uint8Array;
  /** Number of the `new` event; BEFORE_TRACE = in the baseline. A double, because traces may have more than 2^32 events. */
  birth: Float64Array;
  /** The object's number: rank of its birth, from 1. */
  id: Float64Array;
  /** How often the count was written since birth, modulo 2^32. */
  changes: Uint32Array;
  /** Location of the birth; 0 = unknown. */
  location: Uint32Array;
  /** Call stack of the birth: node of the heap's call tree; 0 = none. */
  stack: Uint32Array;
}

export interface BlockTable {
  address: Uint32Array;
  /** Bytes requested; in blocks of the baseline (`held` 1) bytes as the allocator holds them. */
  size: Uint32Array;
  held: Uint8Array;
  /** 0 none, 1 raw, 2 mem, 3 object, UNKNOWN_DOMAIN = in the baseline. */
  domain: Uint8Array;
  /** 1 = row in use. */
  used: Uint8Array;
  /** Number of the `alloc` event, or of the `realloc` without one; BEFORE_TRACE = in the baseline. */
  birth: Float64Array;
}

/** Rows of a table, and which of them are free again because their owner died. */
export interface Rows {
  /** First row never used. */
  end: number;
  capacity: number;
  free: Uint32Array;
  freeCount: number;
}

export const createRows = (capacity: number): Rows => ({
  end: 1,
  capacity,
  free: new Uint32Array(capacity),
  freeCount: 0,
});

export const createObjectTable = (n: number): ObjectTable => ({
  address: new Uint32Array(n),
  count: new Uint32Array(n),
  type: new Uint32Array(n),
  bytes: new Uint32Array(n),
  state: new Uint8Array(n),
  birth: new Float64Array(n),
  id: new Float64Array(n),
  changes: new Uint32Array(n),
  location: new Uint32Array(n),
  stack: new Uint32Array(n),
});

export const createBlockTable = (n: number): BlockTable => ({
  address: new Uint32Array(n),
  size: new Uint32Array(n),
  held: new Uint8Array(n),
  domain: new Uint8Array(n),
  used: new Uint8Array(n),
  birth: new Float64Array(n),
});

type Column = Uint8Array | Uint32Array | Float64Array;
type Table = ObjectTable | BlockTable;
const columnsOf = (table: Table): [string, Column][] => Object.entries(table);

/** A free row of the table, which grows when there is none. */
export function takeRow(rows: Rows, table: Table): number {
  if (rows.freeCount > 0) return rows.free[--rows.freeCount]!;
  if (rows.end === rows.capacity) {
    rows.capacity *= 2;
    rows.free = grown(rows.free, rows.capacity);
    const columns = table as unknown as Record<string, Column>;
    for (const [name, column] of columnsOf(table)) columns[name] = grown(column, rows.capacity);
  }
  return rows.end++;
}

export function grown<T extends Column>(column: T, capacity: number): T {
  const larger = new (column.constructor as new (length: number) => T)(capacity);
  larger.set(column);
  return larger;
}

/** Every column copied as it is. */
export const copied = <T extends Table>(table: T): T =>
  Object.fromEntries(columnsOf(table).map(([name, column]) => [name, column.slice()])) as unknown as T;

/**
 * Numbers of the rows whose `flag` is not 0, sorted by `order` (integers from -1) and then by their number. Sorting numbers is several times faster than sorting
 * with a comparison, so both become one number, as long as it is an exact one.
 */
export function rowsInUse(end: number, flag: Uint8Array, order: Float64Array): Uint32Array {
  let used = 0;
  let most = 0;
  for (let row = 1; row < end; row++) {
    if (flag[row] === 0) continue;
    used++;
    if (order[row]! > most) most = order[row]!;
  }
  const rows = new Uint32Array(used);
  const step = 2 ** (32 - Math.clz32(end));
  const isExact = (most + 2) * step <= Number.MAX_SAFE_INTEGER;
  const keys = new Float64Array(isExact ? used : 0);
  let next = 0;
  for (let row = 1; row < end; row++) {
    if (flag[row] === 0) continue;
    if (isExact) keys[next] = (order[row]! + 1) * step + row;
    rows[next++] = row;
  }
  if (!isExact) return rows.sort((x, y) => order[x]! - order[y]! || x - y);
  keys.sort();
  for (let i = 0; i < used; i++) rows[i] = keys[i]! % step;
  return rows;
}

/** Columns of these rows only, from index 0. */
export function chosen<T extends Table>(table: T, rows: Uint32Array): T {
  const columns = columnsOf(table).map(([name, column]) => {
    const copy = new (column.constructor as new (length: number) => Column)(rows.length);
    for (let i = 0; i < rows.length; i++) copy[i] = column[rows[i]!]!;
    return [name, copy];
  });
  return Object.fromEntries(columns) as unknown as T;
}

/** Puts columns without gaps into an empty table from row 1, with room for more. */
export function loadRows<T extends Table>(table: T, from: T, count: number): Rows {
  const capacity = Math.max(1 << 12, 1 << (32 - Math.clz32(count)));
  const target = table as unknown as Record<string, Column>;
  for (const [name, column] of columnsOf(from)) {
    const larger = new (column.constructor as new (length: number) => Column)(capacity);
    larger.set(column, 1);
    target[name] = larger;
  }
  return { ...createRows(capacity), end: count + 1 };
}
