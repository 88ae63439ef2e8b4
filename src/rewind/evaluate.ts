/**
 * A value of Python from the stopped interpreter: the expression is compiled and run in the frame's own globals and locals, with the
 * recorder off. It cannot look outside: of the system calls only writing to the standard streams does something, which is to collect the
 * text; clocks stand still, files and entropy fail with ENOSYS.
 */
import type { Guest } from "../interpreter/guest.js";
import type { Evaluation } from "./messages.js";

/** Start symbols of Python's grammar (Include/compile.h). */
const EVAL_INPUT = 258;
const FILE_INPUT = 257;
/** WASI's error number. */
const ENOSYS = 52;
const PAGE = 65536;
/** What was printed is cut here, in characters. */
const LONGEST_OUTPUT = 1 << 20;

/** Answers system calls while the past is asked; `output` grows by what is printed. */
export function callsOfThePast(
  guest: Guest,
  output: { text: string },
): (name: string, args: readonly unknown[]) => unknown {
  const { memory } = guest;
  return (name, args) => {
    const [first, second, third, fourth] = args as number[];
    if (name === "fd_write" && (first === 1 || first === 2)) {
      let total = 0;
      for (let i = 0; i < third!; i++) {
        const length = memory.u32(second! + 8 * i + 4);
        if (output.text.length < LONGEST_OUTPUT)
          output.text += Buffer.from(memory.slice(memory.u32(second! + 8 * i), length)).toString("utf8");
        total += length;
      }
      memory.setU32(fourth!, total);
      return 0;
    }
    if (name === "emscripten_resize_heap") {
      try {
        memory.grow(Math.ceil(((first! >>> 0) - memory.bytes.length) / PAGE));
        return 1;
      } catch {
        return 0; // Python raises MemoryError
      }
    }
    if (name === "clock_time_get") {
      memory.setU64(third!, 0n);
      return 0;
    }
    if (name.startsWith("__syscall_")) return -ENOSYS;
    if (name.startsWith("fd_") || name === "random_get") return ENOSYS;
    if (name === "_mktime_js" || name === "_timegm_js") return -1n;
    return 0;
  };
}

interface Place {
  readonly globals: number;
  readonly locals: number;
  readonly where: string | null;
}

/** The names that are visible `depth` frames above the running one; undefined where there are not so many. */
function placeOf(guest: Guest, depth: number): Place | undefined {
  let frame = guest.call("PyEval_GetFrame");
  if (frame === 0) {
    if (depth > 0) return undefined;
    const globals = guest.call("PyModule_GetDict", guest.call("PyImport_AddModule", guest.string("__main__")));
    return { globals, locals: globals, where: null };
  }
  for (let i = 0; i < depth && frame !== 0; i++) frame = guest.call("PyFrame_GetBack", frame);
  if (frame === 0) return undefined;
  const code = guest.call("PyFrame_GetCode", frame);
  const attribute = (name: string): string =>
    guest.text(guest.call("PyObject_GetAttrString", code, guest.string(name)));
  return {
    globals: guest.call("PyFrame_GetGlobals", frame),
    locals: guest.call("PyFrame_GetLocals", frame),
    where: `${attribute("co_qualname")} (${attribute("co_filename")}:${guest.call("PyFrame_GetLineNumber", frame)})`,
  };
}

function textOf(guest: Guest, object: number, how: "PyObject_Repr" | "PyObject_Str"): string | undefined {
  const text = object === 0 ? 0 : guest.call(how, object);
  if (text === 0) return undefined;
  const utf8 = guest.call("PyUnicode_AsUTF8", text);
  if (utf8 !== 0) return guest.memory.text(utf8);
  guest.call("PyErr_Clear"); // lone surrogates have no UTF-8
  return guest.text(text);
}

/** The exception that is raised, in one line, as the last line of a traceback. */
function exceptionText(guest: Guest): string {
  const exception = guest.call("PyErr_GetRaisedException");
  if (exception === 0) return "no value, and no exception";
  const name = guest.typeName(guest.typeOf(exception));
  const message = textOf(guest, exception, "PyObject_Str");
  return message ? `${name}: ${message}` : name;
}

/** To be called at a safe point with a snapshot taken and the recorder off. */
export function evaluate(guest: Guest, expression: string, depth: number): Omit<Evaluation, "event" | "output"> {
  return guest.withStack(() => {
    const place = placeOf(guest, depth);
    if (!place) return { ok: false, text: `there are not ${depth} frames above the running one`, where: null };
    const { globals, locals, where } = place;
    const compile = (symbol: number): number =>
      guest.call("Py_CompileString", guest.string(expression), guest.string("<eval>"), symbol);
    let code = compile(EVAL_INPUT);
    let isExpression = true;
    if (code === 0) {
      guest.call("PyErr_Clear");
      code = compile(FILE_INPUT);
      isExpression = false;
    }
    const value = code === 0 ? 0 : guest.call("PyEval_EvalCode", code, globals, locals);
    if (value === 0) return { ok: false, text: exceptionText(guest), where };
    const text = isExpression ? textOf(guest, value, "PyObject_Repr") : "None";
    return text === undefined ? { ok: false, text: exceptionText(guest), where } : { ok: true, text, where };
  });
}
