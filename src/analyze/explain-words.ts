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
  /** Type of the object. */
  readonly type: string;
  /** It is the end of `except … as`, which the compiler adds. */
  readonly unsets: boolean;
  /** Function that is not the program's own, in whose code it happened; null = the program's own. */
  readonly library: string | null;
  /** The cycle collector is at work, in C code. */
  readonly collecting: boolean;
  /** The object is a variable of a function that was just left. */
  readonly leaving: { readonly function: string; readonly name: string } | undefined;
  /** What is being freed in this instruction, the latest first. */
  readonly dying: readonly Dying[];
  /** The first that was freed in this instruction. */
  readonly firstDied: Dying | undefined;
  /** The object itself is being freed. */
  readonly itself: boolean;
  /** What was freed in this instruction and has the object for its type: it gives that back last. */
  readonly instance: Dying | undefined;
  /** The container that was born in this instruction, if there is one. */
  readonly born: Dying | undefined;
  /** Whether a variable named this object when it was last looked at. */
  readonly named: (name: string) => boolean;
  /** Type of what a variable named when it was last looked at; undefined = not known. */
  readonly typeOf: (name: string) => string | undefined;
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
/** Drops the variables of a function that returns. */
const CLEAR_FRAME = "_PyEval_FrameClearAndPop";
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

/** Of two variables that an instruction works on, the one that names the object, where only one does. */
function which(all: readonly string[], named: Circumstances["named"]): readonly string[] {
  if (all.length < 2) return all;
  const sure = all.filter(named);
  return sure.length === 1 ? sure : all;
}

const names = ({ names: all, part }: Circumstances): string =>
  all.length > 0 ? all.map((name) => `\`${name}\``).join(" or ") : part === "" ? "a name" : quote(part);

/** Why the count rose by 1. */
export function whyUp(at: Circumstances): Reason {
  const { opcode, part, cFunction, library } = at;
  const stack = (text: string): Reason => ({ by: "stack", text, stack: 1 });
  const held = (by: ChangeBy, text: string): Reason => ({ by, text, stack: 0 });
  if (at.itself) return held("freed", OWN_DEALLOCATOR);
  if (at.collecting) return held("collector", "the cycle collector, at work");
  if (library !== null || opcode === null) return held("c", cCode(at));
  const read = part === "" ? names(at) : quote(part);
  if (/^LOAD_(FAST|NAME$|GLOBAL$|DEREF$)/.test(opcode))
    return stack(`${names({ ...at, names: which(at.names, at.named) })} is read onto the stack`);
  if (cFunction === "_PyTuple_FromArray" && at.born?.type === "tuple") return held("item", elementOf(at.born));
  const maker = MAKERS[cFunction ?? ""];
  if (maker && opcode !== "MAKE_CELL") return held(maker.by, maker.text);
  switch (opcode) {
    case "LOAD_CONST":
      return stack("a constant is read onto the stack");
    // Binds the one and reads the other.
    case "STORE_FAST_LOAD_FAST":
      return stack(`${names({ ...at, names: at.names.slice(1) })} is read onto the stack`);
    case "MAKE_CELL":
      return held("cell", `the cell of ${names(at)}, which an inner function uses`);
    case "COPY":
      return stack("copied on the stack");
    case "FOR_ITER":
      return stack(cFunction === EVAL ? "the loop's next value, on the stack" : NEXT_VALUE);
    case "UNPACK_SEQUENCE":
    case "UNPACK_EX":
      // What is taken apart is held by its iterator, and in UNPACK_EX by the evaluation loop.
      if (ITERATOR.test(cFunction ?? "")) return held("c", "held while it is unpacked");
      return stack(opcode === "UNPACK_EX" && cFunction === EVAL ? "to be unpacked, on the stack" : UNPACKED);
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
      return cFunction === "PySequence_Fast" ? held("c", cCode(at)) : held("item", "element of a list");
    case "LIST_APPEND":
      return held("item", "element of a list");
    case "COPY_FREE_VARS":
      return held("cell", "cell of a closure");
    case "MAKE_FUNCTION":
    case "SET_FUNCTION_ATTRIBUTE":
      return held("c", "held by a new function");
    case "LOAD_ATTR":
      // Code without a name counts what it finds, and the type's own things that it looks at on the way (_PyObject_GenericGetAttrWithDict).
      return GETTERS.has(cFunction ?? "") || (cFunction === null && !LOOKED_AT.test(at.type))
        ? stack(`${read} is read onto the stack`)
        : held("c", cCode(at));
    case "BUILD_LIST":
    case "BUILD_TUPLE":
      return at.born && cFunction !== EVAL ? held("item", elementOf(at.born)) : held("c", cCode(at));
    case "BINARY_OP":
    case "BINARY_SLICE": {
      const key = opcode === "BINARY_OP" ? subscriptOf(part) : undefined;
      // What C code refers to after it has made a container is what it puts in (list_concat, list_slice, tuple_concat, set_copy, …); but
      // `d[k]` can make one to put it into d (defaultdict).
      if (at.born && cFunction !== EVAL)
        return key === undefined || key.includes(":") ? held("item", elementOf(at.born)) : held("c", cCode(at));
      const extended = cFunction === null ? typeOfAugmented(at) : undefined;
      if (extended !== undefined)
        return held("item", `${PLACES[extended] ?? "element"} of ${extended} ${quote(augmented(part)!)}`);
      return key === undefined ? held("c", cCode(at)) : stack(`${read} is read onto the stack`);
    }
    case "CALL":
    case "CALL_KW":
    case "CALL_FUNCTION_EX": {
      if (/^(PyDict_SetItem|dict\.tp_vectorcall)$/.test(cFunction ?? "") && at.born?.type === "dict")
        return held("item", elementOf(at.born));
      if (cFunction === null && at.born && /\.copy\(\)$/.test(part)) return held("item", elementOf(at.born));
      if (ITERATOR.test(cFunction ?? "")) return held("c", `held by a new iterator in ${read}`);
      if (receiver(at, POPPING)) return stack(`what ${read} gives, on the stack`);
      const put = receiver(at, ADDING);
      if (put) return held("item", `${PLACES[put.type] ?? "element"} of ${put.type} ${quote(put.part)}`);
      return held(KEEPERS.has(cFunction ?? "") ? "item" : "c", cCode(at));
    }
    default:
      return held("c", cCode(at));
  }
}

/**
 * `a.append(x)` as the evaluation loop does it by itself once it has found `a` to be a list (CALL_LIST_APPEND, Python/bytecodes.c): what the
 * list takes is counted by the loop. The loop counts arguments of Python functions as well, but then a call follows.
 */
export function whyAppended(at: Circumstances): Reason | undefined {
  const list = at.opcode === "CALL" && at.cFunction === EVAL && at.library === null && appendedTo(at.part);
  return list ? { by: "item", text: `element of list ${quote(list)}`, stack: 0 } : undefined;
}

/** `a.b(…).c[d].method(`, with calls on the way that have no others in their arguments. */
const METHOD_CALL = /^([^()]+(?:\([^()]*\)[^()]*)*)\.(\w+)\(/s;

/** The list of `a.append(x)`. */
export function appendedTo(part: string): string | undefined {
  const [, list, method] = METHOD_CALL.exec(part) ?? [];
  return method === "append" ? list : undefined;
}

/**
 * `d.setdefault(k, x)` counts `x` twice in a row: for the dict, and for what it gives (dict_setdefault_ref_lock_held, Objects/dictobject.c).
 * Undefined: it is another call.
 */
export function whySetDefault(at: Circumstances): { first: Reason; second: Reason } | undefined {
  const dict = at.cFunction === null && /^([\w.]+)\.setdefault\(/.exec(at.part)?.[1];
  if (!dict) return undefined;
  const known = at.typeOf(dict) === "dict";
  return {
    first: {
      by: "item",
      text: known ? `key or value of dict ${quote(dict)}` : `key or value: ${quote(at.part)}`,
      stack: 0,
    },
    second: { by: "stack", text: `what ${quote(at.part)} gives, on the stack`, stack: 1 },
  };
}

/** Why the count fell by 1. */
export function whyDown(at: Circumstances): Reason {
  const { opcode, part, cFunction, library, onStack, leaving, dying } = at;
  const given = (text: string, by: ChangeBy = "stack"): Reason => ({ by, text, stack: -1 });
  const dropped = (by: ChangeBy, text: string): Reason => ({ by, text, stack: 0 });
  if (leaving) return dropped("scope", `\`${leaving.name}\` of ${leaving.function}() goes out of scope`);
  if (at.itself) return dropped("freed", OWN_DEALLOCATOR);
  if (at.instance && cFunction !== EVAL) return dropped("container", `${at.instance.text}, whose type it is, is freed`);
  const container = containerOf(cFunction, dying);
  if (container !== undefined) return dropped("container", container);
  if (at.collecting) return dropped("collector", "given up by what the cycle collector frees");
  if (library !== null || opcode === null) return dropped("c", cCode(at));
  const here = part === "" ? names(at) : quote(part);
  const byEval = cFunction === EVAL;
  if (HOLDERS.has(cFunction ?? "")) return dropped("c", cCode(at));
  if (dying.length > 0 && !byEval && cFunction !== CLEAR_FRAME && ONE_VICTIM.test(opcode))
    return dropped("container", `falls with ${victim(at, here)}`);
  if (opcode === "BINARY_OP" && dying.length > 0 && cFunction === null)
    return dropped("container", `falls with ${dying.length === 1 ? dying[0]!.text : `what ${here} frees`}`);
  // A dict's own values are given up by code without a name (dictkeys_decref, Objects/dictobject.c).
  if (CALLS.test(opcode) && cFunction === null && onStack === 0 && dying[0]?.type === "dict")
    return dropped("container", `falls with ${dying[0].text}, which is freed`);
  const gone = "leaves the stack";
  if (at.unsets) return dropped("del", `${names(at)} is unset at the end of \`except\``);
  if (opcode === "STORE_FAST" && COMPREHENSION.test(part))
    return dropped("scope", `${names(at)} of the comprehension goes out of scope`);
  if (opcode.startsWith("STORE_FAST") || opcode === "STORE_DEREF") {
    const bound = opcode === "STORE_FAST_STORE_FAST" ? which(at.names, at.named) : at.names.slice(0, 1);
    return dropped("rebound", `${names({ ...at, names: bound })} is bound anew`);
  }
  if (opcode === "MAKE_CELL") return dropped("argument", `${names(at)} itself: the cell stands in its place`);
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
      return dropped("removed", `${here} refers to something else`);
    case "DELETE_SUBSCR":
    case "DELETE_ATTR":
      if (byEval && onStack > 0) return given(gone);
      return dropped("removed", `removed: del ${here}`);
    case "FOR_ITER":
      // What is iterated over left the stack at GET_ITER; the value before is the iterator's, where it uses one tuple again and again.
      if (byEval || SEQUENCE_ITERATOR.test(cFunction ?? ""))
        return dropped("removed", "the iterator has come to its end and lets go");
      return dropped("c", cCode(at));
    case "UNPACK_SEQUENCE":
    case "UNPACK_EX":
      return byEval ? given(gone) : dropped("c", cCode(at));
    case "POP_TOP":
      return given("leaves the stack, not used");
    case "POP_ITER":
    case "END_FOR":
      return given("leaves the stack: the loop is over");
    case "CALL":
    case "CALL_KW":
    case "CALL_FUNCTION_EX": {
      const from = byEval ? undefined : (receiver(at, REMOVING) ?? receiver(at, POPPING));
      if (from) return dropped("removed", `removed from ${from.type} ${quote(from.part)}`);
      if (REMOVERS.has(cFunction ?? "")) return dropped("removed", cCode(at));
      if (onStack === 0 && cFunction === null && REMOVING_CALL.test(part))
        return dropped("removed", `removed by ${here}`);
      if (onStack > 0) return given(`leaves the stack after ${here}`, "argument");
      return dropped("c", cCode(at));
    }
    default:
      if (onStack > 0 || byEval) return given(gone);
      return dropped("c", cCode(at));
  }
}

/** Why the count fell by 1, where C code gives back what it took. */
export const whyHeld = (at: Circumstances): Reason => ({ by: "c", text: cCode(at), stack: 0 });

/** What an iterator gives may be the object, or a tuple that refers to it. */
export const NEXT_VALUE = "for the loop's next value";
export const UNPACKED = "unpacked onto the stack";

const OWN_DEALLOCATOR = "its deallocator's own temporary reference";

export const elementOf = ({ type, text }: Dying): string => `${PLACES[type] ?? "element"} of the new ${text}`;

/** With what an object falls: where an instruction drops one reference only, with the first that died, else with the only one. */
const victim = ({ dying, firstDied, opcode }: Circumstances, here: string): string => {
  const only = dying.length === 1 && dying[0] === firstDied ? firstDied : undefined;
  const root = ONE_DROP.test(opcode ?? "") ? firstDied : only;
  return root ? `${root.text}, which is freed` : `what is freed in ${here}`;
};

/** Instructions that drop no more than one reference of their own to what may die then (Python/bytecodes.c). */
const ONE_DROP = /^(STORE_(NAME|GLOBAL|FAST|DEREF)|DELETE_(NAME|GLOBAL|FAST|DEREF)|POP_TOP|POP_ITER|END_FOR)$/;

/** Instructions in which what falls after something died falls with that, but for what their own code drops. */
const ONE_VICTIM = /^(STORE_|DELETE_|POP_TOP$|POP_ITER$|END_FOR$|RETURN_VALUE$|DICT_UPDATE$|DICT_MERGE$)/;

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
/** C functions that make something which refers to the object. */
const MAKERS: Readonly<Record<string, { by: ChangeBy; text: string }>> = {
  PyMethod_New: { by: "attribute", text: "held by a new bound method" },
  PyCMethod_New: { by: "attribute", text: "held by a new built-in method" },
  PyCell_New: { by: "cell", text: "held by a new cell" },
  PyDescr_NewGetSet: { by: "attribute", text: "held by a new descriptor of its own" },
  PyDescr_NewMember: { by: "attribute", text: "held by a new descriptor of its own" },
};
/** These give up nothing but what they go through (listiter_next, Objects/listobject.c; tupleiter_next, Objects/tupleobject.c). */
const SEQUENCE_ITERATOR = /^(list|tuple)_iterator\.tp_iternext$/;
const LOOKED_AT = /^(type|dict|tuple|str|function|property|.*_descriptor|builtin_function_or_method|method)$/;
const ITERATOR = /\.tp_iter$/;
/** A comprehension's variable is a local of the function around it, which is put back at the end (PEP 709). */
const COMPREHENSION = /^[[{(].*\bfor\b/s;
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

/** What a container's place is called; others have elements. */
const PLACES: Readonly<Record<string, string>> = {
  set: "member",
  frozenset: "member",
  dict: "key or value",
};

/** Methods that put something into a container of this type, and that take something out. */
const ADDING: Readonly<Record<string, readonly string[]>> = {
  list: ["append", "insert", "extend"],
  set: ["add", "update"],
  // Not setdefault: it counts what it puts in and what it gives back alike.
  dict: ["update"],
  deque: ["append", "appendleft", "extend", "extendleft"],
};
const REMOVING: Readonly<Record<string, readonly string[]>> = {
  list: ["remove", "clear"],
  set: ["remove", "discard", "clear", "difference_update"],
  dict: ["clear"],
  deque: ["remove", "clear"],
};

/** Those that give back what they take out: one reference for the caller, and the container's is dropped. */
const POPPING: Readonly<Record<string, readonly string[]>> = { list: ["pop"], dict: ["pop"] };

export const pops = (at: Circumstances): boolean => CALLS.test(at.opcode ?? "") && receiver(at, POPPING) !== undefined;
const CALLS = /^CALL(_KW|_FUNCTION_EX)?$/;

/**
 * The container whose method is called, where the source says which and it is certain what it is: by the C function's name or by the variable's
 * value. `a.append(x)` on what is no list may do anything.
 */
function receiver(
  { part, cFunction, typeOf }: Circumstances,
  methods: Readonly<Record<string, readonly string[]>>,
): { type: string; part: string } | undefined {
  const [, object, method] = METHOD_CALL.exec(part) ?? [];
  if (object === undefined || method === undefined) return undefined;
  const [, ofType, of] = /^(\w+)\.(\w+)$/.exec(cFunction ?? "") ?? [];
  const known = /^\w+$/.test(object) ? typeOf(object) : undefined;
  const type = known ?? (of === method ? ofType : undefined);
  if (type === undefined || !methods[type]?.includes(method)) return undefined;
  // Another function works for the method, or it is the method itself; a name that is neither is something else that happens meanwhile.
  return cFunction === null || (of === method && ofType === type) ? { type, part: object } : undefined;
}

/**
 * The variable of `a += …` and `a *= …`, which extend a list in its place (list_extend and list_inplace_repeat, Objects/listobject.c), and of `a |= …`,
 * which extends a set or a dict (set_ior, Objects/setobject.c; dict_ior, Objects/dictobject.c).
 */
const augmented = (part: string): string | undefined => /^(\w+)\s*[+*|]=/.exec(part)?.[1];

function typeOfAugmented({ part, typeOf }: Circumstances): string | undefined {
  const name = augmented(part);
  const type = name === undefined ? undefined : typeOf(name);
  return type !== undefined && (part.includes("|=") ? /^(set|dict)$/ : /^list$/).test(type) ? type : undefined;
}

/** The key of an expression with two operands that is `a[key]`; undefined = it is another, say `a + [b]`. */
function subscriptOf(part: string): string | undefined {
  if (!part.endsWith("]")) return undefined;
  let depth = 0;
  let quoted = "";
  let opens = -1;
  for (let i = 0; i < part.length; i++) {
    const c = part[i]!;
    if (quoted !== "") {
      if (c === "\\") i++;
      else if (c === quoted) quoted = "";
    } else if (c === "'" || c === '"') quoted = c;
    else if ("([{".includes(c)) {
      if (depth === 0) opens = i;
      depth++;
    } else if (")]}".includes(c)) depth--;
    else if (depth === 0 && "+-*/%@&|^<>=".includes(c)) return undefined;
  }
  return opens > 0 ? part.slice(opens + 1, -1) : undefined;
}
