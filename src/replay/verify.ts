/**
 * Shows that a trace is exact, or where it is not: folds the stored events from the baseline to each audit and compares with what the
 * recorder read there from the interpreter's memory, object by object and block by block. On the way every chunk is decoded and
 * its checksum and running hash are compared, so a trace without audits is at least shown to be readable.
 *
 * Memory: the heap, one chunk and one audit.
 */
import { Failure } from "../base/failure.js";
import { type ChunkNumber, chunkNumber, type TypeId } from "../base/ids.js";
import { ChunkSource } from "../trace/chunk-source.js";
import type { EventColumns } from "../trace/events.js";
import type { AuditRow, TraceReader } from "../trace/reader.js";
import type { Audit } from "../trace/writer.js";
import { fitsRequest } from "./dlmalloc.js";
import { Heap } from "./heap.js";

/** One thing that the fold and the truth say differently. */
export interface Difference {
  /** Number of the audit. */
  readonly audit: number;
  /** The audit's event. */
  readonly event: number;
  readonly what:
    | "type"
    | "count"
    | "missing-object"
    | "extra-object"
    | "missing-block"
    | "extra-block"
    | "block-size"
    | "unknown-referent";
  readonly address: number;
  /** Type by the truth, or by the fold where the truth has no such object; null for blocks. */
  readonly type: string | null;
  /** What the interpreter's memory said. */
  readonly expected: string;
  /** What folding the events gave. */
  readonly found: string;
  /** Event of the birth of the object or block in the fold; -1 = baseline; null = it has none. */
  readonly birth: number | null;
}

export interface VerifyResult {
  /** At least one audit, and nothing differs anywhere. */
  readonly ok: boolean;
  /** Whether the recording was finished properly. */
  readonly complete: boolean;
  /** Events decoded and folded. */
  readonly events: number;
  readonly audits: number;
  /** Event of the last audit; null without one. */
  readonly lastAudit: number | null;
  /** Objects compared, summed over the audits. */
  readonly objectsChecked: number;
  readonly mismatches: number;
  /** Objects that an audit met by following references and that no event had announced. */
  readonly unknownReferents: number;
  readonly blocksChecked: number;
  readonly blockMismatches: number;
  /** Events about an object or a block that was not there, and the first of them. */
  readonly strayEvents: number;
  readonly firstStray: number | null;
  /**
   * At the last audit: objects that were deallocated and whose block is kept in use, such as by a free list. None is left when the
   * last audit is at the program's end: the last full collection of CPython's shutdown empties the free lists (gc_collect_main,
   * clear_freelists in Python/gc.c); `at` shows how many there were before.
   */
  readonly freeListed: number;
  /**
   * At the last audit: immortal objects of the interpreter's own data (static types, None, …) that no event announced and nothing is compared of.
   * A recording from the program's start has those in use by then in its baseline; null = the trace does not say.
   */
  readonly staticObjects: number | null;
  /** The first differences, in full. */
  readonly differences: readonly Difference[];
}

export interface VerifyOptions {
  /** Called after each chunk. */
  readonly progress?: (eventsDone: number, eventsInAll: number) => void;
  /** Most differences to return in full. */
  readonly limit?: number;
  /** Others who have use for the same pass. */
  readonly companions?: readonly Companion[];
}

/** Who goes along a fold from the first event to the last. */
export interface Companion {
  /** Every chunk, decoded. */
  chunk?(columns: EventColumns): void;
  /** Events before which the heap is wanted, ascending. */
  readonly moments?: readonly number[];
  /** The heap right before one of them; to be read, not kept. */
  heap?(heap: Heap): void;
}

export function verify(reader: TraceReader, options: VerifyOptions = {}): VerifyResult {
  const source = new ChunkSource(reader);
  try {
    return verifyChunks(reader, source, options);
  } finally {
    source.close();
  }
}

function verifyChunks(reader: TraceReader, source: ChunkSource, options: VerifyOptions): VerifyResult {
  const heap = Heap.from(reader.baseline(), alignmentOf(reader));
  const report = new Report(reader, options.limit ?? 20);
  const audits = reader.audits();
  let nextAudit = 0;
  let lastAudit: number | null = null;
  const companions = (options.companions ?? []).map((companion) => ({ companion, next: 0 }));

  /** The event before which somebody wants to see the heap next. */
  const nextStop = (): number =>
    companions.reduce(
      (stop, { companion, next }) => Math.min(stop, companion.moments?.[next] ?? Number.POSITIVE_INFINITY),
      audits[nextAudit]?.event ?? Number.POSITIVE_INFINITY,
    );
  const stopped = (): void => {
    while (audits[nextAudit]?.event === heap.next) {
      lastAudit = heap.next;
      report.compare(audits[nextAudit]!, heap);
      nextAudit++;
    }
    for (const one of companions) {
      for (; one.companion.moments?.[one.next] === heap.next; one.next++) one.companion.heap?.(heap);
    }
  };

  stopped();
  for (let chunk: number = 0; chunk < reader.chunks.length; chunk++) {
    const columns = source.get(chunkNumber(chunk));
    checkHash(reader, chunkNumber(chunk), reader.hashOf(chunkNumber(chunk), columns));
    let row = 0;
    for (let stop = nextStop(); stop <= columns.first + columns.count; stop = nextStop()) {
      const until = stop - columns.first;
      heap.apply(columns, row, until);
      row = until;
      stopped();
    }
    heap.apply(columns, row, columns.count);
    for (const { companion } of companions) companion.chunk?.(columns);
    options.progress?.(heap.next, reader.events);
  }
  if (nextAudit < audits.length) {
    throw new Failure(
      `${reader.path}: audit ${nextAudit} is at event ${audits[nextAudit]!.event}, but only ${heap.next} events are there`,
    );
  }

  const { strayEvents } = heap;
  return {
    ok:
      audits.length > 0 &&
      report.mismatches === 0 &&
      report.blockMismatches === 0 &&
      report.unknownReferents === 0 &&
      strayEvents === 0,
    complete: reader.meta.complete === true,
    events: heap.next,
    audits: audits.length,
    lastAudit,
    objectsChecked: report.objectsChecked,
    mismatches: report.mismatches,
    unknownReferents: report.unknownReferents,
    blocksChecked: report.blocksChecked,
    blockMismatches: report.blockMismatches,
    strayEvents,
    firstStray: heap.firstStray ?? null,
    freeListed: report.freeListed,
    staticObjects: reader.meta.staticObjects ?? null,
    differences: report.differences,
  };
}

function checkHash(reader: TraceReader, chunk: ChunkNumber, hash: number): void {
  const expected = reader.chunks[chunk]!.hash;
  if (hash === expected) return;
  throw new Failure(
    `${reader.path}: chunk ${chunk}: its events hash to ${hash}, expected ${expected}; the trace was changed: record again`,
  );
}

/** Counts what was compared and keeps the first differences. */
class Report {
  objectsChecked = 0;
  mismatches = 0;
  unknownReferents = 0;
  blocksChecked = 0;
  blockMismatches = 0;
  freeListed = 0;
  readonly differences: Difference[] = [];
  readonly #typeNames = new Map<number, string>();
  readonly #alignment: number;

  constructor(
    private readonly reader: TraceReader,
    private readonly limit: number,
  ) {
    this.#alignment = alignmentOf(reader);
  }

  compare({ id, event }: AuditRow, heap: Heap): void {
    const at = { audit: id, event };
    this.#compareObjects(at, heap);
    this.#compareBlocks(at, heap);
    const unknown = this.reader.auditUnknowns(id);
    this.unknownReferents += unknown.length;
    for (const { address, type, via } of unknown) {
      this.#add({
        ...at,
        what: "unknown-referent",
        address,
        type,
        expected: `an object, met from ${hex(via)}`,
        found: "no event announced it",
        birth: null,
      });
    }
  }

  #compareObjects(at: { audit: number; event: number }, heap: Heap): void {
    let met = 0;
    for (const part of this.reader.auditObjects(at.audit)) met += this.#compareObjectPart(at, part, heap);
    this.freeListed = 0;
    const told = met === heap.liveObjects ? undefined : this.#addresses(this.reader.auditObjects(at.audit));
    for (const object of heap.eachObject()) {
      if (!object.alive) this.freeListed++;
      if (!object.alive || !told || told.has(object.address)) continue;
      this.objectsChecked++;
      this.mismatches++;
      this.#add({
        ...at,
        what: "extra-object",
        address: object.address,
        type: this.#typeName(object.type),
        expected: "nothing there",
        found: `alive, count ${countText(object.count)}`,
        birth: object.birth,
      });
    }
  }

  /** Compares some of an audit's objects; returns how many of them are alive in the fold. */
  #compareObjectPart(
    at: { audit: number; event: number },
    { address, type, count, reached }: Audit["objects"],
    heap: Heap,
  ): number {
    let met = 0;
    for (let i = 0; i < address.length; i++) {
      const found = heap.objectAt(address[i]!);
      const alive = found?.alive === true;
      // What only the recorder's own list has may be a corpse in a free list; what is referred to must be alive.
      if (!alive && reached[i] === 0) continue;
      this.objectsChecked++;
      if (alive) met++;
      const typeName = this.#typeName(type[i]!);
      const difference = { ...at, address: address[i]!, type: typeName, birth: found?.birth ?? null };
      if (!alive) {
        this.mismatches++;
        this.#add({
          ...difference,
          what: "missing-object",
          expected: `alive, count ${countText(count[i]!)}`,
          found: found ? "deallocated" : "nothing there",
        });
        continue;
      }
      if (found.type === type[i] && found.count === count[i]) continue;
      this.mismatches++;
      if (found.type !== type[i]) {
        this.#add({ ...difference, what: "type", expected: typeName, found: this.#typeName(found.type) });
      }
      if (found.count !== count[i]) {
        this.#add({ ...difference, what: "count", expected: countText(count[i]!), found: countText(found.count) });
      }
    }
    return met;
  }

  #addresses(parts: Iterable<{ readonly address: Uint32Array }>): Set<number> {
    const all = new Set<number>();
    for (const { address } of parts) for (const at of address) all.add(at);
    return all;
  }

  #compareBlocks(at: { audit: number; event: number }, heap: Heap): void {
    let met = 0;
    const differs = (
      what: Difference["what"],
      address: number,
      expected: string,
      found: string,
      birth: number | null,
    ): void => {
      this.blockMismatches++;
      this.#add({ ...at, what, address, type: null, expected, found, birth });
    };
    const compare = (address: number, size: number): void => {
      this.blocksChecked++;
      const found = heap.blockAt(address);
      if (found) met++;
      if (!found) differs("missing-block", address, `${size} bytes held`, "nothing there", null);
      else if (!(found.held ? found.size === size : fitsRequest(found.size, size, this.#alignment))) {
        differs(
          "block-size",
          address,
          `${size} bytes held`,
          `${found.size} bytes ${found.held ? "held" : "requested"}`,
          found.birth,
        );
      }
    };
    for (const part of this.reader.auditBlocks(at.audit))
      for (let i = 0; i < part.address.length; i++) compare(part.address[i]!, part.size[i]!);
    if (met === heap.liveBlocks) return;
    const told = this.#addresses(this.reader.auditBlocks(at.audit));
    for (const { address, size, held, birth } of heap.eachBlock()) {
      if (told.has(address)) continue;
      this.blocksChecked++;
      differs("extra-block", address, "nothing there", `${size} bytes ${held ? "held" : "requested"}`, birth);
    }
  }

  #typeName(id: number): string {
    let name = this.#typeNames.get(id);
    if (name === undefined) {
      name = this.reader.type(id as TypeId)?.name ?? `type ${id}`;
      this.#typeNames.set(id, name);
    }
    return name;
  }

  #add(difference: Difference): void {
    if (this.differences.length < this.limit) this.differences.push(difference);
  }
}

/** Granularity of the recorded allocator's blocks: 8 where the trace does not say. */
export const alignmentOf = ({ meta }: TraceReader): number => meta.mallocAlignment ?? 8;

const hex = (address: number): string => `0x${address.toString(16)}`;

/** Counts above 2^31 are negative numbers on their way wrong: shown as such. */
const countText = (count: number): string => (count > 0x7fffffff ? `${count - 2 ** 32}` : `${count}`);
