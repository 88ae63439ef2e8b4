/**
 * Which references to an object are open. Counts do not say which reference a decref gives up; what took and what gives up a
 * reference mostly does: an instruction that stores (`STORE_ATTR`), a C function of a container (`list.append`), or the evaluation of an
 * expression, whose references are the evaluation stack's and the local variables'. So each reference that is taken is of a **kind**, by where it
 * went, and each that is given up too, by where it was: a tuple's destructor gives up what a tuple took, `del d[k]` what `d[k] = v` took, the end of a
 * function what an expression took. Among the references of the fitting kind one of the same line is taken, the latest; else of the same
 * function; else one that is older than the ledger; else the oldest, as a reference that is handed over is closed elsewhere than where it was
 * made. Only when none fits, one of another kind.
 *
 * The first of these rules is as good as certain; so is the only one of its kind, unless C code that is not known took others. All else is a
 * guess, and an open reference that may have been closed in the place of another by such a guess says so (`sure` false). How many are open
 * is always exact.
 */

/** Where a reference is held. `stack`: the evaluation stack or a local variable; `code`: C code that is not known. */
export type HeldBy = "stack" | "code" | "attribute" | "value" | "name" | "cell" | "list" | "tuple" | "set" | "deque";

export interface Open {
  readonly event: number;
  readonly kind: "birth" | "incref" | "setref";
  readonly location: number;
  readonly site: number;
  /** Function, file and line as one number. */
  readonly line: number;
  readonly function: string | null;
  readonly heldBy: HeldBy;
  /** Taken by an instruction that puts it on the evaluation stack. */
  readonly loaded: boolean;
}

/** What gives up a reference. */
export interface Closing {
  readonly line: number;
  readonly function: string | null;
  /** Where the reference was, the likeliest first; never empty. */
  readonly heldBy: readonly HeldBy[];
  /** A variable of a function gets another value, at the end of a statement: what that loaded and is open still went elsewhere. */
  readonly overwrites: boolean;
}

/** Instructions that leave a reference in a place, and where. What replaces a value gives up the old one of the same place. */
const INSTRUCTIONS: readonly (readonly [RegExp, HeldBy])[] = [
  [/^(STORE|DELETE)_ATTR$/, "attribute"],
  [/^((STORE|DELETE)_(SUBSCR|SLICE)|MAP_ADD|BUILD_MAP|DICT_(UPDATE|MERGE))$/, "value"],
  [/^((STORE|DELETE)_(NAME|GLOBAL))$/, "name"],
  [/^((STORE|DELETE)_DEREF|MAKE_CELL|COPY_FREE_VARS)$/, "cell"],
  [/^(LIST_APPEND|LIST_EXTEND|BUILD_LIST)$/, "list"],
  [/^(BUILD_TUPLE)$/, "tuple"],
  [/^(SET_ADD|SET_UPDATE|BUILD_SET)$/, "set"],
];
/** C functions of containers. Those of the evaluation loop say nothing: its instruction does. */
const C_FUNCTIONS: readonly (readonly [RegExp, HeldBy])[] = [
  // What is looked up goes to the evaluation stack; what is iterated over is the iterator's.
  [/^_?Py(Dict|List|Tuple)_(Get|Load)|\.(get|mp_subscript|sq_item|tp_iternext)$/, "stack"],
  [/\.(tp_iter|__reversed__)$/, "code"],
  [/^_?PyObject_ClearManagedDict$/, "attribute"],
  [/^(list\.|_?PyList_)/, "list"],
  [/^(tuple\.|_?PyTuple_)/, "tuple"],
  [/^(dict\.|_?PyDict_)/, "value"],
  [/^((frozen)?set\.|_?PySet_)/, "set"],
  [/^(collections\.)?deque\./, "deque"],
  [/^cell\./, "cell"],
];
const EVALUATION = /^(_PyEval_|_PyFrame_|PyStackRef_|_PyTuple_FromStackRef)/;

/** Whether a C function is part of the evaluation loop; null = one without a name, which the loop is not. */
export const isEvaluation = (cFunction: string | null): boolean => cFunction !== null && EVALUATION.test(cFunction);

/** Whether a C function is the end of a container, which gives up what is in it. */
export const isContainersEnd = (cFunction: string | null): boolean =>
  cFunction !== null && /^(list|tuple|dict|set|frozenset)\.tp_dealloc$/.test(cFunction);

const firstOf = (rules: readonly (readonly [RegExp, HeldBy])[], text: string): HeldBy | undefined =>
  rules.find(([rule]) => rule.test(text))?.[1];

/** Where a reference goes that this instruction took, in this C function (null = none that has a name). */
export function takenFor(opcode: string | null, cFunction: string | null): HeldBy {
  if (cFunction !== null && !EVALUATION.test(cFunction)) return firstOf(C_FUNCTIONS, cFunction) ?? "code";
  return firstOf(INSTRUCTIONS, opcode ?? "") ?? "stack";
}

/**
 * Where a reference was that this instruction gave up. `afterTaking`: the event before on the same object took one in the very same
 * instruction, which moved the evaluation stack's reference into a place: the stack's own goes.
 */
export function givenUpBy(opcode: string | null, cFunction: string | null, afterTaking: boolean): readonly HeldBy[] {
  const held = takenFor(opcode, cFunction);
  if (held === "code") return ["code", "stack"];
  if (held === "stack" || (afterTaking && (cFunction === null || EVALUATION.test(cFunction)))) return ["stack", "code"];
  // What a module's name had was put there by a function of dictionaries.
  if (held === "name") return ["name", "value"];
  // `a[i] = v` and `del a[i]` are of lists and of dicts.
  return held === "value" && /SUBSCR|SLICE/.test(opcode ?? "") ? ["value", "list"] : [held];
}

/** References, closed ones among them, that are looked at for the value that a variable had before. */
const MOST_LOOKED = 32;

/** Whether an instruction puts what it takes on the evaluation stack; whether it gives up what a variable had, or the exception that was handled. */
export const isLoad = (opcode: string | null): boolean => opcode?.startsWith("LOAD_") === true;
export const isOverwriting = (opcode: string | null): boolean => /^(STORE_FAST|POP_EXCEPT)/.test(opcode ?? "");

/** Open references of one kind. */
interface Bucket {
  size: number;
  /** Indices, ascending; those that are closed already are passed over. */
  readonly queue: number[];
  oldest: number;
  readonly byLine: Map<number, number[]>;
  readonly byFunction: Map<string | null, number[]>;
  /** References made before this index may have been taken for another one. */
  guessedBefore: number;
}

/** The references that are open, found by kind, line, function and age; closing one costs the same however many there are. */
export class OpenList {
  #all: (Open | undefined)[] = [];
  readonly #buckets = new Map<HeldBy, Bucket>();
  size = 0;

  push(open: Open): void {
    const index = this.#all.push(open) - 1;
    let bucket = this.#buckets.get(open.heldBy);
    if (!bucket) {
      bucket = { size: 0, queue: [], oldest: 0, byLine: new Map(), byFunction: new Map(), guessedBefore: 0 };
      this.#buckets.set(open.heldBy, bucket);
    }
    this.size++;
    bucket.size++;
    bucket.queue.push(index);
    put(bucket.byLine, open.line, index);
    put(bucket.byFunction, open.function, index);
  }

  /** `elsewhere`: references that are not in this list, older than all that are. */
  close({ line, function: name, heldBy, overwrites }: Closing, elsewhere: number): void {
    const fitting = heldBy.flatMap((kind) => this.#buckets.get(kind) ?? []);
    if (overwrites && heldBy[0] === "stack" && this.#takeOverwritten(this.#buckets.get("stack"), line)) return;
    for (const bucket of fitting) if (this.#take(bucket, bucket.byLine.get(line))) return;
    const candidates = fitting.reduce((sum, { size }) => sum + size, 0);
    const unknown = heldBy.includes("code") ? 0 : (this.#buckets.get("code")?.size ?? 0);
    if (candidates + unknown + elsewhere > 1) for (const bucket of fitting) bucket.guessedBefore = this.#all.length;
    for (const bucket of fitting) if (this.#take(bucket, bucket.byFunction.get(name))) return;
    if (elsewhere > 0) return;
    for (const bucket of fitting) if (this.#takeOldest(bucket)) return;

    const others = [...this.#buckets.values()].filter((bucket) => !fitting.includes(bucket));
    if (this.size > 1) for (const bucket of others) bucket.guessedBefore = this.#all.length;
    for (const bucket of others) if (this.#take(bucket, bucket.byLine.get(line))) return;
    for (const bucket of others) if (this.#take(bucket, bucket.byFunction.get(name))) return;
    const oldest = others.filter(({ size }) => size > 0).sort((x, y) => this.#eldest(x) - this.#eldest(y))[0];
    if (oldest) this.#takeOldest(oldest);
  }

  #take(bucket: Bucket, indices: number[] | undefined): boolean {
    for (let index = indices?.pop(); index !== undefined; index = indices!.pop()) {
      if (this.#all[index] === undefined) continue;
      this.#remove(bucket, index);
      return true;
    }
    return false;
  }

  /** Takes the latest one that this line did not load; a guess where there are several. */
  #takeOverwritten(bucket: Bucket | undefined, line: number): boolean {
    const queue = bucket?.queue ?? [];
    let latest: number | undefined;
    for (let i = queue.length - 1; i >= 0 && i >= queue.length - MOST_LOOKED; i--) {
      const open = this.#all[queue[i]!];
      if (open === undefined || (open.line === line && open.loaded)) continue;
      if (latest === undefined) latest = queue[i]!;
      else {
        bucket!.guessedBefore = this.#all.length;
        break;
      }
    }
    if (latest !== undefined) this.#remove(bucket!, latest);
    return latest !== undefined;
  }

  /** Index of the oldest open one; the end if there is none. */
  #eldest(bucket: Bucket): number {
    const { queue } = bucket;
    while (bucket.oldest < queue.length && this.#all[queue[bucket.oldest]!] === undefined) bucket.oldest++;
    return queue[bucket.oldest] ?? this.#all.length;
  }

  #takeOldest(bucket: Bucket): boolean {
    const index = this.#eldest(bucket);
    if (index >= this.#all.length) return false;
    this.#remove(bucket, index);
    return true;
  }

  #remove(bucket: Bucket, index: number): void {
    this.#all[index] = undefined;
    bucket.size--;
    this.size--;
  }

  clear(): void {
    this.#all = [];
    this.#buckets.clear();
    this.size = 0;
  }

  /** Oldest first. */
  list(): (Open & { sure: boolean })[] {
    return this.#all.flatMap((open, i) =>
      open ? [{ ...open, sure: i >= this.#buckets.get(open.heldBy)!.guessedBefore }] : [],
    );
  }
}

function put<K>(map: Map<K, number[]>, key: K, value: number): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
