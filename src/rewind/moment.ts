/**
 * The variables of a program at one event, read from the stopped interpreter's memory and nothing else: what the module's globals
 * and the locals of every running function of the program refer to, and on request the objects that can be reached from there.
 *
 * The last assignment on a line may change no count: it comes after the line's last event, which is where the run is held. So a moment
 * can be settled: read again between the bytecodes that follow, as long as they are of the same line of the same frame and no event has happened.
 *
 * A function's frame leaves the stack before its variables are cleared. So a frame can be asked for by its address as well: right after its `return` it is unlinked but still whole.
 */
import { EdgeKind, GraphReader } from "../interpreter/graph.js";
import type { HeapReader } from "../interpreter/heap-reader.js";
import { objectLabel } from "../interpreter/labels.js";
import type { Probe } from "../interpreter/probe.js";

export interface MomentQuestion {
  /** Files (`co_filename`) whose functions count as the program's. */
  readonly files: readonly string[];
  /** Address of a frame that was left with the latest event; 0 = none. */
  readonly left: number;
  /** Objects of the graph at most; 0 = no graph. */
  readonly objects: number;
  /**
   * Also what the line under way goes on to do without an event: `x = T()` in a function moves a reference to `x`, and nothing is counted. The
   * run goes on to the next event for that, and is held there.
   */
  readonly settled?: boolean;
}

export interface Variable {
  readonly name: string;
  /** Address of the object. */
  readonly address: number;
  /** Address of the closure's cell that is between the two; 0 = none. */
  readonly cell: number;
  /** The frame has it on loan from its caller: the reference is not counted. */
  readonly borrowed: boolean;
  /** A short text for it, as Python would write it: `42`, `'text'`, `<Node>`. */
  readonly text: string;
}

export interface MomentFrame {
  readonly address: number;
  /** Qualified name. */
  readonly function: string;
  readonly file: string;
  readonly variables: readonly Variable[];
}

export interface MomentEdge {
  readonly source: number;
  readonly target: number;
  /** How Python reaches the target from the source: `[0]`, `['k']`, `.next`. */
  readonly text: string;
  readonly counted: boolean;
}

export interface Moment {
  /** Events that had happened. */
  readonly event: number;
  /** Running functions of the program, the outermost first; module code is not among them. */
  readonly frames: readonly MomentFrame[];
  /** The frame that was asked for by address. */
  readonly left: MomentFrame | null;
  /** Address of the innermost running frame of any file; 0 = none. */
  readonly innermost: number;
  readonly globals: readonly Variable[];
  /** References of the objects that were followed. */
  readonly edges: readonly MomentEdge[];
  /** Objects that were met and not followed any more. */
  readonly more: boolean;
}

/** Offset of `ob_ref` in a cell, and of `md_dict` in a module (32-bit). */
const CELL_CONTENTS = 8;
const MODULE_DICT = 8;
/** Low bits of a stack reference: 3 = a tagged integer, 1 = borrowed. */
const STACK_TAG = 3;
/** Names that the compiler and the import system make: `__name__`, `__classdict__`, `.0`. */
const INTERNAL = /^(__.*__|\..*)$/;
/** Frames and variables that are looked at. */
const MOST_FRAMES = 200;
const MOST_VARIABLES = 500;
/** What belongs to modules, classes and functions is the interpreter's furniture: objects of these types are not followed. */
const NOT_FOLLOWED = new Set(["module", "type", "function", "code", "builtin_function_or_method", "frame"]);

export function readMoment(
  probe: Probe,
  heap: HeapReader,
  event: number,
  question: MomentQuestion,
  visitor: (visitor: { visit(object: number): void } | undefined) => void,
): Moment {
  const { offsets, currentThread, codeType } = probe.plan.layout;
  const files = new Set(question.files);
  const variable = (name: string, address: number, borrowed = false): Variable | undefined => {
    if (!probe.isLive(address)) return undefined;
    const isCell = heap.type(heap.typeOf(address)).name === "cell";
    const target = isCell ? heap.u32(address + CELL_CONTENTS) : address;
    if (!probe.isLive(target)) return undefined;
    return { name, address: target, cell: isCell ? address : 0, borrowed, text: objectLabel(heap, target) };
  };
  const frameAt = (frame: number): MomentFrame | undefined => {
    const code = (heap.u32(frame + offsets.frame.executable) & ~STACK_TAG) >>> 0;
    if (code === 0 || heap.typeOf(code) !== codeType) return undefined;
    const file = heap.text(heap.u32(code + offsets.code.filename)) ?? "?";
    const name = heap.text(heap.u32(code + offsets.code.qualname)) ?? "?";
    const variables: Variable[] = [];
    if (files.has(file)) {
      const names = heap.tupleItems(heap.u32(code + offsets.code.localsplusnames), MOST_VARIABLES);
      names.forEach((at, i) => {
        const name = heap.text(at) ?? "?";
        if (INTERNAL.test(name)) return;
        const word = heap.u32(frame + offsets.frame.localsplus + 4 * i);
        if ((word & STACK_TAG) === STACK_TAG) return;
        const found = variable(name, (word & ~STACK_TAG) >>> 0, (word & STACK_TAG) === 1);
        if (found) variables.push(found);
      });
    }
    return { address: frame, function: name, file, variables };
  };
  const thread = heap.u32(currentThread);
  const innermost = thread === 0 ? 0 : heap.u32(thread + offsets.thread.currentFrame);
  const frames: MomentFrame[] = [];
  for (let at = innermost, n = 0; at !== 0 && n < MOST_FRAMES; n++) {
    const frame = frameAt(at);
    if (frame && files.has(frame.file) && frame.function !== "<module>") frames.unshift(frame);
    at = heap.u32(at + offsets.frame.previous);
  }
  const left = question.left === 0 ? null : (frameAt(question.left) ?? null);
  const globals = globalsOf(probe, heap).flatMap(([name, address]) => variable(name, address) ?? []);
  const graph =
    question.objects === 0
      ? { edges: [], more: false }
      : reachable(
          probe,
          heap,
          [globals, ...frames.map(({ variables }) => variables)].flat().map(({ address }) => address),
          question.objects,
          visitor,
        );
  return { event, frames, left: left && files.has(left.file) ? left : null, innermost, globals, ...graph };
}

/** Names and objects in `__main__`, but for what the interpreter puts there. */
function globalsOf(probe: Probe, heap: HeapReader): [string, number][] {
  const { offsets, runtime } = probe.plan.layout;
  const interpreter = heap.u32(runtime + offsets.runtime.interpretersHead);
  const main = heap.dictItem(heap.u32(interpreter + offsets.interpreter.modules), "__main__");
  if (main === 0) return [];
  return heap.dictItems(heap.u32(main + MODULE_DICT), MOST_VARIABLES).flatMap(([key, value]): [string, number][] => {
    const name = heap.text(key);
    return name === undefined || INTERNAL.test(name) ? [] : [[name, value]];
  });
}

/** Breadth first from the variables' objects; what cannot be read to its end, being half built, has the references found so far. */
function reachable(
  probe: Probe,
  heap: HeapReader,
  from: readonly number[],
  most: number,
  visitor: (visitor: { visit(object: number): void } | undefined) => void,
): { edges: MomentEdge[]; more: boolean } {
  const edges: MomentEdge[] = [];
  const labels: string[] = [""];
  const seen = new Set(from);
  const queue = [...seen];
  const reader = new GraphReader(
    probe,
    heap,
    {
      edge: (source, target, kind, label) => {
        if (!probe.isLive(target) || kind === EdgeKind.type || kind === EdgeKind.key) return;
        edges.push({ source, target, text: edgeText(kind, label, labels), counted: kind !== EdgeKind.borrowed });
        if (seen.has(target)) return;
        seen.add(target);
        queue.push(target);
      },
      label: (text) => labels.push(text) - 1,
    },
    true,
  );
  visitor(reader);
  let i = 0;
  try {
    probe.aside(() => {
      for (; i < queue.length && i < most; i++)
        if (!NOT_FOLLOWED.has(heap.type(heap.typeOf(queue[i]!)).name)) reader.readOne(queue[i]!);
    });
  } finally {
    visitor(undefined);
  }
  return { edges, more: i < queue.length };
}

function edgeText(kind: number, label: number, labels: readonly string[]): string {
  if (kind === EdgeKind.item) return `[${label}]`;
  if (kind === EdgeKind.value) return `[${labels[label]}]`;
  if (kind === EdgeKind.attribute) return `.${labels[label]}`;
  if (kind === EdgeKind.member) return "member";
  if (kind === EdgeKind.local || kind === EdgeKind.temporary || kind === EdgeKind.borrowed) return labels[label] ?? "";
  return "field";
}
