/**
 * Where things happen in the program that `explain` shows: the instruction at a location with the names that it uses and its part of the source
 * line, the lines that bind a local variable, and the parts of a line whose instructions keep references of the evaluation stack.
 */
import type { CodeInstructions, Instruction } from "../rewind/bytecode.js";
import type { TraceReader } from "../trace/reader.js";
import { quote } from "./explain-words.js";

/** Instructions that take over references of the evaluation stack (Python/bytecodes.c). */
const HANDING =
  /^(BUILD_TUPLE|BUILD_LIST|BUILD_SET|BUILD_SLICE|LIST_APPEND|SET_ADD|MAP_ADD|STORE_ATTR|STORE_SUBSCR|STORE_DEREF|RETURN_VALUE|YIELD_VALUE|CALL|CALL_KW|RAISE_VARARGS)$/;

interface Handing {
  readonly function: string;
  readonly offset: number;
  readonly opcode: string;
  /** Its part of the source. */
  readonly part: string;
  /** The same in words. */
  readonly to: string;
}

/** Instructions of comprehensions that add to what is being made. */
const ADDED: Readonly<Record<string, string>> = {
  LIST_APPEND: "the new list",
  SET_ADD: "the new set",
  MAP_ADD: "the new dict",
};
/** These count what they give themselves, where the stack only borrowed it. */
const GIVES = /^(RETURN|YIELD)_VALUE$/;

export interface Place {
  readonly opcode: string | null;
  readonly names: readonly string[];
  /** Bytes from the start of its code. */
  readonly offset: number;
  /** The source of the instruction. */
  readonly part: string;
  /** `e = None` as the compiler adds it at the end of `except … as e`, before `del e`. */
  readonly unsets: boolean;
  /** Whether it is in the file that is shown. */
  readonly own: boolean;
  readonly function: string;
}

export const NO_PLACE: Place = {
  opcode: null,
  names: [],
  offset: 0,
  part: "",
  unsets: false,
  own: false,
  function: "?",
};

export class Places {
  readonly #reader: TraceReader;
  readonly #file: string;
  readonly #source: readonly string[];
  readonly #instructions = new Map<string, ReadonlyMap<number, Instruction> | null>();
  /** By function and local variable: lines that bind it. */
  readonly #stores = new Map<string, Set<number>>();
  /** By line: instructions that keep references of the stack. */
  readonly #handing = new Map<number, Handing[]>();
  readonly #unsets = new Set<Instruction>();
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
      for (const [i, instruction] of one.instructions.entries()) {
        this.#note(one.function, instruction);
        if (unsets(instruction, one.instructions[i + 1])) this.#unsets.add(instruction);
      }
    }
  }

  #note(name: string, { offset, opcode, names, span }: Instruction): void {
    if (!span) return;
    if (HANDING.test(opcode)) {
      const all = this.#handing.get(span.line) ?? [];
      const part = partOf(this.#source, span);
      const to = opcode === "STORE_DEREF" ? `the cell of ${quote(names[0] ?? part)}` : (ADDED[opcode] ?? quote(part));
      all.push({ function: name, offset, opcode, part, to });
      this.#handing.set(span.line, all);
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

  /**
   * What on a line keeps references of the evaluation stack, behind an instruction of a function that put one there.
   */
  handingOn(
    line: number,
    name: string,
    from: { readonly offset: number; readonly opcode: string },
  ): readonly Handing[] {
    const all = this.#handing.get(line) ?? [];
    // A comprehension keeps what it makes on the stack while it adds to it.
    if (from.opcode.startsWith("BUILD_") && all.some(({ opcode }) => opcode in ADDED)) return [];
    const behind = all.filter(
      ({ function: of, offset, opcode }) =>
        of === name && (offset > from.offset || (offset === from.offset && GIVES.test(opcode))),
    );
    // What is behind a `return` is the same line once more, at the end of another branch.
    const end = behind.findIndex(({ opcode }) => opcode === "RETURN_VALUE");
    return end < 0 ? behind : behind.slice(0, end + 1);
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
    if (!at || !code) return NO_PLACE;
    const own = code.file === this.#file;
    const instruction = own
      ? this.#instructions.get(`${code.qualname}\t${code.first_line}\t${code.bytes}`)?.get(at.offset)
      : undefined;
    return {
      opcode: at.opcode,
      names: instruction?.names ?? [],
      offset: at.offset,
      unsets: instruction !== undefined && this.#unsets.has(instruction),
      part: instruction?.span ? partOf(this.#source, instruction.span) : "",
      own,
      function: code.qualname,
    };
  }
}

/** Both have the place of what comes before them, as the compiler gives them none (codegen_try_except, Python/codegen.c). */
function unsets(one: Instruction, next: Instruction | undefined): boolean {
  if (!one.opcode.startsWith("STORE_") || next?.opcode !== one.opcode.replace("STORE", "DELETE")) return false;
  return next.names[0] === one.names[0] && JSON.stringify(next.span) === JSON.stringify(one.span);
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
  // `.0` is what a generator expression calls its iterator.
  if (opcode === null || name === undefined || names.length !== 1 || name.startsWith(".")) return undefined;
  // In the body of a class the name is an attribute.
  if (up && opcode === "STORE_NAME" && cFunction === "PyDict_SetItem")
    return place.function === "<module>" ? name : undefined;
  if (up && opcode === "STORE_GLOBAL") return name;
  const read = up && /^LOAD_FAST(_CHECK)?$/.test(opcode);
  const left = !up && (opcode === "STORE_FAST" || opcode === "DELETE_FAST") && cFunction === "_PyEval_EvalFrameDefault";
  if (!read && !left) return undefined;
  return place.function === "<module>" ? name : `${place.function}.${name}`;
}
