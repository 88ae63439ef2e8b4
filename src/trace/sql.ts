/**
 * Questions in SQL to a trace: one statement that only reads, over the tables of the file and over virtual tables whose rows come from
 * callbacks (what is in compressed chunks, or follows from them, has no rows on disk).
 *
 * A virtual table's parameters are hidden columns: `events(1000, 2000)` and `events WHERE first = 1000 AND last = 2000` are the same, and the
 * callback is given the values, so that it need not produce what was not asked for. SQLite passes on equality only; a range
 * is therefore two parameters, and what a WHERE says of a plain column is said of the parameters too (sql-narrow.ts).
 *
 * The connection is read-only and statements that are not reading are refused as well, as ATTACH would create files.
 */
import Database from "better-sqlite3";
import { Failure } from "../base/failure.js";
import { type Narrowing, NOT_GIVEN, narrowed, withoutNulls } from "./sql-narrow.js";

/** bigint: an integer beyond 2^53. */
export type SqlValue = string | number | bigint | null | Uint8Array;

export interface VirtualTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** Hidden columns; a parameter that is not given is null. */
  readonly parameters: readonly string[];
  /** How comparisons of columns in a WHERE give parameters. */
  readonly narrowing?: readonly Narrowing[];
  rows(parameters: readonly SqlValue[]): Iterable<SqlValue[]>;
}

export interface SqlResult {
  readonly columns: readonly string[];
  /** To be read once. */
  readonly rows: Iterable<SqlValue[]>;
}

export function runSql(db: Database.Database, sql: string, tables: readonly VirtualTable[]): SqlResult {
  for (const { name, columns, parameters, rows } of tables) {
    db.table(name, {
      columns: [...columns],
      parameters: [...parameters],
      *rows(...given: unknown[]) {
        yield* rows((given as SqlValue[]).map((value) => (value === NOT_GIVEN ? null : value))) as Iterable<unknown[]>;
      },
    });
  }
  // The statement as it was written comes first: what is wrong with it is said of it.
  const plain = asked(() => db.prepare<unknown[], SqlValue[]>(sql));
  const narrow = narrowed(withoutNulls(sql, tables), tables);
  const statement = narrow === sql ? plain : asked(() => db.prepare<unknown[], SqlValue[]>(narrow));
  if (!statement.reader || !statement.readonly) {
    throw new Failure("sql: only statements that read are possible, such as SELECT … or WITH … SELECT …", 2);
  }
  statement.raw().safeIntegers();
  return { columns: statement.columns().map(({ name }) => name), rows: read(statement) };
}

/** A reader that has seen enough ends the query; until then the connection could not be closed. */
function* read(statement: Database.Statement<unknown[], SqlValue[]>): Generator<SqlValue[]> {
  const rows = asked(() => statement.iterate());
  try {
    for (;;) {
      const next = asked(() => rows.next());
      if (next.done) return;
      yield next.value.map(plainInteger);
    }
  } finally {
    rows.return?.();
  }
}

/** Integers that a number cannot hold stay bigint. */
const plainInteger = (value: SqlValue): SqlValue =>
  typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;

/** What SQLite says about the statement is an answer. */
function asked<R>(work: () => R): R {
  try {
    return work();
  } catch (error) {
    if (error instanceof Database.SqliteError || error instanceof RangeError) {
      throw new Failure(`sql: ${error.message}`, 2, { cause: error });
    }
    throw error;
  }
}
