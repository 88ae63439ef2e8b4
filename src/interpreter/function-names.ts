/**
 * Names for the interpreter's C functions. Exported ones have theirs. A static function has none in the binary, but most that
 * matter implement a slot, a method or an attribute of a type, and the types in static data say which: `list.append`,
 * `dict.tp_dealloc`. Slots that a type inherits are still empty in the data, so a name means the type's own function.
 */
import { ExternalKind, type FunctionIndex } from "../wasm/indices.js";
import type { WasmModule } from "../wasm/module.js";
import { initialMemory, TYPE } from "./layout.js";

/** Function pointers of `PyTypeObject` by offset in bytes (Include/cpython/object.h, 32-bit). */
const SLOTS: readonly (readonly [number, string])[] = [
  [24, "tp_dealloc"],
  [32, "tp_getattr"],
  [36, "tp_setattr"],
  [44, "tp_repr"],
  [60, "tp_hash"],
  [64, "tp_call"],
  [68, "tp_str"],
  [72, "tp_getattro"],
  [76, "tp_setattro"],
  [92, "tp_traverse"],
  [96, "tp_clear"],
  [100, "tp_richcompare"],
  [108, "tp_iter"],
  [112, "tp_iternext"],
  [136, "tp_descr_get"],
  [140, "tp_descr_set"],
  [148, "tp_init"],
  [156, "tp_new"],
  [188, "tp_del"],
  [196, "tp_finalize"],
  [200, "tp_vectorcall"],
];

/** Tables of slots that a type points to: offset of the pointer, and the slots' names in order. */
const SUITES: readonly (readonly [number, readonly string[]])[] = [
  [40, ["am_await", "am_aiter", "am_anext", "am_send"]],
  [
    48,
    (
      "nb_add nb_subtract nb_multiply nb_remainder nb_divmod nb_power nb_negative nb_positive nb_absolute nb_bool nb_invert " +
      "nb_lshift nb_rshift nb_and nb_xor nb_or nb_int nb_reserved nb_float nb_inplace_add nb_inplace_subtract " +
      "nb_inplace_multiply nb_inplace_remainder nb_inplace_power nb_inplace_lshift nb_inplace_rshift nb_inplace_and " +
      "nb_inplace_xor nb_inplace_or nb_floor_divide nb_true_divide nb_inplace_floor_divide nb_inplace_true_divide nb_index " +
      "nb_matrix_multiply nb_inplace_matrix_multiply"
    ).split(" "),
  ],
  [
    52,
    (
      "sq_length sq_concat sq_repeat sq_item was_sq_slice sq_ass_item was_sq_ass_slice sq_contains sq_inplace_concat " +
      "sq_inplace_repeat"
    ).split(" "),
  ],
  [56, ["mp_length", "mp_subscript", "mp_ass_subscript"]],
  [80, ["bf_getbuffer", "bf_releasebuffer"]],
];
/** Offset of the pointer to the methods; a `PyMethodDef` is name, function, flags, doc. */
const METHODS = 116;

/** The function's index and its name, by index: exported names, and what static types tell of the rest. */
export function functionNames(module: WasmModule): (readonly [number, string])[] {
  const names = exportedNames(module);
  const memory = initialMemory(module);
  const table = module.tableFunctions();
  const u32 = (at: number): number => (at + 4 <= memory.byteLength ? memory.getUint32(at, true) : 0);
  const text = (at: number): string => {
    let end = at;
    while (end < memory.byteLength && memory.getUint8(end) !== 0) end++;
    return new TextDecoder().decode(new Uint8Array(memory.buffer, at, end - at));
  };
  const give = (pointer: number, name: string): void => {
    const f: FunctionIndex | undefined = pointer === 0 ? undefined : table.get(pointer);
    if (f !== undefined && f >= module.importedFunctionCount && !names.has(f)) names.set(f, name);
  };
  for (const type of staticTypes(module)) {
    const nameAt = u32(type + 12);
    if (nameAt === 0) continue;
    const typeName = text(nameAt);
    for (const [offset, slot] of SLOTS) give(u32(type + offset), `${typeName}.${slot}`);
    for (const [offset, slots] of SUITES) {
      const suite = u32(type + offset);
      if (suite !== 0) for (const [i, slot] of slots.entries()) give(u32(suite + 4 * i), `${typeName}.${slot}`);
    }
    for (let at = u32(type + METHODS); at !== 0 && u32(at) !== 0; at += 16)
      give(u32(at + 4), `${typeName}.${text(u32(at))}`);
    for (let at = u32(type + TYPE.getset); at !== 0 && u32(at) !== 0; at += 20) {
      give(u32(at + 4), `${typeName}.${text(u32(at))} (get)`);
      give(u32(at + 8), `${typeName}.${text(u32(at))} (set)`);
    }
  }
  return [...names].sort((a, b) => a[0] - b[0]);
}

/** Addresses of exported type objects. `PyExc_…` are pointers to types, not types. */
function staticTypes(module: WasmModule): number[] {
  return module.exports
    .filter(({ kind, name }) => kind === ExternalKind.global && /^_?Py\w*_Type$/.test(name))
    .map(({ name }) => module.exportedConstant(name))
    .filter((address): address is number => address !== undefined && address > 0);
}

/** One name a function: where several are exported for the same code, the shortest that is not a mangled or internal alias. */
function exportedNames(module: WasmModule): Map<number, string> {
  const names = new Map<number, string>();
  const rank = (name: string): number =>
    (name.startsWith("Py") ? 0 : name.startsWith("_Py") ? 100 : name.startsWith("_") ? 1000 : 500) + name.length;
  for (const e of module.exports) {
    if (e.kind !== ExternalKind.function || e.index < module.importedFunctionCount) continue;
    const known = names.get(e.index);
    if (known === undefined || rank(e.name) < rank(known)) names.set(e.index, e.name);
  }
  return names;
}
