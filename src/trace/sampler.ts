/**
 * The time series of live objects and bytes by type, kept to a bounded number of samples however long the program runs. A sample
 * holds only the types that changed since the one before; a reader fills forward. When there are too many, every second sample
 * goes: its rows move to the later neighbour, unless that has a row for the type already, so that what a reader fills in at
 * the samples that stay is exactly what it was. The distance between samples doubles then.
 */

/** Numbers of one type at a sample, after the change. */
export interface TypeCount {
  readonly objects: number;
  readonly bytes: number;
}

export interface Sample {
  /** State before this event. */
  readonly event: number;
  /** ms since program start. */
  readonly wall: number;
  /** By type id: the types that changed since the sample before. */
  readonly changes: Map<number, TypeCount>;
}

export class SeriesSampler {
  readonly #limit: number;
  #interval: number;
  #samples: Sample[] = [];

  /** `interval`: events between two samples at first. `limit`: most samples ever kept, at least 3. */
  constructor(interval: number, limit: number) {
    this.#interval = interval;
    this.#limit = limit;
  }

  /** Events between two samples now. */
  get interval(): number {
    return this.#interval;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** The event at which the next sample is due: ask for nothing before it. */
  get nextAt(): number {
    return this.#samples.length === 0 ? 0 : this.#samples[this.#samples.length - 1]!.event + this.#interval;
  }

  /** Adds a sample; true when earlier ones were thinned out for it. */
  add(event: number, wall: number, changes: Iterable<readonly [type: number, count: TypeCount]>): boolean {
    this.#samples.push({ event, wall, changes: new Map(changes) });
    if (this.#samples.length <= this.#limit) return false;
    // The first sample and the last stay; each odd one before the last gives its rows to the next.
    const kept: Sample[] = [];
    const last = this.#samples.length - 1;
    this.#samples.forEach((sample, i) => {
      if (i % 2 === 0 || i === last) {
        kept.push(sample);
        return;
      }
      const later = this.#samples[i + 1]!.changes;
      for (const [type, count] of sample.changes) if (!later.has(type)) later.set(type, count);
    });
    this.#samples = kept;
    this.#interval *= 2;
    return true;
  }
}
