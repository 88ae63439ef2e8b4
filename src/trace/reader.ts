/**
 * Reads traces, finished or not, without changing them. A trace may be damaged or a stranger's: everything that is wrong with the
 * file ends in a Failure of one line. Small tables are read row by row when asked for; of the events one chunk at a time is in
 * memory, decoded into columns that are used again.
 *
 * A recording that was killed leaves a WAL beside the file, and SQLite wants to write an index of it (-shm) even to read. Where that
 * is not allowed, the two files are copied to a temporary folder and read there.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import Database from "better-sqlite3";
import { Failure } from "../base/failure.js";
import {
  address,
  type ChunkNumber,
  type CodeId,
  chunkNumber,
  type EventNumber,
  eventNumber,
  type LocationId,
  type SiteId,
  type TypeId,
} from "../base/ids.js";
import { createDecoder, MAX_CHUNK_EVENTS } from "./codec.js";
import { DamagedData, decompress } from "./compression.js";
import { createColumns, EVENT_KINDS, type EventColumns, type EventKindName, hashEvents } from "./events.js";
import { readMeta } from "./meta.js";
import { unpack } from "./packed.js";
import { APPLICATION_ID, FORMAT_VERSION, type Row, TABLES, type TableName, type TraceMeta } from "./schema.js";
import { runSql, type SqlResult, type VirtualTable } from "./sql.js";
import type { Audit, Baseline, BlockColumns, UnknownReferent } from "./writer.js";

/** A chunk without its data. */
export type ChunkRow = Omit<Row<"chunks">, "data">;

/** An audit without its lists, which `auditObjects` and `auditBlocks` read. */
export type AuditRow = Row<"audits">;

/** Largest part of the inputs, bytes. */
const MAX_INPUT_BYTES = 1 << 20;
/** Largest source file that is read back, bytes. */
const MAX_FILE_BYTES = 1 << 28;

export class TraceReader {
  readonly path: string;
  readonly meta: Readonly<Partial<TraceMeta>>;
  /** All chunks, without data, in order: a few hundred bytes each, one for some 100,000 events. */
  readonly chunks: readonly ChunkRow[];
  readonly #db: Database.Database;
  readonly #temporary: string | undefined;
  readonly #decoder = createDecoder();
  readonly #statements = new Map<string, Database.Statement>();
  readonly #data: Database.Statement;

  private constructor(path: string, db: Database.Database, temporary: string | undefined) {
    this.path = path;
    this.#db = db;
    this.#temporary = temporary;
    this.meta = readMeta(path, db.prepare("SELECT key, value FROM meta").all() as Row<"meta">[]);
    this.chunks = db
      .prepare("SELECT id, first, last, wall_start, wall_stop, objects, bytes, crc, hash FROM chunks ORDER BY id")
      .all() as ChunkRow[];
    // A finished trace does not change any more; without its lock others may add what they derived (derived.ts).
    if (this.meta.complete === true) db.exec("COMMIT");
    this.#data = db.prepare("SELECT data FROM chunks WHERE id = ?").pluck();
    let next = 0;
    this.chunks.forEach((chunk, i) => {
      const events = chunk.last - chunk.first + 1;
      if (chunk.id !== i || chunk.first !== next || !(events >= 1 && events <= MAX_CHUNK_EVENTS)) {
        throw new Failure(
          `${path}: chunk ${chunk.id}: expected chunk ${i} from event ${next}, found events ${chunk.first} to ${chunk.last}`,
        );
      }
      next = chunk.last + 1;
    });
  }

  /** Opens a trace for reading. Throws a Failure that says what the file is when it is not a readable trace. */
  static open(path: string): TraceReader {
    checkHeader(path);
    let temporary: string | undefined;
    let db: Database.Database | undefined;
    try {
      try {
        db = connect(path);
      } catch (error) {
        const { code } = error as { code?: string };
        const walNeedsWriting = code?.startsWith("SQLITE_CANTOPEN") || code?.startsWith("SQLITE_READONLY");
        if (!walNeedsWriting) throw error;
        temporary = mkdtempSync(join(tmpdir(), "refledger-"));
        const copy = join(temporary, "trace.db");
        copyFileSync(path, copy);
        if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
        db = connect(copy);
      }
      return new TraceReader(path, db, temporary);
    } catch (error) {
      db?.close();
      if (temporary) rmSync(temporary, { recursive: true, force: true });
      throw failureOf(error, path);
    }
  }

  close(): void {
    this.#db.close();
    if (this.#temporary) rmSync(this.#temporary, { recursive: true, force: true });
  }

  /** Number of events; the number of the last one is one less. */
  get events(): EventNumber {
    return eventNumber(this.chunks.length === 0 ? 0 : this.chunks[this.chunks.length - 1]!.last + 1);
  }

  /** Events in the largest chunk: the room that columns need. */
  get chunkCapacity(): number {
    return this.chunks.reduce((most, { first, last }) => Math.max(most, last - first + 1), 1);
  }

  /** Bytes of the stored events, compressed. */
  get eventBytes(): number {
    return this.#one<{ n: number | null }>("SELECT sum(length(data)) AS n FROM chunks")?.n ?? 0;
  }

  /** How many events there are of each kind; every kind is there. */
  countsByKind(): Record<EventKindName, number> {
    const counts = Object.fromEntries(EVENT_KINDS.map(({ name }) => [name, 0])) as Record<EventKindName, number>;
    for (const { kind, n } of this.#all<{ kind: number; n: number }>(
      "SELECT kind, sum(count) AS n FROM chunk_kinds GROUP BY kind",
    )) {
      const row = EVENT_KINDS[kind];
      if (row) counts[row.name] = n;
    }
    return counts;
  }

  /** Sizes of the small lists, without reading them. */
  summary(): { baselineObjects: number; collections: number; marks: number } {
    return this.#one<{ baselineObjects: number; collections: number; marks: number }>(
      `SELECT coalesce((SELECT object_count FROM baseline), 0) AS baselineObjects,
              (SELECT count(*) FROM collections) AS collections, (SELECT count(*) FROM marks) AS marks`,
    )!;
  }

  /** The chunk that holds an event, or undefined past the end. */
  chunkAt(event: EventNumber): ChunkNumber | undefined {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.chunks[middle]!.last < event) low = middle + 1;
      else high = middle;
    }
    return low < this.chunks.length ? chunkNumber(low) : undefined;
  }

  /** The bytes of a chunk as they are stored; undefined where they are not intact, which `readChunk` says. */
  chunkData(chunk: ChunkNumber): Uint8Array | undefined {
    const data = this.#guard(() => this.#data.get(chunk)) as unknown;
    return data instanceof Uint8Array && crc32(data) === this.chunks[chunk]?.crc ? data : undefined;
  }

  /** Decodes a chunk into columns that have room for it. */
  readChunk(chunk: ChunkNumber, into: EventColumns): void {
    const row = this.chunks[chunk];
    if (!row) throw new RangeError(`no chunk ${chunk}`);
    const data = this.#guard(() => this.#data.get(chunk)) as unknown;
    try {
      if (!(data instanceof Uint8Array)) throw new DamagedData("it has no data");
      const crc = crc32(data);
      if (crc !== row.crc) throw new DamagedData(`its checksum is ${crc}, expected ${row.crc}`);
      this.#decoder.decode(data, into);
      const expected = row.last - row.first + 1;
      if (into.count !== expected) throw new DamagedData(`expected ${expected} events, found ${into.count}`);
    } catch (error) {
      if (!(error instanceof DamagedData)) throw error;
      const left = row.first === 0 ? "no event before it" : `events before it are readable (--to ${row.first - 1})`;
      throw new Failure(`${this.path}: chunk ${chunk}: ${error.message}; ${left}`, 1, { cause: error });
    }
    into.first = eventNumber(row.first);
  }

  /**
   * The chunks with the events from `from` to `to` inclusive, one after the other, all in the same columns: what a turn of the
   * loop was given is overwritten by the next. The first and the last chunk may begin before `from` and end after `to`.
   */
  *eachChunk(from = eventNumber(0), to = eventNumber(this.events - 1)): Generator<EventColumns> {
    const start = this.chunkAt(from);
    if (start === undefined) return;
    const columns = createColumns(this.chunkCapacity);
    for (let chunk: number = start; chunk < this.chunks.length && this.chunks[chunk]!.first <= to; chunk++) {
      this.readChunk(chunkNumber(chunk), columns);
      yield columns;
    }
  }

  /** The hash that a chunk's row should have, given the decoded chunk and the row before. */
  hashOf(chunk: ChunkNumber, columns: EventColumns): number {
    return hashEvents(columns, chunk === 0 ? 0 : this.chunks[chunk - 1]!.hash);
  }

  type(id: TypeId): Row<"types"> | undefined {
    return this.#byId("types", id);
  }
  code(id: CodeId): Row<"codes"> | undefined {
    return this.#byId("codes", id);
  }
  location(id: LocationId): Row<"locations"> | undefined {
    return this.#byId("locations", id);
  }
  site(id: SiteId): Row<"sites"> | undefined {
    return this.#byId("sites", id);
  }
  function(id: number): Row<"functions"> | undefined {
    return this.#byId("functions", id);
  }
  markName(id: number): string | undefined {
    return this.#byId("markNames", id)?.name;
  }

  /** Rows of a table, in the order of its key, one at a time. */
  *rows<T extends Exclude<TableName, "chunks" | "auditParts" | "graphParts" | "baseline" | "files" | "inputs">>(
    table: T,
  ): Generator<Row<T>> {
    const { name, key } = TABLES[table];
    const order = key.map((column) => `"${column}"`).join(", ");
    const statement = this.#db.prepare(`SELECT * FROM "${name}" ORDER BY ${order}`);
    try {
      yield* statement.iterate() as IterableIterator<Row<T>>;
    } catch (error) {
      throw failureOf(error, this.path);
    }
  }

  /** The program's own source files, without their text; those of the library are left out. */
  files(): Omit<Row<"files">, "text">[] {
    return this.#all("SELECT path, role, sha256 FROM files WHERE role <> 'library' ORDER BY path");
  }

  /** The bytes of a source file as it was when recorded, one of the library too; undefined when the trace does not have it. */
  file(path: string): Uint8Array | undefined {
    const row = this.#one<{ text: Uint8Array }>("SELECT text FROM files WHERE path = ?", path);
    return row && this.#intact(`file ${path}`, () => decompress(row.text, MAX_FILE_BYTES));
  }

  /** A part of the log of inputs, undefined behind the last. */
  inputs(part: number): Uint8Array | undefined {
    const row = this.#one<{ data: Uint8Array }>("SELECT data FROM inputs WHERE id = ?", part);
    return row && this.#intact(`part ${part} of the inputs`, () => decompress(row.data, MAX_INPUT_BYTES));
  }

  /** What was alive before event 0; undefined when the recording began with the interpreter. */
  baseline(): Baseline | undefined {
    const row = this.#one<Row<"baseline">>("SELECT * FROM baseline WHERE id = 0");
    if (!row) return undefined;
    return this.#intact("baseline", () => {
      const [at, type, count, bytes] = unpack(row.objects, 4);
      const [block, size] = unpack(row.blocks, 2);
      return {
        objects: { address: at!, type: type!, count: count!, bytes: bytes! },
        blocks: { address: block!, size: size! },
      };
    });
  }

  /** The audits in order, without their lists. */
  audits(): AuditRow[] {
    return this.#all("SELECT id, event, wall, object_count, block_count FROM audits ORDER BY id");
  }

  /** The objects of an audit, part by part, by address. */
  *auditObjects(id: number): Generator<Audit["objects"]> {
    for (const data of this.#auditParts(id, "objects")) {
      const [at, type, count, reached] = this.#intact(`audit ${id}`, () => unpack(data, 4));
      yield { address: at!, type: type!, count: count!, reached: reached! };
    }
  }

  /** The blocks of an audit, part by part, by address. */
  *auditBlocks(id: number): Generator<BlockColumns> {
    for (const data of this.#auditParts(id, "blocks")) {
      const [at, size] = this.#intact(`audit ${id}`, () => unpack(data, 2));
      yield { address: at!, size: size! };
    }
  }

  *#auditParts(id: number, list: string): Generator<Uint8Array> {
    for (let part = 0; ; part++) {
      const sql = "SELECT data FROM audit_parts WHERE audit = ? AND list = ? AND part = ?";
      const row = this.#one<{ data: Uint8Array }>(sql, id, list, part);
      if (!row) return;
      yield row.data;
    }
  }

  /** A graph's nodes or edges, part by part: see the table `graph_parts`. Nothing where the audit has no graph. */
  *graph(audit: number, list: "nodes" | "edges"): Generator<Uint32Array[]> {
    const sql = "SELECT data FROM graph_parts WHERE audit = ? AND list = ? ORDER BY part";
    for (const { data } of this.#all<{ data: Uint8Array }>(sql, audit, list))
      yield this.#intact(`graph ${audit}`, () => unpack(data, 4));
  }

  /** What an audit met that no event had announced. */
  auditUnknowns(id: number): UnknownReferent[] {
    const sql = "SELECT * FROM audit_unknowns WHERE audit = ? ORDER BY address";
    return this.#all<Row<"auditUnknowns">>(sql, id).map(({ address: at, type, via }) => ({
      address: address(at),
      type,
      via,
    }));
  }

  /** A whole audit at once: takes memory for a whole heap. */
  audit(id: number): Audit {
    const row = this.audits().find((one) => one.id === id);
    if (!row) throw new RangeError(`no audit ${id}`);
    const join = (parts: readonly Uint32Array[]): Uint32Array => Uint32Array.from(parts.flatMap((part) => [...part]));
    const objects = [...this.auditObjects(id)];
    const blocks = [...this.auditBlocks(id)];
    return {
      event: eventNumber(row.event),
      wall: row.wall,
      objects: {
        address: join(objects.map((part) => part.address)),
        type: join(objects.map((part) => part.type)),
        count: join(objects.map((part) => part.count)),
        reached: join(objects.map((part) => part.reached)),
      },
      blocks: { address: join(blocks.map((part) => part.address)), size: join(blocks.map((part) => part.size)) },
      unknown: this.auditUnknowns(id),
    };
  }

  /**
   * Runs one reading statement over the trace's tables and these. The connection is busy until all rows are read: `rows` of the virtual
   * tables must read from another reader.
   */
  sql(statement: string, tables: readonly VirtualTable[]): SqlResult {
    return runSql(this.#db, statement, tables);
  }

  #byId<T extends TableName>(table: T, id: number): Row<T> | undefined {
    return this.#one<Row<T>>(`SELECT * FROM "${TABLES[table].name}" WHERE id = ?`, id);
  }
  #statement(sql: string): Database.Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
  #one<R>(sql: string, ...parameters: unknown[]): R | undefined {
    return this.#guard(() => this.#statement(sql).get(...parameters)) as R | undefined;
  }
  #all<R>(sql: string, ...parameters: unknown[]): R[] {
    return this.#guard(() => this.#statement(sql).all(...parameters)) as R[];
  }
  #guard<R>(work: () => R): R {
    try {
      return work();
    } catch (error) {
      throw failureOf(error, this.path);
    }
  }
  #intact<R>(what: string, work: () => R): R {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DamagedData)) throw error;
      throw new Failure(`${this.path}: ${what}: ${error.message}; the trace is damaged there: record again`, 1, {
        cause: error,
      });
    }
  }
}

function connect(path: string): Database.Database {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  try {
    db.pragma("trusted_schema = OFF");
    // One state for all that is read, even while the recorder goes on writing.
    db.exec("BEGIN");
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Looks at the first 100 bytes (SQLite's file format, section 1.3) before SQLite does: what is not a trace is named as what it is. */
function checkHeader(path: string): void {
  const header = Buffer.alloc(100);
  let read: number;
  let size: number;
  try {
    if (statSync(path).isDirectory()) throw new Failure(`${path}: is a directory, not a trace`, 2);
    const file = openSync(path, "r");
    try {
      size = fstatSync(file).size;
      read = readSync(file, header, 0, 100, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw failureOf(error, path);
  }
  const notTrace = (what: string): Failure =>
    new Failure(`${path}: ${what}; make a trace with: refledger record SCRIPT`, 2);
  if (read === 0) throw notTrace("is empty, not a trace");
  if (!"SQLite format 3\0".startsWith(header.toString("latin1", 0, Math.min(read, 16))))
    throw notTrace("is not a trace");
  if (read < 100) throw new Failure(`${path}: is truncated: expected at least 100 bytes, found ${read}`);
  if (header.readUInt32BE(68) !== APPLICATION_ID) throw notTrace("is an SQLite database, but not a trace");
  const version = header.readUInt32BE(60);
  if (version > FORMAT_VERSION) {
    throw new Failure(
      `${path}: has format version ${version}, newer than ${FORMAT_VERSION}: update refledger to read it`,
    );
  }
  // Page size 1 means 65,536. While a WAL lies beside it, the file may be shorter than its header says.
  const pageSize = header.readUInt16BE(16) === 1 ? 65536 : header.readUInt16BE(16);
  const expected = header.readUInt32BE(28) * pageSize;
  const wal = statSync(`${path}-wal`, { throwIfNoEntry: false });
  if (size < expected && !wal?.size)
    throw new Failure(`${path}: is truncated: expected ${expected} bytes, found ${size}`);
}

/** What trouble with the file means for a person; bugs of ours pass unchanged. */
function failureOf(error: unknown, path: string): Error {
  if (error instanceof Failure) return error;
  const { code } = error as { code?: unknown };
  if (!(error instanceof Error) || typeof code !== "string") return error as Error;
  const because = (what: string, exitCode: 1 | 2 = 1): Failure =>
    new Failure(`${path}: ${what}`, exitCode, { cause: error });
  if (code === "ENOENT" || code === "ENOTDIR") return because("no such file", 2);
  if (code === "EACCES" || code === "EPERM") return because("may not be read: check its permissions", 2);
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB")
    return because("is damaged or truncated: record again");
  if (code.startsWith("SQLITE_IOERR"))
    return because(`cannot be read (${code}): damaged, truncated or on a failing disk`);
  if (code === "SQLITE_ERROR")
    return because(`lacks a part of a trace (${error.message}): damaged, or not written by refledger`);
  if (code.startsWith("SQLITE_BUSY")) return because("is locked by another process: try again");
  if (code.startsWith("SQLITE_CANTOPEN"))
    return because("cannot be opened: check its permissions and those of its folder");
  if (code === "ENOSPC" || code === "SQLITE_FULL")
    return because("no space for a temporary copy: free some, or make its folder writable");
  return error;
}
