/**
 * Holds the folded heap against the memory of an interpreter that is stopped at the same event: every live object must be there with the
 * very count and type, and no header may be there that the fold does not know. Only memory is read, so any event will do.
 */
import type { EventNumber } from "../base/ids.js";
import type { HeapReader } from "../interpreter/heap-reader.js";
import type { Probe } from "../interpreter/probe.js";
import { Heap } from "../replay/heap.js";
import { alignmentOf } from "../replay/verify.js";
import type { TraceReader } from "../trace/reader.js";

export interface HeapCheck {
  readonly event: number;
  /** Live objects that were compared. */
  readonly objects: number;
  /** Objects whose count or type differs, or that only one side has. */
  readonly differences: number;
  /** The first of them, at most ten, each in one line. */
  readonly examples: readonly string[];
}

const EXAMPLES = 10;

/** The heap after `event` events, from the trace alone. */
export function heapAt(reader: TraceReader, event: EventNumber): Heap {
  const heap = Heap.from(reader.baseline(), alignmentOf(reader));
  if (event > 0)
    for (const columns of reader.eachChunk(undefined, (event - 1) as EventNumber))
      heap.apply(columns, 0, Math.min(columns.count, event - columns.first));
  return heap;
}

/** `typeIdAt`: the trace's number of the type at an address now. */
export function checkHeap(
  heap: Heap,
  probe: Probe,
  memory: HeapReader,
  typeIdAt: (address: number) => number | undefined,
): HeapCheck {
  let objects = 0;
  let differences = 0;
  const examples: string[] = [];
  const differs = (address: number, what: string): void => {
    differences++;
    if (examples.length < EXAMPLES) examples.push(`0x${address.toString(16)}: ${what}`);
  };
  for (const { address, count, type, alive } of heap.eachObject()) {
    if (!alive) continue;
    objects++;
    const inMemory = memory.u32(address);
    const typeInMemory = typeIdAt(memory.typeOf(address));
    if (!probe.isLive(address)) differs(address, "alive in the trace, not in the interpreter");
    else if (inMemory !== count) differs(address, `count ${count} in the trace, ${inMemory} in memory`);
    else if (typeInMemory !== type) differs(address, `type ${type} in the trace, ${typeInMemory} in memory`);
  }
  for (const address of probe.headers())
    if (!probe.isDead(address) && heap.objectAt(address)?.alive !== true)
      differs(address, "alive in the interpreter, not in the trace");
  return { event: heap.next, objects, differences, examples };
}
