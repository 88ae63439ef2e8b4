/**
 * Events with their names looked up: what `dump` prints and tests compare. Which type an incref meant is known only to who follows
 * the heap, so describing event N means folding everything before it; nothing is kept but the heap.
 */
import type { EventNumber } from "../base/ids.js";
import { codeId, eventNumber, locationId, siteId, typeId } from "../base/ids.js";
import {
  COLLECT_REASONS,
  DOMAINS,
  EVENT_KINDS,
  type EventColumns,
  type EventKindName,
  Kind,
  kindRow,
  type Operand,
} from "../trace/events.js";
import type { TraceReader } from "../trace/reader.js";
import { Heap } from "./heap.js";
import { cached } from "./names.js";
import { eachEventOf, originOf } from "./object-events.js";
import type { Replay } from "./replay.js";
import { alignmentOf } from "./verify.js";

export interface DescribedEvent {
  readonly event: number;
  readonly kind: EventKindName;
  /** Object or block; null where the kind has none. */
  readonly address: number | null;
  /** Name of the object's type; null for blocks, and where no object is known there. */
  readonly type: string | null;
  /** By the operand's name in the event table; what has a name is given by name, bytes and counts as numbers. */
  readonly operands: Readonly<Record<string, number | string>>;
  /** Qualified name of the Python function; null = no Python frame. So are file, line and opcode. */
  readonly function: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly opcode: string | null;
  /** The interpreter's C function; null = static, or not known. */
  readonly cFunction: string | null;
}

export interface EventFilter {
  /** First and last event, inclusive. */
  readonly from?: EventNumber;
  readonly to?: EventNumber;
  /** Only these kinds. */
  readonly kinds?: readonly EventKindName[];
  /** Only events about this address. */
  readonly address?: number;
}

/** The events that pass the filter, in order. */
export function* describeEvents(reader: TraceReader, filter: EventFilter = {}): Generator<DescribedEvent> {
  const from = filter.from ?? 0;
  const to = Math.min(filter.to ?? Number.POSITIVE_INFINITY, reader.events - 1);
  if (from > to) return;
  const wanted = new Uint8Array(EVENT_KINDS.length).fill(filter.kinds ? 0 : 1);
  for (const name of filter.kinds ?? []) wanted[Kind[name]] = 1;
  const heap = Heap.from(reader.baseline(), alignmentOf(reader));
  const describe = describer(reader, (at) => heap.objectAt(at)?.type);
  for (const columns of reader.eachChunk(eventNumber(0), eventNumber(to))) {
    const { kind, address, first } = columns;
    const stop = Math.min(columns.count, to - first + 1);
    let applied = 0;
    for (let row = Math.max(0, from - first); row < stop; row++) {
      if (wanted[kind[row]!] === 0) continue;
      if (filter.address !== undefined && (address[row] !== filter.address || !kindRow(kind[row]!).address)) continue;
      heap.apply(columns, applied, row);
      applied = row;
      yield describe(columns, row);
    }
    heap.apply(columns, applied, columns.count);
  }
}

/** The events of one object alone, by its number: nobody else's that stood at its address. */
export function* describeEventsOf(
  replay: Replay,
  id: number,
  { from = eventNumber(0), to = replay.end, kinds }: Omit<EventFilter, "address"> = {},
): Generator<DescribedEvent> {
  const origin = originOf(replay, id);
  let { type } = origin.object;
  const describe = describer(replay.reader, () => type);
  for (const { what, columns, row } of eachEventOf(replay, origin)) {
    const event = columns.first + row;
    if (what === "gone" || event > to) return;
    if (event >= from && (kinds?.includes(EVENT_KINDS[columns.kind[row]!]!.name) ?? true)) yield describe(columns, row);
    if (what === "type") type = columns.a[row]!;
  }
}

/** `typeAt`: the number of the type of who stands at an address; undefined where nobody does. */
function describer(
  reader: TraceReader,
  typeAt: (address: number) => number | undefined,
): (columns: EventColumns, row: number) => DescribedEvent {
  const typeName = cached((id) => (id === 0 ? "?" : (reader.type(typeId(id))?.name ?? `type ${id}`)));
  const codeName = cached((id) => (id === 0 ? "?" : (reader.code(codeId(id))?.qualname ?? `code ${id}`)));
  const place = cached((id) => {
    const location = id === 0 ? undefined : reader.location(locationId(id));
    const code = location && reader.code(codeId(location.code));
    return {
      function: code?.qualname ?? null,
      file: code?.file ?? null,
      line: location?.line ?? null,
      opcode: location?.opcode ?? null,
    };
  });
  const cFunction = cached((id) => {
    const site = id === 0 ? undefined : reader.site(siteId(id));
    return (site && reader.function(site.function)?.name) ?? null;
  });
  const named = ({ meaning }: Operand, value: number): number | string => {
    switch (meaning) {
      case "type":
        return typeName(value);
      case "code":
        return codeName(value);
      case "mark":
        return reader.markName(value) ?? `mark ${value}`;
      case "domain":
        return DOMAINS[value] ?? `domain ${value}`;
      case "reason":
        return COLLECT_REASONS[value] ?? `reason ${value}`;
      case "block":
        return `0x${value.toString(16)}`;
      default:
        return value;
    }
  };
  return ({ kind, site, location, address, a, b, first }, row) => {
    const code = kind[row]!;
    const spec = kindRow(code);
    const operands: Record<string, number | string> = {};
    if (spec.a) operands[spec.a.name] = named(spec.a, a[row]!);
    if (spec.b) operands[spec.b.name] = named(spec.b, b[row]!);
    const at = spec.address ? address[row]! : null;
    const told = code === Kind.new ? a[row]! : spec.address === "object" ? typeAt(at!) : undefined;
    return {
      event: first + row,
      kind: spec.name as EventKindName,
      address: at,
      type: told === undefined ? null : typeName(told),
      operands,
      ...place(location[row]!),
      cFunction: cFunction(site[row]!),
    };
  };
}
