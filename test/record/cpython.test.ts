/**
 * CPython's own tests, recorded. They are written to reach every corner of a type, so they are the hardest real programs at hand. They come
 * from the machine's Python, whatever its version (a test that expects another version's behaviour may fail: it must fail alike,
 * recorded or not), copied so that the machine's standard library does not stand in the way of the recorded one's.
 *
 * The quickest runs always, all of them with `npm run test:cpython`.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  emptied,
  exact,
  infoOf,
  refledger,
  splitError,
  unrecorded,
  verified,
  withFolder,
} from "../support/recording.js";

const all = process.env["REFLEDGER_CPYTHON"] === "all";
const names = all
  ? [
      "test_list",
      "test_tuple",
      "test_dict",
      "test_set",
      "test_gc",
      "test_weakref",
      "test_generators",
      "test_descr",
      "test_json",
      "test_deque",
      "test_itertools",
      "test_coroutines",
      "test_exceptions",
    ]
  : ["test_list"];

function testPackage(): string | undefined {
  const found = spawnSync("python3", ["-c", "import test; print(test.__file__)"]);
  return found.status === 0 ? dirname(found.stdout.toString().trim()) : undefined;
}

const source = testPackage();
if (source === undefined)
  console.warn("cpython.test.ts: skipped, since the python3 of this machine has no package `test` (or there is none)");

/** What differs from run to run whoever runs it: seconds, and addresses, also those that unittest abbreviated. */
const steady = (text: string): string =>
  text
    .replace(/\b\d+\.\d{3}s\b/g, "…s")
    .replace(/0x[0-9a-f]{6,}/g, "0x…")
    .replace(/\[\d+ chars\][0-9a-f]*/g, "[… chars]…");

describe.skipIf(source === undefined)("CPython's own tests", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "refledger-cpython-"));
    const wanted = (path: string): boolean =>
      !["__pycache__", "cjkencodings", "decimaltestdata", "test_importlib", "test_tools", "test_asyncio"].includes(
        basename(path),
      );
    cpSync(source!, join(folder, "test"), { recursive: true, filter: wanted });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(names)(
    "%s",
    async (name) => {
      if (!existsSync(join(source!, `${name}.py`)) && !existsSync(join(source!, name))) {
        console.warn(`cpython.test.ts: this machine's Python has no ${name}`);
        return;
      }
      await withFolder(async (made) => {
        const words = ["-m", "unittest", `test.${name}`];
        const trace = join(made, "t.trace.db");
        const how = () => ({ cwd: emptied(join(made, "work")), env: { PYTHONPATH: folder }, timeout: 900_000 });
        const plain = await unrecorded(words, how());
        const started = performance.now();
        const recorded = await refledger(["record", "--out", trace, ...words], how());
        const seconds = (performance.now() - started) / 1000;
        expect({
          code: recorded.code,
          out: steady(recorded.out),
          err: steady(splitError(recorded.err).program),
        }).toEqual({
          code: plain.code,
          out: steady(plain.out),
          err: steady(splitError(plain.err).program),
        });
        expect(recorded.err).toMatch(/^Ran \d+ tests? in/m);
        const result = await verified(trace);
        expect(result).toMatchObject({ ...exact, complete: true });
        const info = await infoOf(trace);
        const ran = /^Ran \d+ tests?/m.exec(recorded.err)![0];
        const end = recorded.err.split("\n").findLast((line) => /^(OK|FAILED)/.test(line));
        console.log(
          `${name}: ${ran}, ${end}; ${info.events.total} events in ${seconds.toFixed(1)} s, ${result.objectsChecked} objects and ${result.blocksChecked} blocks compared, 0 differ`,
        );
      });
    },
    900_000,
  );
});
