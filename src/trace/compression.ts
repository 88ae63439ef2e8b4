/**
 * Zstandard (RFC 8878) at level 1, synchronous. Node 20's zlib has no zstd; the npm package is zstd itself as WebAssembly and
 * needs no compiler. It has to be compiled once in each thread, which this module does while it is imported (20 ms), so that
 * everybody else's code stays synchronous. It copies its input in and its output out (no leak was seen over thousands of chunks;
 * 175 MB/s down, 700 MB/s up on one core).
 *
 * The package believes the size that a frame declares. A stranger's trace may declare 4 GB, so the frame header is read here first.
 */
import { init, compress as zstdCompress, decompress as zstdDecompress } from "@bokuweb/zstd-wasm";

/**
 * Initialising the package twice gives it a second memory, later, under the functions of the first: what is compressed then is garbage. So whoever
 * is first does it for all copies of this module that share the package; the tests have two, sources and built.
 */
const shared: typeof init & { once?: Promise<void> } = init;
shared.once ??= init();
await shared.once;

/** One zstd frame that declares the size of its content. */
export function compress(bytes: Uint8Array): Uint8Array {
  return zstdCompress(bytes as Uint8Array<ArrayBuffer> & Buffer, 1);
}

/** What is wrong with compressed bytes; readers turn it into a Failure that names the chunk. */
export class DamagedData extends Error {
  override readonly name = "DamagedData";
}

/** The content of one frame, at most `limit` bytes; throws DamagedData, also for what a trace has in a blob's place. */
export function decompress(frame: Uint8Array, limit: number): Uint8Array {
  if (!(frame instanceof Uint8Array)) throw new DamagedData("is not a blob");
  const size = frameContentSize(frame);
  if (size === undefined) throw new DamagedData("not a zstd frame with a declared size");
  if (size > limit) throw new DamagedData(`declares ${size} bytes where at most ${limit} are legal`);
  if (size === 0) return new Uint8Array(0);
  let content: Uint8Array;
  try {
    content = zstdDecompress(frame as Uint8Array<ArrayBuffer> & Buffer);
  } catch (cause) {
    throw new DamagedData("zstd cannot decompress it", { cause });
  }
  if (content.length !== size) throw new DamagedData(`expected ${size} bytes, found ${content.length}`);
  return content;
}

/** The content size in a frame header (RFC 8878, section 3.1.1.1); undefined when there is none. */
function frameContentSize(frame: Uint8Array): number | undefined {
  if (frame.length < 6) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== 0xfd2fb528) return undefined;
  const descriptor = view.getUint8(4);
  const single = (descriptor >> 5) & 1;
  const width = [single, 2, 4, 8][descriptor >> 6]!;
  const at = 5 + (1 - single) + [0, 1, 2, 4][descriptor & 3]!;
  if (width === 0 || at + width > frame.length) return undefined;
  if (width === 1) return view.getUint8(at);
  if (width === 2) return view.getUint16(at, true) + 256;
  if (width === 4) return view.getUint32(at, true);
  return Number(view.getBigUint64(at, true));
}
