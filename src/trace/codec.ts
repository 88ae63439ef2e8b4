/**
 * Events to bytes and back. Both directions keep the same small tables of what came before and guess the next event from them;
 * one byte an event (the token) says which guesses were right, and only what was not guessed is written out. A chunk starts with
 * empty tables, so every chunk can be decoded alone. zstd then takes the tokens, which are mostly runs of zero.
 *
 * One chunk, before compression; all integers are LEB128 varints, "zigzag" maps a signed 32-bit integer n to n < 0 ? -2n-1 : 2n,
 * differences being taken modulo 2^32:
 *
 *     ┌───────┬─────────┬───────────────────────┬───────────────────────────────┬─────────────┐
 *     │ count │ entries │ entries × (kind,site) │ bytes of the 4 streams below  │ the streams │
 *     └───────┴─────────┴───────────────────────┴───────────────────────────────┴─────────────┘
 *     tokens     count bytes, one an event
 *                bit 0      1: (kind, site) and location follow in `steps`; 0: as guessed
 *                bits 1-3   the address: 0 as long ago as last time, 1 as last time, 2 distance in `addresses`,
 *                           3 delta in `addresses`, 4 whole in `addresses`; 0 where the kind has no address
 *                bit 4      1: the operands follow in `operands`; 0: as last time, or the kind has none
 *     steps      for each bit 0: index in the dictionary, zigzag(location - location of the event before, at first 0)
 *     addresses  for each code 2: d = how many events ago this address was last seen (1 = the event before)
 *                for each code 3: zigzag(address / 4 - floor(address before / 4)), for multiples of 4; the address
 *                before is that of the latest event that has one, at first 0
 *                for each code 4: the address
 *     operands   for each bit 4: a if the kind has it, b if the kind has it
 *
 * Guesses, all tables starting at 0 (in `distance` at 1; `step` at entry 0). With key = site * 32 + kind and all arithmetic
 * modulo 2^32, mix = ((key * 0x9e3779b1 xor location) * 0x85ebca6b) xor (location * 0xc2b2ae35), and:
 *
 *     step      history = (history * 32 xor mix >>> 18) mod 2^14 of the events before, from 0; followed by what it was last time
 *     address   by context = mix >>> 20 of this very event: `distance` as sent last time in this context; last address in it
 *     operands  the last ones in this context; b counts as 0 where the kind has none
 *
 * Worked example, three events at location 9: alloc (site 3) of a block at 0x1000 with 24 bytes in domain 3, then an incref
 * (site 7) of 0x1008 and one of 0x1000. The test beside this file runs it:
 *
 *     03 02  00 03 05 07  03 06 04 02     3 events; entries: (alloc, site 3), (incref, site 7); 3, 6, 4 and 2 bytes of streams
 *     17 07 05                            new step + delta + operands; new step + delta; new step + distance
 *     00 12  01 00  01 00                 entry 0, location +9; entry 1, location +0; twice, as this history was not met before
 *     80 10 04 02                         (0x1000 - 0) / 4 as zigzag 2048; (0x1008 - 0x1000) / 4 as zigzag 4; 2 events ago
 *     18 03                               24 bytes, domain 3
 *
 * Measured behind zstd on a recording of json, regular expressions and object graphs (12 million events, 45 % of them alloc and free):
 * 0.34 bytes an event, where plain columns of (kind, site), location delta and address delta take 0.59 and leave zstd twice as much
 * to read. Also guessing an address's distance in bytes from the one before took 2 % off that and was not worth its table.
 */
import { assert } from "../base/failure.js";
import { compress, DamagedData, decompress } from "./compression.js";
import { type EventColumns, FIELDS, HAS_A, HAS_ADDRESS, HAS_B, KIND_COUNT } from "./events.js";

/** A chunk holds at most this many events: a reader can allocate its columns without believing the file. */
export const MAX_CHUNK_EVENTS = 1 << 20;
/** Bits of a key that hold the kind; the site has the rest. */
const KIND_BITS = 5;
const KIND_MASK = (1 << KIND_BITS) - 1;
/** Sites are below this, so that (kind, site) is one 32-bit key. */
export const MAX_SITE = 1 << (32 - KIND_BITS);

const HISTORY_BITS = 14;
const HISTORY_MASK = (1 << HISTORY_BITS) - 1;
const CONTEXT_BITS = 12;

const STEP = 1;
const ADDRESS_SHIFT = 1;
const AS_LONG_AGO = 0 << ADDRESS_SHIFT;
const AS_LAST_TIME = 1 << ADDRESS_SHIFT;
const DISTANCE = 2 << ADDRESS_SHIFT;
const DELTA = 3 << ADDRESS_SHIFT;
const WHOLE = 4 << ADDRESS_SHIFT;
const ADDRESS_MASK = 7 << ADDRESS_SHIFT;
const OPERANDS = 16;

/** Longest search back for an address, in events: more distant ones cost as much as a delta. */
const MAX_DISTANCE = 1 << 16;

const mixStep = (key: number, location: number): number =>
  Math.imul(Math.imul(key, 0x9e3779b1) ^ location, 0x85ebca6b) ^ Math.imul(location, 0xc2b2ae35);

/** The tables that both directions keep; reset for each chunk. `key` is site × 32 + kind. */
interface Guesses {
  readonly step: Uint32Array;
  readonly location: Uint32Array;
  readonly distance: Uint32Array;
  readonly address: Uint32Array;
  readonly a: Uint32Array;
  readonly b: Uint32Array;
}

function createGuesses(): Guesses {
  const column = (bits: number): Uint32Array => new Uint32Array(1 << bits);
  return {
    step: column(HISTORY_BITS),
    location: column(HISTORY_BITS),
    distance: column(CONTEXT_BITS),
    address: column(CONTEXT_BITS),
    a: column(CONTEXT_BITS),
    b: column(CONTEXT_BITS),
  };
}

function resetGuesses(guesses: Guesses): void {
  guesses.step.fill(0);
  guesses.location.fill(0);
  guesses.distance.fill(1);
  guesses.address.fill(0);
  guesses.a.fill(0);
  guesses.b.fill(0);
}

function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0;
  let next = at;
  while (rest > 0x7f) {
    bytes[next++] = rest | 0x80;
    rest >>>= 7;
  }
  bytes[next++] = rest;
  return next;
}

const zigzag = (n: number): number => ((n << 1) ^ (n >> 31)) >>> 0;
const unzigzag = (n: number): number => (n >>> 1) ^ -(n & 1);

/** Encodes chunks, one after the other, in memory of its own that grows to the largest chunk and is used again. */
export interface Encoder {
  /** The chunk's bytes as they are stored; a copy. */
  encode(columns: EventColumns): Uint8Array;
  /** The same before compression: what the format describes and the worked example shows. */
  encodePlain(columns: EventColumns): Uint8Array;
}

export function createEncoder(): Encoder {
  const guesses = createGuesses();
  let capacity = 0;
  let tokens = new Uint8Array(0);
  let steps = new Uint8Array(0);
  let addresses = new Uint8Array(0);
  let operands = new Uint8Array(0);
  let plain = new Uint8Array(0);
  // The dictionary while encoding: open addressing from key to entry + 1; and each entry's key.
  let slots = new Int32Array(0);
  let keys = new Uint32Array(0);
  // Where an address was last seen, as index + 1 by a hash of it; a collision only loses a chance.
  const seen = new Int32Array(1 << 14);

  function room(count: number): void {
    if (count <= capacity) return;
    capacity = Math.max(count, 1 << 12);
    tokens = new Uint8Array(capacity);
    steps = new Uint8Array(capacity * 10);
    addresses = new Uint8Array(capacity * 5);
    operands = new Uint8Array(capacity * 10);
    keys = new Uint32Array(capacity);
    slots = new Int32Array(1 << (32 - Math.clz32(capacity * 2)));
  }

  function encodePlain(columns: EventColumns): Uint8Array {
    const { kind, site, location, address, a, b, count } = columns;
    assert(count <= MAX_CHUNK_EVENTS, `a chunk of ${count} events`);
    room(count);
    resetGuesses(guesses);
    // Twice as many slots as this chunk can have entries: a short chunk does not pay for the longest one.
    const slotCount = 1 << (32 - Math.clz32(count * 2));
    slots.fill(0, 0, slotCount);
    seen.fill(0);
    const { step: nextStep, location: nextLocation, distance, address: lastAddress, a: lastA, b: lastB } = guesses;
    const slotMask = slotCount - 1;
    let entries = 0;
    let stepsEnd = 0;
    let addressesEnd = 0;
    let operandsEnd = 0;
    let history = 0;
    let locationBefore = 0;
    let addressBefore = 0;

    for (let i = 0; i < count; i++) {
      const key = ((site[i]! << KIND_BITS) | kind[i]!) >>> 0;
      const where = location[i]!;
      let token = 0;
      let step = nextStep[history]!;
      if (step >= entries || keys[step] !== key || nextLocation[history] !== where) {
        token = STEP;
        let slot = Math.imul(key, 0x9e3779b1) & slotMask;
        for (;;) {
          step = slots[slot]! - 1;
          if (step < 0) {
            assert(site[i]! < MAX_SITE && kind[i]! < KIND_COUNT, `event of kind ${kind[i]} at site ${site[i]}`);
            step = entries++;
            keys[step] = key;
            slots[slot] = entries;
            break;
          }
          if (keys[step] === key) break;
          slot = (slot + 1) & slotMask;
        }
        stepsEnd = putVarint(steps, stepsEnd, step);
        stepsEnd = putVarint(steps, stepsEnd, zigzag((where - locationBefore) | 0));
        nextStep[history] = step;
        nextLocation[history] = where;
      }
      locationBefore = where;
      const mix = mixStep(key, where);
      history = ((history << 5) ^ (mix >>> 18)) & HISTORY_MASK;
      const context = mix >>> 20;
      const fields = FIELDS[kind[i]!]!;

      if ((fields & HAS_ADDRESS) !== 0) {
        const value = address[i]!;
        const slot = Math.imul(value >>> 2, 0x9e3779b1) >>> 18;
        const back = distance[context]!;
        if (i >= back && address[i - back] === value) {
          token |= AS_LONG_AGO;
        } else if (lastAddress[context] === value) {
          token |= AS_LAST_TIME;
        } else {
          const ago = i + 1 - seen[slot]!;
          if (ago <= i && ago <= MAX_DISTANCE && address[i - ago] === value) {
            token |= DISTANCE;
            addressesEnd = putVarint(addresses, addressesEnd, ago);
            distance[context] = ago;
          } else if ((value & 3) === 0) {
            token |= DELTA;
            addressesEnd = putVarint(addresses, addressesEnd, zigzag((value >>> 2) - (addressBefore >>> 2)));
          } else {
            token |= WHOLE;
            addressesEnd = putVarint(addresses, addressesEnd, value);
          }
        }
        lastAddress[context] = value;
        seen[slot] = i + 1;
        addressBefore = value;
      } else {
        assert(address[i] === 0, "an address in an event that has none");
      }

      if ((fields & (HAS_A | HAS_B)) !== 0) {
        if (lastA[context] !== a[i] || lastB[context] !== b[i]) {
          token |= OPERANDS;
          operandsEnd = putVarint(operands, operandsEnd, a[i]!);
          if ((fields & HAS_B) !== 0) operandsEnd = putVarint(operands, operandsEnd, b[i]!);
          lastA[context] = a[i]!;
          lastB[context] = b[i]!;
        }
        assert((fields & HAS_B) !== 0 || b[i] === 0, "an operand in an event that has none");
      } else {
        assert(a[i] === 0 && b[i] === 0, "an operand in an event that has none");
      }
      tokens[i] = token;
    }

    const need = 40 + entries * 6 + count + stepsEnd + addressesEnd + operandsEnd;
    if (plain.length < need) plain = new Uint8Array(need + (need >> 1));
    let at = putVarint(plain, 0, count);
    at = putVarint(plain, at, entries);
    for (let entry = 0; entry < entries; entry++) {
      plain[at++] = keys[entry]! & KIND_MASK;
      at = putVarint(plain, at, keys[entry]! >>> KIND_BITS);
    }
    at = putVarint(plain, at, count);
    at = putVarint(plain, at, stepsEnd);
    at = putVarint(plain, at, addressesEnd);
    at = putVarint(plain, at, operandsEnd);
    for (const [stream, end] of [
      [tokens, count],
      [steps, stepsEnd],
      [addresses, addressesEnd],
      [operands, operandsEnd],
    ] as const) {
      plain.set(stream.subarray(0, end), at);
      at += end;
    }
    return plain.subarray(0, at);
  }

  return { encode: (columns) => compress(encodePlain(columns)), encodePlain };
}

/**
 * Reads the few integers before the streams. A read past the end gives undefined, which counts as 0 and ends the integer; the
 * ends of the streams are compared afterwards. Not a closure in the decoder: what a closure captures, the hot loop reloads.
 */
class HeaderReader {
  at = 0;
  constructor(private readonly bytes: Uint8Array) {}

  byte(): number {
    return this.bytes[this.at++]!;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) break;
    }
    return value >>> 0;
  }
}

/** Decodes chunks into columns that the caller keeps. */
export interface Decoder {
  /** Fills rows 0 to `into.count` - 1; `into.first` is the caller's. Throws DamagedData for bytes that no encoder wrote. */
  decode(bytes: Uint8Array, into: EventColumns): void;
  decodePlain(plain: Uint8Array, into: EventColumns): void;
}

export function createDecoder(): Decoder {
  const guesses = createGuesses();
  let keys = new Uint32Array(1 << 12);
  // What `guesses.step` means, looked up and mixed beforehand: each event waits for the one before, so each load on that way counts.
  const nextKey = new Int32Array(1 << HISTORY_BITS);
  const nextMix = new Int32Array(1 << HISTORY_BITS);

  function decodePlain(plain: Uint8Array, into: EventColumns): void {
    const { kind, site, location, address, a, b } = into;
    const { location: nextLocation, distance, address: lastAddress, a: lastA, b: lastB } = guesses;
    into.count = 0;
    const head = new HeaderReader(plain);
    const count = head.varint();
    if (count > kind.length) throw new DamagedData(`${count} events where at most ${kind.length} are expected`);
    const entries = head.varint();
    if (entries > count) throw new DamagedData(`a dictionary of ${entries} entries for ${count} events`);
    if (keys.length < entries) keys = new Uint32Array(entries * 2);
    for (let entry = 0; entry < entries; entry++) {
      const code = head.byte();
      if (!(code < KIND_COUNT)) throw new DamagedData(`an event of unknown kind ${code}`);
      keys[entry] = (head.varint() << KIND_BITS) | code;
    }
    const tokensBytes = head.varint();
    const stepsBytes = head.varint();
    const addressesBytes = head.varint();
    const operandsBytes = head.varint();
    const tokensStart = head.at;
    const stepsStart = tokensStart + tokensBytes;
    const addressesStart = stepsStart + stepsBytes;
    const operandsStart = addressesStart + addressesBytes;
    const end = operandsStart + operandsBytes;
    if (tokensBytes !== count || end !== plain.length) {
      throw new DamagedData(`expected ${end} bytes and ${count} tokens, found ${plain.length} and ${tokensBytes}`);
    }
    resetGuesses(guesses);
    nextKey.fill(keys[0]! | 0);
    nextMix.fill(mixStep(keys[0]! | 0, 0));
    let stepAt = stepsStart;
    let addressAt = addressesStart;
    let operandAt = operandsStart;
    let history = 0;
    let where = 0;
    let addressBefore = 0;

    // Everything below stays a signed 32-bit integer (`| 0`): mixed with unsigned ones, V8 falls back to doubles, at half the speed.
    for (let i = 0; i < count; i++) {
      const token = plain[tokensStart + i]!;
      let key: number;
      let mix: number;
      if ((token & STEP) === 0) {
        key = nextKey[history]!;
        where = nextLocation[history]! | 0;
        mix = nextMix[history]!;
      } else {
        let byte = plain[stepAt++]!;
        let step = byte & 0x7f;
        for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
          byte = plain[stepAt++]!;
          step |= (byte & 0x7f) << shift;
        }
        byte = plain[stepAt++]!;
        let delta = byte & 0x7f;
        for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
          byte = plain[stepAt++]!;
          delta |= (byte & 0x7f) << shift;
        }
        if (step >>> 0 >= entries)
          throw new DamagedData(`event ${i}: entry ${step >>> 0} of a dictionary of ${entries}`);
        key = keys[step]! | 0;
        where = (where + unzigzag(delta)) | 0;
        mix = mixStep(key, where);
        nextKey[history] = key;
        nextLocation[history] = where;
        nextMix[history] = mix;
      }
      const code = key & KIND_MASK;
      kind[i] = code;
      site[i] = key >>> KIND_BITS;
      location[i] = where;
      history = ((history << 5) ^ (mix >>> 18)) & HISTORY_MASK;
      const context = mix >>> 20;
      const fields = FIELDS[code]!;

      if ((fields & HAS_ADDRESS) !== 0) {
        const how = token & ADDRESS_MASK;
        let value: number;
        if (how === AS_LONG_AGO) {
          value = address[i - distance[context]!]! | 0;
        } else if (how === AS_LAST_TIME) {
          value = lastAddress[context]! | 0;
        } else {
          let byte = plain[addressAt++]!;
          value = byte & 0x7f;
          for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
            byte = plain[addressAt++]!;
            value |= (byte & 0x7f) << shift;
          }
          if (how === DISTANCE) {
            if (value <= 0 || value > i) throw new DamagedData(`event ${i}: an address from ${value} events ago`);
            distance[context] = value;
            value = address[i - value]! | 0;
          } else if (how === DELTA) {
            value = ((addressBefore >>> 2) + unzigzag(value)) << 2;
          } else if (how !== WHOLE) {
            throw new DamagedData(`event ${i}: token ${token}`);
          }
        }
        address[i] = value;
        lastAddress[context] = value;
        addressBefore = value;
      } else {
        address[i] = 0;
      }

      if ((fields & (HAS_A | HAS_B)) === 0) {
        a[i] = 0;
        b[i] = 0;
      } else if ((token & OPERANDS) === 0) {
        a[i] = lastA[context]!;
        b[i] = (fields & HAS_B) === 0 ? 0 : lastB[context]!;
      } else {
        let byte = plain[operandAt++]!;
        let value = byte & 0x7f;
        for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
          byte = plain[operandAt++]!;
          value |= (byte & 0x7f) << shift;
        }
        a[i] = value;
        lastA[context] = value;
        value = 0;
        if ((fields & HAS_B) !== 0) {
          byte = plain[operandAt++]!;
          value = byte & 0x7f;
          for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
            byte = plain[operandAt++]!;
            value |= (byte & 0x7f) << shift;
          }
        }
        b[i] = value;
        lastB[context] = value;
      }
    }
    if (stepAt !== addressesStart || addressAt !== operandsStart || operandAt !== end) {
      throw new DamagedData("the streams do not end where they should");
    }
    into.count = count;
  }

  /** Most bytes that a legal chunk of this many events can have before compression. */
  const bound = (events: number): number => 40 + events * 32;

  return {
    decode: (bytes, into) => decodePlain(decompress(bytes, bound(into.kind.length)), into),
    decodePlain,
  };
}
