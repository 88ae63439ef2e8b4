/**
 * Which of the host's files the program may reach: those it is meant to see, under the working directory, the program's own folder,
 * PYTHONPATH and the folder for temporary files, and what the caller allows besides. Everything else is there, but permission is denied (EACCES):
 * a program that is recorded to look at its memory reads no keys and no other project's files.
 *
 * What counts is where a path really leads, after `..` and symbolic links. The folders above an allowed one can be looked at, as
 * `os.path.realpath` does; listed, they show only what leads to an allowed one.
 *
 * What is hidden is not there at all: the trace that is being written. Without the recorder it would not be there either, and a program that
 * reads all files of its folder would read its own record, which grows by what it reads.
 */
import fs from "node:fs";
import { posix } from "node:path";
import { isFromInput, type Program } from "../configuration.js";
import { fail } from "./errno.js";

/** Data that is the same for everybody: `zoneinfo` reads it. */
const EVERYBODYS = ["/usr/share/zoneinfo", "/etc/localtime"];

const bytesOf = (text: string): string => Buffer.from(text).toString("latin1");
const hostBytes = (path: string): Buffer => Buffer.from(path, "latin1");

const realPath = (path: string): string =>
  (fs.realpathSync.native(hostBytes(path), { encoding: "buffer" }) as unknown as Buffer).toString("latin1");

/** The folders that a program may reach, as absolute paths. `env` is the program's own. */
export function foldersOf(
  program: Program,
  cwd: string,
  env: Readonly<Record<string, string>>,
  allowed: readonly string[],
): string[] {
  const folders = [cwd, env["TMPDIR"] || "/tmp", ...EVERYBODYS, ...allowed];
  folders.push(...(env["PYTHONPATH"] ?? "").split(":").filter((folder) => folder !== ""));
  if (program.kind === "script" && !isFromInput(program)) {
    const script = posix.resolve(cwd, program.target);
    // As Python computes sys.path[0]: a folder or archive is itself on the path, a script's folder is that of the file linked to.
    folders.push(script);
    try {
      if (!fs.statSync(script).isDirectory())
        folders.push(posix.dirname(script), posix.dirname(fs.realpathSync(script)));
    } catch {
      folders.push(posix.dirname(script)); // Python will say that it is not there
    }
  }
  return folders.map((folder) => posix.resolve(cwd, folder));
}

/** `link`: the last component is not followed. */
type Last = "follow" | "link";

export class Reach {
  /** Real paths, byte strings. */
  readonly #roots: readonly string[];
  readonly #hidden: ReadonlySet<string>;
  /** Folders with something hidden in them. */
  readonly #hiding: ReadonlySet<string>;

  constructor(folders: readonly string[], hidden: readonly string[] = []) {
    this.#roots = folders.map((folder) => {
      const path = bytesOf(folder);
      try {
        return realPath(path);
      } catch {
        return path; // not there yet
      }
    });
    const files = hidden.map((path) => realOrWouldBe(bytesOf(path)));
    this.#hidden = new Set(files);
    this.#hiding = new Set(files.map((path) => posix.dirname(path)));
  }

  /** Fails with EACCES unless the absolute path leads to where the program may read and change; with ENOENT if that is hidden. */
  enter(path: string, last: Last): void {
    const real = this.#real(path, last);
    if (this.#hidden.has(real)) fail("ENOENT");
    if (!this.#roots.some((root) => isWithin(real, root))) fail("EACCES");
  }

  /** The same, but the folders above an allowed one may be looked at. */
  look(path: string, last: Last): void {
    const real = this.#real(path, last);
    if (this.#hidden.has(real)) fail("ENOENT");
    if (!this.#roots.some((root) => isWithin(real, root) || isWithin(root, real))) fail("EACCES");
  }

  /** Whether all that is in this folder, which is there, may be reached. */
  isWithin(folder: string): boolean {
    const real = realOrWouldBe(folder);
    return !this.#hiding.has(real) && this.#roots.some((root) => isWithin(real, root));
  }

  /** Whether this entry of a folder that may not be seen as a whole is, or leads to, what may be seen. */
  leadsOn(path: string): boolean {
    const real = this.#real(path, "link");
    if (this.#hidden.has(real)) return false;
    return this.#roots.some((root) => isWithin(real, root) || isWithin(root, real));
  }

  /** Where a path leads; what does not exist leads to where it would be. */
  #real(path: string, last: Last): string {
    const plain = path.replace(/\/+$/, "") || "/";
    const name = posix.basename(plain);
    if (plain === "/" || name === "." || name === "..") return realOrWouldBe(plain);
    const parent = realOrWouldBe(posix.dirname(plain));
    const full = posix.join(parent, name);
    // A slash at the end follows a link whatever the call.
    return last === "link" && !path.endsWith("/") ? full : realOrWouldBe(full);
  }
}

const isWithin = (path: string, root: string): boolean =>
  path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`);

/** Links that are followed by hand, as many as Linux follows. */
const MOST_LINKS = 40;

function realOrWouldBe(path: string, links = 0): string {
  try {
    return realPath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  // Something on the way is not there: a dangling link leads to its target, a missing name to its place in what there is.
  if (path === "/") return path;
  const parent = realOrWouldBe(posix.dirname(path), links);
  const full = posix.join(parent, posix.basename(path));
  let target: string;
  try {
    target = (fs.readlinkSync(hostBytes(full), { encoding: "buffer" }) as unknown as Buffer).toString("latin1");
  } catch {
    return full;
  }
  if (links >= MOST_LINKS) fail("ELOOP");
  return realOrWouldBe(target.startsWith("/") ? target : `${parent}/${target}`, links + 1);
}
