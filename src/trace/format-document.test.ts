import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { EVENT_KINDS } from "./events.js";
import { formatDocument } from "./format-document.js";
import { META_DOC, TABLES } from "./schema.js";

it("names every table, column, kind of event and fact, and both drawings", () => {
  const document = formatDocument();
  for (const { name, columns } of Object.values(TABLES)) {
    expect(document).toContain(`### ${name}\n`);
    for (const column of columns) expect(document).toContain(`| \`${column.name}\` | ${column.type}`);
  }
  for (const { name } of EVENT_KINDS) expect(document).toContain(`\`${name}\``);
  for (const key of Object.keys(META_DOC)) expect(document).toContain(`| \`${key}\` |`);
  expect(document.match(/Worked example/g)).toHaveLength(2);
});

it("is what is committed", () => {
  const committed = readFileSync(join(import.meta.dirname, "../../docs/trace-format.md"), "utf8");
  expect(committed === formatDocument(), "docs/trace-format.md is stale: npm run docs").toBe(true);
});
