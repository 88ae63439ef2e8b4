/** The course's pages show what the programs and commands print today: nothing in docs/memory-model or traces/expected is out of date. */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../support/recording.js";

const root = resolve(import.meta.dirname, "../..");
const course = join(root, "docs/memory-model");
const chapters = readdirSync(join(course, "en")).filter((name) => /^\d\d-/.test(name));

describe("docs/memory-model", () => {
  it("has the same chapters in both languages, with the same output in them", () => {
    expect(chapters).toHaveLength(8);
    expect(readdirSync(join(course, "zh-CN"))).toEqual(readdirSync(join(course, "en")));
    const blocks = (language: string, name: string) =>
      readFileSync(join(course, language, name), "utf8").match(/<!-- (output|code): .+? -->/g);
    for (const name of chapters) expect(blocks("zh-CN", name), name).toEqual(blocks("en", name));
  });

  it("has in each chapter the numbers of one recording, in both languages the same", () => {
    const whole = /<!-- (output|code): .+? -->\n[\s\S]*?<!-- \/\1 -->/g;
    const bodies = (language: string, name: string) => readFileSync(join(course, language, name), "utf8").match(whole);
    for (const name of chapters) expect(bodies("zh-CN", name), name).toEqual(bodies("en", name));
    for (const [name, type] of [
      ["01-count-up.md", "Thing"],
      ["04-cycles.md", "Left"],
    ] as const) {
      const text = bodies("en", name)!.join("\n");
      const numbers = [...text.matchAll(new RegExp(`#(\\d+), ${type} at|\\b${type} #(\\d+)`, "g"))].map(
        ([, one, other]) => one ?? other,
      );
      expect(numbers.length, name).toBeGreaterThan(4);
      expect(new Set(numbers).size, `${name}: ${numbers.join(" ")}`).toBe(1);
    }
  });

  for (const name of chapters) {
    it(`${name}: its output, programs and picture are current`, async () => {
      const checked = await run(process.execPath, [join(root, "traces/build.mjs"), "--check", name.slice(0, 2)], {
        timeout: 280_000,
      });
      expect(checked).toMatchObject({ code: 0, err: "" });
    }, 300_000);
  }
});
