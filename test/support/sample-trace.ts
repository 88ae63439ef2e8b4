/**
 * A whole trace of the make-believe interpreter, with names for everything, a baseline and audits whose truth comes from the
 * naive model: what a correct recording looks like, in a few milliseconds.
 */
import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import { eventNumber } from "../../src/base/ids.js";
import { createColumns, Kind } from "../../src/trace/events.js";
import { type Audit, type Baseline, TraceWriter } from "../../src/trace/writer.js";
import { NaiveHeap } from "./naive-heap.js";
import { syntheticProgram } from "./synthetic-program.js";

export interface SampleOptions {
  readonly chunks?: number;
  readonly chunkEvents?: number;
  /** Store the very same events in chunks of this size, without the audits that would lie inside of them. */
  readonly rechunk?: number;
  readonly audits?: boolean;
  readonly finish?: boolean;
  /** Falsifies the truth before it is stored. */
  readonly twist?: (audit: Mutable<Audit>) => void;
  /** Falsifies the events of a chunk after the truth was derived from them. */
  readonly bend?: (columns: ReturnType<typeof createColumns>, chunk: number) => void;
  /** Name of type 1: may be hostile. */
  readonly typeName?: string;
  readonly maxPages?: number;
}
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const constants = Uint32Array.from({ length: 20 }, (_, i) => 0x100000 + i * 48);
export const sampleBaseline: Baseline = {
  objects: {
    address: constants,
    type: constants.map(() => 1),
    count: constants.map((_, i) => (i === 0 ? 1879048192 : 1000)),
    bytes: constants.map(() => 0),
  },
  blocks: { address: Uint32Array.of(0x180000), size: Uint32Array.of(64) },
};

/** The truth that the naive model gives. */
export function auditOf(heap: NaiveHeap, event: number): Audit {
  const objects = [...heap.objects].filter(([, { alive }]) => alive).sort(([x], [y]) => x - y);
  const blocks = [...heap.blocks].sort(([x], [y]) => x - y);
  return {
    event: eventNumber(event),
    wall: event / 1000,
    objects: {
      address: Uint32Array.from(objects, ([address]) => address),
      type: Uint32Array.from(objects, ([, { type }]) => type),
      count: Uint32Array.from(objects, ([, { count }]) => count),
      reached: Uint32Array.from(objects, () => 1),
    },
    blocks: {
      address: Uint32Array.from(blocks, ([address]) => address),
      size: Uint32Array.from(blocks, ([, { size, held }]) =>
        held ? size : Math.max(16, Math.ceil((size + 4) / 8) * 8),
      ),
    },
    unknown: [],
  };
}

/** Writes the trace; gives the writer when it was not to be finished. */
export function writeSample(path: string, options: SampleOptions = {}): TraceWriter {
  const { chunks = 3, chunkEvents = 2000, audits = true, finish = true } = options;
  const writer = TraceWriter.create(path, options.maxPages === undefined ? {} : { maxPages: options.maxPages });
  writer.setMeta({
    created: "2026-01-02T03:04:05.000Z",
    python: "3.14.2",
    program: { kind: "script", text: "/home/user/loop.py" },
    argv: ["--fast"],
    cwd: "/home/user",
    from: "script",
    mallocAlignment: 8,
  });
  for (let id = 1; id <= 12; id++) {
    const name = id === 1 ? (options.typeName ?? "int") : `Type${id}`;
    writer.addType({
      id,
      name,
      module: "builtins",
      address: 0x90000 + id * 8,
      basicsize: 16,
      itemsize: 0,
      flags: 0,
      first: 0,
    });
  }
  for (let id = 1; id <= 40; id++) {
    const name = `f${id}`;
    writer.addCode(
      { id, name, qualname: `Loop.${name}`, file: "/home/user/loop.py", first_line: id * 10, bytes: 80, first: 0 },
      [{ start: 0, stop: 80, line: id * 10 }],
    );
  }
  for (let id = 1; id <= 2000; id++) {
    writer.addLocation({ id, code: 1 + (id % 40), offset: (id % 40) * 2, line: 10 + (id % 400), opcode: "LOAD_FAST" });
  }
  writer.addFunction({ id: 70, name: "PyObject_Malloc" });
  writer.addFunction({ id: 71, name: null });
  for (let id = 1; id <= 1500; id++) writer.addSite({ id, function: 70 + (id % 2), code_offset: id * 9 });
  writer.addMarkName({ id: 1, name: "warm" });
  const text = new TextEncoder().encode("print('hello')\n");
  writer.addFile({
    path: "/home/user/loop.py",
    role: "program",
    sha256: createHash("sha256").update(text).digest("hex"),
    text,
  });
  writer.setBaseline(sampleBaseline);

  const program = syntheticProgram(9);
  const naive = new NaiveHeap(sampleBaseline);
  const columns = createColumns(chunkEvents);
  const store = (audit: Audit): void => {
    options.twist?.(audit);
    if (audits) writer.addAudit(audit);
  };
  for (let chunk = 0; chunk < chunks; chunk++) {
    program(columns);
    // A collection and a mark in each chunk, in the place of what was there.
    const put = (row: number, kind: number, a: number, b: number): void => {
      columns.kind[row] = kind;
      columns.site[row] = 0;
      columns.address[row] = 0;
      columns.a[row] = a;
      columns.b[row] = b;
    };
    put(1, Kind["collect-start"], 2, 1);
    put(3, Kind["collect-stop"], 7, 1);
    put(4, Kind.mark, 1, 0);
    naive.apply(columns, 0, columns.count);
    options.bend?.(columns, chunk);
    if (options.rechunk !== undefined) {
      for (let from = 0; from < columns.count; from += options.rechunk) {
        const part = slice(columns, from, Math.min(columns.count, from + options.rechunk));
        writer.addChunk(part, { wallStart: chunk * 10, wallStop: chunk * 10 + 9, objects: 0, bytes: 0 });
      }
      continue;
    }
    const { live } = naive;
    const bytes = live.reduce((sum, object) => sum + object.bytes, 0);
    writer.addChunk(columns, { wallStart: chunk * 10, wallStop: chunk * 10 + 9, objects: live.length, bytes });
    writer.addSample(writer.events, chunk * 10 + 9, [[1, { objects: live.length, bytes }]]);
    if (chunk === 1) store(auditOf(naive, writer.events));
  }
  store(auditOf(naive, writer.events));
  if (finish) writer.finish({ exitCode: 0, wallSeconds: (chunks * 10) / 1000 });
  return writer;
}

/** Rows of columns as columns of their own. */
function slice(columns: ReturnType<typeof createColumns>, from: number, to: number): ReturnType<typeof createColumns> {
  const part = createColumns(to - from);
  part.first = eventNumber(columns.first + from);
  part.count = to - from;
  for (const name of ["kind", "site", "location", "address", "a", "b"] as const) {
    part[name].set(columns[name].subarray(from, to));
  }
  return part;
}

/** Changes a trace behind the recorder's back. */
export function execute(path: string, sql: string, ...parameters: unknown[]): void {
  const db = new Database(path);
  db.prepare(sql).run(...parameters);
  db.close();
}

/** Somebody else who reads the trace, so that nobody can write to it; gives what ends that. */
export function readElsewhere(path: string): () => void {
  const db = new Database(path, { readonly: true });
  db.exec("BEGIN");
  db.prepare("SELECT count(*) FROM chunks").get();
  return () => db.close();
}
