/**
 * The state of the heap as packed columns and back: what `keyframes.state` holds. Four lists of 32-bit columns, each packed by itself
 * (src/trace/packed.ts), objects in the order of their numbers, so that numbers, births and places are small differences:
 *
 *     facts    one row a fact: next (low, high word), born (2), frame, since (2, plus 1; 0 = none), generation + 1, reason + 1, collections,
 *              collected (2), peak bytes (2), peak event (2, plus 1), first stray (2, plus 1; 0 = none), stray by kind (2 each)
 *     objects  address, count, type, bytes, state (1 alive, 2 deallocated), birth + 1 (low, high), number (low, high), changes,
 *              location, stack
 *     blocks   address, size, held, domain, birth + 1 (low, high)
 *     calls    parent, code, location; row 0 is "no frame"
 *
 * Everything read back is checked as far as the fold relies on it: rows that point outside of a table end in a Failure.
 */
import { Failure } from "../base/failure.js";
import { KIND_COUNT } from "../trace/events.js";
import type { HeapState } from "./heap.js";

/** Columns of each list, in order. */
export const KEYFRAME_WIDTHS = [1, 12, 6, 3] as const;

const low = (n: number): number => n >>> 0;
const high = (n: number): number => Math.floor(n / 2 ** 32);
const lows = (numbers: Float64Array, plus: number): Uint32Array => {
  const words = new Uint32Array(numbers.length);
  for (let i = 0; i < words.length; i++) words[i] = low(numbers[i]! + plus);
  return words;
};
const highs = (numbers: Float64Array, plus: number): Uint32Array => {
  const words = new Uint32Array(numbers.length);
  for (let i = 0; i < words.length; i++) words[i] = high(numbers[i]! + plus);
  return words;
};
const doubles = (lower: Uint32Array, upper: Uint32Array, plus: number): Float64Array => {
  const numbers = new Float64Array(lower.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = lower[i]! + upper[i]! * 2 ** 32 - plus;
  return numbers;
};

export function keyframeLists(state: HeapState): Uint32Array[][] {
  const { objects: o, blocks: b, nodes, collector: c } = state;
  const facts: number[] = [];
  const wide = (n: number): void => void facts.push(low(n), high(n));
  wide(state.next);
  wide(state.born);
  facts.push(state.frame);
  wide((c.since ?? -1) + 1);
  facts.push((c.generation ?? -1) + 1, (c.reason ?? -1) + 1, c.started);
  wide(c.collected);
  wide(state.peakBytes);
  wide(state.peakAt + 1);
  wide((state.firstStray ?? -1) + 1);
  for (const n of state.stray) wide(n);
  return [
    [Uint32Array.from(facts)],
    [
      o.address,
      o.count,
      o.type,
      o.bytes,
      Uint32Array.from(o.state),
      lows(o.birth, 1),
      highs(o.birth, 1),
      lows(o.id, 0),
      highs(o.id, 0),
      o.changes,
      o.location,
      o.stack,
    ],
    [b.address, b.size, Uint32Array.from(b.held), Uint32Array.from(b.domain), lows(b.birth, 1), highs(b.birth, 1)],
    [nodes.parent, nodes.code, nodes.location],
  ];
}

export function stateOfLists(lists: readonly (readonly Uint32Array[])[], path: string, event: number): HeapState {
  const damaged = (what: string): Failure =>
    new Failure(`${path}: the keyframe at event ${event}: ${what}; the index is damaged: delete the rows of keyframes`);
  const [[facts], o, b, [parent, code, location]] = lists as [
    Uint32Array[],
    Uint32Array[],
    Uint32Array[],
    Uint32Array[],
  ];
  const stray = new Float64Array(KIND_COUNT);
  let at = 0;
  const narrow = (): number => facts![at++]!;
  const wide = (): number => {
    const lower = narrow();
    return lower + narrow() * 2 ** 32;
  };
  if (facts!.length !== 18 + 2 * KIND_COUNT) throw damaged(`${facts!.length} facts`);
  const next = wide();
  const born = wide();
  const frame = narrow();
  const since = wide() - 1;
  const generation = narrow() - 1;
  const reason = narrow() - 1;
  const started = narrow();
  const collected = wide();
  const peakBytes = wide();
  const peakAt = wide() - 1;
  const firstStray = wide() - 1;
  for (let kind = 0; kind < KIND_COUNT; kind++) stray[kind] = wide();
  if (next !== event) throw damaged(`is of event ${next}`);
  const nodes = parent!.length;
  if (nodes === 0 || frame >= nodes) throw damaged("its running frame is not there");
  for (let node = 1; node < nodes; node++) if (parent![node]! >= node) throw damaged("its call paths go in circles");
  if (o[11]!.some((stack) => stack >= nodes)) throw damaged("an object's call stack is not there");
  if (o[4]!.some((state) => state !== 1 && state !== 2)) throw damaged("an object is neither alive nor dead");
  return {
    next,
    born,
    objects: {
      address: o[0]!,
      count: o[1]!,
      type: o[2]!,
      bytes: o[3]!,
      state: Uint8Array.from(o[4]!),
      birth: doubles(o[5]!, o[6]!, 1),
      id: doubles(o[7]!, o[8]!, 0),
      changes: o[9]!,
      location: o[10]!,
      stack: o[11]!,
    },
    blocks: {
      address: b[0]!,
      size: b[1]!,
      held: Uint8Array.from(b[2]!),
      domain: Uint8Array.from(b[3]!),
      used: new Uint8Array(b[0]!.length).fill(1),
      birth: doubles(b[4]!, b[5]!, 1),
    },
    nodes: { parent: parent!, code: code!, location: location! },
    frame,
    collector: {
      since: since < 0 ? null : since,
      generation: generation < 0 ? null : generation,
      reason: reason < 0 ? null : reason,
      started,
      collected,
    },
    peakBytes,
    peakAt,
    stray,
    firstStray: firstStray < 0 ? undefined : firstStray,
  };
}
