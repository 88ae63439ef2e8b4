/**
 * What dlmalloc makes of a request on a 32-bit machine (malloc.c 2.8.6: pad_request, MIN_CHUNK_SIZE): the request and 4 bytes of
 * overhead, rounded up to the alignment, at least the smallest chunk; and a rest too small to be a chunk is given away with it.
 */

/** Bytes of the smallest block, overhead included. */
const SMALLEST = 16;

/** Bytes that the allocator holds at least for a request. */
export function heldBytes(request: number, alignment: number): number {
  return Math.max(SMALLEST, Math.ceil((request + 4) / alignment) * alignment);
}

/** Whether a block of `held` bytes can be the answer to a request. */
export function fitsRequest(request: number, held: number, alignment: number): boolean {
  const least = heldBytes(request, alignment);
  return held >= least && held < least + SMALLEST && held % alignment === 0;
}
