/**
 * Holds the events of a second run against a trace. Hashes are compared at the ends of the trace's chunks, wherever the second run
 * flushes; only when one differs are the chunk's events looked at one by one. For that, the events of the chunk under way are kept.
 * Where the run is held in the middle of a chunk, what has come since it was last held there is compared in the same way.
 */
import { chunkNumber, codeId, locationId } from "../base/ids.js";
import { createColumns, type EventColumns, hashEvents, kindRow } from "../trace/events.js";
import type { TraceReader } from "../trace/reader.js";
import type { Divergence } from "./messages.js";

const FIELDS = ["kind", "site", "location", "address", "a", "b"] as const;

export class EventComparer {
  readonly #reader: TraceReader;
  readonly #kept: EventColumns;
  /** Rows of what is kept that were compared already. */
  #compared = 0;
  #stored: EventColumns | undefined;
  #chunk = 0;
  #hash = 0;
  /** Events of the second run so far. */
  events = 0;

  constructor(reader: TraceReader) {
    this.#reader = reader;
    this.#kept = createColumns(reader.chunkCapacity);
  }

  /** Takes the next events; says from where on they differ. Events may follow the trace's last only if it is incomplete. */
  take(columns: EventColumns): Divergence | undefined {
    for (let from = 0; from < columns.count; ) {
      const chunk = this.#reader.chunks[this.#chunk];
      if (!chunk) return { event: this.events, expected: null, found: this.#text(columns, from) };
      const kept = this.#kept;
      const to = Math.min(columns.count, from + chunk.last + 1 - this.events);
      for (const field of FIELDS) kept[field].set(columns[field].subarray(from, to), kept.count);
      kept.count += to - from;
      this.events += to - from;
      from = to;
      if (this.events <= chunk.last) continue;
      this.#hash = hashEvents(kept, this.#hash);
      if (this.#hash !== chunk.hash) return this.#firstDifference();
      kept.count = 0;
      this.#compared = 0;
      this.#chunk++;
    }
    return undefined;
  }

  /** Compares what was kept of the chunk under way: whether everything up to here was the same. */
  settle(): Divergence | undefined {
    return this.#compared === this.#kept.count ? undefined : this.#firstDifference(true);
  }

  /** The second run is over; a complete trace must be, too. */
  finish(): Divergence | undefined {
    const settled = this.settle();
    if (settled || this.events >= this.#reader.events) return settled;
    const stored = this.#read();
    return { event: this.events, expected: this.#text(stored, this.events - stored.first), found: null };
  }

  #read(): EventColumns {
    const chunk = chunkNumber(this.#chunk);
    this.#stored ??= createColumns(this.#reader.chunkCapacity);
    const { first } = this.#reader.chunks[chunk]!;
    if (this.#stored.count === 0 || this.#stored.first !== first) this.#reader.readChunk(chunk, this.#stored);
    return this.#stored;
  }

  #firstDifference(mayBeNone = false): Divergence | undefined {
    const stored = this.#read();
    const kept = this.#kept;
    const differs = firstDifferentRow(stored, kept, this.#compared);
    if (differs !== undefined)
      return { event: stored.first + differs, expected: this.#text(stored, differs), found: this.#text(kept, differs) };
    this.#compared = kept.count;
    if (mayBeNone) return undefined;
    const { hash } = this.#reader.chunks[this.#chunk]!;
    return {
      event: stored.first + kept.count - 1,
      expected: `events with the hash ${hash}, as the trace says of chunk ${this.#chunk}`,
      found: `the same events, whose hash is ${this.#hash}`,
    };
  }

  #text(columns: EventColumns, i: number): string {
    const row = kindRow(columns.kind[i]!);
    const words: string[] = [row.name];
    if (row.address) words.push(`0x${columns.address[i]!.toString(16)}`);
    if (row.a) words.push(`${row.a.name} ${columns.a[i]}`);
    if (row.b) words.push(`${row.b.name} ${columns.b[i]}`);
    const location = this.#reader.location(locationId(columns.location[i]!));
    const code = location && this.#reader.code(codeId(location.code));
    words.push(
      code ? `at ${code.qualname} (${code.file}:${location.line ?? "?"})` : `at location ${columns.location[i]}`,
    );
    words.push(`site ${columns.site[i]}`);
    return words.join(" ");
  }
}

/** From `from` on, as far as `found` goes. */
function firstDifferentRow(stored: EventColumns, found: EventColumns, from: number): number | undefined {
  const columns = FIELDS.map((field) => [stored[field], found[field]] as const);
  let first = found.count;
  for (const [one, other] of columns) {
    let i = from;
    while (i < first && one[i] === other[i]) i++;
    first = i;
  }
  return first < found.count ? first : undefined;
}
