/** Whether there is something to run, said before anything is started, and what its trace is called. */
import { accessSync, constants, existsSync, type Stats, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Failure } from "../base/failure.js";
import { isFromInput, type Program } from "../interpreter/configuration.js";

/** Throws a Failure when the program cannot be read; modules and code are for Python to judge. */
export function checkProgram(program: Program, cwd: string): void {
  if (program.kind !== "script") return;
  const path = resolve(cwd, program.target);
  const status = statusOf(path);
  if (!status)
    throw new Failure(`${program.target}: no such file; name the script to record, or use -m MODULE or -c CODE`, 2);
  if (status.isDirectory() && !existsSync(join(path, "__main__.py")))
    throw new Failure(`${program.target}: is a folder without a __main__.py; name the script to record`, 2);
  try {
    accessSync(path, constants.R_OK);
  } catch {
    throw new Failure(`${program.target}: cannot be read; check its permissions`, 2);
  }
}

/** Undefined when nothing is there: also when a file stands where a folder should, which `throwIfNoEntry` does not cover. */
function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "ELOOP") return undefined;
    if (code === "EACCES" || code === "EPERM")
      throw new Failure(`${path}: cannot be reached; check the permissions of its folders`, 2, { cause: error });
    throw error;
  }
}

/** `NAME.trace.db` in the working directory. */
export function defaultTrace(program: Program): string {
  if (program.kind === "code") return "command.trace.db";
  if (isFromInput(program)) return "stdin.trace.db";
  const base = basename(program.target);
  const name = program.kind === "module" ? base : base.replace(/\.pyw?$/, "");
  return `${name}.trace.db`;
}
