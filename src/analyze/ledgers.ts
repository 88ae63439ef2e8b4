/**
 * The ledgers of a few objects at once, in one pass over the events between their births and the moments of interest, without the index
 * of objects: which references to each were open then.
 *
 * Counts do not say which reference a decref gives up. What is sought here is what objects hold of each other, so a decref is taken for the end of
 * something else where that is possible: of a reference that the same instruction made, or the same line; else of the oldest one that no
 * storing instruction made, such as that of the birth, which a variable held; only then of a stored one.
 *
 * A handler of exceptions is known better. PUSH_EXC_INFO takes a reference for `sys.exc_info()`, which POP_EXCEPT gives up; and what follows it, the
 * `e = None` that ends `except … as e` (Python/codegen.c, `codegen_try_except`), gives up the one with which the exception came.
 */

import type { Replay } from "../replay/replay.js";
import { Kind } from "../trace/events.js";

/** One object, from its birth up to an event. */
export interface LedgerWish {
  readonly address: number;
  readonly birth: number;
  /** Events before this one count. */
  readonly until: number;
}

/** A reference that was open. */
export interface OpenEntry {
  readonly event: number;
  readonly kind: "birth" | "incref" | "setref";
  readonly location: number;
  readonly site: number;
  /** Whether what made it stores: an instruction, or a C function such as list.append. */
  readonly stores: boolean;
  /** Where what made it can have put it: an attribute (or cell), an item of a list, tuple or set, or a dict's value that is a variable; null = anywhere. */
  readonly into: "attribute" | "item" | "variable" | null;
}

/** The references to each object that were open at its moment, oldest first. Objects from before the recording have none that are known. */
export function openReferences(replay: Replay, wishes: readonly LedgerWish[]): OpenEntry[][] {
  const { names } = replay;
  const lines = new Map<string, number>();
  const facts = new Map<number, InstructionFacts>();
  const factsOf = (location: number): InstructionFacts => {
    let found = facts.get(location);
    if (!found) {
      const { function: name, file, line, opcode } = names.place(location);
      const handler = HANDLERS.find(([, opcodes]) => opcodes.test(opcode ?? ""))?.[0] ?? null;
      const text = `${name} ${file}:${line}`;
      const number = lines.get(text) ?? lines.size;
      lines.set(text, number);
      const into = INTO.find(([, opcodes]) => opcodes.test(opcode ?? ""))?.[0] ?? null;
      // An append that the interpreter has specialised (CALL_LIST_APPEND, Python/bytecodes.c) is no call of list.append: the text of the line tells.
      const appends = opcode === "CALL" && line !== null && /\.append\(/.test(names.source(file ?? "", line) ?? "");
      found = { line: number, stores: STORES.test(opcode ?? ""), appends, into, handler };
      facts.set(location, found);
    }
    return found;
  };
  const lists = wishes.map(() => new Open());
  const byAddress = new Map<number, number[]>();
  // Most addresses are nobody's here: one load tells.
  const maybe = new Uint8Array(1 << 16);
  const slot = (address: number): number => (address >>> 3) & 0xffff;
  wishes.forEach(({ address, birth }, w) => {
    if (birth < 0) return;
    const list = byAddress.get(address);
    if (list) list.push(w);
    else byAddress.set(address, [w]);
    maybe[slot(address)] = 1;
  });
  const known = wishes.filter(({ birth }) => birth >= 0);
  const from = known.reduce((least, { birth }) => Math.min(least, birth), Number.POSITIVE_INFINITY);
  const to = known.reduce((most, { until }) => Math.max(most, until), 0);
  for (const { columns, first, last } of replay.range(from, to)) {
    const { kind, address, location, site, a } = columns;
    const [begin, end] = [columns.first + first, columns.first + last];
    if (!known.some(({ birth, until }) => birth < end && until > begin)) continue;
    for (let i = first; i < last; i++) {
      const at = address[i]!;
      if (maybe[slot(at)] === 0) continue;
      const code = kind[i]!;
      if (code !== Kind.incref && code !== Kind.decref && code !== Kind.setref && code !== Kind.new) continue;
      const event = columns.first + i;
      for (const w of byAddress.get(at) ?? []) {
        const { birth, until } = wishes[w]!;
        if (event < birth || event >= until) continue;
        const list = lists[w]!;
        const { line, stores: byInstruction, appends, into: byOpcode, handler } = factsOf(location[i]!);
        const cFunction = names.cFunction(site[i]!) ?? "";
        const inlined = appends && cFunction === "_PyEval_EvalFrameDefault";
        // A variable of a module or class is bound by PyDict_SetItem as well, but what a name holds is not what an object holds of another.
        const stores = byInstruction || inlined || (byOpcode !== "variable" && APPENDS.test(cFunction));
        const into = byOpcode ?? (inlined || LISTS.test(cFunction) ? "item" : null);
        const open = { event, location: location[i]!, site: site[i]!, line, stores, into, handler };
        if (event === birth) list.push({ ...open, kind: "birth", stores: false, into: null });
        else if (code === Kind.incref) list.push({ ...open, kind: "incref" });
        else if (code === Kind.decref) list.close(open);
        else if (code === Kind.setref) {
          const more = (a[i]! - list.entries.length) | 0;
          for (let n = 0; n < Math.min(more, MOST_IN_BULK); n++) list.push({ ...open, kind: "setref" });
          for (let n = 0; n < Math.min(-more, MOST_IN_BULK); n++) list.close(open);
        }
      }
    }
  }
  return lists.map(({ entries }) => entries);
}

interface InstructionFacts {
  /** The same number for the same line. */
  readonly line: number;
  readonly stores: boolean;
  /** Whether its line calls an append. */
  readonly appends: boolean;
  readonly into: OpenEntry["into"];
  readonly handler: Handler | null;
}

/** What an instruction may do in a handler of exceptions: begin it, end it, or let go of its variable. */
type Handler = "begin" | "end" | "variable";

const HANDLERS: readonly (readonly [Handler, RegExp])[] = [
  ["begin", /^PUSH_EXC_INFO$/],
  ["end", /^POP_EXCEPT$/],
  ["variable", /^STORE_(FAST|DEREF)/],
];

const INTO: readonly (readonly [NonNullable<OpenEntry["into"]>, RegExp])[] = [
  ["attribute", /^(STORE_ATTR|STORE_DEREF)$/],
  ["item", /^(BUILD_(LIST|TUPLE|SET)|LIST_APPEND|LIST_EXTEND|SET_ADD|SET_UPDATE)$/],
  ["variable", /^STORE_(NAME|GLOBAL)$/],
];
const LISTS = /^(list\.(append|insert|extend)|PyList_(Append|Insert))$/;
/** Instructions that put a reference where it stays. */
const STORES =
  /^(STORE_(ATTR|SUBSCR|SLICE|DEREF)|LIST_APPEND|LIST_EXTEND|SET_ADD|SET_UPDATE|MAP_ADD|DICT_UPDATE|BUILD_)/;
/** C functions that put one reference where it stays. */
const APPENDS =
  /^(list\.(append|insert)|PyList_(Append|Insert)|(Py)?dict\.setdefault|_?PyDict_SetItem\w*|PyObject_SetItem|set\.add|PySet_Add|collections\.deque\.append(left)?|deque\.append(left)?)$/i;
/** References that one bulk add opens at most. */
const MOST_IN_BULK = 1000;

/** An open reference, and what is known of the instruction that took it. */
interface Taken extends OpenEntry {
  readonly line: number;
  readonly handler: Handler | null;
}

class Open {
  entries: Taken[] = [];
  /** The end of a handler was the latest event: where, and with which event it had begun. */
  #handled: { readonly line: number; readonly begun: number } | undefined;

  push(entry: Taken): void {
    // Whoever has so many references open is no member of a cycle that a person would look at: the oldest are forgotten.
    if (this.entries.length >= 4 * MOST_IN_BULK) this.entries = this.entries.slice(-2 * MOST_IN_BULK);
    this.entries.push(entry);
    this.#handled = undefined;
  }

  close({ location, line, handler }: Pick<Taken, "location" | "line" | "handler">): void {
    const { entries } = this;
    const handled = handler === "variable" && this.#handled?.line === line ? this.#handled : undefined;
    this.#handled = undefined;
    const rules: (() => number)[] = [
      () => (handler === "end" ? entries.findLastIndex((one) => one.handler === "begin") : -1),
      () => (handled ? entries.findLastIndex((one) => one.event < handled.begun && !one.stores) : -1),
      () => entries.findLastIndex((one) => one.location === location && !one.stores && one.kind !== "birth"),
      () => entries.findLastIndex((one) => one.line === line && !one.stores),
      () => entries.findIndex((one) => !one.stores),
      () => entries.findLastIndex((one) => one.line === line),
      () => 0,
    ];
    for (const rule of rules) {
      const at = rule();
      if (at < 0 || at >= entries.length) continue;
      const [closed] = entries.splice(at, 1);
      if (handler === "end" && closed!.handler === "begin") this.#handled = { line, begun: closed!.event };
      return;
    }
  }
}
