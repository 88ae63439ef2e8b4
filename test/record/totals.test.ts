/**
 * Numbers that are kept twice must agree: the totals of the chunks and of the time series, counted by the encoder, with the fold over
 * the same events; and audits on the way, while the program runs.
 */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { Heap } from "../../src/replay/heap.js";
import { alignmentOf } from "../../src/replay/verify.js";
import { Kind } from "../../src/trace/events.js";
import { TraceReader } from "../../src/trace/reader.js";
import { emptied, exact, refledger, verified, withFolder } from "../support/recording.js";

const programs = resolve(import.meta.dirname, "../programs");

/** The truth of the last audit: live objects by type, and the bytes of their own blocks as the allocator holds them. */
function lastAudit(reader: TraceReader, heap: Heap): Map<number, { objects: number; bytes: number }> {
  const id = reader.audits().at(-1)!.id;
  const blocks = new Map<number, number>();
  for (const { address, size } of reader.auditBlocks(id)) address.forEach((at, i) => void blocks.set(at, size[i]!));
  const totals = new Map<number, { objects: number; bytes: number }>();
  for (const { address, type } of reader.auditObjects(id)) {
    address.forEach((at, i) => {
      if (heap.objectAt(at)?.alive !== true) return; // kept in a free list: no live object, but its block is there
      const known = totals.get(type[i]!) ?? { objects: 0, bytes: 0 };
      const bytes = blocks.get(at) ?? blocks.get(at - 8) ?? blocks.get(at - 16) ?? 0;
      totals.set(type[i]!, { objects: known.objects + 1, bytes: known.bytes + bytes });
    });
  }
  return totals;
}

/** After a realloc the fold knows the request and not what the allocator holds, which may be so many bytes more. */
const SLACK = 15;

/** Folds a trace and compares at every chunk's end; the last sample's totals by type are compared with the truth. */
function compareTotals(trace: string): { chunks: number; samples: number } {
  const reader = TraceReader.open(trace);
  const db = new Database(trace, { readonly: true });
  try {
    const heap = Heap.from(reader.baseline(), alignmentOf(reader));
    const resized = new Set<number>();
    let chunk = 0;
    for (const columns of reader.eachChunk()) {
      heap.apply(columns, 0, columns.count);
      for (let i = 0; i < columns.count; i++) if (columns.kind[i] === Kind.realloc) resized.add(columns.address[i]!);
      const { objects, bytes } = reader.chunks[chunk]!;
      expect({ chunk, objects }).toEqual({ chunk, objects: heap.liveObjects });
      let slack = 0;
      for (const { alive, address } of heap.eachObject())
        if (alive && [0, 8, 16].some((offset) => resized.has(address - offset))) slack += SLACK;
      expect(bytes - heap.liveBytes).toBeGreaterThanOrEqual(0);
      expect(bytes - heap.liveBytes).toBeLessThanOrEqual(slack);
      chunk++;
    }
    const last = db.prepare("SELECT event FROM samples ORDER BY id DESC LIMIT 1").pluck().get();
    expect(last).toBe(reader.events);
    const rows = db
      .prepare(
        "SELECT type, objects, bytes FROM series s WHERE sample = (SELECT max(sample) FROM series t WHERE t.type = s.type)",
      )
      .all() as { type: number; objects: number; bytes: number }[];
    for (const { type, ...totals } of rows)
      if (totals.objects <= 0) expect({ type, ...totals }).toEqual({ type, objects: 0, bytes: 0 });
    const told = rows.filter(({ objects }) => objects > 0).map(({ type, ...totals }) => [type, totals] as const);
    expect(new Map(told)).toEqual(lastAudit(reader, heap));
    const samples = db.prepare("SELECT id, event, wall FROM samples ORDER BY id").all() as {
      id: number;
      event: number;
      wall: number;
    }[];
    samples.forEach((sample, i) => {
      expect(sample.id).toBe(i);
      if (i === 0) return;
      expect(sample.event).toBeGreaterThan(samples[i - 1]!.event);
      expect(sample.wall).toBeGreaterThanOrEqual(samples[i - 1]!.wall);
    });
    return { chunks: chunk, samples: samples.length };
  } finally {
    db.close();
    reader.close();
  }
}

describe("totals", () => {
  it.each([
    ["finalizers-and-resurrection.py", []],
    ["classes-and-metaclasses.py", []],
    ["strings.py", []],
    ["type-churn.py", ["--from", "interpreter"]],
    ["lists.py", []],
  ])("of chunks and of the series are those of the fold: %s %j", (file, options) =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const cwd = emptied(join(folder, "work"));
      const ended = await refledger(["record", "--out", trace, ...options, join(programs, file)], { cwd });
      expect(ended.code).toBe(0);
      const { chunks, samples } = compareTotals(trace);
      expect(chunks).toBeGreaterThanOrEqual(1);
      expect(samples).toBeGreaterThan(5);
    }),
  );
});

describe("audits while a program runs", () => {
  it.each([
    [
      "that calls functions",
      "def work(i): return [str(i)] * 3\nwhile time.monotonic() < end: kept = [work(i) for i in range(2000)]",
    ],
    ["that calls none", "while time.monotonic() < end:\n  kept = [[i, {i: (i,)}] for i in range(2000)]"],
    ["that hardly does anything", "while time.monotonic() < end: pass"],
    [
      "that makes and destroys types",
      "while time.monotonic() < end:\n  kept = [type(f'T{i}', (), {})() for i in range(50)]",
    ],
  ])("are several and exact: a program %s", (_name, body) =>
    withFolder(async (folder) => {
      writeFileSync(join(folder, "p.py"), `import time\nend = time.monotonic() + 2.5\n${body}\n`);
      const ended = await refledger(["record", "--audit-every", "0.2", "p.py"], { cwd: folder });
      expect(ended).toMatchObject({ code: 0, out: "" });
      const result = await verified(join(folder, "p.trace.db"));
      expect(result).toMatchObject({ ...exact, complete: true });
      expect(result.audits).toBeGreaterThanOrEqual(4);
    }),
  );
});
