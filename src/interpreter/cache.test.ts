/** The rewritten interpreter on disk: found again, made anew when damaged, and never in the way. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { inFolder } from "../../test/support/plain.js";
import { cacheFolder, instrumentCached, REWRITERS } from "./cache.js";
import { instrument } from "./instrument.js";
import { interpreterFiles } from "./main-thread.js";

const original = new Uint8Array(readFileSync(interpreterFiles().module));
const direct = instrument(original);
const hash = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function check(folder: string, cached: boolean): void {
  const got = instrumentCached(original, folder);
  expect(got.cached).toBe(cached);
  expect(hash(got.bytes)).toBe(hash(direct.bytes));
  expect(got.plan).toEqual(direct.plan);
  expect(got.hash).toBe(hash(original));
}

describe("the cache", () => {
  it("is made once and found then, and rebuilt whatever happened to it", () =>
    inFolder((folder) => {
      const cache = join(folder, "not", "yet");
      check(cache, false);
      check(cache, true);
      const files = readdirSync(cache);
      expect(files).toHaveLength(1);
      const file = join(cache, files[0]!);
      const good = readFileSync(file);
      const damage: (() => void)[] = [
        () => writeFileSync(file, ""),
        () => truncateSync(file, 30),
        () => writeFileSync(file, Buffer.concat([good, Buffer.of(0)])),
        ...[0, Math.floor(good.length / 2)].map((at) => () => {
          const bad = Buffer.from(good);
          bad[at]! ^= 1;
          writeFileSync(file, bad);
        }),
      ];
      for (const [turn, spoil] of damage.entries()) {
        spoil();
        const got = instrumentCached(original, cache);
        expect({ turn, cached: got.cached, same: hash(got.bytes) === hash(direct.bytes) }).toEqual({
          turn,
          cached: false,
          same: true,
        });
        expect(readFileSync(file).equals(good)).toBe(true);
      }
      check(cache, true);
      expect(readdirSync(cache)).toEqual(files);
    }));

  it("that cannot be written costs nothing but time", () =>
    inFolder((folder) => {
      writeFileSync(join(folder, "file"), "");
      check(join(folder, "file"), false);
      check(join(folder, "file", "below"), false);
      expect(readFileSync(join(folder, "file"), "utf8")).toBe("");
    }));

  it("is shared by processes that make it at once", () =>
    inFolder(async (folder) => {
      const module = resolve(import.meta.dirname, "../../dist/interpreter/cache.js");
      const code = `
const { instrumentCached } = await import(${JSON.stringify(module)});
const { readFileSync } = await import("node:fs");
const { createHash } = await import("node:crypto");
const original = new Uint8Array(readFileSync(${JSON.stringify(interpreterFiles().module)}));
for (let i = 0; i < 2; i++) {
  const { bytes, cached } = instrumentCached(original, ${JSON.stringify(folder)});
  console.log(createHash("sha256").update(bytes).digest("hex"), cached);
}`;
      const one = (): Promise<string> =>
        new Promise((done) => {
          const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
            stdio: ["ignore", "pipe", "inherit"],
          });
          let out = "";
          child.stdout.on("data", (data: Buffer) => {
            out += data.toString();
          });
          child.on("close", () => done(out));
        });
      const both = await Promise.all([one(), one()]);
      for (const out of both) {
        const lines = out
          .trimEnd()
          .split("\n")
          .map((line) => line.split(" "));
        expect(lines.map(([got]) => got)).toEqual([hash(direct.bytes), hash(direct.bytes)]);
        expect(lines[1]![1]).toBe("true");
      }
      expect(readdirSync(folder)).toHaveLength(1);
    }));

  it("has in its key every file that decides what the module becomes", () => {
    const here = import.meta.dirname;
    const seen = new Set<string>();
    const follow = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, kind, target] of readFileSync(file, "utf8").matchAll(
        /^(import(?: type)?)\b[^;]*?from "(\.[^"]+)\.js"/gm,
      ))
        if (kind === "import") follow(`${resolve(dirname(file), target!)}.ts`);
    };
    follow(join(here, "instrument.ts"));
    const names = [...seen].map((file) => relative(here, file).replace(/\.ts$/, ""));
    // What only says what went wrong changes no byte.
    const harmless = ["../base/failure", "../base/ids"];
    expect([...REWRITERS].sort()).toEqual(names.filter((name) => !harmless.includes(name)).sort());
    for (const name of REWRITERS) expect(existsSync(join(here, `${name}.ts`))).toBe(true);
  });

  it("stands where the environment says", () => {
    expect(cacheFolder({ REFLEDGER_CACHE: "/a", XDG_CACHE_HOME: "/b" })).toBe("/a");
    expect(cacheFolder({ XDG_CACHE_HOME: "/b" })).toBe("/b/refledger");
    expect(cacheFolder({})).toMatch(/\.cache\/refledger$/);
  });
});
