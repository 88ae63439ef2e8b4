/**
 * Every program of test/programs, recorded and not: the same output to the byte, the same exit code, and a trace that is exact. This is the
 * test that the project stands on.
 */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
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

interface ProgramRun {
  file: string;
  args?: string[];
  stdin?: string;
  exitCode: number;
  note: string;
}

const programs = resolve(import.meta.dirname, "../programs");
const runs = JSON.parse(readFileSync(join(programs, "index.json"), "utf8")) as ProgramRun[];

/** Records a run and runs it unrecorded, each in the same empty folder, and compares all that can be seen of it. */
async function check({ file, args = [], stdin = "", exitCode }: ProgramRun, options: string[] = []): Promise<void> {
  await withFolder(async (folder) => {
    const line = [join(programs, file), ...args];
    const trace = join(folder, "t.trace.db");
    const cwd = join(folder, "work");
    const env = { TMPDIR: join(folder, "tmp") };
    const fresh = () => {
      emptied(env.TMPDIR);
      return { cwd: emptied(cwd), env, input: stdin };
    };
    const plain = await unrecorded(line, fresh());
    const recorded = await refledger(["record", "--hash-seed", "0", "--out", trace, ...options, ...line], fresh());
    expect({ code: recorded.code, err: splitError(recorded.err).program }).toEqual({
      code: plain.code,
      err: splitError(plain.err).program,
    });
    expect(recorded.raw.equals(plain.raw), `standard output differs:\n${recorded.out}\nunrecorded:\n${plain.out}`).toBe(
      true,
    );
    expect(recorded.code).toBe(exitCode);
    const result = await verified(trace);
    expect(result).toMatchObject({ ...exact, complete: true });
    expect(result.objectsChecked).toBeGreaterThan(1000);
    expect(result.blocksChecked).toBeGreaterThan(1000);
    expect(await infoOf(trace)).toMatchObject({ complete: true, exitCode, stopped: null });
  });
}

const title = ({ file, args, stdin }: ProgramRun): string =>
  [file, ...(args ?? []), ...(stdin === undefined ? [] : ["<", JSON.stringify(stdin)])].join(" ");

describe.concurrent("recorded from the program's start", () => {
  it("are all of the programs", () => expect(runs.length).toBeGreaterThanOrEqual(62));
  for (const one of runs) it(title(one), () => check(one));
});

describe.concurrent("recorded from the interpreter's first instruction", () => {
  for (const file of ["finalizers-and-resurrection.py", "json-codec.py", "uncaught-exception.py"])
    it(file, () => check(runs.find((one) => one.file === file)!, ["--from", "interpreter"]));
});
