/**
 * Writes a trace while a program runs. Synchronous, owned by one thread (the encoder's, not the interpreter's).
 *
 * Everything added goes into a transaction that the next chunk, audit or finish commits, so what is on disk is always a prefix of
 * the recording with all the names that it needs. WAL with synchronous NORMAL: a killed process loses at most the chunk under
 * way, a power cut at most what came since the last checkpoint; the file stays readable either way. Only `finish` marks the
 * trace complete and leaves a single file without a WAL beside it.
 *
 * An existing file is replaced only when asked to, only if it is a trace (a slip of the hand must not cost a source file) and only
 * once the new one exists.
 */
import { closeSync, openSync, readSync, renameSync, rmSync, statSync } from "node:fs";
import { crc32 } from "node:zlib";
import Database from "better-sqlite3";
import { assert, Failure } from "../base/failure.js";
import { type ChunkNumber, chunkNumber, type EventNumber, eventNumber } from "../base/ids.js";
import { createEncoder } from "./codec.js";
import { compress } from "./compression.js";
import { type EventColumns, hashEvents, KIND_COUNT, Kind } from "./events.js";
import { pack } from "./packed.js";
import { SeriesSampler, type TypeCount } from "./sampler.js";
import {
  APPLICATION_ID,
  createStatement,
  FORMAT_VERSION,
  insertStatement,
  MAX_SAMPLES,
  type Row,
  TABLES,
  type TableName,
  type TraceMeta,
} from "./schema.js";

/** Events between two samples of the series at first; doubles as the trace grows. */
const FIRST_SAMPLE_INTERVAL = 1024;

/** Live objects as columns of the same length, sorted by address. */
export interface ObjectColumns {
  readonly address: Uint32Array;
  /** Ids in `types`. */
  readonly type: Uint32Array;
  /** ob_refcnt as stored, unsigned. */
  readonly count: Uint32Array;
}
/** Blocks in use as columns of the same length, sorted by address. */
export interface BlockColumns {
  readonly address: Uint32Array;
  /** Bytes as the allocator holds the block, its own header included. */
  readonly size: Uint32Array;
}
export interface Baseline {
  /** `bytes`: of the object's own block; 0 = static memory. */
  readonly objects: ObjectColumns & { readonly bytes: Uint32Array };
  readonly blocks: BlockColumns;
}
export interface UnknownReferent {
  readonly address: number;
  /** Name of its type. */
  readonly type: string;
  /** Address of the object that refers to it. */
  readonly via: number;
}
export interface Audit {
  /** State before this event. */
  readonly event: EventNumber;
  /** ms since program start. */
  readonly wall: number;
  /** `reached`: 1 = met by following references from the known roots, 0 = only known to the recorder. */
  readonly objects: ObjectColumns & { readonly reached: Uint32Array };
  readonly blocks: BlockColumns;
  readonly unknown: readonly UnknownReferent[];
}
export interface ChunkFacts {
  /** ms since program start at the first and at the last event. */
  readonly wallStart: number;
  readonly wallStop: number;
  /** Live objects, and bytes of their blocks, after the last event. */
  readonly objects: number;
  readonly bytes: number;
}
export interface TraceWriterOptions {
  /** Replace an existing trace. */
  readonly overwrite?: boolean;
  /** Most pages that the file may have: stands in for a full disk in tests. */
  readonly maxPages?: number;
}

const noParts = (): Record<"objects" | "blocks", { parts: number; rows: number }> => ({
  objects: { parts: 0, rows: 0 },
  blocks: { parts: 0, rows: 0 },
});

export class TraceWriter {
  readonly path: string;
  readonly sampler = new SeriesSampler(FIRST_SAMPLE_INTERVAL, MAX_SAMPLES);
  readonly #db: Database.Database;
  readonly #encoder = createEncoder();
  readonly #inserts: Record<TableName, Database.Statement>;
  readonly #kinds = new Uint32Array(KIND_COUNT);
  #events = 0;
  #chunks = 0;
  #hash = 0;
  #eventBytes = 0;
  #audits = 0;
  #inputs = 0;
  #auditParts = noParts();
  #graphParts = 0;
  #collections = 0;
  #openCollection = 0;
  #broken: Failure | undefined;

  private constructor(path: string, db: Database.Database) {
    this.path = path;
    this.#db = db;
    const prepare = (name: TableName): Database.Statement => db.prepare(insertStatement(name));
    this.#inserts = Object.fromEntries(
      (Object.keys(TABLES) as TableName[]).map((name) => [name, prepare(name)]),
    ) as Record<TableName, Database.Statement>;
  }

  /** Creates the file, with its tables and `complete` = false. Throws a Failure where that is not possible. */
  static create(path: string, options: TraceWriterOptions = {}): TraceWriter {
    try {
      if (options.overwrite) replaceTrace(path);
      else reserve(path);
      const db = new Database(path);
      if (options.maxPages !== undefined) db.pragma(`max_page_count = ${options.maxPages}`);
      db.pragma("journal_mode = WAL");
      db.pragma("synchronous = NORMAL");
      return new TraceWriter(path, db);
    } catch (error) {
      throw failureOf(error, path, "no trace was begun");
    }
  }

  /** Events stored so far: the number of the next one. */
  get events(): EventNumber {
    return eventNumber(this.#events);
  }
  /** Bytes of the stored events so far, compressed. */
  get eventBytes(): number {
    return this.#eventBytes;
  }

  setMeta(facts: Partial<TraceMeta>): void {
    this.#change(() => {
      const put = this.#db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)");
      for (const [key, value] of Object.entries(facts)) put.run(key, JSON.stringify(value));
    });
  }

  /** What is known of the recording before it has begun; commits it, so that even a trace without events says what it was to be of. */
  begin(facts: Partial<TraceMeta>): void {
    this.setMeta(facts);
    this.#commit();
  }

  addType(row: Row<"types">): void {
    this.#insert("types", row);
  }
  /** A code object with its line table. */
  addCode(row: Row<"codes">, lines: readonly Omit<Row<"codeLines">, "code">[]): void {
    this.#insert("codes", row);
    for (const line of lines) this.#insert("codeLines", { ...line, code: row.id });
  }
  addLocation(row: Row<"locations">): void {
    this.#insert("locations", row);
  }
  addFunction(row: Row<"functions">): void {
    this.#insert("functions", row);
  }
  addSite(row: Row<"sites">): void {
    this.#insert("sites", row);
  }
  addMarkName(row: Row<"markNames">): void {
    this.#insert("markNames", row);
  }
  /** A source file of the program; `text` is its bytes. */
  addFile(file: Row<"files">): void {
    this.#insert("files", { ...file, text: compress(file.text) });
  }

  /** The next bytes of the log of inputs; the next chunk commits them. */
  addInputs(bytes: Uint8Array): void {
    this.#insert("inputs", { id: this.#inputs++, data: compress(bytes) });
  }

  /** What was alive before event 0. */
  setBaseline({ objects, blocks }: Baseline): void {
    assert(this.#events === 0, "a baseline after the first event");
    this.#insert("baseline", {
      id: 0,
      object_count: objects.address.length,
      block_count: blocks.address.length,
      objects: pack([objects.address, objects.type, objects.count, objects.bytes], objects.address.length),
      blocks: pack([blocks.address, blocks.size], blocks.address.length),
    });
  }

  /**
   * A sample of the series, when `sampler.nextAt` has come: the types whose numbers changed since the last one, with the numbers
   * after the change.
   */
  addSample(event: EventNumber, wall: number, changes: Iterable<readonly [type: number, count: TypeCount]>): void {
    const thinned = this.sampler.add(event, wall, changes);
    const { samples } = this.sampler;
    this.#change(() => {
      if (thinned) this.#db.exec("DELETE FROM samples; DELETE FROM series");
      for (let id = thinned ? 0 : samples.length - 1; id < samples.length; id++) {
        const sample = samples[id]!;
        this.#inserts.samples.run({ id, event: sample.event, wall: sample.wall });
        for (const [type, count] of sample.changes) this.#inserts.series.run({ sample: id, type, ...count });
      }
    });
  }

  /** The next events; commits them and everything added before. */
  addChunk(columns: EventColumns, facts: ChunkFacts): void {
    const { count, first } = columns;
    assert(first === this.#events && count > 0, `a chunk of ${count} events from ${first} after ${this.#events}`);
    const id = chunkNumber(this.#chunks);
    const data = this.#encoder.encode(columns);
    this.#hash = hashEvents(columns, this.#hash);
    this.#insert("chunks", {
      id,
      first,
      last: first + count - 1,
      wall_start: facts.wallStart,
      wall_stop: facts.wallStop,
      objects: facts.objects,
      bytes: facts.bytes,
      crc: crc32(data),
      hash: this.#hash,
      data,
    });
    this.#index(id, columns, facts);
    this.#commit();
    this.#chunks++;
    this.#events += count;
    this.#eventBytes += data.length;
  }

  /** What can be read off the events of a chunk: counts by kind, collections, marks. */
  #index(chunk: ChunkNumber, { kind, a, b, count, first }: EventColumns, facts: ChunkFacts): void {
    const kinds = this.#kinds.fill(0);
    const perEvent = count > 1 ? (facts.wallStop - facts.wallStart) / (count - 1) : 0;
    const { "collect-start": start, "collect-stop": stop, mark } = Kind;
    for (let i = 0; i < count; i++) {
      const code = kind[i]!;
      kinds[code]!++;
      if (code < start || (code !== start && code !== stop && code !== mark)) continue;
      const event = first + i;
      const wall = facts.wallStart + perEvent * i;
      if (code === mark) {
        this.#insert("marks", { event, name: a[i]!, wall });
      } else if (code === start) {
        this.#openCollection = ++this.#collections;
        this.#insert("collections", {
          id: this.#openCollection,
          start: event,
          stop: null,
          generation: a[i]!,
          reason: b[i]!,
          collected: null,
          uncollectable: null,
          wall_start: wall,
          wall_stop: null,
        });
      } else {
        this.#change(() =>
          this.#db
            .prepare("UPDATE collections SET stop = ?, collected = ?, uncollectable = ?, wall_stop = ? WHERE id = ?")
            .run(event, a[i]!, b[i]!, wall, this.#openCollection),
        );
      }
    }
    kinds.forEach((n, code) => {
      if (n > 0) this.#insert("chunkKinds", { chunk, kind: code, count: n });
    });
  }

  /** Some of the next audit's objects, behind those given before: addresses rise. */
  addAuditObjects({ address, type, count, reached }: Audit["objects"]): void {
    this.#addAuditPart("objects", [address, type, count, reached]);
  }

  /** Some of the next audit's blocks, likewise. */
  addAuditBlocks({ address, size }: BlockColumns): void {
    this.#addAuditPart("blocks", [address, size]);
  }

  #addAuditPart(list: "objects" | "blocks", columns: readonly Uint32Array[]): void {
    const rows = columns[0]!.length;
    if (rows === 0) return;
    const so = this.#auditParts[list];
    this.#insert("auditParts", { audit: this.#audits, list, part: so.parts++, data: pack(columns, rows) });
    so.rows += rows;
  }

  /** Some of the graph at the next audit; see the table `graph_parts`. */
  addGraphPart(list: "nodes" | "edges", columns: readonly Uint32Array[]): void {
    const rows = columns[0]!.length;
    if (rows > 0)
      this.#insert("graphParts", { audit: this.#audits, list, part: this.#graphParts++, data: pack(columns, rows) });
  }

  addGraphLabel(row: Row<"graphLabels">): void {
    this.#insert("graphLabels", row);
  }

  /** The lists given are the truth after the events stored so far; commits them. */
  endAudit({ event, wall, unknown }: Pick<Audit, "event" | "wall" | "unknown">): void {
    assert(event === this.#events, `an audit at ${event} after ${this.#events} events`);
    const audit = this.#audits++;
    const { objects, blocks } = this.#auditParts;
    this.#insert("audits", { id: audit, event, wall, object_count: objects.rows, block_count: blocks.rows });
    this.#auditParts = noParts();
    this.#graphParts = 0;
    const met = new Set<number>();
    for (const { address, type, via } of unknown) {
      if (met.has(address)) continue;
      met.add(address);
      this.#insert("auditUnknowns", { audit, address, type, via });
    }
    this.#commit();
  }

  /** A whole audit at once. */
  addAudit({ objects, blocks, ...rest }: Audit): void {
    this.addAuditObjects(objects);
    this.addAuditBlocks(blocks);
    this.endAudit(rest);
  }

  /** Ends the recording: complete unless `facts` says otherwise, one file, closed. */
  finish(facts: Partial<TraceMeta>): void {
    this.setMeta({ complete: true, ...facts });
    this.#commit();
    this.#guard(() => {
      // Whoever reads the trace at this moment keeps it from becoming one file; with its WAL beside it, it is as good.
      this.#db.pragma("busy_timeout = 200");
      try {
        this.#db.pragma("wal_checkpoint(TRUNCATE)");
        this.#db.pragma("journal_mode = DELETE");
      } catch (error) {
        if (!(error as { code?: string }).code?.startsWith("SQLITE_BUSY")) throw error;
      }
      this.#db.close();
    });
  }

  /** Lets go of the file as it is: what was committed stays, marked incomplete. */
  close(): void {
    if (!this.#db.open) return;
    if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
    this.#db.close();
  }

  #insert<T extends TableName>(table: T, row: Row<T>): void {
    this.#change(() => this.#inserts[table].run(row));
  }
  #change(write: () => void): void {
    this.#guard(() => {
      if (!this.#db.inTransaction) this.#db.exec("BEGIN");
      write();
    });
  }
  #commit(): void {
    this.#guard(() => {
      if (this.#db.inTransaction) this.#db.exec("COMMIT");
    });
  }
  /** Trouble with the file is an answer; after it the writer only repeats that answer. */
  #guard(work: () => void): void {
    if (this.#broken) throw this.#broken;
    try {
      work();
    } catch (error) {
      const failure = failureOf(error, this.path, `what was recorded up to event ${this.#events} stays readable`);
      if (failure instanceof Failure) this.#broken = failure;
      throw failure;
    }
  }
}

/** Creates an empty file that nobody else has, with the tables in it. */
function reserve(path: string): void {
  try {
    closeSync(openSync(path, "wx"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") {
      throw new Failure(`${path}: exists already; choose another name with --out, or replace it with --overwrite`, 2);
    }
    throw error;
  }
  try {
    createTables(path);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Puts a new, empty trace in the place of an old one, if there is one; the old one goes last. */
function replaceTrace(path: string): void {
  const old = statSync(path, { throwIfNoEntry: false });
  if (!old) {
    reserve(path);
    return;
  }
  if (!old.isFile()) throw new Failure(`${path}: is not a file; choose another name with --out`, 2);
  if (old.size > 0) {
    if (!isTrace(path))
      throw new Failure(`${path}: is not a trace, so --overwrite leaves it alone; choose another name`, 2);
    assertUnused(path);
  }
  const fresh = `${path}.${process.pid}.new`;
  rmSync(fresh, { force: true });
  try {
    createTables(fresh);
    for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(path + suffix, { force: true });
    renameSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
}

function createTables(path: string): void {
  const db = new Database(path);
  try {
    // Chunks are blobs of some 100 KB: larger pages mean shorter chains of overflow pages.
    db.pragma("page_size = 16384");
    db.pragma(`application_id = ${APPLICATION_ID}`);
    db.pragma(`user_version = ${FORMAT_VERSION}`);
    db.transaction(() => {
      for (const table of Object.values(TABLES)) db.exec(createStatement(table));
      const put = db.prepare(insertStatement("meta"));
      put.run({ key: "format", value: JSON.stringify(FORMAT_VERSION) });
      put.run({ key: "complete", value: "false" });
    })();
  } finally {
    db.close();
  }
}

/** Whether the file's SQLite header carries our application_id (offset 68, big-endian). */
function isTrace(path: string): boolean {
  const header = Buffer.alloc(100);
  const file = openSync(path, "r");
  try {
    return readSync(file, header, 0, 100, 0) === 100 && header.readUInt32BE(68) === APPLICATION_ID;
  } finally {
    closeSync(file);
  }
}

/** A trace that another process has open must not be pulled from under it: leaving WAL mode needs to be alone. */
function assertUnused(path: string): void {
  let journal: unknown;
  try {
    const db = new Database(path, { timeout: 0 });
    try {
      journal = db.pragma("journal_mode = DELETE", { simple: true });
    } finally {
      db.close();
    }
  } catch (error) {
    if (!(error instanceof Database.SqliteError)) throw error;
    // A damaged old trace may be replaced; a busy one not.
    journal = error.code.startsWith("SQLITE_BUSY") ? "wal" : "none";
  }
  if (journal === "wal")
    throw new Failure(`${path}: is being recorded or read by another process; choose another name with --out`, 2);
}

/** What trouble with the file means for a person; bugs of ours pass unchanged. */
function failureOf(error: unknown, path: string, kept: string): Error {
  if (error instanceof Failure) return error;
  const code = (error as { code?: unknown }).code;
  if (!(error instanceof Error) || typeof code !== "string") return error as Error;
  const because = (what: string): Failure => new Failure(`${path}: ${what}; ${kept}`, 1, { cause: error });
  if (code === "SQLITE_FULL" || code === "ENOSPC") return because("the disk is full: free some space and record again");
  if (code.startsWith("SQLITE_IOERR"))
    return because(`the disk failed (${code}): check it, or record elsewhere with --out`);
  if (code === "SQLITE_READONLY" || code.startsWith("SQLITE_READONLY_"))
    return because("became read-only: record elsewhere with --out");
  if (code === "SQLITE_CANTOPEN" || code === "ENOENT" || code === "ENOTDIR") {
    return new Failure(`${path}: cannot be created there: is the folder right? choose another name with --out`, 2, {
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new Failure(`${path}: may not be written: choose another name with --out`, 2, { cause: error });
  }
  if (code.startsWith("SQLITE_BUSY")) return because("is in use by another process: record elsewhere with --out");
  if (code === "SQLITE_CORRUPT" || code === "SQLITE_NOTADB")
    return because(`was changed by something else (${code}): record again`);
  return error;
}
