/**
 * The rewritten interpreter on disk, so that only the first recording pays for rewriting. The file's name is the hash of the
 * original module and of the code that rewrites it; inside, a checksum guards the rest. A cache that is damaged, or that cannot be
 * written, costs a rewriting and nothing else.
 *
 *     sha256 of the rest │ u32 length of the plan │ plan as JSON │ module
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Instrumented, instrument, type Plan } from "./instrument.js";

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
const HASH_BYTES = 32;

/** The files whose code decides what the rewritten module is. */
export const REWRITERS: readonly string[] = [
  "function-names",
  "hooks",
  "instrument",
  "layout",
  "raw-events",
  "../base/bytes",
  "../wasm/assembler",
  "../wasm/indices",
  "../wasm/instructions",
  "../wasm/module",
  "../wasm/reader",
];

/** What has been done when a recording begins (interpreter.ts). Another word: traces from before are of another build, and do not run again. */
const START = "script probed";

/** Stands for the rewriting in the cache's key: another rewriter, another file. */
function rewriterHash(): Buffer {
  const here = fileURLToPath(import.meta.url);
  const hash = createHash("sha256");
  for (const name of REWRITERS) hash.update(readFileSync(join(here, "..", name + extname(here))));
  return hash.digest();
}

/** Where caches go: REFLEDGER_CACHE, or the place that the platform has for them. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env["REFLEDGER_CACHE"] ?? join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "refledger");
}

export interface CachedModule extends Instrumented {
  /** SHA-256 of the original module, hexadecimal. */
  readonly hash: string;
  /** SHA-256 of the original module's hash, of the code that rewrites it and of how a program is started, hexadecimal. */
  readonly key: string;
  /** Whether the disk had it. */
  readonly cached: boolean;
}

/** The rewritten module and its plan, from `folder` where it is there and sound. */
export function instrumentCached(original: Uint8Array, folder: string): CachedModule {
  const hash = sha256(original).toString("hex");
  const key = sha256(Buffer.concat([Buffer.from(hash, "hex"), rewriterHash(), Buffer.from(START)])).toString("hex");
  const path = join(folder, `${key.slice(0, 32)}.bin`);
  const found = readCache(path);
  if (found) return { ...found, hash, key, cached: true };
  const made = instrument(original);
  writeCache(path, folder, made);
  return { ...made, hash, key, cached: false };
}

function readCache(path: string): Instrumented | undefined {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch {
    return undefined; // not there, or not ours to read: it is made anew
  }
  if (file.length < HASH_BYTES + 4 || !sha256(file.subarray(HASH_BYTES)).equals(file.subarray(0, HASH_BYTES)))
    return undefined;
  const planBytes = file.readUInt32LE(HASH_BYTES);
  const start = HASH_BYTES + 4;
  const plan = JSON.parse(file.subarray(start, start + planBytes).toString("utf8")) as Plan;
  return { plan, bytes: new Uint8Array(file.subarray(start + planBytes)) };
}

/** Written beside and moved into place, so that two recordings at once never see half a file. */
function writeCache(path: string, folder: string, { plan, bytes }: Instrumented): void {
  const text = Buffer.from(JSON.stringify(plan));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const rest = Buffer.concat([length, text, bytes]);
  const fresh = `${path}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(fresh, Buffer.concat([sha256(rest), rest]));
    renameSync(fresh, path);
  } catch {
    // A full or read-only disk, or a file where the folder should be: the next recording rewrites again.
    try {
      rmSync(fresh, { force: true });
    } catch {} // it was never there
  }
}
