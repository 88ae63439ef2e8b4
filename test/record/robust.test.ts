/** Wrong input of every kind: one line that says what to do, exit code 1 or 2, and never a stack trace of ours. */
import { chmodSync, copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, emptied, infoOf, refledger, verified, withFolder } from "../support/recording.js";
import { execute, writeSample } from "../support/sample-trace.js";

/** Exactly one line of ours, no output, this exit code. */
function refused(ended: Ended, code: 1 | 2, line: RegExp): void {
  expect({ code: ended.code, out: ended.out, err: ended.err }).toEqual({ code, out: "", err: expect.any(String) });
  expect(ended.err.split("\n")).toEqual([expect.stringMatching(/^refledger: /), ""]);
  expect(ended.err).toMatch(line);
  expect(ended.err).not.toMatch(/bug of ours|\n\s+at |node:internal/);
}

const root = process.getuid?.() === 0;

describe("record", () => {
  it.each([
    ["a script that is not there", ["nosuch.py"], /nosuch\.py: no such file/],
    ["a folder without __main__.py", ["folder"], /folder: is a folder without a __main__\.py/],
    ["a file as a folder", ["ok.py/x.py"], /ok\.py\/x\.py: no such file/],
    ["a name that is too long", ["x".repeat(5000)], /no such file/],
    ["nothing to run", [], /name a script/],
    ["-m without a name", ["-m"], /a module's name must follow/],
    ["-c without code", ["-c"], /code must follow/],
    ["an unknown option", ["--fast", "ok.py"], /fast/],
    ["an unknown start", ["--from", "middle", "ok.py"], /from/],
    ["a hash seed too large", ["--hash-seed", "4294967296", "ok.py"], /--hash-seed: must be a whole number/],
    ["a hash seed that is no number", ["--hash-seed", "x", "ok.py"], /--hash-seed: must be a number/],
    ["audits before the start", ["--audit-every=-1", "ok.py"], /--audit-every: must be a number of seconds/],
    ["audits every word", ["--audit-every", "often", "ok.py"], /--audit-every: must be a number/],
    ["a variable that is not set", ["--env", "NOT_SET_ANYWHERE", "ok.py"], /--env NOT_SET_ANYWHERE/],
    ["a variable without a name", ["--env", "=x", "ok.py"], /--env =x/],
    ["a folder as the trace", ["--out", "folder", "ok.py"], /folder/],
    ["a folder as the trace, to be replaced", ["--overwrite", "--out", "folder", "ok.py"], /folder: is not a file/],
    ["a trace in a folder that is not there", ["--out", "none/t.trace.db", "ok.py"], /none\/t\.trace\.db/],
    ["a trace in a folder that is a file", ["--out", "ok.py/t.trace.db", "ok.py"], /ok\.py\/t\.trace\.db/],
  ])("refuses %s", (_name, options, line) =>
    withFolder(async (cwd) => {
      writeFileSync(join(cwd, "ok.py"), "print('ran')");
      mkdirSync(join(cwd, "folder"));
      refused(await refledger(["record", ...options], { cwd }), 2, line);
    }),
  );

  it("refuses to touch a trace that exists, unless asked to", () =>
    withFolder(async (cwd) => {
      const trace = join(cwd, "p.trace.db");
      writeFileSync(join(cwd, "p.py"), "print('ran')");
      writeSample(trace);
      const before = readFileSync(trace);
      refused(await refledger(["record", "p.py"], { cwd }), 2, /p\.trace\.db: exists already.*--overwrite/);
      expect(readFileSync(trace).equals(before)).toBe(true);
      expect(await refledger(["record", "--overwrite", "p.py"], { cwd })).toMatchObject({ code: 0, out: "ran\n" });
      expect(await infoOf(trace)).toMatchObject({ complete: true, program: { text: "p.py" } });
    }));

  it("refuses to replace what is not a trace", () =>
    withFolder(async (cwd) => {
      writeFileSync(join(cwd, "p.py"), "print('ran')");
      for (const content of ["precious", "SQLite format 3\0", "x".repeat(5000)]) {
        writeFileSync(join(cwd, "notes"), content);
        for (const overwrite of [[], ["--overwrite"]])
          refused(await refledger(["record", ...overwrite, "--out", "notes", "p.py"], { cwd }), 2, /notes: /);
        expect(readFileSync(join(cwd, "notes"), "utf8")).toBe(content);
      }
    }));

  it("takes the program's failure for the program's", () =>
    withFolder(async (cwd) => {
      const ended = await refledger(["record", "--quiet", "-m", "nosuchmodule"], { cwd });
      expect(ended).toMatchObject({ code: 1, out: "", err: expect.stringMatching(/No module named nosuchmodule\n$/) });
      expect(await infoOf(join(cwd, "nosuchmodule.trace.db"))).toMatchObject({ complete: true, exitCode: 1 });
    }));

  // Root reads and writes whatever the permissions say.
  it.skipIf(root)("refuses a script it may not read and a folder it may not write", () =>
    withFolder(async (cwd) => {
      writeFileSync(join(cwd, "ok.py"), "print('ran')");
      writeFileSync(join(cwd, "secret.py"), "");
      chmodSync(join(cwd, "secret.py"), 0);
      refused(await refledger(["record", "secret.py"], { cwd }), 2, /secret\.py: cannot be read/);
      const locked = emptied(join(cwd, "locked"));
      chmodSync(locked, 0o500);
      refused(
        await refledger(["record", "--out", join(locked, "t.trace.db"), "ok.py"], { cwd }),
        2,
        /locked\/t\.trace\.db/,
      );
      chmodSync(locked, 0o700);
    }),
  );
});

describe("a trace that is not one", () => {
  let folder: string;
  let done: () => void;
  const at = (name: string): string => join(folder, name);

  beforeAll(async () => {
    // The folder outlives the call: the tests below share it.
    await new Promise<void>((ready) => {
      void withFolder(async (made) => {
        folder = made;
        ready();
        await new Promise<void>((resolve) => {
          done = resolve;
        });
      });
    });
    writeFileSync(at("empty.db"), "");
    writeFileSync(at("text.db"), "This is no database, however long this text may get.\n".repeat(200));
    mkdirSync(at("folder.db"));
    new Database(at("other.db")).exec("CREATE TABLE t (x)").close();
    // A real recording, and what can become of it.
    const code = "x = [str(i) for i in range(100_000)]";
    expect(await refledger(["record", "--out", at("good.db"), "-c", code])).toMatchObject({ code: 0 });
    const copy = (name: string): string => {
      copyFileSync(at("good.db"), at(name));
      return at(name);
    };
    const size = readFileSync(at("good.db")).length;
    truncateSync(copy("half.db"), Math.floor(size / 2));
    truncateSync(copy("header.db"), 60);
    const newer = new Database(copy("newer.db"));
    newer.pragma("user_version = 99");
    newer.close();
    const damaged = new Database(copy("damaged.db"));
    const data = damaged.prepare("SELECT data FROM chunks WHERE id = 1").pluck().get() as Buffer;
    for (let i = 100; i < data.length; i += 1000) data[i] ^= 0x55;
    damaged.prepare("UPDATE chunks SET data = ? WHERE id = 1").run(data);
    damaged.close();
    execute(copy("gap.db"), "DELETE FROM chunks WHERE id = 1");
    execute(copy("nometa.db"), "UPDATE meta SET value = '{' WHERE key = 'complete'");
    execute(copy("notable.db"), "DROP TABLE chunks");
  });
  afterAll(() => done());

  const verbs: [string, ...string[]][] = [["info"], ["dump"], ["verify"], ["info", "--json"], ["verify", "--json"]];

  it.each([
    ["missing.db", /missing\.db: no such file/],
    ["empty.db", /empty\.db: /],
    ["text.db", /text\.db: /],
    ["folder.db", /folder\.db: /],
    ["other.db", /other\.db: /],
    ["header.db", /header\.db: /],
    ["newer.db", /newer\.db: .*(newer|99)/],
    ["gap.db", /gap\.db: chunk/],
    ["nometa.db", /nometa\.db: /],
    ["notable.db", /notable\.db: /],
  ])("is refused by every verb: %s", async (name, line) => {
    for (const [verb, ...options] of verbs) {
      const ended = await refledger([verb, at(name), ...options]);
      refused(ended, ended.code as 1 | 2, line);
      expect([1, 2]).toContain(ended.code);
    }
  });

  it("says where a chunk is damaged, and still shows what comes before", async () => {
    const info = await infoOf(at("good.db"));
    const before = JSON.parse(
      (await refledger(["dump", at("damaged.db"), "--json", "--to", "10"])).out.split("\n")[0]!,
    );
    expect(before.event).toBe(0);
    const dump = await refledger(["dump", at("damaged.db")]);
    expect(dump.code).toBe(1);
    expect(dump.err).toMatch(
      /^refledger: .*damaged\.db: chunk 1: its checksum is .*events before it are readable \(--to \d+\)\n$/,
    );
    const readable = Number(/--to (\d+)/.exec(dump.err)![1]);
    const all = await refledger(["dump", at("damaged.db"), "--to", `${readable}`]);
    expect({ code: all.code, err: all.err, lines: all.out.split("\n").length - 1 }).toEqual({
      code: 0,
      err: "",
      lines: readable + 1,
    });
    expect(dump.out).toBe(all.out);
    expect(readable).toBeLessThan(info.events.total - 1);
    const verify = await refledger(["verify", at("damaged.db")]);
    expect(verify).toMatchObject({ code: 1, err: expect.stringMatching(/^refledger: .*chunk 1: .*\n$/) });
    expect((await refledger(["info", at("damaged.db")])).code).toBe(0);
    expect(await verified(at("good.db"))).toMatchObject({ ok: true });
  });

  it("cut in half: one line from whoever meets the missing part", async () => {
    for (const [verb, ...options] of verbs) {
      const ended = await refledger([verb, at("half.db"), ...options]);
      expect(ended.err.split("\n").length).toBeLessThanOrEqual(2);
      expect(ended.err).not.toMatch(/bug of ours|\n\s+at /);
      if (verb === "verify")
        expect(ended).toMatchObject({ code: 1, err: expect.stringMatching(/^refledger: .*half\.db: /) });
    }
  });
});

describe("wrong usage", () => {
  it.each([
    ["no verb", [], /name a verb/],
    ["an unknown verb", ["rewind-it"], /rewind-it/],
    ["no trace", ["info"], /trace|argument/i],
    ["an unknown option", ["info", "x.db", "--jason"], /jason/],
    ["a limit that is none", ["verify", "x.db", "--limit", "-1"], /--limit/],
    ["a kind that is none", ["dump", "x.db", "--kind", "inkref"], /--kind inkref/],
  ])("%s", async (_name, words, line) => {
    refused(await refledger(words), 2, line);
  });
});

describe("what record says at the end", () => {
  it.each([
    ["", /^refledger: recorded .*\n$/],
    ["whole\\n", /^whole\nrefledger: recorded .*\n$/],
    ["half", /^half\nrefledger: recorded .*\n$/],
  ])("stands on a line of its own behind %j", (text, err) =>
    withFolder(async (folder) => {
      const code = `import sys; sys.stderr.write("${text}")`;
      expect(await refledger(["record", "--no-graphs", "-c", code], { cwd: folder })).toMatchObject({
        code: 0,
        err: expect.stringMatching(err),
      });
    }),
  );

  it("names a trace in the working directory, also for a module that is none", () =>
    withFolder(async (folder) => {
      const ended = await refledger(["record", "-m", "../x"], { cwd: folder });
      expect(ended).toMatchObject({ code: 1, err: expect.stringContaining(" in x.trace.db;") });
    }));
});

describe("the seed of hashes", () => {
  it("is also what --env PYTHONHASHSEED says", () =>
    withFolder(async (folder) => {
      const hashed = async (...options: string[]) =>
        refledger(["record", "-q", "--no-graphs", "--overwrite", ...options, "-c", "print(hash('a'))"], {
          cwd: folder,
        });
      const [named, asked, none] = [
        await hashed("--env", "PYTHONHASHSEED=5"),
        await hashed("--hash-seed", "5"),
        await hashed(),
      ];
      expect(named.out).toBe(asked.out);
      expect(named.out).not.toBe(none.out);
      refused(await hashed("--env", "PYTHONHASHSEED=random"), 2, /PYTHONHASHSEED=random: must be a whole number/);
    }));
});
