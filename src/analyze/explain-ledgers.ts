/**
 * The pass over the events that follows objects through the rounds of lines: what each count was before and after, why it changed, which
 * variable named the object, how it ended and who got its memory.
 *
 * Every object that has an event in a round that will be shown gets a ledger; it is dropped again when the object dies without ever
 * having been named, so memory follows what lives and what is shown. Counts are carried in the ledger and compared with the
 * folded heap at the end: a difference is a bug, not an answer.
 *
 * One line can make more objects than there is room for, and which of them will be named is known later: an import makes half a million.
 * So what a library's code makes has its own room, and what the program's own lines make has another. Where an object is named that
 * there was no room for, the pass is made again with room for just these (`missed`, and `named` of the input): the variables are
 * known by then, the interpreter need not run again.
 */
import { assert } from "../base/failure.js";
import { eventNumber } from "../base/ids.js";
import type { Heap } from "../replay/heap.js";
import { countOf } from "../replay/survey.js";
import type { Moment, MomentFrame, Variable } from "../rewind/moment.js";
import { type EventColumns, Kind } from "../trace/events.js";
import type { Change } from "./explain-data.js";
import { Doings, type DyingObject, type MutableChange } from "./explain-doings.js";
import type { Binding, Ledger, LedgerInput, LedgerRound, Ledgers, Maker, ObjectThen } from "./explain-ledger.js";
import { NO_PLACE, type Place, Places, variableOf } from "./explain-places.js";
import { LineWalker, type Round } from "./explain-walk.js";
import {
  appendedTo,
  type Circumstances,
  elementOf,
  freedText,
  NEXT_VALUE,
  pops,
  quote,
  type Reason,
  UNPACKED,
  whyAppended,
  whyDown,
  whyHeld,
  whySetDefault,
  whyUp,
} from "./explain-words.js";
import { NumberSet } from "./number-set.js";

/** Changes of one object in one round that are kept. */
const MOST_CHANGES = 500;
/** Ledgers of living objects that nothing names, by who made them; beyond that, objects are not looked at. */
const MOST_UNNAMED = 20_000;
/** Events of a call before its function is entered, at most: its arguments are looked for among them. */
const MOST_CALL_EVENTS = 1000;
/** Objects being freed in one instruction that are remembered. */
const MOST_DYING = 64;
/** References of C code to one object within one instruction that are remembered. */
const MOST_HELD = 64;
/** Reasons of a −1 in a call that yield where C code is seen to give back what it took. */
const UNSURE: ReadonlySet<Change["by"]> = new Set(["c", "removed", "argument", "stack"]);
/** What a +1 may seem to be in an instruction that calls no function by itself, until a method written in Python is seen to be called. */
const OTHERWISE: ReadonlySet<Change["by"]> = new Set(["stack", "item"]);
/** In these, C code that takes a reference and gives one back gives that back. */
const HOLDING =
  /^(CALL(_KW|_FUNCTION_EX)?|CONTAINS_OP|COMPARE_OP|BINARY_OP|BUILD_SET|LIST_EXTEND|(STORE|DELETE)_ATTR|DICT_UPDATE|DICT_MERGE)$/;
const DESTRUCTOR = /\.tp_dealloc$/;
const EVAL = "_PyEval_EvalFrameDefault";

/** Py_TPFLAGS_HEAPTYPE, Include/object.h. */
const HEAP_TYPE = 1 << 9;
const CONTAINERS = new Set(["list", "tuple", "set", "frozenset", "dict"]);

export class LedgerKeeper {
  readonly #in: LedgerInput;
  readonly #walker: LineWalker;
  readonly #heap: Heap;
  /** The next event. */
  #next = 0;
  /** The event that is being followed, and where it happened. */
  #at = 0;
  #place: Place = NO_PLACE;
  /** The moment before it, if there is one. */
  #moment: Moment | undefined;
  #before: Round | undefined;
  #round: Round | undefined;
  /** Whether `#round` will be shown. */
  #show = false;
  readonly #places: Places;
  readonly #byAddress = new Map<number, Ledger>();
  readonly #waiting = new Map<number, Ledger>();
  /** By block: whose memory it was, until an object is born in it. */
  readonly #reused = new Map<number, Ledger>();
  readonly #done: Ledger[] = [];
  readonly #immortal: Binding[] = [];
  readonly #lastNamed = new Map<string, string>();
  /** Ledgers at hand. */
  readonly #open = { own: 0, library: 0 };
  readonly #doneUnnamed = { own: 0, library: 0 };
  readonly #refused = new NumberSet();
  readonly #missed = new Set<number>();
  #leftOut = 0;
  readonly #then = new Map<number, Map<number, ObjectThen>>();
  /** Variables of the frame that was just left, by address of what the frame itself refers to. */
  #leaving: { function: string; location: number; variables: { name: string; address: number }[] } | undefined;
  #doings = new Doings(-1);
  /** The same of the instructions of callers: a finalizer runs in the middle of one. */
  readonly #doingsBelow: Doings[] = [];
  /** Changes whose C function has no name, until it is known whether the object that was being freed had its block given back after them. */
  #unsettled: { change: MutableChange; dying: DyingObject }[] = [];
  #collection = { number: 0, location: -1, running: false, depth: 0 };

  /** The latest call of a function of the program from a round that is shown. */
  #called: { event: number; location: number; round: Round } | undefined;
  /** The latest changes by +1 of each object, and where they happened. */
  readonly #ups = new WeakMap<Ledger, { change: MutableChange; location: number }[]>();
  readonly #heapTypes = new Set<number>();
  readonly #typeAddress = new Map<number, number>();
  /** By variable, as `x` or `foo.x`: the type of what it named last. */
  readonly #lastTypes = new Map<string, string>();

  constructor(input: LedgerInput) {
    this.#in = input;
    for (const { id, flags, address } of input.replay.reader.rows("types")) {
      if (flags & HEAP_TYPE) this.#heapTypes.add(id);
      this.#typeAddress.set(id, address);
    }
    this.#walker = new LineWalker(input.replay.reader, input.file, input.source);
    this.#heap = input.replay.seek(eventNumber(0));
    this.#places = new Places(input.replay.reader, input);
  }

  /** What the variables are right where the keeper has got to. */
  meet(moment: Moment): void {
    assert(moment.event === this.#next, `a moment at ${moment.event}, not at ${this.#next}`);
    this.#moment = moment;
  }

  /** When all events were followed. */
  end(): Ledgers {
    const { replay } = this.#in;
    assert(this.#next === replay.end, `followed to ${this.#next} of ${replay.end}`);
    const heap = this.#heap;
    if (this.#moment) this.#meet(this.#moment, heap, this.#before, undefined);
    for (const ledger of this.#byAddress.values()) {
      if (ledger.alive) assert(heap.objectAt(ledger.address)?.count === ledger.count, `count of #${ledger.object}`);
      if (ledger.names.size > 0 || this.#in.all) this.#keep(ledger);
    }
    this.#handOver();
    const leftOut = this.#leftOut + this.#refused.size - this.#missed.size;
    return { all: this.#done, immortal: this.#immortal, leftOut, missed: this.#missed, atMoment: this.#then };
  }

  /** Follows the events before this one, from where the keeper has got to. Nobody else may wind the replay until the end. */
  follow(to: number): void {
    const heap = this.#heap;
    for (const { columns, first, last } of this.#in.replay.range(this.#next, to)) {
      // The heap is folded when somebody asks for it, which is seldom, and then many events at once.
      let folded = first;
      const fold = (until: number): Heap => {
        if (until > folded) heap.apply(columns, folded, until);
        folded = Math.max(folded, until);
        return heap;
      };
      for (let row = first; row < last; row++) {
        const round = this.#walker.step(columns, row);
        if (round !== this.#round) {
          this.#round = round;
          this.#show = round !== undefined && this.#in.shown(round);
        }
        if (this.#moment) {
          this.#meet(this.#moment, fold(row), this.#before, round);
          this.#moment = undefined;
        }
        this.#before = round ?? this.#before;
        this.#event(columns, row, round, fold);
      }
      fold(last);
    }
    this.#next = to;
  }

  /** References that the stack still had at the end of a round: some instruction of the line passed them on without a change of the count. */
  #handOver(): void {
    for (const { rounds } of this.#done)
      for (const { round, changes, onStack, stackedBy } of rounds) {
        const last = changes.at(-1);
        if (onStack === 0 || !last || last.by === "freed") continue;
        const all = this.#places.handingOn(round.line, round.function, stackedBy);
        const only = all.length === 1 ? all[0] : undefined;
        const to = only ? `to ${only.to}` : "on";
        // A method written in Python has said by now that its argument takes the reference over, and other methods in C give it up.
        const list = only?.opcode === "CALL" ? appendedTo(only.part) : undefined;
        const text =
          list === undefined
            ? `the stack's reference is handed ${to}`
            : `element of list ${quote(list)} takes over the stack's reference`;
        changes.push({ event: round.last, delta: 0, by: "handed", text, after: last.after });
      }
  }

  /** What the program's variables say at a moment. */
  #meet(moment: Moment, heap: Heap, before: Round | undefined, round: Round | undefined): void {
    const name = (scope: string, variable: Variable): void => {
      const full = scope === "" ? variable.name : `${scope}.${variable.name}`;
      const object = heap.objectAt(variable.address);
      if (!object) return;
      this.#lastTypes.set(full, this.#in.replay.names.type(object.type));
      if (countOf(object.count) === null) {
        if (this.#lastNamed.get(full) !== variable.text)
          this.#immortal.push({
            between: [before?.line ?? 0, round?.line ?? Number.POSITIVE_INFINITY],
            function: scope === "" ? "<module>" : scope,
            name: variable.name,
            text: variable.text,
          });
        this.#lastNamed.set(full, variable.text);
        return;
      }
      const ledger = this.#ledgerAt(variable.address, heap, undefined, "named");
      ledger?.names.add(full);
      const now = `#${object.id}`;
      if (ledger && scope !== "" && this.#lastNamed.get(full) !== now)
        this.#takeOver(ledger, scope, variable.name, before);
      this.#lastNamed.set(full, now);
    };
    for (const variable of moment.globals) name("", variable);
    for (const frame of moment.frames) for (const variable of frame.variables) name(frame.function, variable);
    this.#note(moment, heap);
    const entered = moment.frames.at(-1);
    if (this.#called?.event === moment.event - 1 && entered?.address === moment.innermost)
      this.#enter(entered, this.#called);
    if (moment.left) {
      for (const variable of moment.left.variables) name(moment.left.function, variable);
      this.#leave(moment.left, heap);
    }
  }

  #note({ event, globals, frames, edges }: Moment, heap: Heap): void {
    const found = new Map<number, ObjectThen>();
    const variables = [...globals, ...frames.flatMap((frame) => frame.variables)].map(({ address }) => address);
    for (const address of [...variables, ...edges.flatMap(({ source, target }) => [source, target])]) {
      const one = found.has(address) ? undefined : heap.objectAt(address);
      if (one?.alive) found.set(address, { object: one.id, type: one.type, count: one.count, bytes: one.bytes });
    }
    this.#then.set(event, found);
  }

  /** A local name took the reference that the evaluation stack had: STORE_FAST changes no count. */
  #takeOver(ledger: Ledger, scope: string, name: string, before: Round | undefined): void {
    const stores = this.#places.storesOf(scope, name);
    const made = ledger.rounds.findLast(
      ({ round, onStack }) => onStack > 0 && round.function === scope && stores?.has(round.line),
    );
    const round = made?.round ?? (before?.function === scope && stores?.has(before.line) ? before : undefined);
    if (!round || !this.#in.shown(round)) return;
    const text = `\`${name}\` takes over the stack's reference`;
    const after = countOf(made?.after ?? ledger.count);
    this.#change(
      ledger,
      round,
      made?.after ?? ledger.count,
      { event: round.last, delta: 0, by: "name", text, after },
      -1,
      true,
    );
  }

  /** What a call hands over: the references of its arguments. */
  #enter(frame: MomentFrame, { event, location, round }: { event: number; location: number; round: Round }): void {
    const place = this.#places.at(location);
    const isCall = place.own && /^CALL/.test(place.opcode ?? "");
    for (const { name, address, cell, borrowed } of frame.variables) {
      const ledger = this.#byAddress.get(address);
      if (!ledger?.alive) continue;
      const argument = `argument \`${name}\` of ${frame.function}()`;
      const open = ledger.rounds.findLast((one) => one.round === round);
      if (borrowed) {
        const text = `${argument} borrows the caller's reference`;
        this.#change(
          ledger,
          round,
          ledger.count,
          { event, delta: 0, by: "argument", text, after: countOf(ledger.count) },
          0,
        );
        continue;
      }
      if (!open || cell !== 0) continue;
      const made = this.#ups
        .get(ledger)
        ?.findLast(
          (one) =>
            one.location === location &&
            one.change.event > event - MOST_CALL_EVENTS &&
            (one.change.by === "c" || one.change.by === "collector" || (!isCall && OTHERWISE.has(one.change.by))),
        );
      if (made) {
        if (made.change.by === "stack") open.onStack = Math.max(0, open.onStack - 1);
        Object.assign(made.change, { by: "argument", text: argument });
      } else if (open.onStack > 0) {
        const text = `${argument} takes over the stack's reference`;
        this.#change(
          ledger,
          round,
          ledger.count,
          { event, delta: 0, by: "argument", text, after: countOf(ledger.count) },
          -1,
        );
      }
    }
  }

  #leave({ function: of, variables }: MomentFrame, heap: Heap): void {
    this.#leaving = {
      function: of,
      location: -1,
      variables: variables
        .filter(({ address, cell, borrowed }) => {
          const object = heap.objectAt(cell === 0 ? address : cell);
          return !borrowed && object !== undefined && countOf(object.count) !== null;
        })
        .map(({ name, address, cell }) => ({ name, address: cell === 0 ? address : cell })),
    };
  }

  /** `found`: where; named: as the value of a variable. */
  #ledgerAt(address: number, heap: Heap, born: number | undefined, found: Maker | "named"): Ledger | undefined {
    const known = this.#byAddress.get(address);
    if (known?.alive) return known;
    const object = heap.objectAt(address);
    if (!object?.alive || countOf(object.count) === null) return undefined;
    if (known && known.object === object.id) return known;
    const maker = found === "library" ? "library" : "own";
    const named = found === "named" || this.#in.named?.has(object.id) === true;
    if (!named && this.#open[maker] >= MOST_UNNAMED) {
      this.#refused.add(object.id);
      return undefined;
    }
    this.#open[maker]++;
    const ledger: Ledger = {
      object: object.id,
      address,
      type: object.type,
      bornAt: object.birth,
      bornLine: born ?? null,
      since: born === undefined ? this.#at : object.birth,
      count: object.count,
      alive: true,
      names: new Set(),
      rounds: [],
      lines: new Map(),
      maker,
      ending: undefined,
    };
    this.#put(address, ledger);
    return ledger;
  }

  #put(address: number, ledger: Ledger): void {
    const before = this.#byAddress.get(address);
    if (before) this.#drop(before);
    this.#byAddress.set(address, ledger);
  }

  /** A ledger whose object is no more: kept if it had a name, or as long as there is room when all are asked for. */
  #drop(ledger: Ledger): void {
    const named = ledger.names.size > 0;
    if (named || (this.#in.all && this.#doneUnnamed[ledger.maker] < MOST_UNNAMED)) this.#keep(ledger);
    else if (this.#in.all) this.#leftOut++;
    this.#open[ledger.maker]--;
    if (!named) this.#doneUnnamed[ledger.maker]++;
  }

  #keep(ledger: Ledger): void {
    if (ledger.names.size > 0 && this.#refused.has(ledger.object)) this.#missed.add(ledger.object);
    this.#done.push(ledger);
  }

  #event(columns: EventColumns, row: number, round: Round | undefined, fold: (to: number) => Heap): void {
    const kind = columns.kind[row]!;
    const address = columns.address[row]!;
    const event = columns.first + row;
    this.#at = event;
    const location = columns.location[row]!;
    const line = round?.line ?? null;
    if (location !== this.#doings.at) {
      if (this.#doings.used) this.#doings = new Doings(location);
      this.#doings.at = location;
      if (this.#unsettled.length > 0) this.#unsettled = [];
    }
    switch (kind) {
      case Kind.call:
        this.#leaving = undefined;
        this.#called = round && this.#show ? { event, location, round } : undefined;
        for (const { change, otherwise } of this.#doings.appended ?? []) Object.assign(change, otherwise);
        if (this.#doingsBelow.length < MOST_DYING) this.#doingsBelow.push(this.#doings);
        this.#doings = new Doings(-1);
        return;
      case Kind.return:
        this.#doings = this.#doingsBelow.pop() ?? new Doings(-1);
        return;
      case Kind["collect-start"]:
        this.#collection = { ...this.#collection, number: this.#collection.number + 1, location, running: true };
        return;
      case Kind["collect-stop"]:
        this.#collection = { ...this.#collection, running: false };
        return;
      case Kind.free:
        this.#freed(address);
        return;
      case Kind.alloc: {
        const old = this.#waiting.get(address);
        this.#reused.delete(address);
        if (old?.ending?.memory === "freed") {
          old.ending.reuse = { event, line, what: `a block of ${columns.a[row]!} bytes` };
          this.#waiting.delete(address);
          this.#reused.set(address, old);
        }
        return;
      }
      case Kind.realloc:
        this.#moved(columns.b[row]!, address, fold(row));
        return;
      case Kind.new:
        this.#born(columns, row, round, fold);
        return;
    }
    if (kind < Kind.dealloc || kind > Kind.resurrect) return;
    let ledger = this.#byAddress.get(address);
    const show = this.#show;
    // An object that was handed to its destructor still has events: its finalizer holds it.
    if (!ledger && show) ledger = this.#ledgerAt(address, fold(row), undefined, this.#foundAt(columns, row));
    if (!ledger) {
      if (kind === Kind.dealloc) this.#dies(columns, row, undefined, line, fold);
      return;
    }
    const before = ledger.count;
    if (kind === Kind.incref) ledger.count++;
    else if (kind === Kind.decref) ledger.count--;
    else if (kind === Kind.setref) ledger.count = columns.a[row]!;
    else if (kind === Kind.settype) ledger.type = columns.a[row]!;
    if (round) {
      const total = ledger.lines.get(round.line);
      if (total) total.after = ledger.count;
      const sum = total ?? { plus: 0, minus: 0, born: 0, set: 0, before, after: ledger.count };
      if (!total) ledger.lines.set(round.line, sum);
      if (kind === Kind.incref) sum.plus++;
      else if (kind === Kind.decref) sum.minus++;
      else if (kind === Kind.setref) sum.set += ledger.count - before;
    }
    this.#place = this.#places.at(location);
    if (kind === Kind.incref || kind === Kind.decref)
      this.#counted(columns, row, ledger, show ? round : undefined, before);
    else if (kind === Kind.dealloc) {
      this.#dies(columns, row, ledger, line, fold);
      if (show) {
        const collecting = this.#collection.running;
        const text = collecting ? `freed by the cycle collector (collection ${this.#collection.number})` : "freed";
        this.#change(ledger, round, before, { event, delta: 0, by: "freed", text, after: 0 }, 0);
      }
    } else if (kind === Kind.resurrect) {
      ledger.alive = true;
      ledger.ending = undefined;
      const text = "brought back to life by its finalizer";
      if (show)
        this.#change(ledger, round, before, { event, delta: 0, by: "resurrected", text, after: ledger.count }, 0);
    } else if (kind === Kind.setref && show) {
      const immortal = countOf(ledger.count) === null;
      const text = immortal ? "made immortal" : "count set by C code";
      const delta = ledger.count - before;
      const { born } = this.#doings;
      const place = this.#places.at(location);
      // list_repeat and tuple_repeat add all at once.
      const repeated = delta > 0 && !immortal && born && place.own && place.opcode === "BINARY_OP";
      const change: Change = repeated
        ? { event, delta, by: "item", text: elementOf(born), after: countOf(ledger.count) }
        : { event, delta, by: immortal ? "immortal" : "c", text, after: countOf(ledger.count) };
      this.#change(ledger, round, before, change, 0);
    }
  }

  #born(columns: EventColumns, row: number, round: Round | undefined, fold: (to: number) => Heap): void {
    const address = columns.address[row]!;
    const event = columns.first + row;
    const line = round?.line ?? null;
    const type = this.#in.replay.names.type(columns.a[row]!);
    if (this.#waiting.size > 0 || this.#reused.size > 0 || this.#byAddress.has(address)) {
      const heap = fold(row + 1);
      const block = heap.blockOf(address)?.address ?? 0;
      const old = this.#byAddress.get(address) ?? this.#reused.get(block);
      if (old?.ending) {
        if (old.ending.memory === "kept") old.ending.memory = "free-list";
        old.ending.reuse = { event, line, what: `${type} #${heap.objectAt(address)!.id}` };
      }
      this.#waiting.delete(block);
      this.#reused.delete(block);
    }
    const before = this.#byAddress.get(address);
    if (before) {
      this.#byAddress.delete(address);
      this.#drop(before);
    }
    if (!round || !this.#show) return;
    const maker = this.#places.at(columns.location[row]!).own ? "own" : "library";
    const heap = fold(row + 1);
    if (maker === "own" && CONTAINERS.has(type)) {
      this.#doings.born = { type, text: `${type} #${heap.idAt(address)}`, address };
      this.#doings.used = true;
    }
    this.#instanceOf(columns.a[row]!, `${type} #${heap.idAt(address)}`, columns.location[row]!);
    this.#place = this.#places.at(columns.location[row]!);
    const ledger = this.#ledgerAt(address, heap, round.line, maker);
    if (!ledger) return;
    ledger.lines.set(round.line, { plus: 0, minus: 0, born: 1, set: 0, before: 0, after: ledger.count });
    this.#change(ledger, round, 0, { event, delta: 1, by: "birth", text: "born", after: countOf(ledger.count) }, 1);
  }

  /** An instance refers to its type if a class statement made that: the reference is counted right before it is born (_PyObject_Init). */
  #instanceOf(type: number, text: string, location: number): void {
    const ledger = this.#heapTypes.has(type) ? this.#byAddress.get(this.#typeAddress.get(type) ?? 0) : undefined;
    const last = ledger && this.#ups.get(ledger)?.at(-1);
    if (last?.location === location && last.change.event === this.#at - 1 && last.change.by === "c")
      Object.assign(last.change, { by: "container", text: `the new ${text}, whose type it is` });
  }

  #counted(columns: EventColumns, row: number, ledger: Ledger, round: Round | undefined, before: number): void {
    const location = columns.location[row]!;
    const up = columns.kind[row] === Kind.incref;
    const place = this.#places.at(location);
    const cFunction = this.#in.replay.names.cFunction(columns.site[row]!);
    const variable = place.own ? variableOf(place, up, cFunction) : undefined;
    if (variable !== undefined) ledger.names.add(variable);
    if (!round) {
      if (!up) this.#takeLeaving(location, ledger.address, false);
      return;
    }
    const open = ledger.rounds.findLast((one) => one.round === round);
    const doings = this.#doings;
    const { dying, gone } = doings;
    const instance = up || gone.length === 0 ? -1 : gone.findIndex((one) => one.typeAddress === ledger.address);
    const circumstances: Circumstances = {
      opcode: place.own ? place.opcode : null,
      names: place.names,
      part: place.part,
      cFunction,
      type: this.#in.replay.names.type(ledger.type),
      unsets: place.unsets,
      library: place.own ? null : place.function,
      collecting: this.#collection.running && this.#collection.location === location,
      leaving:
        up || DESTRUCTOR.test(cFunction ?? "")
          ? undefined
          : this.#takeLeaving(location, ledger.address, cFunction === null && dying[0]?.type === "dict"),
      dying,
      firstDied: doings.firstDied,
      itself: dying.some(({ object }) => object === ledger.object),
      instance: gone[instance],
      born: doings.born?.address === ledger.address ? undefined : doings.born,
      named: (name) =>
        this.#lastNamed.get(place.function === "<module>" ? name : `${place.function}.${name}`) === `#${ledger.object}`,
      typeOf: (name) =>
        (place.function === "<module>" ? undefined : this.#lastTypes.get(`${place.function}.${name}`)) ??
        this.#lastTypes.get(name),
      onStack: (open ?? earlierOf(ledger, round))?.onStack ?? 0,
    };
    let reason = up ? whyUp(circumstances) : whyDown(circumstances);
    if (instance >= 0) gone.splice(instance, 1);
    const byC = place.own && HOLDING.test(place.opcode ?? "") && cFunction !== EVAL;
    // What dies in the meantime gives references up as well, by functions without a name.
    const appended = up && place.own ? whyAppended(circumstances) : undefined;
    const taken = byC && up ? this.#takenTwice(ledger, circumstances) : undefined;
    const givesBack = byC && !up && !pops(circumstances) && dying.length === 0 && UNSURE.has(reason.by);
    if (givesBack && this.#givesBack(ledger, cFunction)) reason = whyHeld(circumstances);
    const { by, text } = appended ?? taken ?? reason;
    const change: MutableChange = {
      event: columns.first + row,
      delta: up ? 1 : -1,
      by,
      text,
      after: countOf(ledger.count),
    };
    this.#change(ledger, round, before, change, (taken ?? reason).stack);
    if (up) this.#noteUp(ledger, change, location);
    if (appended) {
      doings.used = true;
      doings.appended ??= [];
      doings.appended.push({ change, otherwise: { by: reason.by, text: reason.text } });
    }
    // What an attribute keeps is no reference of C code.
    if (byC && up && reason.stack === 0 && reason.by !== "attribute") {
      doings.used = true;
      doings.held ??= new Map();
      const held = doings.held.get(ledger) ?? [];
      doings.held.set(ledger, held);
      if (held.length < MOST_HELD) held.push({ change, cFunction });
    }
    const freeing = dying.find(({ heapType }) => heapType);
    const unnamed = cFunction === null || cFunction === "PyObject_ClearManagedDict";
    if (!up && freeing && unnamed && reason.by !== "freed" && instance < 0)
      this.#unsettled.push({ change, dying: freeing });
  }

  #noteUp(ledger: Ledger, change: MutableChange, location: number): void {
    const ups = this.#ups.get(ledger) ?? [];
    this.#ups.set(ledger, ups);
    if (ups.push({ change, location }) > MOST_HELD) ups.shift();
    // What is unpacked was held by what the loop's iterator gave.
    const open = change.text === UNPACKED ? ledger.rounds.at(-1) : undefined;
    const next = open?.changes.findLast(({ text }) => text === NEXT_VALUE);
    if (!open || !next) return;
    Object.assign(next, { by: "item", text: "element of the loop's next value" });
    open.onStack = Math.max(0, open.onStack - 1);
  }

  /** What C code took before in the same call turns out to be for a dict, and this for what the call gives. */
  #takenTwice(ledger: Ledger, circumstances: Circumstances): Reason | undefined {
    const before = this.#doings.held?.get(ledger)?.at(-1);
    if (!before || before.cFunction !== circumstances.cFunction) return undefined;
    const why = whySetDefault(circumstances);
    if (!why) return undefined;
    const wasGiven = before.change.by === "stack";
    Object.assign(before.change, { by: why.first.by, text: why.first.text });
    return wasGiven ? { ...why.second, stack: 0 } : why.second;
  }

  /** C code gives back what the same function took in the same instruction: both were for a moment, whatever the first seemed to be. */
  #givesBack(ledger: Ledger, cFunction: string | null): boolean {
    const held = this.#doings.held?.get(ledger);
    const at = held?.findLastIndex((one) => one.cFunction === cFunction && one.change.by !== "argument") ?? -1;
    if (!held || at < 0) return false;
    for (const { change } of held.splice(at, 1)) Object.assign(change, { by: "c", text: "C code, for a moment" });
    return true;
  }

  #foundAt(columns: EventColumns, row: number): Maker | "named" {
    const place = this.#places.at(columns.location[row]!);
    if (!place.own) return "library";
    const kind = columns.kind[row]!;
    if (kind !== Kind.incref && kind !== Kind.decref) return "own";
    const cFunction = this.#in.replay.names.cFunction(columns.site[row]!);
    return variableOf(place, kind === Kind.incref, cFunction) === undefined ? "own" : "named";
  }

  /** Variables are given up from the last to the first (_PyFrame_ClearLocals, Python/frame.c). `falls`: or with a dict that one of them named. */
  #takeLeaving(location: number, address: number, falls: boolean): Circumstances["leaving"] {
    const leaving = this.#leaving;
    if (!leaving) return undefined;
    if (leaving.location === -1) leaving.location = location;
    if (leaving.location !== location) {
      this.#leaving = undefined;
      return undefined;
    }
    const { variables } = leaving;
    const isNext = variables.at(-1)?.address === address;
    if (!isNext && falls) return undefined;
    const at = isNext ? variables.length - 1 : variables.findLastIndex((variable) => variable.address === address);
    if (at < 0) return undefined;
    const [variable] = leaving.variables.splice(at, 1);
    return { function: leaving.function, name: variable!.name };
  }

  /** `note`: the count is not what it is now, and did not change. */
  #change(ledger: Ledger, round: Round | undefined, before: number, change: Change, stack: number, note = false): void {
    if (!round) return;
    let open = ledger.rounds.findLast((one) => one.round === round);
    if (!open) {
      open = {
        round,
        before,
        after: before,
        plus: 0,
        minus: 0,
        changes: [],
        leftOut: 0,
        onStack: 0,
        stackedBy: { offset: 0, opcode: "" },
        seen: before,
        elsewhere: 0,
      };
      // What an earlier part of the statement put onto the stack is there still.
      const earlier = earlierOf(ledger, round);
      if (earlier) {
        open.onStack = earlier.onStack;
        earlier.onStack = 0;
      }
      ledger.rounds.push(open);
    }
    if (!note) {
      open.elsewhere += before - open.seen;
      open.after = ledger.count;
      open.seen = ledger.count;
    }
    open.onStack = Math.max(0, open.onStack + stack);
    if (stack > 0) open.stackedBy = { offset: this.#place.offset, opcode: this.#place.opcode ?? "" };
    if (change.by !== "birth" && change.delta === 1) open.plus++;
    if (change.delta === -1) open.minus++;
    if (open.changes.length < MOST_CHANGES) open.changes.push(change);
    else open.leftOut++;
  }

  #dies(
    columns: EventColumns,
    row: number,
    ledger: Ledger | undefined,
    line: number | null,
    fold: (to: number) => Heap,
  ): void {
    const address = columns.address[row]!;
    const type = this.#in.replay.names.type(columns.a[row]!);
    const { dying } = this.#doings;
    if (!ledger && dying.length >= MOST_DYING) return;
    const heap = fold(row);
    const id = heap.idAt(address);
    const block = heap.blockOf(address)?.address ?? 0;
    const one: DyingObject = {
      type,
      text: `${type} #${id === 0 ? "?" : id}`,
      object: id,
      typeAddress: this.#typeAddress.get(columns.a[row]!) ?? 0,
      block,
      heapType: block !== 0 && this.#heapTypes.has(columns.a[row]!),
    };
    this.#doings.firstDied ??= one;
    this.#doings.used = true;
    dying.unshift(one);
    dying.length = Math.min(dying.length, MOST_DYING);
    if (!ledger) return;
    ledger.alive = false;
    ledger.ending = {
      event: columns.first + row,
      line,
      collection: this.#collection.running ? this.#collection.number : null,
      memory: "kept",
      reuse: null,
    };
    if (block !== 0) this.#waiting.set(block, ledger);
  }

  #freed(block: number): void {
    if (this.#unsettled.length > 0)
      this.#unsettled = this.#unsettled.filter(({ change, dying }) => {
        if (dying.block !== block) return true;
        if (change.by !== "scope") Object.assign(change, { by: "container", text: freedText(dying) });
        return false;
      });
    const { dying, gone } = this.#doings;
    if (dying.length > 0) {
      const at = dying.findIndex((one) => one.block === block);
      const [one] = at < 0 ? [] : dying.splice(at, 1);
      if (one?.heapType && gone.length < MOST_DYING) gone.push(one);
    }
    const ledger = this.#waiting.get(block);
    if (!ledger?.ending) return;
    ledger.ending.memory = "freed";
    if (this.#byAddress.get(ledger.address) === ledger) {
      this.#byAddress.delete(ledger.address);
      this.#drop(ledger);
    }
  }

  /** Before the event is folded. */
  #moved(from: number, to: number, heap: Heap): void {
    if (from === to) return;
    for (const offset of [0, 8, 16]) {
      const ledger = this.#byAddress.get(from + offset);
      if (!ledger || heap.blockOf(ledger.address)?.address !== from) continue;
      this.#byAddress.delete(from + offset);
      ledger.address = to + offset;
      this.#put(to + offset, ledger);
    }
  }
}

/** What a line that is visited once more in one round did to an object before. */
const earlierOf = ({ rounds }: Ledger, { phase, line, nth, function: of, depth }: Round): LedgerRound | undefined =>
  phase === "continued"
    ? rounds.findLast(
        ({ round }) => round.line === line && round.nth === nth && round.function === of && round.depth === depth,
      )
    : undefined;
