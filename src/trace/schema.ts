/**
 * The tables of a trace, declared once: statements, row types, the writer, the reader and docs/trace-format.md derive from here.
 *
 * A trace is one SQLite file. Small things are plain tables that any client reads; events are in `chunks.data` (see codec.ts);
 * the two long lists, of what was alive at the start and of what an audit found, are packed columns (see packed.ts). Column order is disk
 * order. Event columns count from 0; wall times are milliseconds since the recorded program started; addresses are byte
 * addresses in the interpreter's 32-bit memory.
 */

/** "RLGR" as big-endian ASCII: SQLite's application_id of every trace. */
export const APPLICATION_ID = 0x524c4752;
/** SQLite's user_version: bumped by every change that an older reader would misread. */
export const FORMAT_VERSION = 1;
/** Samples that a trace's `samples` has at most. */
export const MAX_SAMPLES = 2048;

interface ColumnSpec {
  readonly name: string;
  readonly type: "INTEGER" | "REAL" | "TEXT" | "BLOB";
  /** May be NULL, with the meaning that `doc` says. */
  readonly nullable?: true;
  /** Unit, range, sentinel, order. */
  readonly doc: string;
}

interface TableSpec {
  readonly name: string;
  readonly doc: string;
  readonly columns: readonly ColumnSpec[];
  /** The primary key; a single INTEGER column becomes SQLite's rowid. */
  readonly key: readonly string[];
}

const first = {
  name: "first",
  type: "INTEGER",
  doc: "event before which it was first seen; 0 = by the baseline",
} as const;

export const TABLES = {
  meta: {
    name: "meta",
    doc: "One row a fact about the recording; the keys are listed below.",
    columns: [
      { name: "key", type: "TEXT", doc: "name of the fact" },
      { name: "value", type: "TEXT", doc: "JSON" },
    ],
    key: ["key"],
  },
  types: {
    name: "types",
    doc: "Python types, interned when first seen.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 1" },
      { name: "name", type: "TEXT", doc: "tp_name without its module" },
      { name: "module", type: "TEXT", nullable: true, doc: "module; NULL = not known" },
      { name: "address", type: "INTEGER", doc: "address of the type object; it may be used again after the type died" },
      { name: "basicsize", type: "INTEGER", doc: "tp_basicsize, bytes" },
      { name: "itemsize", type: "INTEGER", doc: "tp_itemsize, bytes; 0 = fixed size" },
      { name: "flags", type: "INTEGER", doc: "tp_flags, unsigned 32 bits" },
      first,
    ],
    key: ["id"],
  },
  codes: {
    name: "codes",
    doc: "Python code objects, interned when first seen.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 1" },
      { name: "name", type: "TEXT", doc: "co_name" },
      { name: "qualname", type: "TEXT", doc: "co_qualname" },
      { name: "file", type: "TEXT", doc: "co_filename" },
      { name: "first_line", type: "INTEGER", doc: "co_firstlineno, from 1" },
      { name: "bytes", type: "INTEGER", doc: "length of the bytecode, bytes" },
      first,
    ],
    key: ["id"],
  },
  codeLines: {
    name: "code_lines",
    doc: "Line tables of code objects (co_lines).",
    columns: [
      { name: "code", type: "INTEGER", doc: "id in `codes`" },
      { name: "start", type: "INTEGER", doc: "first bytecode offset, bytes" },
      { name: "stop", type: "INTEGER", doc: "bytecode offset after the last, bytes" },
      { name: "line", type: "INTEGER", nullable: true, doc: "line, from 1; NULL = no line" },
    ],
    key: ["code", "start"],
  },
  locations: {
    name: "locations",
    doc: "Where events happen in Python code: pairs of code object and bytecode offset, interned when first seen.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 1" },
      { name: "code", type: "INTEGER", doc: "id in `codes`" },
      { name: "offset", type: "INTEGER", doc: "bytecode offset of the instruction, bytes" },
      { name: "line", type: "INTEGER", nullable: true, doc: "line, from 1; NULL = no line" },
      { name: "opcode", type: "TEXT", nullable: true, doc: "name of the instruction; NULL = not known" },
    ],
    key: ["id"],
  },
  functions: {
    name: "functions",
    doc: "C functions of the interpreter that hold instrumented instructions.",
    columns: [
      { name: "id", type: "INTEGER", doc: "index of the function in the interpreter's WebAssembly module" },
      {
        name: "name",
        type: "TEXT",
        nullable: true,
        doc: "exported name, or for a static function what it implements (list.append, dict.tp_dealloc); NULL = not known",
      },
    ],
    key: ["id"],
  },
  sites: {
    name: "sites",
    doc: "Instrumented instructions of the interpreter.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 1" },
      { name: "function", type: "INTEGER", doc: "id in `functions`" },
      { name: "code_offset", type: "INTEGER", doc: "bytes from the start of the module to the instruction" },
    ],
    key: ["id"],
  },
  chunks: {
    name: "chunks",
    doc: "The events, in order and without gaps.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 0, without gaps" },
      { name: "first", type: "INTEGER", doc: "number of the first event" },
      { name: "last", type: "INTEGER", doc: "number of the last event" },
      { name: "wall_start", type: "REAL", doc: "ms since program start, at the first event" },
      { name: "wall_stop", type: "REAL", doc: "ms since program start, at the last event" },
      { name: "objects", type: "INTEGER", doc: "live objects after the last event" },
      { name: "bytes", type: "INTEGER", doc: "bytes of live objects' blocks after the last event" },
      { name: "crc", type: "INTEGER", doc: "CRC-32 (as in zlib) of `data`" },
      { name: "hash", type: "INTEGER", doc: "hash of all events up to the last of this chunk (hashEvents)" },
      { name: "data", type: "BLOB", doc: "one zstd frame holding an encoded chunk, see below" },
    ],
    key: ["id"],
  },
  chunkKinds: {
    name: "chunk_kinds",
    doc: "How many events of each kind a chunk has; kinds that it has none of are left out.",
    columns: [
      { name: "chunk", type: "INTEGER", doc: "id in `chunks`" },
      { name: "kind", type: "INTEGER", doc: "code of the kind" },
      { name: "count", type: "INTEGER", doc: "events, from 1" },
    ],
    key: ["chunk", "kind"],
  },
  collections: {
    name: "collections",
    doc: "Runs of the cycle collector, from their collect-start and collect-stop events.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 1, in order of `start`" },
      { name: "start", type: "INTEGER", doc: "number of the collect-start event" },
      {
        name: "stop",
        type: "INTEGER",
        nullable: true,
        doc: "number of the collect-stop event; NULL = not before the trace ended",
      },
      { name: "generation", type: "INTEGER", doc: "0 is the youngest" },
      { name: "reason", type: "INTEGER", doc: "0 unknown, 1 heap, 2 manual, 3 shutdown" },
      { name: "collected", type: "INTEGER", nullable: true, doc: "objects collected; NULL while `stop` is" },
      { name: "uncollectable", type: "INTEGER", nullable: true, doc: "objects kept; NULL while `stop` is" },
      { name: "wall_start", type: "REAL", doc: "ms, interpolated between the chunk's ends" },
      { name: "wall_stop", type: "REAL", nullable: true, doc: "ms, likewise; NULL while `stop` is" },
    ],
    key: ["id"],
  },
  markNames: {
    name: "mark_names",
    doc: "Names that the program gave to `refledger.mark`.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 1" },
      { name: "name", type: "TEXT", doc: "as given" },
    ],
    key: ["id"],
  },
  marks: {
    name: "marks",
    doc: "Calls of `refledger.mark`, from their events.",
    columns: [
      { name: "event", type: "INTEGER", doc: "number of the mark event" },
      { name: "name", type: "INTEGER", doc: "id in `mark_names`" },
      { name: "wall", type: "REAL", doc: "ms, interpolated between the chunk's ends" },
    ],
    key: ["event"],
  },
  files: {
    name: "files",
    doc: "Source files of the recorded program, and of the library's modules of which code ran.",
    columns: [
      { name: "path", type: "TEXT", doc: "as in `codes.file`" },
      {
        name: "role",
        type: "TEXT",
        doc: "'program' = what was asked to run, 'module' = imported, 'library' = of the interpreter's standard library",
      },
      { name: "sha256", type: "TEXT", doc: "of the bytes of the file, hexadecimal" },
      { name: "text", type: "BLOB", doc: "one zstd frame holding the bytes of the file" },
    ],
    key: ["path"],
  },
  samples: {
    name: "samples",
    doc: `Moments of the time series, at most ${MAX_SAMPLES}, evenly apart but for the last.`,
    columns: [
      { name: "id", type: "INTEGER", doc: "from 0, in order of `event`" },
      { name: "event", type: "INTEGER", doc: "state before this event" },
      { name: "wall", type: "REAL", doc: "ms since program start" },
    ],
    key: ["id"],
  },
  series: {
    name: "series",
    doc: "Live objects and bytes by type at the samples. A type without a row in a sample has the numbers of its latest row before, or none if there is none.",
    columns: [
      { name: "sample", type: "INTEGER", doc: "id in `samples`" },
      { name: "type", type: "INTEGER", doc: "id in `types`" },
      { name: "objects", type: "INTEGER", doc: "live objects of exactly this type" },
      { name: "bytes", type: "INTEGER", doc: "bytes of their own blocks" },
    ],
    key: ["sample", "type"],
  },
  baseline: {
    name: "baseline",
    doc: "What was alive before event 0: one row, or none when the recording starts with the interpreter.",
    columns: [
      { name: "id", type: "INTEGER", doc: "0" },
      { name: "object_count", type: "INTEGER", doc: "objects" },
      { name: "block_count", type: "INTEGER", doc: "blocks" },
      {
        name: "objects",
        type: "BLOB",
        doc: "packed columns address, type id, ob_refcnt, bytes of the own block (0 = static memory)",
      },
      {
        name: "blocks",
        type: "BLOB",
        doc: "packed columns address, size as the allocator holds the block (its own 4 bytes included)",
      },
    ],
    key: ["id"],
  },
  audits: {
    name: "audits",
    doc: "The truth, read from the interpreter's memory independently of the events. Its lists are in `audit_parts`.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 0" },
      { name: "event", type: "INTEGER", doc: "state before this event: all earlier ones have happened" },
      { name: "wall", type: "REAL", doc: "ms since program start" },
      { name: "object_count", type: "INTEGER", doc: "objects" },
      { name: "block_count", type: "INTEGER", doc: "blocks" },
    ],
    key: ["id"],
  },
  auditParts: {
    name: "audit_parts",
    doc: "The lists of the audits, in parts: neither writing nor comparing them takes memory for a whole heap.",
    columns: [
      { name: "audit", type: "INTEGER", doc: "id in `audits`" },
      { name: "list", type: "TEXT", doc: "'objects' or 'blocks'" },
      { name: "part", type: "INTEGER", doc: "from 0; addresses rise from part to part" },
      {
        name: "data",
        type: "BLOB",
        doc: "objects: packed columns address, type id, ob_refcnt as stored, reached (1 = met by following references, 0 = only known to the recorder); blocks: packed columns address, size as the allocator holds the block (its own 4 bytes included)",
      },
    ],
    key: ["audit", "list", "part"],
  },
  graphParts: {
    name: "graph_parts",
    doc: "The object graph at an audit, in parts: every live object and every reference that it owns.",
    columns: [
      { name: "audit", type: "INTEGER", doc: "id in `audits`: the graph is of that moment" },
      { name: "list", type: "TEXT", doc: "'nodes' or 'edges'" },
      { name: "part", type: "INTEGER", doc: "from 0" },
      {
        name: "data",
        type: "BLOB",
        doc: "nodes: packed columns address, type id, ob_refcnt, bytes of the own block (0 = static memory), by address; edges: packed columns address of the object that refers (0 = the interpreter itself), address of the object referred to, kind, label",
      },
    ],
    key: ["audit", "list", "part"],
  },
  graphLabels: {
    name: "graph_labels",
    doc: "Names of references. By kind of edge, the label is: 0 field: bytes from the object's start, 0 = not known; 1 type: 0; 2 item: its index; 3 value and 4 key of a dict: the key, 6 attribute, 7 local variable, 8 evaluation stack, 9 borrowed by a frame (not counted), 10 root: a name here; 5 member of a set: 0.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 1" },
      { name: "text", type: "TEXT", doc: "as Python would write it: an attribute's name, a key's repr" },
    ],
    key: ["id"],
  },
  auditUnknowns: {
    name: "audit_unknowns",
    doc: "Objects that an audit met by following references and that no event had announced. A correct recording has none.",
    columns: [
      { name: "audit", type: "INTEGER", doc: "id in `audits`" },
      { name: "address", type: "INTEGER", doc: "address of the unknown object" },
      { name: "type", type: "TEXT", doc: "name of its type" },
      { name: "via", type: "INTEGER", doc: "address of the object that refers to it" },
    ],
    key: ["audit", "address"],
  },
  keyframes: {
    name: "keyframes",
    doc: "The whole state at some events, so that replay need not start at 0. Derived from the events: written when a complete trace is first explored; may be deleted. A trace recorded by version 0.1.0 may lack this table and the next.",
    columns: [
      { name: "event", type: "INTEGER", doc: "state before this event, the first of a chunk" },
      {
        name: "hash",
        type: "INTEGER",
        doc: "`chunks.hash` of the chunk before: a keyframe of other events is not used",
      },
      { name: "state", type: "BLOB", doc: "packed columns, one list after the other (src/replay/keyframe.ts)" },
    ],
    key: ["event"],
  },
  chunkObjects: {
    name: "chunk_objects",
    doc: "Which objects had events in which chunk. Derived from the events, like `keyframes`, and written with them; the index is whole when every chunk has its row.",
    columns: [
      { name: "chunk", type: "INTEGER", doc: "id in `chunks`" },
      { name: "hash", type: "INTEGER", doc: "`chunks.hash` of the chunk" },
      {
        name: "born",
        type: "INTEGER",
        doc: "objects born before the chunk, the baseline's included: the next number less 1",
      },
      { name: "peak_bytes", type: "INTEGER", doc: "most bytes of live objects up to the end of the chunk" },
      { name: "peak_event", type: "INTEGER", doc: "the event with which they were first reached; -1 = before event 0" },
      {
        name: "objects",
        type: "BLOB",
        doc: "one packed column: the numbers of the objects, ascending, modulo 2^32 (an object's number is the rank of its birth, from 1)",
      },
      {
        name: "events",
        type: "BLOB",
        doc: "packed columns number (ascending), event less the chunk's first, kind, site, location, a: the events of objects that were born long before, have few events in the chunk, stay where they are and are still there at its end",
      },
    ],
    key: ["chunk"],
  },
  answers: {
    name: "answers",
    doc: "What analyses found, kept so that the second question is immediate. Derived from the events; may be deleted, and may be missing.",
    columns: [
      { name: "name", type: "TEXT", doc: "the question, with its parameters" },
      {
        name: "hash",
        type: "INTEGER",
        doc: "`chunks.hash` of the last chunk: an answer about other events is not used",
      },
      { name: "version", type: "TEXT", doc: "of the code that answered: an answer of other code is not used" },
      { name: "data", type: "BLOB", doc: "one zstd frame holding the answer" },
    ],
    key: ["name"],
  },
  inputs: {
    name: "inputs",
    doc: "What came into the interpreter from outside, from its first instruction on: a log of the answers of its system calls, which lets the program be run again. src/interpreter/input-log.ts describes the bytes.",
    columns: [
      { name: "id", type: "INTEGER", doc: "from 0; the parts in order make one stream" },
      { name: "data", type: "BLOB", doc: "one zstd frame holding the next bytes of the log, at most 1 MiB" },
    ],
    key: ["id"],
  },
} as const satisfies Record<string, TableSpec>;

/** Tables that are derived from the events and may be missing. */
export const DERIVED_TABLES = ["keyframes", "chunkObjects"] as const;

export type TableName = keyof typeof TABLES;

type Value<C extends ColumnSpec> =
  | (C["type"] extends "TEXT" ? string : C["type"] extends "BLOB" ? Uint8Array : number)
  | (C extends { readonly nullable: true } ? null : never);

/** A row of a table, as better-sqlite3 takes and gives it. */
export type Row<T extends TableName> = {
  readonly [C in (typeof TABLES)[T]["columns"][number] as C["name"]]: Value<C>;
};

/** What is known of a recording as a whole; each is a key of `meta`, its value JSON. */
export interface TraceMeta {
  format: number;
  /** ISO 8601, UTC. */
  created: string;
  complete: boolean;
  python: string;
  program: { kind: "script" | "module" | "code"; text: string };
  argv: readonly string[];
  cwd: string;
  from: "script" | "interpreter";
  exitCode: number | null;
  wallSeconds: number;
  stopped: string;
  interpreter: string;
  mallocAlignment: 8 | 16;
  rewriter: string;
  library: string;
  recorder: string;
  env: Readonly<Record<string, string>>;
  hashSeed: number;
  staticObjects: number;
}

export const META_DOC: Readonly<Record<keyof TraceMeta, string>> = {
  format: "version of this format; equal to SQLite's user_version",
  created: "when the recording began, ISO 8601 in UTC",
  complete: "true once the recording was finished properly",
  python: "version of the recorded CPython, such as 3.14.2",
  program: "what ran: kind (script, module or code) and its text (path, name or code)",
  argv: "arguments after the program",
  cwd: "working directory as the program saw it",
  from: "first event: script = the program's start, interpreter = the interpreter's first instruction",
  exitCode: "the program's exit status; null = it did not end by itself",
  wallSeconds: "seconds from the program's start to the end of the recording",
  stopped: "why the recording ended before the program did; absent when it did not",
  interpreter: "SHA-256 of the interpreter's WebAssembly module before instrumentation, hexadecimal",
  mallocAlignment: "granularity of the allocator's blocks in bytes, 8 or 16",
  rewriter: "SHA-256 that stands for the module and the code which instrumented it, hexadecimal",
  library: "SHA-256 of the interpreter's standard library, to which `inputs` refers, hexadecimal",
  recorder: "version of refledger that recorded, as the program saw it",
  env: "environment variables that the program was given",
  hashSeed: "seed of the hashes of strings, 0 to 4294967295",
  staticObjects:
    "immortal objects of the interpreter's own data that the last audit met outside of the recording; from script those in use by then are in the baseline",
};

const quoted = (name: string): string => `"${name}"`;

/** The statement that creates a table. */
export function createStatement(table: TableSpec): string {
  const rowid = table.key.length === 1 && table.columns.find(({ name }) => name === table.key[0])?.type === "INTEGER";
  const lines = table.columns.map(({ name, type, nullable }) => {
    const constraint = rowid && name === table.key[0] ? " PRIMARY KEY" : nullable ? "" : " NOT NULL";
    return `  ${quoted(name)} ${type}${constraint}`;
  });
  if (!rowid) lines.push(`  PRIMARY KEY (${table.key.map(quoted).join(", ")})`);
  return `CREATE TABLE ${quoted(table.name)} (\n${lines.join(",\n")}\n)${rowid ? "" : " WITHOUT ROWID"}`;
}

/** The statement that adds a row, with named parameters. */
export function insertStatement(name: TableName): string {
  const { name: table, columns } = TABLES[name];
  const names = columns.map((column) => column.name);
  return `INSERT INTO ${quoted(table)} (${names.map(quoted).join(", ")}) VALUES (${names.map((n) => `@${n}`).join(", ")})`;
}
