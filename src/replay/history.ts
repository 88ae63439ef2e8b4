/**
 * The ledger of one object as a bank statement: every change of its count with its place and the balance after it, what opened and
 * closed again folded into one row, the references that are still open, and how it ended.
 *
 * **Folding.** A decref closes the reference before it when that one was opened on the same line and everything since is folded
 * already: brackets. So a loop that looks at an object a thousand times is one row, whatever it called meanwhile.
 *
 * **Open references** are matched with what gives them up in open-references.ts.
 *
 * **The cascade.** What died with an object is every object that was deallocated from its dealloc on until its block was freed, or, if
 * the block is kept in a free list, until the instruction ended: then neighbours dropped by the same instruction are counted too. What was born
 * meanwhile, in a finalizer or a weak reference's callback, is left out.
 */
import { type EventColumns, Kind } from "../trace/events.js";
import { BEFORE_TRACE } from "./heap.js";
import type { Place } from "./names.js";
import { eachEventOf, originOf } from "./object-events.js";
import {
  givenUpBy,
  isContainersEnd,
  isEvaluation,
  isLoad,
  isOverwriting,
  type Open,
  OpenList,
  takenFor,
} from "./open-references.js";
import type { Replay } from "./replay.js";
import { byBytes, callStack, compareText, countOf, type Frame, type TimeInfo, timeInfo } from "./survey.js";

/** Rows that are kept; of a longer ledger the latest. */
const MOST_ROWS = 100_000;
/** References that one bulk add opens in the list; more of them count as open elsewhere. */
const MOST_IN_BULK = 1000;
/** Events that a cascade is followed for. */
const LONGEST_CASCADE = 50_000_000;

export interface LedgerRow {
  readonly time: TimeInfo;
  readonly kind: "birth" | "incref" | "decref" | "setref" | "settype" | "dealloc" | "resurrect" | "resized" | "pairs";
  /** Change of the count; 0 for pairs. */
  readonly delta: number;
  /** Count after it; null = immortal. */
  readonly balance: number | null;
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly source: string | null;
  readonly opcode: string | null;
  readonly cFunction: string | null;
  /** Pairs of incref and decref that this row stands for; 0 = an event of its own. */
  readonly pairs: number;
  /** Last event of the pairs; else that of the row. */
  readonly last: number;
  /** The last of the pairs that moved a reference from the evaluation stack into a place: its incref, and what stored it. Null = none did. */
  readonly stored: { readonly event: number; readonly opcode: string } | null;
}

export interface OpenReference {
  readonly opened: TimeInfo;
  /** Events since. */
  readonly age: number;
  readonly kind: "birth" | "incref" | "setref";
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly source: string | null;
  readonly opcode: string | null;
  readonly cFunction: string | null;
  /** False: a decref elsewhere may have given up this one and not the one that it was matched with. */
  readonly sure: boolean;
}

export interface Death {
  readonly time: TimeInfo;
  /** The last decref; null = the collector or C code ended it otherwise. */
  readonly lastDecref: LedgerRow | null;
  /** Event with which its memory was given to somebody else or freed; null = kept in a free list to the end of the trace. */
  readonly gone: number | null;
  /** What died with it, itself left out. */
  readonly cascade: {
    readonly objects: number;
    readonly bytes: number;
    readonly types: readonly { readonly type: string; readonly count: number; readonly bytes: number }[];
    /** What ended the cascade: its block was freed, the instruction ended, or the search was given up. */
    readonly until: "free" | "instruction" | "limit";
  };
}

export interface History {
  readonly object: {
    readonly id: number;
    readonly address: number;
    readonly type: string;
    readonly module: string | null;
    readonly bytes: number;
    /** null = before the recording began. */
    readonly born: TimeInfo | null;
    /** Call stack of the birth, innermost first. */
    readonly stack: readonly Frame[];
  };
  /** Changes of the count in all. */
  readonly changes: number;
  /** Count at the end, or at death; null = immortal. */
  readonly count: number | null;
  readonly rows: readonly LedgerRow[];
  /** Rows before the first one that were not kept. */
  readonly leftOut: number;
  /** Oldest first. Empty for the dead and for the immortal. */
  readonly open: readonly OpenReference[];
  /** References beyond those listed: made before the recording, or set in bulk. */
  readonly openElsewhere: number;
  readonly death: Death | null;
}

/** A row of the ledger while it is built: names are looked up at the end. */
interface Entry {
  readonly event: number;
  readonly kind: LedgerRow["kind"];
  readonly delta: number;
  readonly balance: number;
  readonly location: number;
  readonly site: number;
  /** Function, file and line as one number. */
  readonly line: number;
  pairs: number;
  last: number;
  stored: LedgerRow["stored"];
}

/** The end of the name of what a function has on a line of its own. */
const INNER = /(\.<locals>)?\.<(genexpr|lambda|listcomp|setcomp|dictcomp)>$/;
/** Instructions that store what is on top of the evaluation stack, and then drop the stack's own reference. */
const STORING = /^(STORE_|MAP_ADD|LIST_APPEND|SET_ADD|SET_FUNCTION_ATTRIBUTE|BUILD_MAP|BUILD_SET)/;
/** Those that hand over what is on the stack to C code, which may keep a reference of its own. */
const CALLING = /^CALL(_KW)?$/;
/** Those in which what one container has goes into another: `set([x])`, `names |= {x}`. The first one dies, and its reference with it. */
const EMPTYING = /^(CALL(_KW|_FUNCTION_EX|_INTRINSIC_1)?|BINARY_OP|LIST_EXTEND|SET_UPDATE|DICT_(UPDATE|MERGE))$/;

export interface HistoryOptions {
  /** Fold nothing. */
  readonly all?: boolean | undefined;
  /** Only what happened before this event; the end by default. */
  readonly until?: number | undefined;
}

/** The history of the object with this number. Winds the replay elsewhere. */
export function historyOf(replay: Replay, id: number, options: HistoryOptions = {}): History {
  const { names } = replay;
  const origin = originOf(replay, id);
  const { object } = origin;
  const stack = object.birth === BEFORE_TRACE ? [] : callStack(replay, object.stack, object.location);
  const ledger = new Ledger(replay, object.count, options.all === true);
  let deadAt: number | null = null;
  let gone: number | null = null;
  let { type, address } = object;
  let { block } = origin;
  const until = options.until ?? replay.end;
  for (const { what, columns, row } of eachEventOf(replay, origin)) {
    if (columns.first + row >= until) break;
    if (what === "gone") {
      gone = columns.first + row;
      break;
    }
    if (what === "dealloc") deadAt = columns.first + row;
    else if (what === "resurrect") deadAt = null;
    else if (what === "type") type = columns.a[row]!;
    else if (what === "resized") {
      address = (address + columns.address[row]! - columns.b[row]!) >>> 0;
      block = columns.address[row]!;
    }
    ledger.add(what, columns, row);
  }
  const end = deadAt ?? gone ?? until;
  const finished = deadAt !== null || gone !== null;
  return {
    object: {
      id,
      address,
      type: names.type(type),
      module: names.module(type),
      bytes: object.bytes,
      born: object.birth === BEFORE_TRACE ? null : timeInfo(replay, object.birth),
      stack,
    },
    changes: ledger.changes,
    count: countOf(ledger.balance),
    rows: ledger.rows(),
    leftOut: ledger.leftOut,
    open: finished ? [] : ledger.openReferences(end),
    openElsewhere: finished || countOf(ledger.balance) === null ? 0 : ledger.balance - ledger.openCount,
    death: finished ? deathOf(replay, ledger, deadAt ?? gone!, gone, block) : null,
  };
}

class Ledger {
  changes = 0;
  balance: number;
  leftOut = 0;
  /** The last decref, and the balance that it left. */
  lastDecref: Entry | undefined;
  readonly #replay: Replay;
  readonly #all: boolean;
  #entries: Entry[] = [];
  readonly #open = new OpenList();
  /** Location of the event before, if that took a reference; else 0. */
  #taken = 0;
  readonly #lines = new Map<string, number>();

  constructor(replay: Replay, balance: number, all: boolean) {
    this.#replay = replay;
    this.balance = balance;
    this.#all = all;
  }

  get openCount(): number {
    return this.#open.size;
  }

  add(what: string, columns: EventColumns, row: number): void {
    const { kind, location: locations, site: sites, a, first } = columns;
    const code = kind[row]!;
    const location = locations[row]!;
    const place = this.#replay.names.place(location);
    const line = this.#lineOf(place);
    const event = first + row;
    const fact = { event, location, site: sites[row]!, line };
    let delta = 0;
    let name: LedgerRow["kind"] = "resized";
    if (what === "count") {
      this.changes++;
      name = code === Kind.incref ? "incref" : code === Kind.decref ? "decref" : "setref";
      delta = code === Kind.incref ? 1 : code === Kind.decref ? -1 : (a[row]! - this.balance) | 0;
      this.balance = code === Kind.setref ? a[row]! : this.balance + delta;
    } else if (what === "birth") {
      name = "birth";
      delta = 1;
      this.balance = 1;
    } else if (what !== "resized") name = what === "type" ? "settype" : (what as "dealloc" | "resurrect");

    const cFunction = this.#replay.names.cFunction(fact.site);
    const taken = this.#taken;
    this.#taken = name === "incref" ? location : 0;
    const open: Omit<Open, "kind"> = {
      ...fact,
      function: place.function,
      heldBy: name === "birth" ? "stack" : takenFor(place.opcode, cFunction),
      loaded: name !== "birth" && isLoad(place.opcode),
    };
    if (name === "birth" || name === "incref") this.#open.push({ ...open, kind: name });
    else if (countOf(this.balance) === null) this.#open.clear();
    else if (delta < 0) {
      const before = this.balance - delta;
      const closing = Math.min(-delta, this.#open.size);
      const heldBy = givenUpBy(place.opcode, cFunction, taken !== 0 && taken === location);
      const overwrites = isOverwriting(place.opcode);
      for (let i = 0; i < closing; i++)
        this.#open.close({ line, function: place.function, heldBy, overwrites }, before - i - this.#open.size);
    } else if (name === "setref") {
      for (let i = 0; i < Math.min(delta, MOST_IN_BULK); i++) this.#open.push({ ...open, kind: "setref" });
    }

    const entry: Entry = { ...fact, kind: name, delta, balance: this.balance, pairs: 0, last: event, stored: null };
    if (name === "decref") this.lastDecref = entry;
    if (name === "decref" && !this.#all && this.#foldInto(entry)) return;
    this.#entries.push(entry);
    if (this.#entries.length >= 2 * MOST_ROWS) {
      this.leftOut += this.#entries.length - MOST_ROWS;
      this.#entries = this.#entries.slice(-MOST_ROWS);
    }
  }

  /** Makes a row of the decref and the incref on the same line that it closes, if nothing but folded rows is between. */
  #foldInto(decref: Entry): boolean {
    const entries = this.#entries;
    let at = entries.length - 1;
    while (at >= 0 && entries[at]!.pairs > 0) at--;
    const incref = entries[at];
    if (incref?.kind !== "incref" || incref.line !== decref.line) return false;
    let pairs = 1;
    let stored = this.#storedBy(incref, decref);
    for (const inner of entries.splice(at + 1)) {
      pairs += inner.pairs;
      stored ??= inner.stored;
    }
    entries.pop();
    const { balance, event: last } = decref;
    const folded: Entry = { ...incref, kind: "pairs", delta: 0, balance, pairs, last, stored };
    const before = entries[at - 1];
    if (before !== undefined && before.pairs > 0 && before.line === folded.line) {
      before.pairs += pairs;
      before.last = decref.event;
      before.stored = stored ?? before.stored;
    } else entries.push(folded);
    return true;
  }

  /**
   * A reference was moved where the evaluation loop itself drops one, or a container that dies, and not one of the kind that took it:
   * what C code takes and drops again it only looked at.
   */
  #storedBy({ event, location, site }: Entry, decref: Entry): LedgerRow["stored"] {
    const { names } = this.#replay;
    const { opcode } = names.place(location);
    if (location !== decref.location || opcode === null) return null;
    const [taker, dropper] = [names.cFunction(site), names.cFunction(decref.site)];
    const isMoved = isEvaluation(dropper)
      ? STORING.test(opcode) || (CALLING.test(opcode) && !isEvaluation(taker))
      : EMPTYING.test(opcode) && isContainersEnd(dropper) && takenFor(opcode, taker) !== takenFor(opcode, dropper);
    return isMoved ? { event, opcode } : null;
  }

  #lineOf({ function: name, file, line }: Place): number {
    // A generator expression ends in the function around it, on the same line.
    const around = name === null ? null : name.replace(INNER, "") || "<module>";
    const text = `${around} ${file}:${line}`;
    let number = this.#lines.get(text);
    if (number === undefined) {
      number = this.#lines.size;
      this.#lines.set(text, number);
    }
    return number;
  }

  row(entry: Entry): LedgerRow {
    return {
      time: timeInfo(this.#replay, entry.event),
      kind: entry.kind,
      delta: entry.delta,
      balance: countOf(entry.balance),
      ...placeOf(this.#replay, entry),
      pairs: entry.pairs,
      last: entry.last,
      stored: entry.stored,
    };
  }

  rows(): LedgerRow[] {
    return this.#entries.map((entry) => this.row(entry));
  }

  openReferences(end: number): OpenReference[] {
    return this.#open.list().map(({ sure, ...open }) => ({
      opened: timeInfo(this.#replay, open.event),
      age: end - open.event,
      kind: open.kind,
      ...placeOf(this.#replay, open),
      sure,
    }));
  }
}

function placeOf({ names }: Replay, { location, site }: { location: number; site: number }) {
  const { function: name, file, line, opcode } = names.place(location);
  return { function: name, file, line, source: names.source(file, line), opcode, cFunction: names.cFunction(site) };
}

function deathOf(replay: Replay, ledger: Ledger, dead: number, gone: number | null, block: number): Death {
  const { names } = replay;
  const { lastDecref } = ledger;
  const types = new Map<number, { count: number; bytes: number }>();
  // What a finalizer or a weak reference's callback made by itself did not die with the object.
  const madeSince = new Set<number>();
  let objects = 0;
  let bytes = 0;
  let depth = 0;
  let where: number | undefined;
  let until: Death["cascade"]["until"] = "limit";
  search: for (const { columns, first, last } of replay.range(dead, Math.min(replay.end, dead + LONGEST_CASCADE))) {
    const { kind, location, address, a, b } = columns;
    for (let row = first; row < last; row++) {
      const code = kind[row]!;
      where ??= location[row]!;
      if (depth === 0 && location[row] !== where) {
        until = "instruction";
        break search;
      }
      if (code === Kind.call) depth++;
      else if (code === Kind.return) depth--;
      else if (code === Kind.new) madeSince.add(address[row]!);
      else if (code === Kind.free && block !== 0 && address[row] === block) {
        until = "free";
        break search;
      } else if (code === Kind.dealloc && columns.first + row !== dead) {
        if (madeSince.delete(address[row]!)) continue;
        objects++;
        bytes += b[row]!;
        const sum = types.get(a[row]!) ?? { count: 0, bytes: 0 };
        types.set(a[row]!, { count: sum.count + 1, bytes: sum.bytes + b[row]! });
      }
      if (depth < 0) {
        until = "instruction";
        break search;
      }
    }
  }
  return {
    time: timeInfo(replay, dead),
    lastDecref: lastDecref ? ledger.row(lastDecref) : null,
    gone,
    cascade: {
      objects,
      bytes,
      types: [...types]
        .map(([type, sum]) => ({ type: names.type(type), ...sum }))
        .sort((x, y) => byBytes(x, y) || compareText(x.type, y.type)),
      until,
    },
  };
}
