/** The thread that decodes chunks ahead of their reader (chunk-source.ts). */
import { workerData } from "node:worker_threads";
import {
  DONE,
  FAILED,
  IN_WORK,
  QUEUED,
  QUEUED_SO_FAR,
  SLOTS,
  type SlotMemory,
  slotColumns,
  stateWord,
} from "./chunk-source.js";
import { createDecoder } from "./codec.js";
import { DamagedData } from "./compression.js";

function serve(memory: SlotMemory): never {
  const control = new Int32Array(memory.control);
  const input = new Uint8Array(memory.input);
  const columns = Array.from({ length: SLOTS }, (_, slot) => slotColumns(memory, slot));
  const decoder = createDecoder();
  for (let done = 0; ; done++) {
    while (Atomics.load(control, QUEUED_SO_FAR) === done) Atomics.wait(control, QUEUED_SO_FAR, done);
    const slot = done % SLOTS;
    const word = stateWord(slot);
    // Its reader may have been faster, and may have queued another chunk there since: that one comes with a later number.
    if (Atomics.compareExchange(control, word, QUEUED, IN_WORK) !== QUEUED) continue;
    let state: number = DONE;
    try {
      const start = slot * memory.slotBytes;
      decoder.decode(input.slice(start, start + control[word + 1]!), columns[slot]!);
      control[word + 2] = columns[slot]!.count;
    } catch (error) {
      if (!(error instanceof DamagedData)) throw error;
      state = FAILED;
    }
    Atomics.store(control, word, state);
    Atomics.notify(control, word);
  }
}

serve(workerData as SlotMemory);
