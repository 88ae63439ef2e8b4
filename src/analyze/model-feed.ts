/**
 * Models of allocators, fed with the requests and births of a recorded program. What a model answered for a block is a column beside
 * the analysis's own table of blocks, by row.
 *
 * pymalloc gets every request that CPython made in the domains it serves (object, and from 3.6 on mem), with the size asked for. Blocks from
 * before the recording are not fed: neither their domain nor their request is known. A request that the model leaves to malloc stays malloc's
 * when it is resized, as in pymalloc_realloc (Objects/obmalloc.c).
 */
import { PRIVATE_POOL_PROFILES, PrivatePool, privatePoolProfile } from "../allocators/private-pool.js";
import { PYMALLOC_PROFILES, pymallocProfile } from "../allocators/profiles.js";
import { Pymalloc } from "../allocators/pymalloc.js";
import { Failure } from "../base/failure.js";
import { grown } from "../replay/tables.js";

export const MODEL_NAMES: readonly string[] = [...PYMALLOC_PROFILES, ...PRIVATE_POOL_PROFILES].map(({ name }) => name);

/** Domains as events number them. */
const MEM = 2;
const OBJECT = 3;
export const isPython = (domain: number): boolean => domain === MEM || domain === OBJECT;

/** Values of `PymallocFeed.at` beside addresses: not fed, and passed on to malloc. */
const NOT_FED = 0;
const PASSED_ON = 1;

export class PymallocFeed {
  readonly kind = "pymalloc";
  readonly model: Pymalloc;
  /** By row: address in the model, NOT_FED or PASSED_ON. */
  at = new Uint32Array(1 << 14);
  passedOn = 0;
  passedOnBytes = 0;
  peakAt = 0;

  constructor(name: string) {
    this.model = new Pymalloc(pymallocProfile(name));
  }

  alloc(row: number, size: number, domain: number, event: number): void {
    while (row >= this.at.length) this.at = grown(this.at, this.at.length * 2);
    if (domain !== OBJECT && !(domain === MEM && this.model.profile.servesMem)) {
      this.at[row] = NOT_FED;
      return;
    }
    const before = this.model.peakArenas;
    const address = this.model.malloc(size);
    if (address === 0) this.#pass(row, size);
    else {
      this.at[row] = address;
      if (this.model.peakArenas > before) this.peakAt = event;
    }
  }

  realloc(row: number, size: number, old: number, event: number): void {
    const address = this.at[row] ?? NOT_FED;
    if (address === NOT_FED) return;
    if (address === PASSED_ON) {
      this.passedOnBytes += size - old;
      return;
    }
    const before = this.model.peakArenas;
    const moved = this.model.realloc(address, size);
    if (moved === 0) this.#pass(row, size);
    else this.at[row] = moved;
    if (this.model.peakArenas > before) this.peakAt = event;
  }

  free(row: number, size: number): void {
    const address = this.at[row] ?? NOT_FED;
    if (address === PASSED_ON) this.passedOnBytes -= size;
    else if (address !== NOT_FED) this.model.free(address);
    if (address !== NOT_FED) this.at[row] = NOT_FED;
  }

  /** Address of the arena that a block lies in; 0 = in none. */
  arenaOf(row: number): number {
    const address = this.at[row] ?? NOT_FED;
    return address === NOT_FED || address === PASSED_ON ? 0 : this.model.arenaOf(address);
  }

  #pass(row: number, size: number): void {
    this.at[row] = PASSED_ON;
    this.passedOn++;
    this.passedOnBytes += size;
  }
}

/** Two digits, the most that a Python 2 integer has room for, take at most so many bytes of a block here. */
const LARGEST_INT = 24;

export class PrivateFeed {
  readonly kind = "private-pool";
  readonly pool: PrivatePool;
  /** By row: place in the pool, and 1 more; 0 = not of the pool. */
  place = new Int32Array(1 << 14);
  peakAt = 0;

  constructor(name: string) {
    this.pool = new PrivatePool(privatePoolProfile(name));
  }

  born(row: number, type: string, held: number, event: number): void {
    if (type !== this.pool.profile.type || (type === "int" && held > LARGEST_INT)) return;
    while (row >= this.place.length) {
      const larger = new Int32Array(this.place.length * 2);
      larger.set(this.place);
      this.place = larger;
    }
    const before = this.pool.peakLive;
    this.place[row] = this.pool.born() + 1;
    if (this.pool.peakLive > before) this.peakAt = event;
  }

  died(row: number): void {
    const place = this.place[row];
    if (place === undefined || place === 0) return;
    this.place[row] = 0;
    this.pool.died(place - 1);
  }
}

export type Feed = PymallocFeed | PrivateFeed;

export function createFeed(name: string): Feed {
  if (PYMALLOC_PROFILES.some((profile) => profile.name === name)) return new PymallocFeed(name);
  if (PRIVATE_POOL_PROFILES.some((profile) => profile.name === name)) return new PrivateFeed(name);
  throw new Failure(`--model ${name}: no such model; models are ${MODEL_NAMES.join(", ")}`, 2);
}
