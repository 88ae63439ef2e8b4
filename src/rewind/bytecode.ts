/**
 * The instructions of a program's code objects with the names that they work on, from the interpreter that ran it: the program's source
 * is compiled again in the past, before its first line, and `co_code`, `co_names`, the names of the variables and `co_positions` are
 * printed. The same interpreter gives the same bytecode, so the offsets are those of the recorded events.
 */
import { Failure } from "../base/failure.js";
import { readLibrary } from "../interpreter/library.js";
import { readOpcodeNames } from "../interpreter/opcodes.js";
import type { Past } from "./rewind.js";

export interface Instruction {
  /** Bytes from the start of the code. */
  readonly offset: number;
  /** Name, not specialised. */
  readonly opcode: string;
  /** Names of variables, attributes or globals that it works on, in the order of its argument; empty = none. */
  readonly names: readonly string[];
  /** Part of the source: lines from 1, columns in bytes of UTF-8 from 0; null = none. */
  readonly span: {
    readonly line: number;
    readonly endLine: number;
    readonly start: number;
    readonly end: number;
  } | null;
}

export interface CodeInstructions {
  /** Qualified name. */
  readonly function: string;
  readonly firstLine: number;
  /** Length of the bytecode. */
  readonly bytes: number;
  readonly instructions: readonly Instruction[];
}

/** A source longer than this is explained without the parts of its lines. */
const LONGEST_SOURCE = 200_000;

/** Wind the past forward only after this: Python is asked at the first function that is entered. Empty for a program that does not compile. */
export async function readBytecode(past: Past, file: string, source: string): Promise<CodeInstructions[]> {
  if (source.length > LONGEST_SOURCE)
    throw new Failure(`${file}: has ${source.length} characters; explain takes scripts of up to ${LONGEST_SOURCE}`);
  const names = readOpcodeNames(await readLibrary());
  const program = [
    `_r_todo = [compile(${literal(source)}, ${literal(file)}, 'exec', dont_inherit=True)]`,
    "while _r_todo:",
    "    _r_code = _r_todo.pop()",
    "    _r_slots = _r_code.co_varnames + tuple(n for n in _r_code.co_cellvars if n not in _r_code.co_varnames) + _r_code.co_freevars",
    "    print(_r_code.co_qualname, _r_code.co_firstlineno, _r_code.co_code.hex(), ','.join(_r_code.co_names), ','.join(_r_slots),",
    "          ';'.join(','.join('' if x is None else str(x) for x in p) for p in _r_code.co_positions()), sep='\\t')",
    "    _r_todo.extend(k for k in _r_code.co_consts if type(k) is type(_r_code))",
  ].join("\n");
  // A generator expression sees globals only, and the names that it needs are there as locals.
  const wrapped = `exec(${literal(program)}, {})`;
  const { ok, text, output } = await past.evaluate(wrapped);
  if (!ok && /^(SyntaxError|IndentationError|TabError|ValueError)\b/.test(text)) return [];
  if (!ok) throw new Failure(`${file}: its bytecode could not be read: ${text}`);
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => codeOf(line, names));
}

function codeOf(line: string, opcodes: readonly (string | undefined)[]): CodeInstructions {
  const [name, first, hex, globalNames, slotNames, positions] = line.split("\t") as string[];
  const code = Buffer.from(hex!, "hex");
  const spans = positions!.split(";").map((text) => text.split(","));
  const found = { names: globalNames!.split(","), slots: slotNames!.split(",") };
  const instructions: Instruction[] = [];
  let extended = 0;
  for (let offset = 0; offset + 1 < code.length; offset += 2) {
    const opcode = opcodes[code[offset]!] ?? `opcode ${code[offset]}`;
    const argument = (extended << 8) | code[offset + 1]!;
    extended = opcode === "EXTENDED_ARG" ? argument : 0;
    if (opcode === "CACHE") continue;
    const [l, e, s, t] = (spans[offset / 2] ?? []).map((text) => (text === "" ? undefined : Number(text)));
    const known = l !== undefined && e !== undefined && s !== undefined && t !== undefined;
    const span = known ? { line: l, endLine: e, start: s, end: t } : null;
    instructions.push({ offset, opcode, names: namesOf(opcode, argument, found), span });
  }
  return { function: name!, firstLine: Number(first), bytes: code.length, instructions };
}

/** What the argument stands for (Python/bytecodes.c): an index of `co_names`, shifted where flags are below it, or of the variables. */
function namesOf(opcode: string, argument: number, { names, slots }: { names: string[]; slots: string[] }): string[] {
  const at = (list: string[], i: number): string[] => (list[i] === undefined || list[i] === "" ? [] : [list[i]]);
  if (/^(LOAD|STORE)_FAST.*_(LOAD|STORE)_FAST/.test(opcode))
    return [...at(slots, argument >> 4), ...at(slots, argument & 15)];
  if (/_FAST|_DEREF|^MAKE_CELL$/.test(opcode)) return at(slots, argument);
  if (opcode === "LOAD_GLOBAL" || opcode === "LOAD_ATTR") return at(names, argument >> 1);
  if (opcode === "LOAD_SUPER_ATTR") return at(names, argument >> 2);
  if (/_(NAME|GLOBAL|ATTR|FROM)$/.test(opcode)) return at(names, argument);
  return [];
}

/** A Python string literal of ASCII characters. */
const literal = (text: string): string =>
  `'${[...text].map((c) => (/[\w .,:;()[\]{}<>=+*/%&|^~!?@#$-]/.test(c) ? c : escaped(c))).join("")}'`;

function escaped(character: string): string {
  const point = character.codePointAt(0)!;
  return `\\U${point.toString(16).padStart(8, "0")}`;
}
