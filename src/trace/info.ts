/** What a trace says about itself, as plain data: the facts of the recording and sums over its index. Decodes no events. */
import { statSync } from "node:fs";
import type { EventKindName } from "./events.js";
import type { TraceReader } from "./reader.js";
import { FORMAT_VERSION, type TraceMeta } from "./schema.js";

export interface TraceInfo {
  readonly trace: string;
  readonly format: number;
  /** ISO 8601, UTC; null where the recording did not get so far as to say. The same holds for the other nulls. */
  readonly created: string | null;
  readonly python: string | null;
  readonly program: TraceMeta["program"] | null;
  readonly argv: readonly string[];
  readonly cwd: string | null;
  readonly from: TraceMeta["from"] | null;
  readonly complete: boolean;
  /** Why the recording ended before the program did. */
  readonly stopped: string | null;
  /** The program's exit status; null = it did not end by itself. */
  readonly exitCode: number | null;
  /** Seconds; of an incomplete trace up to its last event. */
  readonly wallSeconds: number;
  readonly events: { readonly total: number } & Readonly<Record<EventKindName, number>>;
  /** Over the whole recording; 0 for one that took no time. */
  readonly eventsPerSecond: number;
  /** Stored bytes of the events alone, without names, files, baseline and audits; 0 without events. */
  readonly bytesPerEvent: number;
  readonly eventBytes: number;
  /** Size of the trace with everything, its WAL included. */
  readonly fileBytes: number;
  readonly chunks: number;
  readonly objects: {
    /** Alive before event 0. */
    readonly baseline: number;
    /** Alive after the last event, and bytes of their blocks. */
    readonly end: number;
    readonly endBytes: number;
  };
  /** Immortal objects of the interpreter's own data that are not in the recording; null = the trace does not say. */
  readonly staticObjects: number | null;
  readonly collections: number;
  readonly marks: number;
  readonly audits: number;
  readonly lastAudit: {
    readonly event: number;
    readonly wall: number;
    readonly objects: number;
    readonly blocks: number;
  } | null;
}

export function traceInfo(reader: TraceReader): TraceInfo {
  const { meta, chunks } = reader;
  const lastChunk = chunks[chunks.length - 1];
  const total = reader.events as number;
  const wallSeconds = meta.wallSeconds ?? (lastChunk?.wall_stop ?? 0) / 1000;
  const { eventBytes } = reader;
  const counts = reader.summary();
  const audits = reader.audits();
  const lastAudit = audits[audits.length - 1];
  const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return {
    trace: reader.path,
    format: meta.format ?? FORMAT_VERSION,
    created: meta.created ?? null,
    python: meta.python ?? null,
    program: meta.program ?? null,
    argv: meta.argv ?? [],
    cwd: meta.cwd ?? null,
    from: meta.from ?? null,
    complete: meta.complete === true,
    stopped: meta.stopped ?? null,
    exitCode: meta.exitCode ?? null,
    wallSeconds,
    events: { total, ...reader.countsByKind() },
    eventsPerSecond: wallSeconds > 0 ? total / wallSeconds : 0,
    bytesPerEvent: total > 0 ? eventBytes / total : 0,
    eventBytes,
    fileBytes: sizeOf(reader.path) + sizeOf(`${reader.path}-wal`),
    chunks: chunks.length,
    objects: {
      baseline: counts.baselineObjects,
      end: lastChunk?.objects ?? counts.baselineObjects,
      endBytes: lastChunk?.bytes ?? 0,
    },
    staticObjects: meta.staticObjects ?? null,
    collections: counts.collections,
    marks: counts.marks,
    audits: audits.length,
    lastAudit: lastAudit
      ? { event: lastAudit.event, wall: lastAudit.wall, objects: lastAudit.object_count, blocks: lastAudit.block_count }
      : null,
  };
}
