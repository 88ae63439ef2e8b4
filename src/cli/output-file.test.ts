/** A trace is never written onto, by whatever name it is given, and a file that cannot be written whole is not there. */
import { execFileSync } from "node:child_process";
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refuseInput, writeOut } from "./output-file.js";

let folder = "";
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "refledger-output-"));
  for (const name of ["a.db", "a.db-wal", "b.db"]) writeFileSync(at(name), name);
  symlinkSync("a.db", at("soft"));
  linkSync(at("a.db"), at("hard"));
  symlinkSync("b.db-shm", at("to-shm"));
  symlinkSync(".", at("here"));
  symlinkSync("page.html", at("to-page"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a file to be written", () => {
  it("is refused when it is a trace, a link to one, or belongs to one", () => {
    const traces = [at("soft"), at("b.db")];
    for (const name of ["a.db", "soft", "hard", "here/a.db", "here/../soft", "b.db"])
      expect(() => refuseInput(`${folder}/${name}`, traces), name).toThrow("that is the trace itself");
    for (const name of ["a.db-wal", "a.db-shm", "soft-wal", "b.db-shm", "b.db-journal", "here/b.db-wal", "to-shm"])
      expect(() => refuseInput(`${folder}/${name}`, traces), name).toThrow("belongs to the trace");
    for (const name of ["a.html", "here/c.db", "to-page", "no/such/folder.html"])
      expect(() => refuseInput(`${folder}/${name}`, traces), name).not.toThrow();
  });

  it("replaces what was there, also behind a link, and leaves nothing beside it", () => {
    writeFileSync(at("page.html"), "before");
    writeOut(at("to-page"), "after");
    expect(readFileSync(at("page.html"), "utf8")).toBe("after");
    expect(readdirSync(folder).filter((name) => name.includes("refledger"))).toEqual([]);
  });

  it.skipIf(process.platform === "win32")("stays as it was when the disk takes only a part", () => {
    writeFileSync(at("kept.html"), "before");
    const write = (name: string): string =>
      execFileSync(
        "bash",
        [
          "-c",
          `trap '' XFSZ; ulimit -f 64; exec "$0" --input-type=module -e '
            import { writeOut } from "${resolve("dist/cli/output-file.js")}";
            try { writeOut("${at(name)}", "x".repeat(1 << 20)); } catch (error) { console.log(error.message); }'`,
          process.execPath,
        ],
        { encoding: "utf8" },
      );
    for (const name of ["kept.html", "new.html"]) expect(write(name)).toMatch(/cannot be written \(EFBIG\)/);
    expect(readFileSync(at("kept.html"), "utf8")).toBe("before");
    expect(readdirSync(folder).filter((name) => /new|refledger/.test(name))).toEqual([]);
  });
});
