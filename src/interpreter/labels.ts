/** Short texts for objects that name references: keys of dicts, as Python's `repr` would write them, cut where they are long. */
import type { HeapReader } from "./heap-reader.js";
import { TYPE_FLAGS } from "./layout.js";

/** Characters of a string that are kept. */
const LONGEST = 60;
/** Tuples in tuples are followed so deep, and each for so many items. */
const DEEPEST = 2;
const MOST_ITEMS = 6;

/** `'text'`, `42`, `('a', 1)`, `None`; `<Session>` for an object of a type without a short text. */
export function objectLabel(heap: HeapReader, object: number, depth = 0): string {
  const type = heap.typeOf(object);
  const flags = heap.flagsOf(type);
  if (flags & TYPE_FLAGS.unicode) {
    const text = heap.text(object);
    if (text !== undefined) return quoted(text);
  }
  const name = heap.type(type).name;
  if (name === "NoneType") return "None";
  if (name === "bool") return heap.longValue(object) === 0n ? "False" : "True";
  if (flags & TYPE_FLAGS.long) return heap.longValue(object)?.toString() ?? `<${name}>`;
  if (name === "tuple" && depth < DEEPEST) {
    const items = heap.tupleItems(object, MOST_ITEMS + 1);
    const texts = items.slice(0, MOST_ITEMS).map((item) => objectLabel(heap, item, depth + 1));
    if (items.length > MOST_ITEMS) texts.push("…");
    return texts.length === 1 ? `(${texts[0]},)` : `(${texts.join(", ")})`;
  }
  return `<${name}>`;
}

function quoted(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  if (!/[\\'\n]/.test(cut)) return `'${cut}'`;
  return `'${cut.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`;
}
