/**
 * What replay derives from the events and keeps: keyframes, and which objects had events in which chunk. It is written into a database
 * of its own in a temporary folder, and when it is whole copied into tables of the trace, in one transaction. Where that cannot
 * be (a read-only file or folder, a trace that somebody reads at this moment, one that is still being recorded or was cut off, whose WAL
 * must be left alone) the temporary one serves until the store is closed.
 *
 * What is there is used only when it carries the hash of the events that it was derived from. A stranger's trace may still lie in it:
 * it can then show a wrong past, as it could with wrong events; `verify` never looks here.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { Failure } from "../base/failure.js";
import { eventNumber } from "../base/ids.js";
import { DamagedData } from "./compression.js";
import { pack, unpack } from "./packed.js";
import type { TraceReader } from "./reader.js";
import { createStatement, DERIVED_TABLES, insertStatement, type Row, TABLES } from "./schema.js";

/** A chunk's row of the index without its list of objects. */
export type ChunkObjectsRow = Omit<Row<"chunkObjects">, "objects" | "events">;

/** Columns of `chunk_objects.events`. */
export const FEW_EVENTS_WIDTH = 6;

/** Numbers of objects that are kept unpacked, over all chunks: 32 MB. */
const MOST_LISTED = 1 << 23;

export class DerivedStore {
  readonly #reader: TraceReader;
  #db: Database.Database;
  #temporary: string | undefined;
  readonly #few: Database.Statement;
  readonly #objects: Database.Statement;
  readonly #lists = new Map<number, Uint32Array>();
  #listed = 0;

  private constructor(reader: TraceReader, db: Database.Database, temporary: string | undefined) {
    this.#reader = reader;
    this.#db = db;
    this.#temporary = temporary;
    this.#few = db.prepare("SELECT events FROM chunk_objects WHERE chunk = ?").pluck();
    this.#objects = db.prepare("SELECT objects FROM chunk_objects WHERE chunk = ?").pluck();
  }

  /** What the trace keeps, if it is whole; else an empty store to be filled. */
  static open(reader: TraceReader): DerivedStore {
    const inTrace = openInTrace(reader);
    if (inTrace) return inTrace;
    const temporary = mkdtempSync(join(tmpdir(), "refledger-index-"));
    const db = new Database(join(temporary, "index.db"));
    db.pragma("journal_mode = OFF");
    db.pragma("synchronous = OFF");
    for (const table of DERIVED_TABLES) db.exec(createStatement(TABLES[table]));
    return new DerivedStore(reader, db, temporary);
  }

  /** The tables of the trace if they cover all its chunks. */
  static fromTrace(reader: TraceReader, db: Database.Database): DerivedStore | undefined {
    const store = new DerivedStore(reader, db, undefined);
    store.keyframes(); // none is fine, but the table must be there
    return store.chunks().length === reader.chunks.length ? store : undefined;
  }

  close(): void {
    this.#db.close();
    if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true });
  }

  /** Copies what is there into the trace, so that the next to open it need not derive it again; false where that cannot be. */
  keep(): boolean {
    if (this.#temporary === undefined) return true;
    if (this.#reader.meta.complete !== true) return false;
    let trace: Database.Database | undefined;
    try {
      trace = new Database(this.#reader.path, { fileMustExist: true, timeout: 1000 });
      trace.pragma("trusted_schema = OFF");
      const target = trace;
      target
        .transaction(() => {
          for (const table of DERIVED_TABLES) {
            const { name } = TABLES[table];
            target.exec(`DROP TABLE IF EXISTS ${name}`);
            target.exec(createStatement(TABLES[table]));
            const insert = target.prepare(insertStatement(table));
            for (const row of this.#db.prepare(`SELECT * FROM ${name}`).iterate()) insert.run(row);
          }
        })
        .immediate();
      return true;
    } catch (error) {
      const { code } = error as { code?: string };
      if (typeof code === "string" && code.startsWith("SQLITE_")) return false;
      throw error;
    } finally {
      trace?.close();
    }
  }

  /** Events at which there is a keyframe, ascending. */
  keyframes(): number[] {
    const rows = this.#db.prepare("SELECT event, hash FROM keyframes ORDER BY event").all() as Pick<
      Row<"keyframes">,
      "event" | "hash"
    >[];
    return rows.filter(({ event, hash }) => hash === this.#hashBefore(event)).map(({ event }) => event);
  }

  /** The state's columns, packed list after packed list, each with this many columns. */
  keyframe(event: number, widths: readonly number[]): Uint32Array[][] {
    const state = this.#db.prepare("SELECT state FROM keyframes WHERE event = ?").pluck().get(event);
    return this.#intact(`the keyframe at event ${event}`, () => {
      if (!(state instanceof Uint8Array)) throw new DamagedData("is not there");
      return unpackLists(state, widths);
    });
  }

  /** Bytes of the derived data in all. */
  bytes(): number {
    return this.#db
      .prepare(
        "SELECT coalesce((SELECT sum(length(state)) FROM keyframes), 0) + coalesce((SELECT sum(length(objects) + length(events)) FROM chunk_objects), 0)",
      )
      .pluck()
      .get() as number;
  }

  /** The rows of the chunks from the first on, as far as they belong to these events. */
  chunks(): ChunkObjectsRow[] {
    const rows = this.#db
      .prepare("SELECT chunk, hash, born, peak_bytes, peak_event FROM chunk_objects ORDER BY chunk")
      .all() as ChunkObjectsRow[];
    const { chunks } = this.#reader;
    const wrong = rows.findIndex((row, i) => row.chunk !== i || row.hash !== chunks[i]?.hash);
    return wrong < 0 ? rows : rows.slice(0, wrong);
  }

  /** Chunks from `from` to `to` inclusive in which the object had an event. */
  chunksOf(object: number, from: number, to: number): number[] {
    const wanted = object >>> 0;
    const found: number[] = [];
    for (let chunk = from; chunk <= to; chunk++) if (includesSorted(this.#objectsOf(chunk), wanted)) found.push(chunk);
    return found;
  }

  /** Numbers of the objects with events in a chunk, ascending. Many questions are about several objects: lists are kept while they are few. */
  #objectsOf(chunk: number): Uint32Array {
    const known = this.#lists.get(chunk);
    if (known) return known;
    const numbers = this.#intact(`the index of chunk ${chunk}`, () => {
      const objects = this.#objects.get(chunk) as unknown;
      if (!(objects instanceof Uint8Array)) throw new DamagedData("is not there");
      return unpack(objects, 1)[0]!;
    });
    if (this.#listed + numbers.length <= MOST_LISTED) {
      this.#listed += numbers.length;
      this.#lists.set(chunk, numbers);
    }
    return numbers;
  }

  /** The object's events in a chunk as columns row, kind, site, location, a; undefined where the chunk itself must be read. */
  fewEvents(object: number, chunk: number): Uint32Array[] | undefined {
    const events = this.#few.get(chunk) as unknown;
    return this.#intact(`the index of chunk ${chunk}`, () => {
      if (!(events instanceof Uint8Array)) throw new DamagedData("is not there");
      const [numbers, ...columns] = unpack(events, FEW_EVENTS_WIDTH);
      const wanted = object >>> 0;
      const from = firstNotBelow(numbers!, wanted);
      if (numbers![from] !== wanted) return undefined;
      let to = from;
      while (numbers![to] === wanted) to++;
      return columns.map((column) => column.subarray(from, to));
    });
  }

  /** Gives the bytes that it took. */
  putKeyframe(event: number, lists: readonly (readonly Uint32Array[])[]): number {
    const state = packLists(lists);
    this.#db.prepare(insertStatement("keyframes")).run({ event, hash: this.#hashBefore(event), state });
    return state.length;
  }

  putChunk(row: Omit<ChunkObjectsRow, "hash">, objects: Uint32Array, events: readonly Uint32Array[]): number {
    const { hash } = this.#reader.chunks[row.chunk]!;
    const packed = pack([objects], objects.length);
    const few = pack(events, events[0]!.length);
    this.#db.prepare(insertStatement("chunkObjects")).run({ ...row, hash, objects: packed, events: few });
    return packed.length + few.length;
  }

  #hashBefore(event: number): number {
    const chunk = this.#reader.chunkAt(eventNumber(event));
    if (chunk === undefined || this.#reader.chunks[chunk]!.first !== event) return -1;
    return chunk === 0 ? 0 : this.#reader.chunks[chunk - 1]!.hash;
  }

  #intact<R>(what: string, work: () => R): R {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DamagedData)) throw error;
      throw new Failure(
        `${this.#reader.path}: ${what}: ${error.message}; empty the tables keyframes and chunk_objects and try again`,
        1,
        { cause: error },
      );
    }
  }
}

/** The derived tables of a trace, read-only; undefined where they are not whole. */
function openInTrace(reader: TraceReader): DerivedStore | undefined {
  if (reader.meta.complete !== true) return undefined;
  const db = new Database(reader.path, { readonly: true, fileMustExist: true });
  try {
    db.pragma("trusted_schema = OFF");
    const store = DerivedStore.fromTrace(reader, db);
    if (store) return store;
  } catch (error) {
    // The tables are not there, or are not what they should be.
    const { code } = error as { code?: string };
    if (typeof code !== "string" || !code.startsWith("SQLITE_")) {
      db.close();
      throw error;
    }
  }
  db.close();
  return undefined;
}

/** Lists after each other: each is its packed length as 4 bytes, little-endian, and the packed columns. */
function packLists(lists: readonly (readonly Uint32Array[])[]): Uint8Array {
  const packed = lists.map((columns) => pack(columns, columns[0]!.length));
  const all = new Uint8Array(packed.reduce((sum, { length }) => sum + 4 + length, 0));
  const view = new DataView(all.buffer);
  let at = 0;
  for (const bytes of packed) {
    view.setUint32(at, bytes.length, true);
    all.set(bytes, at + 4);
    at += 4 + bytes.length;
  }
  return all;
}

function unpackLists(bytes: Uint8Array, widths: readonly number[]): Uint32Array[][] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const lists = widths.map((width) => {
    if (at + 4 > bytes.length) throw new DamagedData("ends too early");
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.length) throw new DamagedData("ends too early");
    const columns = unpack(bytes.subarray(at + 4, end), width);
    at = end;
    return columns;
  });
  if (at !== bytes.length) throw new DamagedData(`expected ${at} bytes, found ${bytes.length}`);
  return lists;
}

const includesSorted = (numbers: Uint32Array, wanted: number): boolean =>
  numbers[firstNotBelow(numbers, wanted)] === wanted;

function firstNotBelow(numbers: Uint32Array, wanted: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
