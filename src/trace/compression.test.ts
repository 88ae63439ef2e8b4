/** The package behind compression belongs to all copies of the module that share it. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

describe("compression", () => {
  it("works on when another copy of the module is loaded in the middle", async () => {
    const { compress, decompress } = await import("./compression.js");
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) >> 3);
    expect(decompress(compress(bytes), bytes.length)).toEqual(bytes);
    const built = pathToFileURL(join(import.meta.dirname, "../../dist/trace/compression.js")).href;
    const other = (await import(built)) as typeof import("./compression.js");
    // Time for whatever the other copy has begun.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(decompress(other.compress(bytes), bytes.length)).toEqual(bytes);
    expect(other.decompress(compress(bytes), bytes.length)).toEqual(bytes);
  });
});
