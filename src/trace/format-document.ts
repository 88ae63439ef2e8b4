/**
 * docs/trace-format.md, derived from the tables that the code itself uses and from the essays at the head of the two encodings, so
 * that it cannot say anything else than the code does. `--write FILE` writes it, `--check FILE` exits 1 when FILE is stale.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert } from "../base/failure.js";
import { MAX_CHUNK_EVENTS, MAX_SITE } from "./codec.js";
import { EVENT_KINDS, type EventKindRow } from "./events.js";
import { APPLICATION_ID, FORMAT_VERSION, META_DOC, TABLES } from "./schema.js";

/** The comment at the head of a module beside this one: source or compiled, both carry it. */
function essay(module: string): string {
  const source = readFileSync(join(import.meta.dirname, module + extname(import.meta.filename)), "utf8");
  const comment = /^\/\*\*\n([\s\S]*?)\n \*\//.exec(source)?.[1];
  assert(comment, `an essay at the head of ${module}`);
  return comment.replace(/^ \* ?/gm, "");
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |\n`;
  return line(head) + line(head.map(() => "---")) + rows.map(line).join("");
}

/** The whole document. */
export function formatDocument(): string {
  const events = EVENT_KINDS.map((row: EventKindRow, code) => {
    const operand = (o: EventKindRow["a"]): string => (o ? `${o.name}: ${o.doc}` : "");
    return [`${code}`, `\`${row.name}\``, row.address ?? "", operand(row.a), operand(row.b), row.doc];
  });
  const tables = Object.values(TABLES).map(({ name, doc, columns, key }) => {
    const rows = columns.map((column) => {
      const nullable = "nullable" in column ? ", may be NULL" : "";
      return [`\`${column.name}\``, `${column.type}${nullable}`, column.doc];
    });
    return `### ${name}\n\n${doc} Key: ${key.map((k) => `\`${k}\``).join(", ")}.\n\n${table(["column", "type", "meaning"], rows)}`;
  });
  return `# The trace format

<!-- Generated from src/trace by \`npm run docs\`. Do not edit. -->

Version ${FORMAT_VERSION}. A trace is one SQLite 3 file whose header says \`application_id\` = 0x${APPLICATION_ID.toString(16)} and \`user_version\` =
${FORMAT_VERSION}. While a recording runs, and after it was killed, an SQLite write-ahead log lies beside it (\`-wal\`): the two belong together. A
finished trace is a single file and has \`complete\` = true in \`meta\`.

A reader of version ${FORMAT_VERSION} refuses higher versions. Tables, columns and keys of \`meta\` may be added without a new version; what is there
keeps its meaning.

Time is an event's number, from 0. Wall times are milliseconds since the recorded program started. Addresses are byte addresses in the
interpreter's 32-bit memory. Sizes are bytes.

## Events

An event has a kind, a site (the instrumented instruction, id in \`sites\`, below ${MAX_SITE.toLocaleString("en-US")}; 0 = unknown), a location (id in \`locations\`; 0 = no Python
frame) and up to three operands: an address, \`a\` and \`b\`, each an unsigned 32-bit integer.

${table(["code", "kind", "address of", "a", "b", "meaning"], events)}
Folding the events over the baseline gives the heap at any event. An object stands at its block's address + 0, + 8 or + 16 (CPython puts up
to two headers of 8 bytes before it); a \`realloc\` that moves a block moves the objects in it, a \`free\` ends them, and a \`new\` ends whatever
was at its address.

## Chunks

The events are in \`chunks.data\`, at most ${MAX_CHUNK_EVENTS.toLocaleString("en-US")} in each. \`crc\` is the CRC-32 of \`data\` as stored.

${essay("codec")}

\`hash\` covers all events from 0 to the chunk's last. It starts at 0; for each event, all arithmetic modulo 2^32:

    mixed = (kind + site * 32) * 0x9e3779b1  xor  location * 0x85ebca6b  xor  address * 0xc2b2ae35
            xor  a * 0x27d4eb2f  xor  b * 0x165667b1
    hash  = (hash xor mixed) * 0x2545f491
    hash  = hash xor (hash >>> 15)

## Packed columns

${essay("packed")}

## Facts in meta

${table(
  ["key", "value"],
  Object.entries(META_DOC).map(([key, doc]) => [`\`${key}\``, doc]),
)}
A recording that was cut off may lack some.

## Tables

${tables.join("\n")}`;
}

/** Writes or checks the file; the exit status. */
function main([mode, file]: readonly string[]): number {
  if ((mode !== "--write" && mode !== "--check") || file === undefined) {
    process.stderr.write("usage: format-document (--write | --check) FILE\n");
    return 2;
  }
  if (mode === "--write") {
    writeFileSync(file, formatDocument());
    return 0;
  }
  if (existsSync(file) && readFileSync(file, "utf8") === formatDocument()) return 0;
  process.stderr.write(`${file} is stale: run \`npm run docs\`\n`);
  return 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2));
