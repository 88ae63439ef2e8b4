/**
 * The files that belong to the runtime and not to the host: the interpreter's library under a path of its own, the devices,
 * and an empty /proc. A read-only tree in memory; its inode numbers count up from 1 in the order of creation, so they are the same in
 * every run.
 */
import { randomFillSync } from "node:crypto";
import { Description, type FileStatus, fileType } from "./description.js";
import { fail } from "./errno.js";
import { Directory, statusFlags } from "./host-files.js";

/** Where the interpreter's own library lives in the program's view of the file system. */
export const ownPrefix = "/refledger-python";

/** Path of that library, an archive, by the version of Python ("3.14"). */
export const libraryPath = (version: string): string => `${ownPrefix}/lib/python${version.replace(".", "")}.zip`;

interface Node {
  inode: bigint;
  /** Type and permissions, as `st_mode`. */
  mode: number;
  children?: Map<string, Node>;
  contents?: Uint8Array;
  device?: Device;
  /** An own descriptor that opening this path duplicates: 0, 1 or 2. */
  duplicateOf?: number;
}

type Device = "null" | "zero" | "random";

class MemoryFile extends Description {
  #position = 0;

  constructor(
    private readonly node: Node,
    private readonly contents: Uint8Array,
  ) {
    super(0);
  }

  override status(): FileStatus {
    return statusOf(this.node);
  }

  override read(target: Uint8Array, position?: number): number {
    const from = position ?? this.#position;
    const part = this.contents.subarray(from, from + target.length);
    target.set(part);
    if (position === undefined) this.#position += part.length;
    return part.length;
  }

  override get libraryPosition(): number {
    return this.#position;
  }

  override write(): number {
    return fail("EBADF");
  }

  override seek(offset: number, whence: number): number {
    const base =
      whence === 0 ? 0 : whence === 1 ? this.#position : whence === 2 ? this.contents.length : fail("EINVAL");
    if (base + offset < 0) fail("EINVAL");
    this.#position = base + offset;
    return this.#position;
  }
}

class DeviceFile extends Description {
  constructor(
    private readonly node: Node,
    private readonly device: Device,
    flags: number,
  ) {
    super(flags);
  }

  override status(): FileStatus {
    return statusOf(this.node);
  }

  override read(target: Uint8Array): number {
    if (this.device === "null") return 0;
    if (this.device === "zero") target.fill(0);
    else randomFillSync(target);
    return target.length;
  }

  override write(source: Uint8Array): number {
    return source.length;
  }

  override seek(): number {
    return 0;
  }
}

function statusOf(node: Node): FileStatus {
  const size = BigInt(node.contents?.length ?? 0);
  return {
    dev: 1n,
    ino: node.inode,
    mode: BigInt(node.mode),
    nlink: 1n,
    uid: 0n,
    gid: 0n,
    rdev: 0n,
    size,
    blocks: (size + 511n) / 512n,
    atimeNs: 0n,
    mtimeNs: 0n,
    ctimeNs: 0n,
  };
}

export class OwnFiles {
  #inodes = 0n;
  readonly #root: Node;

  constructor(standardLibrary: Uint8Array, version: string) {
    this.#root = this.#directory();
    const prefix = this.#add(this.#root, ownPrefix.slice(1), this.#directory());
    const library = this.#add(prefix, "lib", this.#directory());
    const compact = version.replace(".", "");
    this.#add(library, `python${compact}.zip`, { ...this.#node(fileType.file | 0o444), contents: standardLibrary });
    const folder = this.#add(library, `python${version}`, this.#directory());
    this.#add(folder, "lib-dynload", this.#directory());
    const devices = this.#add(this.#root, "dev", this.#directory());
    for (const [name, device] of [
      ["null", "null"],
      ["zero", "zero"],
      ["random", "random"],
      ["urandom", "random"],
    ] as const)
      this.#add(devices, name, { ...this.#node(fileType.device | 0o666), device });
    for (const [name, number] of [
      ["stdin", 0],
      ["stdout", 1],
      ["stderr", 2],
      ["tty", 0],
    ] as const)
      this.#add(devices, name, { ...this.#node(fileType.device | 0o666), duplicateOf: number });
    this.#add(this.#root, "proc", this.#directory());
  }

  #node(mode: number): Node {
    return { inode: ++this.#inodes, mode };
  }

  #directory(): Node {
    return { ...this.#node(fileType.directory | 0o555), children: new Map() };
  }

  #add(parent: Node, name: string, node: Node): Node {
    parent.children!.set(name, node);
    return node;
  }

  /** Names that this tree adds to the host's root folder. */
  get names(): readonly string[] {
    return [...this.#root.children!.keys()];
  }

  /** The own node at a path, undefined if the path belongs to the host; ENOENT or ENOTDIR if it is ours and not there. */
  find(absolutePath: string): Node | undefined {
    const parts: string[] = [];
    for (const part of absolutePath.split("/")) {
      if (part === "..") parts.pop();
      else if (part !== "" && part !== ".") parts.push(part);
    }
    const first = parts[0];
    if (first === undefined || !this.#root.children!.has(first)) return undefined;
    let node = this.#root;
    for (const part of parts) node = (node.children ?? fail("ENOTDIR")).get(part) ?? fail("ENOENT");
    return node;
  }

  status(node: Node): FileStatus {
    return statusOf(node);
  }

  /** Opens an own file; for the standard streams the number of the descriptor to duplicate. */
  open(node: Node, absolutePath: string, flags: number): Description | number {
    if (node.duplicateOf !== undefined) return node.duplicateOf;
    if (node.device !== undefined) return new DeviceFile(node, node.device, statusFlags(flags));
    if ((flags & 3) !== 0) fail(node.children === undefined ? "EROFS" : "EISDIR");
    if (node.contents !== undefined) return new MemoryFile(node, node.contents);
    const children = node.children!;
    return new Directory(absolutePath, {
      status: () => statusOf(node),
      list: () => [...children].map(([name, child]) => ({ name, inode: child.inode, type: child.mode >> 12 })),
    });
  }
}
