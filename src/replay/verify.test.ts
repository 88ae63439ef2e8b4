import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execute, type SampleOptions, writeSample } from "../../test/support/sample-trace.js";
import { Failure } from "../base/failure.js";
import { Kind } from "../trace/events.js";
import { TraceReader } from "../trace/reader.js";
import { type VerifyResult, verify } from "./verify.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "refledger-test-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

let made = 0;
function verified(options: SampleOptions): VerifyResult {
  const path = join(folder, `${made++}.trace.db`);
  writeSample(path, options).close();
  const reader = TraceReader.open(path);
  try {
    return verify(reader);
  } finally {
    reader.close();
  }
}

describe("verify", () => {
  it("finds a correct trace exact, at every audit", () => {
    const result = verified({});
    expect(result).toMatchObject({
      ok: true,
      audits: 2,
      events: 6000,
      mismatches: 0,
      blockMismatches: 0,
      unknownReferents: 0,
      strayEvents: 0,
      differences: [],
    });
    expect(result.objectsChecked).toBeGreaterThan(40);
    expect(result.blocksChecked).toBeGreaterThan(4);
  });

  it("gives the same answer however the events are cut into chunks", () => {
    expect(verified({ chunks: 3, chunkEvents: 2000 }).ok).toBe(true);
    expect(verified({ chunks: 40, chunkEvents: 150 }).ok).toBe(true);
  });

  it.each([
    ["count", 1, 0, (a) => void a.objects.count[3]!++],
    ["type", 1, 0, (a) => void a.objects.type[3]!++],
    [
      "missing-object",
      1,
      0,
      (a) => {
        a.objects = {
          address: Uint32Array.of(0x50),
          type: Uint32Array.of(1),
          count: Uint32Array.of(1),
          reached: Uint32Array.of(1),
        };
      },
    ],
    ["block-size", 0, 1, (a) => void a.blocks.size.set([72])],
  ] as [string, number, number, NonNullable<SampleOptions["twist"]>][])(
    "says what differs: %s",
    (what, objects, blocks, twist) => {
      const result = verified({ twist });
      expect(result.ok).toBe(false);
      expect(result.mismatches).toBeGreaterThanOrEqual(objects);
      expect(result.blockMismatches).toBeGreaterThanOrEqual(blocks);
      expect(result.differences[0]!.what).toBe(what);
      expect(result.differences[0]!.expected).not.toBe(result.differences[0]!.found);
    },
  );

  it("does not ask for what only the recorder's own list has, such as a corpse in a free list", () => {
    const add =
      (reached: number): SampleOptions["twist"] =>
      (audit) => {
        const put = (column: Uint32Array, value: number): Uint32Array => Uint32Array.of(value, ...column);
        const { address, type, count } = audit.objects;
        audit.objects = {
          address: put(address, 8),
          type: put(type, 1),
          count: put(count, 0),
          reached: put(audit.objects.reached, reached),
        };
      };
    expect(verified({ twist: add(0)! }).ok).toBe(true);
    expect(verified({ twist: add(1)! })).toMatchObject({ ok: false, mismatches: 2 });
  });

  it("counts what the truth does not have: an object and a block too many", () => {
    const result = verified({
      twist: (audit) => {
        const { address, type, count, reached } = audit.objects;
        audit.objects = {
          address: address.subarray(1),
          type: type.subarray(1),
          count: count.subarray(1),
          reached: reached.subarray(1),
        };
        audit.blocks = { address: audit.blocks.address.subarray(1), size: audit.blocks.size.subarray(1) };
      },
    });
    expect(result).toMatchObject({ ok: false, mismatches: 2, blockMismatches: 2 });
    expect(result.differences.map(({ what }) => what)).toEqual([
      "extra-object",
      "extra-block",
      "extra-object",
      "extra-block",
    ]);
    expect(result.differences[0]).toMatchObject({ address: 0x100000, type: "int", birth: -1 });
  });

  it("reports unknown referents with where they were met", () => {
    const result = verified({
      twist: (audit) => {
        audit.unknown = [{ address: 0x44, type: "code", via: 0x100030 }];
      },
    });
    expect(result).toMatchObject({ ok: false, mismatches: 0, unknownReferents: 2 });
    expect(result.differences[0]).toMatchObject({
      address: 0x44,
      type: "code",
      expected: "an object, met from 0x100030",
    });
  });

  it("notices one lost event", () => {
    const result = verified({
      bend: (columns, chunk) => {
        const lost = columns.kind.indexOf(Kind.incref, 100);
        if (chunk === 0) columns.address[lost] = 0x100000 + 19 * 48;
      },
    });
    expect(result.ok).toBe(false);
    expect(result.differences.every(({ what }) => what === "count")).toBe(true);
  });

  it("without an audit it is not ok, but every event was folded", () => {
    expect(verified({ audits: false })).toMatchObject({
      ok: false,
      audits: 0,
      lastAudit: null,
      events: 6000,
      strayEvents: 0,
    });
  });

  it.each([
    ["UPDATE chunks SET hash = hash + 1 WHERE id = 1", /chunk 1: its events hash to \d+, expected \d+/],
    ["UPDATE chunks SET crc = 0 WHERE id = 0", /chunk 0: its checksum is \d+, expected 0; no event before it/],
    ["UPDATE audits SET event = 6001 WHERE id = 1", /audit 1 is at event 6001, but only 6000 events are there/],
  ])("refuses a trace that was tampered with: %s", (sql, message) => {
    const path = join(folder, `${made++}.trace.db`);
    writeSample(path);
    execute(path, sql);
    const reader = TraceReader.open(path);
    expect(() => verify(reader)).toThrow(message);
    expect(() => verify(reader)).toThrow(Failure);
    reader.close();
  });

  it("goes as far as an unfinished trace goes", () => {
    expect(verified({ finish: false })).toMatchObject({ ok: true, complete: false, events: 6000 });
  });
});
