import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { syntheticProgram } from "../../test/support/synthetic-program.js";
import { createDecoder, createEncoder, MAX_SITE } from "./codec.js";
import { DamagedData } from "./compression.js";
import {
  createColumns,
  EVENT_KINDS,
  type EventColumns,
  FIELDS,
  HAS_A,
  HAS_ADDRESS,
  HAS_B,
  hashEvents,
  Kind,
} from "./events.js";

type Row = readonly [kind: number, site: number, location: number, address: number, a: number, b: number];

function columnsOf(rows: readonly Row[], capacity = rows.length): EventColumns {
  const columns = createColumns(capacity);
  columns.count = rows.length;
  rows.forEach(([kind, site, location, address, a, b], i) => {
    columns.kind[i] = kind;
    columns.site[i] = site;
    columns.location[i] = location;
    columns.address[i] = address;
    columns.a[i] = a;
    columns.b[i] = b;
  });
  return columns;
}

function rowsOf({ kind, site, location, address, a, b, count }: EventColumns): Row[] {
  return Array.from({ length: count }, (_, i) => [kind[i]!, site[i]!, location[i]!, address[i]!, a[i]!, b[i]!]);
}

const u32 = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 0xffffffff }));
const anyRow: fc.Arbitrary<Row> = fc
  .tuple(
    fc.integer({ min: 0, max: EVENT_KINDS.length - 1 }),
    fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: MAX_SITE - 1 })),
    u32,
    fc.oneof(
      fc.integer({ min: 0, max: 20 }).map((n) => 0x1000 + 8 * n),
      u32,
    ),
    u32,
    u32,
  )
  .map(([kind, site, location, address, a, b]) => {
    const fields = FIELDS[kind]!;
    return [
      kind,
      site,
      location,
      fields & HAS_ADDRESS ? address : 0,
      fields & HAS_A ? a : 0,
      fields & HAS_B ? b : 0,
    ] as const;
  });

describe("chunk codec", () => {
  it("encodes the worked example to the very bytes of the drawing", () => {
    const rows: Row[] = [
      [Kind.alloc, 3, 9, 0x1000, 24, 3],
      [Kind.incref, 7, 9, 0x1008, 0, 0],
      [Kind.incref, 7, 9, 0x1000, 0, 0],
    ];
    const plain = createEncoder().encodePlain(columnsOf(rows));
    expect(Buffer.from(plain).toString("hex")).toBe("03020003050703060402170705001201000100801004021803");
    const into = createColumns(3);
    createDecoder().decodePlain(plain, into);
    expect(rowsOf(into)).toEqual(rows);
  });

  it("gives back what it was given, whatever the events (property)", () => {
    const encoder = createEncoder();
    const decoder = createDecoder();
    const into = createColumns(300);
    fc.assert(
      fc.property(fc.array(anyRow, { maxLength: 300, size: "max" }), (rows) => {
        into.address.fill(0xdeadbeef);
        into.a.fill(1);
        decoder.decode(encoder.encode(columnsOf(rows, rows.length + 3)), into);
        expect(rowsOf(into)).toEqual(rows);
      }),
      { numRuns: 300 },
    );
  });

  it("gives back long runs of a program in at most 1.2 bytes an event", () => {
    const program = syntheticProgram(7);
    const columns = createColumns(100_000);
    const into = createColumns(100_000);
    const encoder = createEncoder();
    const decoder = createDecoder();
    for (let chunk = 0; chunk < 5; chunk++) {
      program(columns);
      const bytes = encoder.encode(columns);
      decoder.decode(bytes, into);
      expect(into.count).toBe(columns.count);
      for (const name of ["kind", "site", "location", "address", "a", "b"] as const) {
        expect(Buffer.compare(Buffer.from(into[name].buffer), Buffer.from(columns[name].buffer)), name).toBe(0);
      }
      expect(hashEvents(into, 5)).toBe(hashEvents(columns, 5));
      expect(bytes.length / columns.count).toBeLessThan(1.2);
    }
  });

  it("never takes damaged bytes for more than they are: DamagedData or events within bounds (property)", () => {
    const program = syntheticProgram(3);
    const columns = createColumns(400);
    program(columns);
    const plain = createEncoder().encodePlain(columns).slice();
    const decoder = createDecoder();
    const into = createColumns(400);
    let refused = 0;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(plain.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(plain.length - 1), { nil: undefined }),
        (flips, cut) => {
          const damaged = plain.slice(0, cut);
          for (const [at, bits] of flips) if (at < damaged.length) damaged[at]! ^= bits;
          try {
            decoder.decodePlain(damaged, into);
            expect(into.count).toBeLessThanOrEqual(400);
          } catch (error) {
            expect(error).toBeInstanceOf(DamagedData);
            refused++;
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(50);
  });

  it("refuses a chunk that is larger than the columns, and a frame that declares gigabytes", () => {
    const columns = createColumns(50);
    syntheticProgram(1)(columns);
    const bytes = createEncoder().encode(columns);
    expect(() => createDecoder().decode(bytes, createColumns(49))).toThrow(DamagedData);
    const bomb = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0xff, 0, 0, 0, 0, 1, 0, 0);
    expect(() => createDecoder().decode(bomb, createColumns(50))).toThrow(/at most/);
  });

  it("hashes every field and the order", () => {
    const row: Row = [Kind.new, 1, 2, 8, 3, 4];
    const hashes = new Set([hashEvents(columnsOf([row]), 0), hashEvents(columnsOf([row]), 1)]);
    for (let field = 0; field < 6; field++) {
      hashes.add(hashEvents(columnsOf([row.map((n, i) => (i === field ? n + 8 : n)) as unknown as Row]), 0));
    }
    hashes.add(hashEvents(columnsOf([row, [5, 0, 0, 8, 0, 0]]), 0));
    hashes.add(hashEvents(columnsOf([[5, 0, 0, 8, 0, 0], row]), 0));
    expect(hashes.size).toBe(10);
  });
});
