/**
 * Answers that took long to find, kept in the trace: what an analysis found, the object graph at an instant. An answer is used only when
 * it is about these very events (the hash of the last chunk) and was given by the same version of the code. A stranger's trace may still
 * hold a wrong one, as it may hold wrong events: whoever reads an answer treats it as data from outside; `verify` never looks here.
 *
 * Where the trace cannot be written (read-only, in use, cut off) nothing is kept, and the question is answered anew the next time.
 */
import Database from "better-sqlite3";
import { compress, DamagedData, decompress } from "./compression.js";
import type { TraceReader } from "./reader.js";
import { createStatement, type Row, TABLES } from "./schema.js";

/** Longest answer that is kept or read, in bytes. */
const LONGEST = 1 << 29;
/** All answers of a trace together, in compressed bytes: the kept ones go when one more would exceed it. */
const MOST_BYTES = 1 << 28;

const hashOfEvents = (reader: TraceReader): number => reader.chunks.at(-1)?.hash ?? 0;

const isSqliteError = (error: unknown): boolean =>
  String((error as { code?: string } | null)?.code ?? "").startsWith("SQLITE_");

/**
 * The bytes kept under this name; undefined where there are none, or none that fit.
 * `version`: of the code that answers; changed whenever the answer's form or meaning is.
 */
export function recallBytes(reader: TraceReader, name: string, version: string): Uint8Array | undefined {
  const db = new Database(reader.path, { readonly: true, fileMustExist: true });
  try {
    db.pragma("trusted_schema = OFF");
    const row = db.prepare("SELECT hash, version, data FROM answers WHERE name = ?").get(name) as
      | Omit<Row<"answers">, "name">
      | undefined;
    if (!row || row.hash !== hashOfEvents(reader) || row.version !== version) return undefined;
    if (!(row.data instanceof Uint8Array)) return undefined;
    return decompress(row.data, LONGEST);
  } catch (error) {
    // No such table, not what it should be, or damaged: the question is answered anew.
    if (error instanceof DamagedData || isSqliteError(error)) return undefined;
    throw error;
  } finally {
    db.close();
  }
}

/** Keeps an answer in the trace; false where that cannot be. */
export function keepBytes(reader: TraceReader, name: string, version: string, answer: Uint8Array): boolean {
  if (reader.meta.complete !== true || answer.length > LONGEST) return false;
  const data = compress(answer);
  if (data.length > MOST_BYTES) return false;
  let db: Database.Database | undefined;
  try {
    db = new Database(reader.path, { fileMustExist: true, timeout: 1000 });
    db.pragma("trusted_schema = OFF");
    const target = db;
    target
      .transaction(() => {
        const { name: table } = TABLES.answers;
        if (!target.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table))
          target.exec(createStatement(TABLES.answers));
        const all = target.prepare("SELECT coalesce(sum(length(data)), 0) FROM answers WHERE name <> ?").pluck();
        if ((all.get(name) as number) + data.length > MOST_BYTES) target.exec("DELETE FROM answers");
        target
          .prepare("INSERT OR REPLACE INTO answers (name, hash, version, data) VALUES (?, ?, ?, ?)")
          .run(name, hashOfEvents(reader), version, data);
      })
      .immediate();
    return true;
  } catch (error) {
    if (isSqliteError(error)) return false;
    throw error;
  } finally {
    db?.close();
  }
}

/** As `recallBytes`, for plain data; the caller checks what it relies on. */
export function recall(reader: TraceReader, name: string, version: string): unknown {
  const bytes = recallBytes(reader, name, version);
  if (!bytes) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** As `keepBytes`, for plain data. */
export function keep(reader: TraceReader, name: string, version: string, answer: unknown): boolean {
  return keepBytes(reader, name, version, new TextEncoder().encode(JSON.stringify(answer)));
}
