/** The host's files at the same paths. The program prints what failed, and does the same under the machine's own Python. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { inFolder, plain } from "../support/plain.js";

const program = resolve(import.meta.dirname, "programs/files.py");

describe("files", () => {
  it("behave as the host's", () =>
    inFolder((folder) => {
      expect(plain([program], { cwd: folder })).toMatchObject({ code: 0, out: "17 checks\n", err: "" });
    }));

  it("are the host's", () =>
    inFolder((folder) => {
      plain(["-c", "import os; os.makedirs('a/b'); open('a/b/c', 'wb').write(bytes(range(256)))"], { cwd: folder });
      expect([...readFileSync(join(folder, "a/b/c"))]).toEqual(Array.from({ length: 256 }, (_, index) => index));
      expect(existsSync(join(folder, "a/b/__pycache__"))).toBe(false);
    }));

  it("show inode numbers and times of the host", () =>
    inFolder((folder) => {
      const code = "import os; s = os.stat('.'); print(s.st_ino, s.st_mtime_ns, s.st_uid)";
      const { out } = plain(["-c", code], { cwd: folder });
      const [inode, modified] = out.split(" ");
      const host = plain(["-c", "import os; s = os.lstat(os.getcwd()); print(s.st_ino)"], { cwd: folder });
      expect(host.out.trim()).toBe(inode);
      expect(BigInt(modified!)).toBeGreaterThan(1_600_000_000_000_000_000n);
    }));
});
