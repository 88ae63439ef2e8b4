/**
 * Why a count changed, in words. What is certain is the event: the object, the instruction with its names and its part of the source line,
 * the C function, and what else happened in that instruction. From these the reason follows for most instructions at once (Python/bytecodes.c
 * says what each does); where an instruction gives up both what it took from the evaluation stack and what it
 * replaced, the references that the evaluation stack ("the stack" in the texts) still had on the object decide. What remains is said to be C code, with its name.
 */
import type { ChangeBy } from "./explain-data.js";

/** Where an event happened, and in which circumstances. */
export interface Circumstances {
  readonly opcode: string | null;
  /** Variables, attributes or globals that the instruction works on. */
  readonly names: readonly string[];
  /** Its part of the source; "" = not known. */
  readonly part: string;
  readonly cFunction: string | null;
  /** Function that is not the program's own, in whose code it happened; null = the program's own. */
  readonly library: string | null;
  /** The cycle collector is at work, in C code. */
  readonly collecting: boolean;
  /** The object is a variable of a function that was just left. */
  readonly leaving: { readonly function: string; readonly name: string } | undefined;
  /** What is being freed in this instruction, the latest first. */
  readonly dying: readonly Dying[];
  /** References that the evaluation stack has on the object, as far as this round made them. */
  readonly onStack: number;
}

export interface Dying {
  readonly type: string;
  /** Such as `list #12`. */
  readonly text: string;
}

export interface Reason {
  readonly by: ChangeBy;
  readonly text: string;
  /** Change of `onStack`. */
  readonly stack: -1 | 0 | 1;
}

const EVAL = "_PyEval_EvalFrameDefault";
const LONGEST_PART = 40;

export const quote = (part: string): string => {
  const line = part.replace(/\s+/g, " ");
  return `\`${line.length > LONGEST_PART ? `${line.slice(0, LONGEST_PART - 1)}…` : line}\``;
};

const cCode = ({ cFunction, part, library }: Circumstances): string => {
  const who = cFunction === null || cFunction === EVAL ? "C code" : `C code (${cFunction})`;
  if (library !== null) return `${library}(), ${who}`;
  return part === "" ? who : `${who} in ${quote(part)}`;
};

const names = ({ names: all, part }: Circumstances): string =>
  all.length > 0 ? all.map((name) => `\`${name}\``).join(" or ") : part === "" ? "a name" : quote(part);

/** Why the count rose by 1. */
export function whyUp(at: Circumstances): Reason {
  const { opcode, part, cFunction, library } = at;
  const stack = (text: string): Reason => ({ by: "stack", text, stack: 1 });
  const held = (by: ChangeBy, text: string): Reason => ({ by, text, stack: 0 });
  if (at.collecting) return held("collector", "the cycle collector, at work");
  if (library !== null || opcode === null) return held("c", cCode(at));
  const read = part === "" ? names(at) : quote(part);
  if (/^LOAD_(FAST|NAME$|GLOBAL$|DEREF$)/.test(opcode)) return stack(`${names(at)} is read onto the stack`);
  switch (opcode) {
    case "LOAD_CONST":
      return stack("a constant is read onto the stack");
    case "COPY":
      return stack("copied on the stack");
    case "FOR_ITER":
      return stack("the loop's next value, on the stack");
    case "UNPACK_SEQUENCE":
    case "UNPACK_EX":
      return stack("unpacked onto the stack");
    case "RETURN_VALUE":
    case "YIELD_VALUE":
      return stack(`what ${read} gives is counted, for the caller's stack`);
    case "GET_ITER":
      return held("c", `the iterator of ${read}`);
    case "STORE_NAME":
    case "STORE_GLOBAL":
      return held("name", `bound to ${names(at)}`);
    case "STORE_ATTR":
      return HOLDERS.has(cFunction ?? "") ? held("c", cCode(at)) : held("attribute", `attribute ${read}`);
    case "STORE_SUBSCR":
    case "STORE_SLICE":
      return held("item", `key or value, element: ${read}`);
    case "BUILD_MAP":
    case "MAP_ADD":
    case "DICT_UPDATE":
    case "DICT_MERGE":
      return held("item", "key or value of a dict");
    case "BUILD_SET":
    case "SET_ADD":
    case "SET_UPDATE":
      return held("item", "member of a set");
    case "LIST_EXTEND":
    case "LIST_APPEND":
      return held("item", "element of a list");
    case "COPY_FREE_VARS":
      return held("cell", "cell of a closure");
    case "MAKE_FUNCTION":
    case "SET_FUNCTION_ATTRIBUTE":
      return held("c", "held by a new function");
    case "LOAD_ATTR":
      return GETTERS.has(cFunction ?? "") ? stack(`${read} is read onto the stack`) : held("c", cCode(at));
    case "BINARY_OP":
      if (part.endsWith("]")) return stack(`${read} is read onto the stack`);
      return held("c", cCode(at));
    case "CALL":
    case "CALL_KW":
    case "CALL_FUNCTION_EX":
      return held(KEEPERS.has(cFunction ?? "") ? "item" : "c", cCode(at));
    default:
      return held("c", cCode(at));
  }
}

/** Why the count fell by 1. */
export function whyDown(at: Circumstances): Reason {
  const { opcode, part, cFunction, library, onStack, leaving, dying } = at;
  const given = (text: string, by: ChangeBy = "stack"): Reason => ({ by, text, stack: -1 });
  const dropped = (by: ChangeBy, text: string): Reason => ({ by, text, stack: 0 });
  if (leaving) return dropped("scope", `\`${leaving.name}\` of ${leaving.function}() goes out of scope`);
  const container = containerOf(cFunction, dying);
  if (container !== undefined) return dropped("container", container);
  if (at.collecting) return dropped("collector", "given up by what the cycle collector frees");
  if (library !== null || opcode === null) return dropped("c", cCode(at));
  const here = part === "" ? names(at) : quote(part);
  const byEval = cFunction === EVAL;
  if (dying.length > 0 && !byEval && ONE_VICTIM.test(opcode))
    return dropped("container", `falls with ${victim(opcode, here)}`);
  const gone = "leaves the stack";
  if (opcode.startsWith("STORE_FAST") || opcode === "STORE_DEREF")
    return dropped("rebound", `${names({ ...at, names: at.names.slice(0, 1) })} is bound anew`);
  if (opcode.startsWith("DELETE_") && opcode !== "DELETE_SUBSCR" && opcode !== "DELETE_ATTR")
    return dropped("del", `del ${names(at)}`);
  switch (opcode) {
    case "STORE_NAME":
    case "STORE_GLOBAL":
      return byEval ? given(gone) : dropped("rebound", `${names(at)} is bound anew`);
    case "STORE_ATTR":
    case "STORE_SUBSCR":
    case "STORE_SLICE":
      if (byEval && onStack > 0) return given(gone);
      if (HOLDERS.has(cFunction ?? "")) return dropped("c", cCode(at));
      return dropped("removed", `${here} refers to something else`);
    case "DELETE_SUBSCR":
    case "DELETE_ATTR":
      if (byEval && onStack > 0) return given(gone);
      return dropped("removed", `removed: del ${here}`);
    case "POP_TOP":
      return given("leaves the stack, not used");
    case "POP_ITER":
    case "END_FOR":
      return given("leaves the stack: the loop is over");
    case "CALL":
    case "CALL_KW":
    case "CALL_FUNCTION_EX":
      if (REMOVERS.has(cFunction ?? "")) return dropped("removed", cCode(at));
      if (onStack === 0 && cFunction === null && REMOVING_CALL.test(part))
        return dropped("removed", `removed by ${here}`);
      if (onStack > 0) return given(`leaves the stack after ${here}`, "argument");
      return dropped("c", cCode(at));
    default:
      if (onStack > 0 || byEval) return given(gone);
      return dropped("c", cCode(at));
  }
}

const victim = (opcode: string, here: string): string => {
  if (opcode.startsWith("DELETE_")) return `what del ${here} frees`;
  return opcode.startsWith("STORE_") ? `what ${here} referred to before` : `what ${here} gave`;
};

/** Instructions that drop one reference of their own: what falls after something died in them falls with it. */
const ONE_VICTIM = /^(STORE_|DELETE_|POP_TOP$|POP_ITER$|END_FOR$|RETURN_VALUE$)/;

/** C functions that get a value for an attribute. */
const GETTERS = new Set([
  EVAL,
  "PyDict_GetItemRef",
  "_PyObject_TryGetInstanceAttribute",
  "PyMember_GetOne",
  "PyObject_GetAttr",
  "PyObject_GenericGetAttr",
]);
/** C functions that hold the type, a descriptor or the dictionary while they work (Objects/object.c). */
const HOLDERS = new Set(["_PyObject_GenericSetAttrWithDict", "_PyObject_GenericGetAttrWithDict"]);
/** C functions whose +1 is a place in a container. */
const KEEPERS = new Set([
  "list.append",
  "list.insert",
  "list.extend",
  "PyList_Append",
  "PyList_Insert",
  "set.add",
  "PySet_Add",
  "dict.setdefault",
  "dict.update",
  "PyDict_SetItem",
  "deque.append",
  "deque.appendleft",
]);
/** Calls of methods of containers that remove and that give nothing back. */
const REMOVING_CALL = /\.(clear|remove|discard|__delitem__|difference_update)\([^()]*\)$/;
/** C functions whose -1 is a place in a container. */
const REMOVERS = new Set([
  "list.remove",
  "list.clear",
  "list.pop",
  "PyList_SetSlice",
  "dict.clear",
  "PyDict_Clear",
  "dict.pop",
  "dict.popitem",
  "set.discard",
  "set.remove",
  "set.clear",
  "set.pop",
]);

/** By the destructor's name. What has none is settled when the block of what was being freed is given back. */
function containerOf(cFunction: string | null, dying: readonly Dying[]): string | undefined {
  const type = /^(\w+)\.tp_dealloc$/.exec(cFunction ?? "")?.[1];
  const found = type === undefined ? undefined : dying.find((one) => one.type === type);
  return found && freedText(found);
}

export const freedText = ({ text }: Dying): string => `${text}, which referred to it, is freed`;
