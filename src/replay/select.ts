/**
 * Objects as people name them, at the time where the replay stands: `#1234` by number, dead or alive; `0x2d84010` who lives at that
 * address then; `TypeName` if only one object of the type is alive then, `TypeName[3]` the third of them in the order of birth,
 * `TypeName[-1]` the last.
 */
import { Failure } from "../base/failure.js";
import type { HeapObject } from "./heap.js";
import type { Replay } from "./replay.js";

/** Names that an answer lists. */
const LISTED = 5;
const FORMS =
  "objects are #1234, 0x2d84010, TypeName, TypeName[3] (the third by birth; -1 the last) or expr:EXPRESSION";

/** Throws where the text can name no object: no type's name is empty, or begins like a number or an address. */
export function checkObject(text: string): void {
  if (/^(#\d{1,15}|0x[0-9a-f]{1,8}|expr:.*\S.*|(?!expr:|#|0x|\s|\[).+)$/is.test(text)) return;
  throw new Failure(`${text === "" ? "''" : text}: is no object; ${FORMS}`, 2);
}

/** The number of the object that the text names. */
export function resolveObject(replay: Replay, text: string): number {
  const wrong = (what: string): Failure => new Failure(`${text}: ${what}`, 2);
  const at = `at #${replay.time}`;
  if (text.startsWith("expr:")) {
    throw wrong(
      "an expression is asked of Python in the re-entered past, not of the trace: find the object's number with: refledger history TRACE 'expr:…'",
    );
  }
  const number = /^#(\d{1,15})$/.exec(text);
  if (number) {
    const id = Number(number[1]);
    if (replay.birthOf(id) === undefined) {
      throw wrong(`no object has that number: they go from #1 to #${replay.seek(replay.end).born}`);
    }
    return id;
  }
  if (/^0x[0-9a-f]{1,8}$/i.test(text)) {
    const address = Number(text);
    const object = replay.heap.objectAt(address);
    if (object?.alive) return object.id;
    if (object)
      throw wrong(
        `#${object.id}, a ${replay.names.type(object.type)}, is there ${at}, but dead already; name it by its number`,
      );
    const statics =
      replay.reader.meta.from === "interpreter"
        ? " (objects of the interpreter's own data are not in a recording from its first instruction)"
        : "";
    throw wrong(
      `no object lives there ${at}${statics}; see who does with: refledger objects TRACE --time '#${replay.time}'`,
    );
  }
  if (/^\d+$/.test(text)) throw wrong(`is no object; an object's number is written '#${text}'`);
  checkObject(text);
  const [, name, ordinal] = /^(.+?)(?:\[(-?\d{1,12})\])?$/s.exec(text)!;
  return ofType(replay, name, ordinal === undefined ? undefined : Number(ordinal), at, wrong);
}

function ofType(
  replay: Replay,
  name: string,
  nth: number | undefined,
  at: string,
  wrong: (what: string) => Failure,
): number {
  const ids = new Set<number>();
  const modules = new Set<string>();
  const similar = new Set<string>();
  for (const { id, name: short, module } of replay.reader.rows("types")) {
    if (short === name || `${module}.${short}` === name) {
      ids.add(id);
      modules.add(module ?? "?");
    } else if (short.toLowerCase().includes(name.toLowerCase())) similar.add(short);
  }
  if (ids.size === 0) {
    if (/^#|^0x|\]$/i.test(name)) throw wrong(`is no object; ${FORMS}`);
    const names = [...similar].sort().slice(0, LISTED * 2);
    throw wrong(
      `no type has that name${names.length > 0 ? `; similar are: ${names.join(", ")}` : "; see: refledger at TRACE --time end"}`,
    );
  }
  const objects = replay.liveObjects().filter(({ type }) => ids.has(type));
  if (objects.length === 0) throw wrong(`no ${name} is alive ${at}; try another --time, such as peak`);
  if (modules.size > 1 && nth !== undefined) {
    const alive = new Set(objects.map(({ type }) => `${replay.names.module(type)}.${replay.names.type(type)}`));
    if (alive.size > 1) throw wrong(`several types have that name: ${[...alive].sort().join(", ")}`);
  }
  if (nth === undefined && objects.length === 1) return objects[0]!.id;
  const chosen =
    nth === undefined || nth === 0 ? undefined : nth > 0 ? objects[nth - 1] : objects[objects.length + nth];
  if (chosen) return chosen.id;
  const many = objects.length.toLocaleString("en-US");
  if (objects.length === 1) throw wrong(`only one is alive ${at}, ${examples(objects)}: choose ${name}`);
  throw wrong(
    `${many} are alive ${at}: ${examples(objects)}; choose ${name}[1] to ${name}[${objects.length}], in the order of birth`,
  );
}

function examples(objects: readonly HeapObject[]): string {
  const shown = objects.slice(0, LISTED).map(({ id }) => `#${id}`);
  return shown.join(", ") + (objects.length > LISTED ? ", …" : "");
}
