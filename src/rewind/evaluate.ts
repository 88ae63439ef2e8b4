/**
 * Asking the stopped interpreter: Python is compiled and run in the frame's own globals and locals, with the recorder off, and then
 * everything is put back as it was. A visit may take one question or many (the shell): what a statement assigns, the next one finds.
 *
 * Python's collector is off meanwhile, unless the question turns it on.
 *
 * It cannot look outside. Of the system calls only these do something: writing to the standard streams collects the text, and the
 * files of past-files.ts can be read. Clocks stand still, and the calendar is UTC's; everything else fails with ENOSYS.
 */
import { assert } from "../base/failure.js";
import { InterpreterCrash, ProgramExit } from "../interpreter/failures.js";
import type { Guest } from "../interpreter/guest.js";
import type { Region } from "../interpreter/hooks.js";
import { utcDate, utcFields } from "../interpreter/kernel/clock-calls.js";
import { errno } from "../interpreter/kernel/errno.js";
import { SIGINT } from "../interpreter/kernel/interrupt.js";
import { askerSource, LONGEST_TEXT, type Status } from "./asker.js";
import type { Printed, Question } from "./messages.js";
import { fileCallsOfThePast, type PastFiles } from "./past-files.js";
import { Snapshot } from "./snapshot.js";

/** Start symbol of Python's grammar for a file (Include/compile.h). */
const FILE_INPUT = 257;
const PAGE = 65536;
/** What looking up a name answers (netdb.h). */
const EAI_FAIL = -4;

/** What of the world a visitor is shown. */
export interface Surroundings {
  readonly files: PastFiles;
  readonly cwd: string;
  /** One shared word: anything but 0 interrupts what is running, as Ctrl-C would. */
  readonly interrupt: Int32Array;
}

export interface VisitAnswer {
  readonly status: Status;
  readonly text: string;
  /** As Python prints it; empty where there is none. */
  readonly traceback: string;
  readonly printed: readonly Printed[];
  readonly where: string | null;
  /** Whether it was interrupted from outside. */
  readonly interrupted: boolean;
  /** Whether the interpreter did not survive it: nothing more can be asked in this run. */
  readonly died: boolean;
}

type Calls = (name: string, args: readonly unknown[]) => unknown;

/** A stay in the past, from the first question to `leave`. To be begun at a safe point with the recorder off. */
export class Visit {
  readonly #guest: Guest;
  readonly #snapshot: Snapshot;
  readonly #interrupt: Int32Array;
  readonly calls: Calls;
  #answer = 0;
  #asked = 0;
  #broken = false;
  #printed: Printed[] = [];
  #printedLength = 0;
  #interrupted = false;

  constructor(guest: Guest, region: Region, surroundings: Surroundings) {
    this.#guest = guest;
    this.#snapshot = new Snapshot(guest, region);
    this.#interrupt = surroundings.interrupt;
    this.calls = this.#callsOfThePast(surroundings);
  }

  ask(question: Question): VisitAnswer {
    this.#printed = [];
    this.#printedLength = 0;
    this.#interrupted = false;
    const found = this.#survive(() => this.#guest.withStack(() => this.#ask(question)));
    return { ...found, printed: this.#printed, interrupted: this.#interrupted, died: this.#broken };
  }

  /** Puts everything back. False if that is not possible: the run must not go on. */
  leave(): boolean {
    return this.#snapshot.restore() && !this.#broken;
  }

  #survive(ask: () => Found): Found {
    const failed = (text: string): Found => ({ status: "failed", text, traceback: "", where: null });
    assert(!this.#broken, "who does not survive a question is not asked again");
    try {
      return ask();
    } catch (error) {
      this.#broken = true;
      if (error instanceof ProgramExit) return failed("SystemExit: the question ended the process");
      const isTrap =
        error instanceof WebAssembly.RuntimeError ||
        error instanceof WebAssembly.Exception ||
        error instanceof InterpreterCrash ||
        error instanceof RangeError; // the stack is exhausted
      if (!isTrap) throw error;
      const what = error instanceof Error ? error.message : "an exception of C";
      return failed(`the interpreter did not survive the question: ${what}`);
    }
  }

  #ask({ mode, source, frame, module }: Question): Found {
    const guest = this.#guest;
    const place = placeOf(guest, module === "" ? frame : 0);
    if (!place)
      return {
        status: "no place",
        text: `there are not ${frame} frames above the running one`,
        traceback: "",
        where: null,
      };
    const where = module === "" ? place.where : `module ${module}`;
    // What a question allocates can bring on a collection, which would free what the program has not yet freed. `gc.collect()` still works.
    if (this.#answer === 0) guest.call("PyGC_Disable");
    this.#answer ||= this.#asker();
    const text = (value: string): number => {
      const bytes = Buffer.from(value);
      const at = guest.call("malloc", Math.max(1, bytes.length));
      guest.memory.bytes.set(bytes, at);
      const object = guest.call("PyUnicode_FromStringAndSize", at, bytes.length);
      guest.call("free", at);
      return object;
    };
    const name = mode === "line" ? `<shell-${++this.#asked}>` : "<eval>";
    const args = guest.call("PyTuple_New", 6);
    const values = [text(mode), text(source), text(name), text(module), place.globals, place.locals];
    for (const [i, value] of values.entries()) {
      guest.call("Py_IncRef", value);
      guest.call("PyTuple_SetItem", args, i, value);
    }
    const answer = this.#answer === 0 || values.includes(0) ? 0 : guest.call("PyObject_Call", this.#answer, args, 0);
    // Only what leaves the asker's own hands ends here: an interrupt between its lines, a lack of memory.
    if (answer === 0) return { status: "failed", ...exceptionOf(guest), where };
    const [status, said, traceback] = [0, 1, 2].map((i) => textOf(guest, guest.call("PyTuple_GetItem", answer, i)));
    return { status: status as Status, text: said!, traceback: traceback!, where };
  }

  /** The function of asker.ts; 0 where it cannot be made, with an exception set. */
  #asker(): number {
    const guest = this.#guest;
    const code = guest.call("Py_CompileString", guest.string(askerSource), guest.string("<refledger>"), FILE_INPUT);
    if (code === 0) return 0;
    const globals = guest.call("PyDict_New");
    guest.call("PyDict_SetItemString", globals, guest.string("__builtins__"), guest.call("PyEval_GetBuiltins"));
    if (guest.call("PyEval_EvalCode", code, globals, globals) === 0) return 0;
    return guest.call("PyDict_GetItemString", globals, guest.string("answer"));
  }

  #print(to: 1 | 2, bytes: Uint8Array): void {
    const room = LONGEST_TEXT - this.#printedLength;
    if (room <= 0) return;
    const text = Buffer.from(bytes.subarray(0, room)).toString("utf8");
    this.#printedLength += bytes.length;
    const last = this.#printed.at(-1);
    if (last?.to === to) this.#printed[this.#printed.length - 1] = { to, text: last.text + text };
    else this.#printed.push({ to, text });
  }

  #callsOfThePast({ files, cwd }: Surroundings): Calls {
    const { memory } = this.#guest;
    const fileCalls = fileCallsOfThePast(memory, files, cwd);
    return (name, args) => {
      const [first, second, third, fourth] = args as number[];
      if (name === "fd_write" && (first === 1 || first === 2)) {
        let total = 0;
        for (let i = 0; i < third!; i++) {
          const length = memory.u32(second! + 8 * i + 4);
          this.#print(first, memory.slice(memory.u32(second! + 8 * i), length));
          total += length;
        }
        memory.setU32(fourth!, total);
        return 0;
      }
      if (name === "_Py_CheckEmscriptenSignals_Helper") {
        if (Atomics.exchange(this.#interrupt, 0, 0) === 0) return 0;
        this.#interrupted = true;
        return SIGINT;
      }
      const answered = fileCalls[name]?.(args);
      if (answered !== undefined) return answered;
      if (name === "emscripten_resize_heap") {
        try {
          memory.grow(Math.ceil(((first! >>> 0) - memory.bytes.length) / PAGE));
          return 1;
        } catch {
          return 0; // Python raises MemoryError
        }
      }
      // These answer with a promise to wait for, or with null for going on to the system call itself.
      if (/^_maybe_\w+_async$/.test(name)) return null;
      if (name === "clock_time_get") {
        memory.setU64(third!, 0n);
        return 0;
      }
      if (name.startsWith("__syscall_")) return -errno.ENOSYS;
      if (name.startsWith("fd_") || name === "random_get") return errno.ENOSYS;
      if (name === "_gmtime_js" || name === "_localtime_js") {
        const [seconds, to] = args as [bigint, number];
        for (const [i, value] of utcFields(new Date(Number(seconds) * 1000)).entries())
          memory.setU32(to + 4 * i, value);
        return undefined;
      }
      if (name === "_timegm_js" || name === "_mktime_js") {
        const date = utcDate((index) => memory.i32(first! + 4 * index));
        if (Number.isNaN(date.getTime())) return -1n;
        for (const [i, value] of utcFields(date).entries()) memory.setU32(first! + 4 * i, value);
        return BigInt(date.getTime() / 1000);
      }
      if (name === "getaddrinfo" || name === "getnameinfo") return EAI_FAIL;
      if (name === "_mmap_js") return -errno.ENOSYS;
      return 0;
    };
  }
}

type Found = Pick<VisitAnswer, "status" | "text" | "traceback" | "where">;

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

/** A `str` object's text; what UTF-8 cannot say is escaped. */
function textOf(guest: Guest, object: number): string {
  const bytes =
    object === 0
      ? 0
      : guest.call("PyUnicode_AsEncodedString", object, guest.string("utf-8"), guest.string("backslashreplace"));
  if (bytes === 0) {
    guest.call("PyErr_Clear");
    return "";
  }
  return Buffer.from(
    guest.memory.slice(guest.call("PyBytes_AsString", bytes), guest.call("PyBytes_Size", bytes)),
  ).toString("utf8");
}

/** The exception that is raised, in one line, as the last line of a traceback. */
function exceptionOf(guest: Guest): { text: string; traceback: string } {
  const exception = guest.call("PyErr_GetRaisedException");
  if (exception === 0) return { text: "no value, and no exception", traceback: "" };
  const name = guest.typeName(guest.typeOf(exception));
  const message = textOf(guest, guest.call("PyObject_Str", exception));
  const text = message ? `${name}: ${message}` : name;
  return { text, traceback: `${text}\n` };
}
