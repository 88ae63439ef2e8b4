import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NaiveHeap } from "../../test/support/naive-heap.js";
import { auditOf, sampleBaseline, writeSample } from "../../test/support/sample-trace.js";
import { Failure } from "../base/failure.js";
import { chunkNumber, codeId, eventNumber, locationId, siteId, typeId } from "../base/ids.js";
import { createColumns, Kind } from "./events.js";
import { TraceReader } from "./reader.js";
import { APPLICATION_ID } from "./schema.js";
import { TraceWriter } from "./writer.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "refledger-test-"));
  path = join(folder, "sample.trace.db");
});
afterEach(() => {
  execFileSync("chmod", ["-R", "u+rwx", folder]);
  rmSync(folder, { recursive: true });
});

function failure(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).message).not.toContain("\n");
    return error as Failure;
  }
  throw new Error("expected a Failure");
}

function reading<R>(at: string, work: (reader: TraceReader) => R): R {
  const reader = TraceReader.open(at);
  try {
    return work(reader);
  } finally {
    reader.close();
  }
}

/** What a killed recorder leaves: the files as they are while the writer is still open. */
function killed(): string {
  const writer = writeSample(path, { finish: false });
  const there = join(folder, "killed");
  mkdirSync(there);
  for (const suffix of ["", "-wal"]) copyFileSync(path + suffix, join(there, `killed.trace.db${suffix}`));
  writer.close();
  return join(there, "killed.trace.db");
}

describe("a finished trace", () => {
  it("is one file, and says again what was said", () => {
    writeSample(path);
    expect(readdirSync(folder)).toEqual(["sample.trace.db"]);
    reading(path, (reader) => {
      expect(reader.meta).toMatchObject({
        format: 1,
        complete: true,
        python: "3.14.2",
        exitCode: 0,
        wallSeconds: 0.03,
        argv: ["--fast"],
      });
      expect(reader.events).toBe(6000);
      expect(reader.type(typeId(2))).toMatchObject({ name: "Type2", basicsize: 16 });
      expect(reader.type(typeId(99))).toBeUndefined();
      expect(reader.code(codeId(3))).toMatchObject({ qualname: "Loop.f3", file: "/home/user/loop.py" });
      expect(reader.location(locationId(5))).toMatchObject({ code: 6, line: 15, opcode: "LOAD_FAST" });
      expect(reader.function(reader.site(siteId(2))!.function)).toEqual({ id: 70, name: "PyObject_Malloc" });
      expect(reader.function(71)?.name).toBeNull();
      expect(Buffer.from(reader.file("/home/user/loop.py")!).toString()).toBe("print('hello')\n");
      expect(reader.file("/etc/passwd")).toBeUndefined();
      expect(reader.baseline()).toEqual(sampleBaseline);
      expect([...reader.rows("codeLines")].length).toBe(40);
    });
  });

  it("derives collections, marks and counts from the events", () => {
    writeSample(path);
    reading(path, (reader) => {
      expect([...reader.rows("collections")]).toHaveLength(3);
      expect([...reader.rows("collections")][1]).toMatchObject({
        id: 2,
        start: 2001,
        stop: 2003,
        generation: 2,
        reason: 1,
        collected: 7,
        uncollectable: 1,
      });
      expect([...reader.rows("marks")].map(({ event, name }) => [event, reader.markName(name)])).toEqual([
        [4, "warm"],
        [2004, "warm"],
        [4004, "warm"],
      ]);
      expect([...reader.rows("marks")][1]!.wall).toBeCloseTo(10 + (9 * 4) / 1999, 9);
      const counts = reader.countsByKind();
      const naive = new Map<number, number>();
      for (const columns of reader.eachChunk()) {
        for (let i = 0; i < columns.count; i++) naive.set(columns.kind[i]!, (naive.get(columns.kind[i]!) ?? 0) + 1);
      }
      for (const [name, code] of Object.entries(Kind))
        expect(counts[name as keyof typeof counts], name).toBe(naive.get(code) ?? 0);
    });
  });

  it("gives audits back as they were", () => {
    writeSample(path);
    reading(path, (reader) => {
      const heap = new NaiveHeap(sampleBaseline);
      for (const columns of reader.eachChunk()) heap.apply(columns, 0, columns.count);
      expect(reader.audits().map(({ event }) => event)).toEqual([4000, 6000]);
      expect(reader.audit(1)).toEqual(auditOf(heap, 6000));
    });
  });

  it("starts reading in the chunk of any event", () => {
    writeSample(path);
    reading(path, (reader) => {
      expect([0, 1999, 2000, 5999, 6000].map((n) => reader.chunkAt(eventNumber(n)))).toEqual([0, 0, 1, 2, undefined]);
      const firsts = [...reader.eachChunk(eventNumber(2500), eventNumber(3999))].map(({ first }) => first);
      expect(firsts).toEqual([2000]);
    });
  });
});

describe("the writer", () => {
  it("never touches an existing file, unless it is a trace and may be overwritten", () => {
    writeSample(path);
    const before = readFileSync(path);
    expect(failure(() => TraceWriter.create(path))).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("--overwrite"),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    TraceWriter.create(path, { overwrite: true }).finish({ python: "new" });
    expect(reading(path, ({ meta, events }) => [meta.python, events])).toEqual(["new", 0]);

    const script = join(folder, "script.py");
    writeFileSync(script, "print('precious')\n".repeat(20));
    expect(failure(() => TraceWriter.create(script, { overwrite: true })).message).toContain("is not a trace");
    expect(readFileSync(script, "utf8")).toContain("precious");
  });

  it("does not pull a trace from under the recorder that writes it", () => {
    const writer = writeSample(path, { finish: false });
    expect(failure(() => TraceWriter.create(path, { overwrite: true })).message).toContain("another process");
    writer.finish({});
    expect(reading(path, ({ events }) => events)).toBe(6000);
  });

  it("overwrites what a killed recorder left, its WAL too", () => {
    const left = killed();
    TraceWriter.create(left, { overwrite: true }).finish({});
    expect(reading(left, ({ events, meta }) => [events, meta.complete])).toEqual([0, true]);
  });

  it.skipIf(process.getuid?.() === 0)("keeps the old trace when the new one cannot be created", () => {
    writeSample(path);
    chmodSync(folder, 0o555);
    expect(failure(() => TraceWriter.create(path, { overwrite: true })).exitCode).toBe(2);
    expect(reading(path, ({ events }) => events)).toBe(6000);
  });

  it("says where it cannot create", () => {
    expect(failure(() => TraceWriter.create(join(folder, "no", "where.db")))).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("cannot be created"),
    });
    expect(failure(() => TraceWriter.create(folder, { overwrite: true })).message).toContain("is not a file");
  });

  it("stops with one line when the disk is full, and what was written stays readable", () => {
    const error = failure(() => writeSample(path, { chunks: 500, maxPages: 40 }));
    expect(error.message).toMatch(/the disk is full.*up to event \d+ stays readable/);
    const kept = Number(/up to event (\d+)/.exec(error.message)![1]);
    expect(kept).toBeGreaterThan(4000);
    reading(path, (reader) => {
      expect(reader.meta.complete).toBe(false);
      expect(reader.events).toBe(kept);
      for (const columns of reader.eachChunk()) expect(columns.count).toBe(2000);
    });
  });

  it("repeats what went wrong instead of going on with a hole", () => {
    const writer = TraceWriter.create(path, { maxPages: 30 });
    const text = new Uint8Array(1e6).map(() => Math.random() * 256);
    const row = { path: "a.py", role: "module", sha256: "", text };
    const first = failure(() => writer.addFile(row));
    expect(failure(() => writer.setMeta({ python: "3" }))).toBe(first);
    expect(failure(() => writer.finish({}))).toBe(first);
    writer.close();
    expect(reading(path, ({ meta }) => meta.complete)).toBe(false);
  });
});

describe("a recording that was killed", () => {
  it("is readable to the last chunk, marked incomplete", () => {
    reading(killed(), (reader) => {
      expect(reader.meta.complete).toBe(false);
      expect(reader.events).toBe(6000);
      expect([...reader.eachChunk()]).toHaveLength(3);
    });
  });

  it.skipIf(process.getuid?.() === 0)("is readable where nothing may be written, and leaves nothing behind", () => {
    const left = killed();
    chmodSync(left, 0o444);
    chmodSync(`${left}-wal`, 0o444);
    chmodSync(join(folder, "killed"), 0o555);
    reading(left, (reader) => expect(reader.events).toBe(6000));
    expect(readdirSync(join(folder, "killed"))).toHaveLength(2);
  });

  it("is one state to its reader while the recorder goes on and finishes", () => {
    const writer = writeSample(path, { finish: false });
    const before = TraceReader.open(path);
    const columns = createColumns(1);
    columns.first = writer.events;
    columns.count = 1;
    columns.kind[0] = Kind.mark;
    columns.a[0] = 1;
    writer.addChunk(columns, { wallStart: 0, wallStop: 0, objects: 0, bytes: 0 });
    writer.finish({});
    expect([before.events, [...before.rows("marks")].length, before.audits().length]).toEqual([6000, 3, 2]);
    expect(reading(path, ({ events, meta }) => [events, meta.complete])).toEqual([6001, true]);
    before.close();
    expect(reading(path, ({ events, meta }) => [events, meta.complete])).toEqual([6001, true]);
  });

  it("can be read while it is written", () => {
    const writer = writeSample(path, { finish: false });
    reading(path, (reader) => expect(reader.events).toBe(6000));
    writer.finish({});
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});

describe("what is not a readable trace", () => {
  const make: Record<string, [() => void, RegExp, 1 | 2]> = {
    "no such file": [() => {}, /no such file/, 2],
    "a directory": [() => mkdirSync(path), /is a directory/, 2],
    "an empty file": [() => writeFileSync(path, ""), /is empty/, 2],
    "a text": [() => writeFileSync(path, "print('hello')\n"), /is not a trace/, 2],
    "another database": [
      () => new Database(path).exec("CREATE TABLE t (x)").close(),
      /is an SQLite database, but not a trace/,
      2,
    ],
    "a newer format": [
      () => {
        writeSample(path);
        const db = new Database(path);
        db.pragma("user_version = 2");
        db.close();
      },
      /format version 2, newer than 1: update/,
      1,
    ],
    "a database that only claims to be a trace": [
      () => {
        const db = new Database(path);
        db.pragma(`application_id = ${APPLICATION_ID}`);
        db.exec("CREATE TABLE meta (key, value)");
        db.close();
      },
      /lacks a part of a trace/,
      1,
    ],
    "a truncated trace": [
      () => {
        writeSample(path);
        truncateSync(path, statSync(path).size - 20_000);
      },
      /is truncated: expected \d+ bytes, found \d+/,
      1,
    ],
    "the first bytes of a trace": [
      () => {
        writeSample(path);
        truncateSync(path, 50);
      },
      /is truncated/,
      1,
    ],
    "a trace with a hole in its pages": [
      () => {
        writeSample(path);
        const bytes = readFileSync(path);
        bytes.fill(0xa5, 200, 16384);
        writeFileSync(path, bytes);
      },
      /is damaged or truncated/,
      1,
    ],
  };
  it.each(Object.keys(make))("%s", (name) => {
    const [prepare, message, exitCode] = make[name]!;
    prepare();
    const error = failure(() => TraceReader.open(path));
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(exitCode);
    expect(readdirSync(folder).filter((file) => /-wal|-shm/.test(file))).toEqual([]);
  });

  function tamper(sql: string, ...parameters: unknown[]): void {
    writeSample(path);
    const db = new Database(path);
    db.prepare(sql).run(...parameters);
    db.close();
  }

  it("a chunk whose bytes changed: the chunk, why, and what is still readable", () => {
    tamper("UPDATE chunks SET data = zeroblob(500) WHERE id = 1");
    reading(path, (reader) => {
      const columns = createColumns(2000);
      reader.readChunk(chunkNumber(0), columns);
      expect(columns.count).toBe(2000);
      expect(failure(() => reader.readChunk(chunkNumber(1), columns)).message).toMatch(
        /chunk 1: its checksum is \d+, expected \d+; events before it are readable \(--to 1999\)/,
      );
      reader.readChunk(chunkNumber(2), columns);
    });
  });

  it("a chunk that is another one, checksum and all", () => {
    tamper(
      "UPDATE chunks SET (data, crc, last, first) = (SELECT data, crc, 3000, 2000 FROM chunks WHERE id = 0) WHERE id = 1",
    );
    expect(failure(() => TraceReader.open(path)).message).toMatch(/chunk 2: expected chunk 2 from event 3001/);
  });

  it("a chunk without data, and one with text in its place", () => {
    tamper("UPDATE chunks SET data = 'x' WHERE id = 1");
    reading(path, (reader) => {
      expect(failure(() => reader.readChunk(chunkNumber(1), createColumns(2000))).message).toContain("has no data");
    });
  });

  it("a baseline, an audit and a file that are damaged", () => {
    tamper("UPDATE baseline SET objects = zeroblob(9)");
    reading(path, (reader) => expect(failure(() => reader.baseline()).message).toMatch(/baseline: not a zstd frame/));
    rmSync(path);
    tamper(
      "UPDATE audit_parts SET data = (SELECT data FROM audit_parts WHERE list = 'objects' AND audit = 0) WHERE list = 'blocks'",
    );
    reading(path, (reader) =>
      expect(failure(() => reader.audit(1)).message).toMatch(/audit 1: expected 2 columns, found 4/),
    );
    rmSync(path);
    tamper("UPDATE files SET text = zeroblob(9)");
    reading(path, (reader) =>
      expect(failure(() => reader.file("/home/user/loop.py")).message).toMatch(/file .*: not a zstd frame/),
    );
  });

  it("meta that is not JSON", () => {
    tamper("UPDATE meta SET value = '{' WHERE key = 'python'");
    expect(failure(() => TraceReader.open(path)).message).toMatch(/meta python: is not JSON/);
  });

  it.each(["argv", "env", "program", "from", "complete"])("meta %s that is of another kind", (key) => {
    tamper(`INSERT OR REPLACE INTO meta VALUES ('${key}', '5')`);
    expect(failure(() => TraceReader.open(path)).message).toMatch(`meta ${key}: is not of its kind`);
  });

  it("numbers where packed columns should be", () => {
    tamper("UPDATE baseline SET objects = 5");
    reading(path, (reader) => expect(failure(() => reader.baseline()).message).toMatch(/baseline: is not a blob/));
    rmSync(path);
    tamper("UPDATE audit_parts SET data = -5");
    reading(path, (reader) => expect(failure(() => reader.audit(1)).message).toMatch(/audit 1: is not a blob/));
  });
});
