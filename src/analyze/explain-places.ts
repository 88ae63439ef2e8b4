/**
 * Where things happen in the program that `explain` shows: the instruction at a location with the names that it uses and its part of the source
 * line, the lines that bind a local variable, and the parts of a line whose instructions keep references of the evaluation stack.
 */
import type { CodeInstructions, Instruction } from "../rewind/bytecode.js";
import type { TraceReader } from "../trace/reader.js";

/** Instructions that take over references of the evaluation stack (Python/bytecodes.c). */
const HANDING =
  /^(BUILD_TUPLE|BUILD_LIST|BUILD_SET|BUILD_SLICE|LIST_APPEND|SET_ADD|MAP_ADD|STORE_ATTR|STORE_SUBSCR|STORE_DEREF|RETURN_VALUE|YIELD_VALUE|CALL|CALL_KW|RAISE_VARARGS)$/;

export interface Place {
  readonly opcode: string | null;
  readonly names: readonly string[];
  /** The source of the instruction. */
  readonly part: string;
  /** Whether it is in the file that is shown. */
  readonly own: boolean;
  readonly function: string;
}

export class Places {
  readonly #reader: TraceReader;
  readonly #file: string;
  readonly #source: readonly string[];
  readonly #instructions = new Map<string, ReadonlyMap<number, Instruction> | null>();
  /** By function and local variable: lines that bind it. */
  readonly #stores = new Map<string, Set<number>>();
  /** By line: parts of the source whose instruction keeps references of the stack. */
  readonly #handing = new Map<number, string[]>();
  readonly #byLocation = new Map<number, Place>();

  constructor(
    reader: TraceReader,
    { file, source, code }: { file: string; source: readonly string[]; code: readonly CodeInstructions[] },
  ) {
    this.#reader = reader;
    this.#file = file;
    this.#source = source;
    for (const one of code) {
      const key = `${one.function}\t${one.firstLine}\t${one.bytes}`;
      const map = new Map(one.instructions.map((instruction) => [instruction.offset, instruction]));
      // Two functions that look the same from outside and differ inside: neither is told.
      const other = this.#instructions.get(key);
      this.#instructions.set(key, other !== undefined && !sameInstructions(other, map) ? null : map);
      for (const instruction of one.instructions) this.#note(one.function, instruction);
    }
  }

  #note(name: string, { opcode, names, span }: Instruction): void {
    if (!span) return;
    if (HANDING.test(opcode)) {
      const parts = this.#handing.get(span.line) ?? [];
      this.#handing.set(span.line, [...parts, partOf(this.#source, span)]);
    }
    if (!opcode.startsWith("STORE_FAST")) return;
    for (const variable of names) {
      const stored = `${name}\t${variable}`;
      this.#stores.set(stored, (this.#stores.get(stored) ?? new Set()).add(span.line));
    }
  }

  /** Lines that bind a local variable of a function; undefined = none does. */
  storesOf(name: string, variable: string): ReadonlySet<number> | undefined {
    return this.#stores.get(`${name}\t${variable}`);
  }

  /** Parts of a line whose instructions keep references of the evaluation stack. */
  handingOn(line: number): readonly string[] {
    return this.#handing.get(line) ?? [];
  }

  at(location: number): Place {
    let place = this.#byLocation.get(location);
    if (place === undefined) {
      place = this.#look(location);
      this.#byLocation.set(location, place);
    }
    return place;
  }

  #look(location: number): Place {
    const at = location === 0 ? undefined : this.#reader.location(location as never);
    const code = at && this.#reader.code(at.code as never);
    if (!at || !code) return { opcode: null, names: [], part: "", own: false, function: "?" };
    const own = code.file === this.#file;
    const instruction = own
      ? this.#instructions.get(`${code.qualname}\t${code.first_line}\t${code.bytes}`)?.get(at.offset)
      : undefined;
    return {
      opcode: at.opcode,
      names: instruction?.names ?? [],
      part: instruction?.span ? partOf(this.#source, instruction.span) : "",
      own,
      function: code.qualname,
    };
  }
}

function sameInstructions(a: ReadonlyMap<number, Instruction> | null, b: ReadonlyMap<number, Instruction>): boolean {
  return a !== null && JSON.stringify([...a]) === JSON.stringify([...b]);
}

/** The part of the source that an instruction comes from; columns are bytes of UTF-8. */
function partOf(source: readonly string[], span: NonNullable<Instruction["span"]>): string {
  const lines = source.slice(span.line - 1, span.endLine).map((text) => Buffer.from(text, "utf8"));
  if (lines.length === 0) return "";
  const last = lines.length - 1;
  lines[last] = lines[last]!.subarray(0, span.end);
  lines[0] = lines[0]!.subarray(span.start);
  return lines.map((line) => line.toString("utf8").trim()).join(" ");
}

/** The variable whose value an instruction is known to count, as `x` or `foo.x`. */
export function variableOf(place: Place, up: boolean, cFunction: string | null): string | undefined {
  const { opcode, names } = place;
  const [name] = names;
  if (opcode === null || name === undefined || names.length !== 1) return undefined;
  // In the body of a class the name is an attribute.
  if (up && opcode === "STORE_NAME" && cFunction === "PyDict_SetItem")
    return place.function === "<module>" ? name : undefined;
  if (up && opcode === "STORE_GLOBAL") return name;
  const read = up && /^LOAD_FAST(_CHECK)?$/.test(opcode);
  const left = !up && (opcode === "STORE_FAST" || opcode === "DELETE_FAST") && cFunction === "_PyEval_EvalFrameDefault";
  if (!read && !left) return undefined;
  return place.function === "<module>" ? name : `${place.function}.${name}`;
}
