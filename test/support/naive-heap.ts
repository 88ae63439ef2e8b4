/** The heap as a fold over events, written a second time, as plainly as possible: what src/replay/heap.ts must agree with. */
import { EVENT_KINDS, type EventColumns } from "../../src/trace/events.js";
import type { Baseline } from "../../src/trace/writer.js";

export interface NaiveObject {
  type: number;
  count: number;
  bytes: number;
  alive: boolean;
  birth: number;
  id: number;
  changes: number;
  location: number;
  /** Code and location of the call of each frame at birth, outermost first. */
  stack: string;
}

export class NaiveHeap {
  objects = new Map<number, NaiveObject>();
  blocks = new Map<number, { size: number; held: boolean; domain: number; birth: number }>();
  stray = 0;
  born = 0;
  stack: string[] = [];
  peakBytes = 0;

  constructor(baseline?: Baseline) {
    baseline?.objects.address.forEach((address, i) => {
      const { type, count, bytes } = baseline.objects;
      this.objects.set(address, {
        type: type[i]!,
        count: count[i]!,
        bytes: bytes[i]!,
        alive: true,
        birth: -1,
        id: ++this.born,
        changes: 0,
        location: 0,
        stack: "",
      });
    });
    this.peakBytes = this.#bytes();
    baseline?.blocks.address.forEach((address, i) => {
      this.blocks.set(address, { size: baseline.blocks.size[i]!, held: true, domain: 4, birth: -1 });
    });
  }

  #bytes(): number {
    return this.live.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #objectsIn(block: number): number[] {
    const inside = [block, block + 8];
    if (!this.blocks.has(block + 16)) inside.push(block + 16);
    return inside.filter((address) => this.objects.has(address));
  }

  #free(block: number): void {
    for (const address of this.#objectsIn(block)) this.objects.delete(address);
    this.blocks.delete(block);
  }

  /** `watchPeak`: whether to add up all objects after each event, which takes its time. */
  apply(columns: EventColumns, from: number, to: number, watchPeak = false): void {
    for (let i = from; i < to; i++) {
      this.#apply(columns, i);
      if (watchPeak) this.peakBytes = Math.max(this.peakBytes, this.#bytes());
    }
  }

  #apply(columns: EventColumns, i: number): void {
    {
      const event = columns.first + i;
      const [address, a, b] = [columns.address[i]!, columns.a[i]!, columns.b[i]!];
      const object = this.objects.get(address);
      const name = EVENT_KINDS[columns.kind[i]!]!.name;
      if (name === "alloc") {
        if (this.blocks.has(address)) {
          this.stray++;
          this.#free(address);
        }
        this.blocks.set(address, { size: a, held: false, domain: b, birth: event });
      } else if (name === "realloc") {
        const block = this.blocks.get(b);
        if (!block) {
          this.stray++;
          if (this.blocks.has(address)) this.#free(address);
          this.blocks.set(address, { size: a, held: false, domain: 4, birth: event });
          return;
        }
        for (const inside of this.#objectsIn(b))
          this.objects.get(inside)!.bytes = Math.max(16, Math.ceil((a + 4) / 8) * 8);
        const moved = { ...block, size: a, held: false };
        if (address === b) {
          this.blocks.set(address, moved);
          return;
        }
        const passengers = this.#objectsIn(b).map((from) => [from - b, this.objects.get(from)!] as const);
        for (const [offset] of passengers) this.objects.delete(b + offset);
        this.blocks.delete(b);
        if (this.blocks.has(address)) this.#free(address);
        this.blocks.set(address, moved);
        for (const [offset, passenger] of passengers) this.objects.set(address + offset, passenger);
      } else if (name === "free") {
        if (this.blocks.has(address)) this.#free(address);
        else this.stray++;
      } else if (name === "new") {
        this.objects.set(address, {
          type: a,
          count: 1,
          bytes: b,
          alive: true,
          birth: event,
          id: ++this.born,
          changes: 0,
          location: columns.location[i]!,
          stack: this.stack.join(" "),
        });
      } else if (name === "call") {
        this.stack.push(`${a}@${columns.location[i]}`);
      } else if (name === "return") {
        this.stack.pop();
      } else if (
        columns.address[i] !== 0 ||
        ["incref", "decref", "dealloc", "setref", "settype", "resurrect"].includes(name)
      ) {
        if (!object) {
          this.stray++;
          return;
        }
        if (["incref", "decref", "setref"].includes(name)) object.changes++;
        if (name === "incref") object.count = (object.count + 1) >>> 0;
        else if (name === "decref") object.count = (object.count - 1) >>> 0;
        else if (name === "setref") object.count = a;
        else if (name === "settype") object.type = a;
        else object.alive = name === "resurrect";
      }
    }
  }

  get live(): NaiveObject[] {
    return [...this.objects.values()].filter(({ alive }) => alive);
  }
}
