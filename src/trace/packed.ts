/**
 * Columns of unsigned 32-bit integers in one blob, for the long lists beside the events: baseline and audits. Addresses come
 * sorted, so that differences are small.
 *
 *     zstd( ┌──────┬─────────┬──────────────────────────────────────────────────┐ )
 *           │ rows │ columns │ column after column: zigzag(value - value before) │
 *           └──────┴─────────┴──────────────────────────────────────────────────┘
 *
 * All integers are LEB128 varints; each column starts from 0; differences are taken modulo 2^32. Worked example, run by the
 * test: columns [4096, 4104] and [1, 1] are, before zstd, `02 02  80 40 10  02 00`.
 */
import { ByteWriter } from "../base/bytes.js";
import { assert } from "../base/failure.js";
import { compress, DamagedData, decompress } from "./compression.js";

/** More than any heap of 2^32 bytes needs; a bound for what a stranger's file can make us allocate. */
const MAX_PLAIN_BYTES = 1 << 29;

export function packPlain(columns: readonly Uint32Array[], rows: number): Uint8Array {
  const writer = new ByteWriter(64 + rows * columns.length * 2);
  writer.unsigned(rows);
  writer.unsigned(columns.length);
  for (const column of columns) {
    assert(column.length >= rows, "a column shorter than its table");
    let before = 0;
    for (let row = 0; row < rows; row++) {
      const delta = (column[row]! - before) | 0;
      writer.unsigned(((delta << 1) ^ (delta >> 31)) >>> 0);
      before = column[row]!;
    }
  }
  return writer.view();
}

/** Packs the first `rows` of each column. */
export function pack(columns: readonly Uint32Array[], rows: number): Uint8Array {
  return compress(packPlain(columns, rows));
}

/** The columns of a blob that has `width` of them; throws DamagedData. */
export function unpack(blob: Uint8Array, width: number): Uint32Array[] {
  return unpackPlain(decompress(blob, MAX_PLAIN_BYTES), width);
}

/** What `packPlain` packed: columns that are compressed with something else, or not at all. Throws DamagedData. */
export function unpackPlain(bytes: Uint8Array, width: number): Uint32Array[] {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw new DamagedData("ends too early");
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return value >>> 0;
  };
  const rows = varint();
  const columns = varint();
  if (columns !== width) throw new DamagedData(`expected ${width} columns, found ${columns}`);
  if (rows * columns > bytes.length) throw new DamagedData(`${rows} rows in ${bytes.length} bytes`);
  const unpacked = Array.from({ length: width }, () => {
    const column = new Uint32Array(rows);
    let value = 0;
    for (let row = 0; row < rows; row++) {
      // Most differences are one byte.
      let delta = bytes[at]!;
      if (delta < 0x80) at++;
      else delta = varint();
      value = (value + ((delta >>> 1) ^ -(delta & 1))) >>> 0;
      column[row] = value;
    }
    return column;
  });
  if (at !== bytes.length) throw new DamagedData(`expected ${at} bytes, found ${bytes.length}`);
  return unpacked;
}
