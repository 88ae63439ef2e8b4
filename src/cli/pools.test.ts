/** The command `pools`: what it prints, as JSON too, what it refuses, and what it escapes. */
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptied, refledger } from "../../test/support/recording.js";
import { writeSample } from "../../test/support/sample-trace.js";

const folder = join(tmpdir(), `refledger-pools-cli-${process.pid}`);
const trace = join(folder, "sample.trace.db");
const pools = (...words: string[]) => refledger(["pools", trace, ...words]);

beforeAll(() => {
  emptied(folder);
  writeSample(trace, { typeName: "\u001b[31mred\u202e" });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("free lists and the real heap, for people and for programs", async () => {
  const { out, code } = await pools();
  expect(code).toBe(0);
  expect(out).toMatch(/^free lists/);
  expect(out).toContain("the real heap    dlmalloc");
  const json = JSON.parse((await pools("--json")).out);
  expect(Object.keys(json)).toEqual(["from", "to", "python", "freeLists", "heap", "models", "fed", "findings"]);
  expect(json.to.event).toBe(6000);
  expect(json.models).toEqual([]);
});

test("models: one, and all side by side, called what they are", async () => {
  const one = await pools("--model", "3.10-64");
  expect(one.out).toMatch(/^A model, not what happened: .*\(Python 3\.14\.2, 32-bit\) has no pymalloc/);
  expect(one.out).toContain("3.10-64: pymalloc of Python 3.10 and later, 64-bit");
  const all = await pools("--compare");
  for (const name of ["early-32", "3.3-64", "3.10-32", "python2-int-32", "python2-list-64"])
    expect(all.out).toMatch(new RegExp(`^${name.replace(".", "\\.")} `, "m"));
  const some = JSON.parse((await pools("--compare", "--json", "--model", "3.9-64", "--model", "3.8-64")).out);
  expect(some.models.map(({ name }: { name: string }) => name)).toEqual(["3.9-64", "3.8-64"]);
});

test("the life of an address, in a window too", async () => {
  const { out, code } = await pools("--address", "0x200000", "--json");
  expect(code).toBe(0);
  const life = JSON.parse(out);
  expect(life.blocks).toBe(1);
  expect(life.occupants[0]).toMatchObject({ what: "block", address: 0x200000, via: "allocator", domain: "object" });
  expect((await pools("--address", "0x200000")).out).toMatch(/^0x200000: 1 block and \d+ object/);
  expect((await pools("--address", "0x200000", "--to", "start")).out).toContain("nobody lived there");
});

test("names from the trace are escaped", async () => {
  for (const words of [[], ["--model", "3.10-32"], ["--address", "0x200000"]]) {
    const { out } = await pools(...words);
    expect(out).not.toContain("\u001b");
    expect(out).not.toContain("\u202e");
  }
});

test.each([
  [["--model", "4.0"], "no such model; models are early-32"],
  [["--address", "12"], "is no address"],
  [["--address", "0x10", "--compare"], "ask for one at a time"],
  [["--time", "end", "--to", "end"], "give one of them"],
  [["--from", "end", "--to", "start"], "turn them round"],
  [["--limit", "-1"], "--limit"],
] as const)("%s is refused in one line", async (words, message) => {
  const { code, err } = await pools(...words);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(err.trimEnd().split("\n")).toHaveLength(1);
});

test("the help has examples", async () => {
  const { out } = await refledger(["pools", "--help"]);
  expect(out).toContain("pools app.trace.db --compare");
  expect(out).toContain("--address 0x2d84010");
});
