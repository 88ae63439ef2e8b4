/** Which files of the machine a program reaches: those it is meant to see, and no others, however it names them. */
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { foldersOf, Reach } from "../../src/interpreter/kernel/reach.js";
import { launch, refledgerCommand } from "../support/recording.js";

/** What the command printed, and how it ended. */
async function refledger(args: readonly string[], { cwd }: { cwd: string }) {
  const { out, err, code } = await launch(process.execPath, [refledgerCommand, ...args], { cwd }).ended;
  return { out, err, code };
}

let folder: string;
let home: string;
let secret: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "refledger-reach-")));
  home = join(folder, "home");
  secret = join(folder, "secret");
  for (const path of [home, secret, join(home, "lib"), join(folder, "temporary"), join(folder, "modules")])
    mkdirSync(path);
  writeFileSync(join(secret, "key"), "confidential");
  writeFileSync(join(folder, "modules", "helper.py"), "VALUE = 'imported'\n");
  symlinkSync(secret, join(home, "to-folder"));
  symlinkSync(join(secret, "key"), join(home, "to-file"));
  symlinkSync(join(secret, "new"), join(home, "dangling"));
  symlinkSync("lib", join(home, "inside"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const program = `
import os, shutil, sys, tempfile, helper
secret = sys.argv[1]
def tried(work):
    try:
        work()
        return 'done'
    except OSError as error:
        return type(error).__name__
attempts = {
    'open': lambda: open(secret + '/key'),
    'dots': lambda: open('../secret/key'),
    'dots from nowhere': lambda: open('nowhere/../../secret/key'),
    'link to a file': lambda: open('to-file'),
    'link to a folder': lambda: open('to-folder/key'),
    'folder and dots': lambda: open('to-folder/../secret/key'),
    'create': lambda: open(secret + '/made', 'w'),
    'create through a link': lambda: open('dangling', 'w'),
    'list': lambda: os.listdir(secret),
    'list a link': lambda: os.listdir('to-folder'),
    'stat': lambda: os.stat(secret + '/key'),
    'stat a link': lambda: os.stat('to-file'),
    'chdir': lambda: os.chdir(secret),
    'chdir up': lambda: os.chdir('..'),
    'rename in': lambda: os.rename(secret + '/key', 'mine'),
    'rename out': lambda: os.rename('lib', secret + '/lib'),
    'remove': lambda: os.remove(secret + '/key'),
    'mkdir': lambda: os.mkdir(secret + '/more'),
    'rmdir': lambda: os.rmdir(secret),
    'chmod': lambda: os.chmod('to-file', 0o777),
    'truncate': lambda: os.truncate('to-file', 0),
    'utime': lambda: os.utime('to-file', (1, 2)),
    'symlink there': lambda: os.symlink('/etc', secret + '/link'),
    'readlink there': lambda: os.readlink(secret + '/key'),
    'a new link': lambda: (os.symlink(secret, 'another'), open('another/key')),
    'the system': lambda: open('/etc/passwd'),
}
for name, work in attempts.items():
    print(name, tried(work))
print('above', sorted(os.listdir('..')), 'sbin' in os.listdir('/'), 'refledger-python' in os.listdir('/'))
print('exists', os.path.exists(secret + '/key'), os.path.exists('to-file'), os.path.lexists('to-file'))
print(helper.VALUE, os.path.realpath('inside') == os.getcwd() + '/lib', os.path.isdir('..'))
with open('inside/made', 'w') as f: f.write('here')
with tempfile.TemporaryDirectory() as d: open(d + '/t', 'w').write('x')
os.remove('to-file'); shutil.rmtree('lib'); os.remove('to-folder'); os.remove('another')
print('allowed:', tried(lambda: open(sys.argv[2] + '/key')))
`;

const record = () => {
  const environment = { PYTHONPATH: join(folder, "modules"), TMPDIR: join(folder, "temporary") };
  const env = Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]);
  return refledger(["record", "-q", "-o", join(folder, "t.trace.db"), ...env, "-c", program, secret, secret], {
    cwd: home,
  });
};

describe("a recorded program", () => {
  it("reaches nothing outside, by no name, and all it is meant to see", async () => {
    const { out, err, code } = await record();
    const lines = out.trimEnd().split("\n");
    const attempts = lines.slice(0, 26);
    expect(attempts.map((line) => line.replace(/^.* /, ""))).toEqual(attempts.map(() => "PermissionError"));
    expect(lines.slice(26)).toEqual([
      "above ['home', 'modules', 'temporary'] False True",
      "exists False False True",
      "imported True True",
      "allowed: PermissionError",
    ]);
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(readFileSync(join(secret, "key"), "utf8")).toBe("confidential");
  });

  it("is told how to reach more when it dies of it, and reaches what is allowed", async () => {
    const open = [
      "--env",
      `TMPDIR=${join(folder, "temporary")}`,
      "-c",
      `print(open(${JSON.stringify(join(secret, "key"))}).read())`,
    ];
    const trace = join(folder, "a.trace.db");
    const denied = await refledger(["record", "--overwrite", "-o", trace, ...open], { cwd: home });
    expect(denied.code).toBe(1);
    expect(denied.err).toMatch(/PermissionError: \[Errno \d+\] Permission denied/);
    expect(denied.err).toContain("--allow PATH");
    const allowed = await refledger(["record", "-q", "--overwrite", "--allow", secret, "-o", trace, ...open], {
      cwd: home,
    });
    expect(allowed).toEqual({ out: "confidential\n", err: "", code: 0 });
    // What was read is in the trace: it runs again without the file.
    rmSync(secret, { recursive: true });
    expect((await refledger(["rerun", trace], { cwd: folder })).code).toBe(0);
  });

  it("does not see its own trace, by no name, and cannot take it away", async () => {
    const trace = join(home, "p.trace.db");
    symlinkSync("p.trace.db", join(home, "link"));
    writeFileSync(
      join(home, "p.py"),
      `
import glob, os
print(sorted(os.listdir()), [entry.name for entry in os.scandir(b'.') if b'trace' in entry.name], glob.glob('*.db*'))
for work in open, os.stat, os.unlink, lambda name: os.rename('p.py', name), lambda name: open(name, 'wb'), os.mkdir:
    for name in 'p.trace.db', 'p.trace.db-wal', 'lib/../p.trace.db', os.path.abspath('p.trace.db-shm'):
        try: print(work, name, work(name))
        except FileNotFoundError: pass
print(os.path.exists('link'), open('p.py').readline() == '\\n')
`,
    );
    const recorded = await refledger(["record", "-q", "p.py"], { cwd: home });
    expect(recorded).toEqual({
      out: `${"['dangling', 'inside', 'lib', 'link', 'p.py', 'to-file', 'to-folder'] [] []"}\nFalse True\n`,
      err: "",
      code: 0,
    });
    expect((await refledger(["verify", trace], { cwd: home })).code).toBe(0);
    expect((await refledger(["rerun", trace], { cwd: folder })).code).toBe(0);
  });
});

describe("the folders of a program", () => {
  const folders = (target: string, env = {}) => foldersOf({ kind: "script", target, args: [] }, home, env, ["data"]);

  it("are its own, those of Python's path, and what is allowed, absolute", () => {
    writeFileSync(join(secret, "real.py"), "");
    symlinkSync(join(secret, "real.py"), join(home, "app.py"));
    const found = folders("app.py", { PYTHONPATH: "lib:/somewhere", TMPDIR: "/elsewhere" });
    for (const path of [home, join(home, "lib"), "/somewhere", "/elsewhere", secret, join(home, "data")])
      expect(found).toContain(path);
    expect(folders("lib")).not.toContain(secret);
  });

  it("stop loops of links", () => {
    symlinkSync("round", join(home, "about"));
    symlinkSync("about", join(home, "round"));
    expect(() => new Reach([home]).enter(join(home, "round"), "follow")).toThrow();
    expect(() => new Reach([home]).enter(join(home, "round"), "link")).not.toThrow();
  });
});
