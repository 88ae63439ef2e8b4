/**
 * What numbers in events mean, looked up in the trace's tables and remembered for a while: types, code objects, places in Python and in C,
 * and the program's source lines as they were when it was recorded.
 */
import { codeId, locationId, siteId, typeId } from "../base/ids.js";
import type { TraceReader } from "../trace/reader.js";
import type { Row } from "../trace/schema.js";

/** Names kept at hand; when there are more, the cache starts again. */
const CACHE_LIMIT = 50_000;
/** Source files kept at hand, by characters. */
const SOURCE_LIMIT = 1 << 24;

/** A place in Python code; all null = no Python frame, or not known. */
export interface Place {
  /** Qualified name of the function. */
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly opcode: string | null;
}

export const NOWHERE: Place = { function: null, file: null, line: null, opcode: null };

export interface Names {
  /** Name of a type, without its module; "?" = unknown. */
  type(id: number): string;
  /** Its module; null = not known. */
  module(id: number): string | null;
  /** Qualified name of a code object; "?" = none. */
  code(id: number): string;
  /** Where a code object begins. */
  codePlace(id: number): Place;
  place(location: number): Place;
  /** Its line; where the instruction has none, as those that only the compiler put there, the next line in its code, or the last. Null = none has. */
  lineNear(location: number): number | null;
  /** The C function of a site; null = static, or not known. */
  cFunction(site: number): string | null;
  /** The source line, without its indentation; null where the trace does not have the file. */
  source(file: string | null, line: number | null): string | null;
}

/** As places are printed: files inside the library's archive are named from there on. */
export const shownFile = (path: string): string => path.replace(/^.*\/lib\/python\d+\.zip\//, "<lib>/");

export function cached<V>(look: (id: number) => V): (id: number) => V {
  const known = new Map<number, V>();
  return (id) => {
    let value = known.get(id);
    if (value === undefined) {
      if (known.size >= CACHE_LIMIT) known.clear();
      value = look(id);
      known.set(id, value);
    }
    return value;
  };
}

export function createNames(reader: TraceReader): Names {
  const type = cached((id) => (id === 0 ? undefined : reader.type(typeId(id))) ?? null);
  const code = cached((id) => (id === 0 ? undefined : reader.code(codeId(id))) ?? null);
  const place = cached((id): Place => {
    const location = id === 0 ? undefined : reader.location(locationId(id));
    if (!location) return NOWHERE;
    const at = code(location.code);
    return {
      function: at?.qualname ?? null,
      file: at?.file ?? null,
      line: location.line,
      opcode: location.opcode,
    };
  });
  let linesByCode: Map<number, Row<"codeLines">[]> | undefined;
  const lineNear = (id: number): number | null => {
    const location = id === 0 ? undefined : reader.location(locationId(id));
    if (!location || location.line !== null) return location?.line ?? null;
    if (!linesByCode) {
      linesByCode = new Map();
      for (const row of reader.rows("codeLines")) {
        const rows = linesByCode.get(row.code);
        if (rows) rows.push(row);
        else linesByCode.set(row.code, [row]);
      }
    }
    const lines = (linesByCode.get(location.code) ?? []).filter(({ line }) => line !== null);
    const next = lines.filter(({ start }) => start >= location.offset).sort((x, y) => x.start - y.start)[0];
    return (next ?? lines.sort((x, y) => y.start - x.start)[0])?.line ?? null;
  };
  const sources = new Map<string, readonly string[] | null>();
  let characters = 0;
  const linesOf = (file: string): readonly string[] | null => {
    let lines = sources.get(file);
    if (lines === undefined) {
      const bytes = reader.file(file);
      const text = bytes && new TextDecoder().decode(bytes);
      lines = text?.split(/\r\n|\r|\n/) ?? null;
      characters += text?.length ?? 0;
      if (characters > SOURCE_LIMIT) {
        sources.clear();
        characters = text?.length ?? 0;
      }
      sources.set(file, lines);
    }
    return lines;
  };
  return {
    type: (id) => (id === 0 ? "?" : (type(id)?.name ?? `type ${id}`)),
    module: (id) => type(id)?.module ?? null,
    code: (id) => (id === 0 ? "?" : (code(id)?.qualname ?? `code ${id}`)),
    codePlace: (id) => {
      const at = code(id);
      return at ? { function: at.qualname, file: at.file, line: at.first_line, opcode: null } : NOWHERE;
    },
    place,
    lineNear,
    cFunction: cached((id) => {
      const site = id === 0 ? undefined : reader.site(siteId(id));
      return (site && reader.function(site.function)?.name) ?? null;
    }),
    source: (file, line) => (file === null || line === null ? null : (linesOf(file)?.[line - 1]?.trim() ?? null)),
  };
}
