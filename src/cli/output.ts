/**
 * Results on their way to standard output: waits when the reader is slow, so that a dump of any length takes little memory, and
 * ends quietly when the reader has seen enough (`dump | head`).
 */
import type { Writable } from "node:stream";

export interface Output {
  /** False when nobody reads any more: stop then. */
  write(text: string): Promise<boolean>;
}

export function outputTo(stream: Writable): Output {
  let gone = false;
  let wake = (): void => {};
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    gone = true;
    wake();
  });
  return {
    async write(text) {
      if (gone) return false;
      if (!stream.write(text)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          stream.once("drain", resolve);
        });
        stream.off("drain", wake);
      }
      return !gone;
    },
  };
}

let standard: Output | undefined;

/** Standard output; one listener for the whole process. */
export function standardOutput(): Output {
  standard ??= outputTo(process.stdout);
  return standard;
}
