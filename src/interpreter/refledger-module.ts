/**
 * The built-in module `refledger` of the recorded program: `mark(name)` and `version`. It is made of C structures that are written once,
 * into one block, before the interpreter starts, and of JavaScript functions in the function table. `mark` allocates nothing
 * and keeps nothing: it reads its argument and returns None.
 *
 * The structures (Include/moduleobject.h and methodobject.h of CPython 3.14, 32-bit words):
 *
 *     PyModuleDef  +0 refcount  +4 type  +8 m_init  +12 m_index  +16 m_copy  +20 m_name  +24 m_doc  +28 m_size
 *                  +32 m_methods  +36 m_slots  +40 m_traverse  +44 m_clear  +48 m_free
 *     PyMethodDef  +0 ml_name  +4 ml_meth  +8 ml_flags  +12 ml_doc        (the list ends with a zero entry)
 *     Slot         +0 slot  +4 value                                     (the list ends with a zero entry)
 */
import type { Guest } from "./guest.js";
import { cString } from "./memory.js";

const metho = 8;
const slotExec = 2;
/** What static objects are born with: `_Py_STATIC_IMMORTAL_INITIAL_REFCNT` of a 32-bit build. */
const immortal = 7 << 28;
const unicodeSubclass = 1 << 28;

const moduleDoc = "The flight recorder's side of a recorded program.";
const markDoc =
  "mark($module, name, /)\n--\n\nWrites a mark with this name into the trace, at this very event. Does nothing outside the recorder.";

/** A built-in module to register: addresses of its name, which must stay, and of its init function. */
export interface BuiltinModule {
  name: number;
  init: number;
}

/** Writes the module's structures. `mark` is given each mark's name. */
export function installModule(guest: Guest, version: string, mark: (name: string) => void): BuiltinModule {
  const { memory, table } = guest;
  const texts = {
    name: "refledger",
    doc: moduleDoc,
    mark: "mark",
    markDoc,
    argument: "argument",
    str: "str",
    version: "version",
    value: version,
  };
  const encoded = Object.entries(texts).map(([key, text]) => [key as keyof typeof texts, cString(text)] as const);
  const definition = 0;
  const methods = 52;
  const slots = methods + 32;
  let end = slots + 16;
  const offsets = {} as Record<keyof typeof texts, number>;
  for (const [key, bytes] of encoded) {
    offsets[key] = end;
    end += bytes.length;
  }
  const block = guest.call("malloc", end);
  memory.slice(block, end).fill(0);
  for (const [key, bytes] of encoded) memory.bytes.set(bytes, block + offsets[key]);
  const at = (key: keyof typeof texts): number => block + offsets[key];

  const markFunction = table.add(
    (_module: number, name: number): number => {
      if ((guest.call("PyType_GetFlags", guest.typeOf(name)) & unicodeSubclass) === 0) {
        guest.call("_PyArg_BadArgument", at("mark"), at("argument"), at("str"), name);
        return 0;
      }
      mark(guest.text(name));
      return guest.address("_Py_NoneStruct");
    },
    ["i32", "i32"],
    ["i32"],
  );
  const execute = table.add(
    (module: number): number => guest.call("PyModule_AddStringConstant", module, at("version"), at("value")) | 0,
    ["i32"],
    ["i32"],
  );
  const write = (offset: number, values: number[]): void => {
    for (const [index, value] of values.entries()) memory.setU32(block + offset + 4 * index, value);
  };
  write(definition, [immortal, 0, 0, 0, 0, at("name"), at("doc"), 0, block + methods, block + slots, 0, 0, 0]);
  write(methods, [at("mark"), markFunction, metho, at("markDoc")]);
  write(slots, [slotExec, execute]);
  return { name: at("name"), init: table.add(() => guest.call("PyModuleDef_Init", block + definition), [], ["i32"]) };
}
