/** What a WHERE says of columns, said of parameters. */
import { describe, expect, it } from "vitest";
import { type Narrowable, narrowed } from "./sql-narrow.js";

const tables: readonly Narrowable[] = [
  {
    name: "events",
    parameters: ["first", "last", "kinds", "about"],
    narrowing: [
      { column: "event", range: ["first", "last"] },
      { column: "kind", words: { parameter: "kinds", known: ["new", "call"] } },
      { column: "object", value: "about" },
    ],
  },
  { name: "blocks", parameters: ["time"] },
];

describe("narrowed", () => {
  it.each([
    ["event = 5", ["first = 5", "last = 5"]],
    ["event == 5", ["first = 5", "last = 5"]],
    ["event > 5 AND event <= 9", ["first = 6", "last = 9"]],
    ["event >= 5 and 1 and event < 9 And event > 2", ["first = 5", "last = 8"]],
    ["event BETWEEN 5 AND 9 AND line = 3", ["first = 5", "last = 9"]],
    ["line BETWEEN 5 AND 9 AND event > 0", ["first = 1"]],
    ["kind = 'new'", ["kinds = 'new'"]],
    ["kind IN ('new', 'call') AND (line = 1 OR line = 2)", ["kinds = 'new,call'"]],
    ["\"kind\" = 'new' AND [object] = 7", ["kinds = 'new'", "about = 7"]],
    ["events.object = 7 AND NOT event > 5", ["about = 7"]],
    ["object = 7 GROUP BY line HAVING count(*) > 1 OR 1", ["about = 7"]],
    ["object = 7 -- to the end", ["about = 7"]],
    ["object = 7 /* AND */ ORDER BY event < 5", ["about = 7"]],
    ["function = 'it''s OR' AND object = 7", ["about = 7"]],
    ["event IN (SELECT event FROM blocks WHERE kind = 'new')", []],
    ["event = 5 OR kind = 'new'", []],
    ["CASE WHEN line AND event = 5 THEN 1 END", []],
    ["event = 5 + 3", []],
    ["event = '5'", []],
    ["event = 5.0 AND kind = 'birth' AND kind = \"new\"", []],
    ["event NOT BETWEEN 5 AND 9 AND kind NOT IN ('new')", []],
    ["event < 0", []],
    ["event >= -5", []],
    ["event = 1e3 AND event = 0x10", []],
    ["other.event = 5", []],
    ["object > 7 AND kind > 'new'", []],
    ["first = 3 AND event = 5", []],
    ["kind IN ('new', line)", []],
  ])("of %s", (where, wanted) => {
    const sql = `SELECT * FROM events WHERE ${where}`;
    const text = wanted.map((one) => ` AND "events"."${one.replace(" =", '" =')}`).join("");
    const at = /( -- |\/\*| GROUP| ORDER)/.exec(where)?.index ?? where.length;
    const end = sql.length - where.length + at;
    const trimmed = sql.slice(0, end).trimEnd().length;
    expect(narrowed(sql, tables)).toBe(sql.slice(0, trimmed) + text + sql.slice(trimmed));
  });

  it.each([
    ["SELECT * FROM blocks b, events AS e WHERE e.event = 5", ' AND "e"."first" = 5 AND "e"."last" = 5'],
    [
      "SELECT * FROM codes JOIN events E ON codes.id = E.a AND E.event = 4 WHERE e.kind = 'call'",
      ` AND "e"."kinds" = 'call'`,
    ],
    ["SELECT (SELECT count(*) FROM events WHERE object = 3)", ' AND "events"."about" = 3'],
    ["WITH x AS (SELECT * FROM events WHERE object = 3) SELECT * FROM x", ' AND "events"."about" = 3'],
    ["SELECT 1 FROM events WHERE object = 3 UNION SELECT 2 FROM blocks", ' AND "events"."about" = 3'],
    ["SELECT object FROM events WHERE object = 3 LIMIT 5;", ' AND "events"."about" = 3'],
  ])("in %s", (sql, more) => {
    const result = narrowed(sql, tables);
    expect(result.replace(more, "")).toBe(sql);
    expect(result).toContain(more);
  });

  it("of two cursors of one table each has its own", () => {
    expect(narrowed("SELECT 1 FROM events a, events b WHERE a.object = 1 AND b.object = 2", tables)).toBe(
      'SELECT 1 FROM events a, events b WHERE a.object = 1 AND b.object = 2 AND "b"."about" = 2 AND "a"."about" = 1',
    );
  });

  it.each([
    "WITH events AS (SELECT 5 AS event) SELECT * FROM events WHERE event = 5",
    "SELECT events.event FROM blocks AS events WHERE events.event = 5",
    "SELECT * FROM events(3) WHERE event = 5",
    "SELECT * FROM main.events WHERE event = 5",
    "SELECT event, events FROM blocks WHERE event = 5",
    "SELECT * FROM blocks WHERE event = 5",
    "SELECT * FROM (SELECT * FROM events) WHERE event = 5",
    "SELECT 'FROM events WHERE event = 5'",
    "SELECT * FROM events WHERE (event = 5",
    "SELECT * FROM events WHERE event = 5 AND",
    "SELECT * FROM events WHERE",
    "'",
    "",
  ])("leaves %s as it is", (sql) => {
    expect(narrowed(sql, tables)).toBe(sql);
  });
});
