/**
 * Files that commands write beside the traces they read. A trace cannot be made again, so what would write onto one, by whatever name, is
 * refused before any work; and a file appears whole or not at all: it is written under another name in its folder and then renamed.
 */
import { chmodSync, lstatSync, readlinkSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Failure } from "../index.js";

/** What SQLite keeps beside a database; losing one of them can lose what was written last. */
const COMPANIONS = ["", "-wal", "-shm", "-journal"];
/** Links that are followed to a file that is not there. */
const MOST_LINKS = 40;

/** The file that a name leads to, whether it is there or not. */
function realPath(path: string): string {
  let at = resolve(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    try {
      return realpathSync(at);
    } catch {
      let target: string | undefined;
      try {
        if (lstatSync(at).isSymbolicLink()) target = readlinkSync(at);
      } catch {
        // Not there: the folder may be, by another name.
      }
      if (target === undefined) {
        const folder = dirname(at);
        return folder === at ? at : join(realPath(folder), basename(at));
      }
      at = resolve(dirname(at), target);
    }
  }
  return at;
}

/** Device and number of a file: the same for all its hard links. */
function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

/** Throws Failure when writing to `path` would write onto one of the traces, or onto what SQLite keeps beside it. */
export function refuseInput(path: string, traces: readonly string[]): void {
  const target = realPath(path);
  const same = identity(path);
  for (const trace of traces)
    for (const companion of COMPANIONS)
      for (const name of [`${resolve(trace)}${companion}`, `${realPath(trace)}${companion}`])
        if (realPath(name) === target || (same !== undefined && identity(name) === same))
          throw new Failure(
            companion === ""
              ? `-o ${path}: that is the trace itself; choose another file`
              : `-o ${path}: that belongs to the trace ${trace}; choose another file`,
            2,
          );
}

/** Writes a file whole, or leaves what was there; a pipe or a device is written to as it is. */
export function writeOut(path: string, data: string | Uint8Array): void {
  try {
    const target = realPath(path);
    const known = statSync(target, { throwIfNoEntry: false });
    if (known && !known.isFile()) {
      writeFileSync(path, data);
      return;
    }
    const part = join(dirname(target), `.refledger-${process.pid}.part`);
    try {
      writeFileSync(part, data, { flag: "wx", flush: true });
      if (known) chmodSync(part, known.mode & 0o7777);
      renameSync(part, target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") rmSync(part, { force: true });
      throw error;
    }
  } catch (error) {
    throw new Failure(`${path}: cannot be written (${(error as NodeJS.ErrnoException).code}); choose another with -o`);
  }
}
