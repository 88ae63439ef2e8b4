/**
 * The text of library modules, for the trace: their source lines are shown beside those of the program. It stands in the interpreter's compiled
 * library, a zip beside this program whose entries are stored, not deflated (interpreter/library.ts), so that only the directory
 * at its end and the wanted pieces are read.
 *
 *     entry of the directory   50 4b 01 02 … method +10, bytes +24, lengths of name, extra, comment +28, offset +42, name +46
 *     the entry itself         50 4b 03 04 … lengths of name, extra +26, data behind them, from +30
 *
 * (APPNOTE.TXT of the ZIP format, 4.3.7 and 4.3.12.)
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { assert } from "../base/failure.js";

const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_END = 0x06054b50;
const DIRECTORY_END_BYTES = 22;
const STORED = 0;

interface Entry {
  readonly offset: number;
  readonly bytes: number;
}

export class LibrarySources {
  readonly #file: number;
  readonly #entries: ReadonlyMap<string, Entry>;

  /** `path`: where the compiled library is. */
  constructor(path: string) {
    this.#file = openSync(path, "r");
    this.#entries = this.#directory();
  }

  /** The text of a module by its name in the library, such as "json/tool.py"; undefined where there is none. */
  text(name: string): Uint8Array | undefined {
    const entry = this.#entries.get(name);
    if (!entry) return undefined;
    const head = this.#read(entry.offset, 30);
    return this.#read(entry.offset + 30 + head.readUInt16LE(26) + head.readUInt16LE(28), entry.bytes);
  }

  close(): void {
    closeSync(this.#file);
  }

  #read(position: number, bytes: number): Buffer {
    const target = Buffer.alloc(bytes);
    assert(readSync(this.#file, target, 0, bytes, position) === bytes, "the library is as long as its directory says");
    return target;
  }

  #directory(): Map<string, Entry> {
    const end = this.#read(fstatSync(this.#file).size - DIRECTORY_END_BYTES, DIRECTORY_END_BYTES);
    assert(end.readUInt32LE(0) === DIRECTORY_END, "the library ends with its directory");
    const directory = this.#read(end.readUInt32LE(16), end.readUInt32LE(12));
    const entries = new Map<string, Entry>();
    for (let at = 0; at < directory.length; ) {
      assert(directory.readUInt32LE(at) === DIRECTORY_ENTRY, "an entry of the library's directory");
      const nameBytes = directory.readUInt16LE(at + 28);
      const name = directory.toString("utf8", at + 46, at + 46 + nameBytes);
      if (directory.readUInt16LE(at + 10) === STORED && name.endsWith(".py"))
        entries.set(name, { offset: directory.readUInt32LE(at + 42), bytes: directory.readUInt32LE(at + 24) });
      at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    }
    return entries;
  }
}
