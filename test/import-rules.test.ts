/**
 * Holds the import rules of the design: which room may import which (see docs/design.md). The command line goes through the
 * library's face, and only one room knows the database.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const source = resolve(import.meta.dirname, "../src");

/** Each room and the rooms that it may import, itself aside. */
const allowed: Record<string, readonly string[]> = {
  base: [],
  wasm: ["base"],
  trace: ["base"],
  interpreter: ["base", "wasm"],
  record: ["base", "trace", "interpreter"],
  replay: ["base", "trace"],
  rewind: ["base", "trace", "interpreter", "record", "replay"],
  allocators: ["base"],
  analyze: ["base", "trace", "replay", "rewind", "allocators"],
  report: ["base", "analyze"],
};

const onlyIn: Record<string, string> = { "better-sqlite3": "trace", yargs: "cli", pyodide: "interpreter" };

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? files(join(folder, entry.name))
      : entry.name.endsWith(".ts")
        ? [join(folder, entry.name)]
        : [],
  );
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^;"']*?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g),
  ].map((found) => (found[1] ?? found[2])!);
}

const room = (file: string): string => relative(source, file).split("/")[0]!;

describe("import rules", () => {
  const all = files(source);

  it("finds the source files and their imports", () => {
    expect(all.length).toBeGreaterThan(3);
    expect(all.flatMap(importsOf).length).toBeGreaterThan(3);
  });

  it.each(all.map((file) => relative(source, file)))("%s", (name) => {
    const file = join(source, name);
    const here = room(file);
    for (const target of importsOf(file)) {
      if (target === "../package.json" && name === "version.ts") continue;
      if (target.startsWith(".")) {
        const path = resolve(dirname(file), target);
        // Tests beside the code share helpers that are not shipped.
        if (file.endsWith(".test.ts") && dirname(path) === join(source, "../test/support")) continue;
        const there = room(path);
        if (here === "index.ts" || there === here) continue;
        if (here === "cli") expect(["index.js", "base"], `${name} imports ${target}`).toContain(there);
        else expect(allowed[here], `${name} imports ${target}`).toContain(there);
      } else {
        const owner = onlyIn[target.split("/")[0]!];
        if (owner !== undefined) expect(here, `${name} imports ${target}`).toBe(owner);
      }
    }
  });
});
