/**
 * The life of an address: every block that covered it and every object that stood there or in such a block, one after the other, with
 * how each came by the memory. One pass over the events, looking at one place only.
 */

import type { Replay } from "../replay/replay.js";
import { timeInfo } from "../replay/survey.js";
import { DOMAINS, Kind } from "../trace/events.js";
import { sourcePlace } from "./pins.js";
import { OVERHEAD } from "./pools-blocks.js";
import type { AddressLife, Occupant } from "./pools-data.js";

const {
  alloc: ALLOC,
  realloc: REALLOC,
  free: FREE,
  new: NEW,
  dealloc: DEALLOC,
  resurrect: RESURRECT,
  settype: SETTYPE,
} = Kind;

/** Occupants that are told: so many first ones, and as many last ones. */
const MOST_EACH = 500;
/** Objects stand at most so far into their block. */
const FARTHEST = 16;

interface Entry {
  readonly what: "block" | "object";
  readonly id: number | null;
  readonly address: number;
  size: number;
  type: number;
  readonly domain: string | null;
  /** -1 = before the recording. */
  readonly born: number;
  died: number | null;
  readonly location: number;
  readonly via: Occupant["via"];
}

/** The whole life up to `to`; with `from`, of those that were still there then or came later. */
export function addressLife(
  replay: Replay,
  wanted: number,
  { from = 0, to = replay.end }: { readonly from?: number | undefined; readonly to?: number | undefined } = {},
): AddressLife {
  const first: Entry[] = [];
  const last: Entry[] = [];
  const sums = { objects: 0, blocks: 0, fromFreeList: 0, leftOut: 0 };
  let block: Entry | undefined;
  let object: Entry | undefined;
  /** The object that lies dead in the block. */
  let dead = false;
  let born = 0;

  const note = (entry: Entry): void => {
    if (first.length < MOST_EACH) first.push(entry);
    else {
      last.push(entry);
      if (last.length >= 2 * MOST_EACH) {
        const away = last.splice(0, MOST_EACH);
        sums.leftOut += away.length;
      }
    }
  };
  // Noted when over, so that what ended before `from` need not be kept; the order is that of births all the same, see the end.
  const close = (entry: Entry | undefined, event: number | null): void => {
    if (!entry) return;
    entry.died ??= event;
    if (entry.died !== null && entry.died < from) return;
    sums[entry.what === "block" ? "blocks" : "objects"]++;
    if (entry.via === "free-list") sums.fromFreeList++;
    note(entry);
  };
  const covers = (at: number, size: number): boolean => at <= wanted && wanted < at + Math.max(size, 1);
  const concerns = (at: number): boolean =>
    at === wanted ||
    (block !== undefined &&
      at >= block.address &&
      at <= block.address + FARTHEST &&
      at < block.address + Math.max(block.size, 1));
  const openBlock = (
    at: number,
    size: number,
    domain: string | null,
    event: number,
    location: number,
    via: Occupant["via"],
  ): void => {
    block = { what: "block", id: null, address: at, size, type: 0, domain, born: event, died: null, location, via };
    dead = false;
  };
  const endBlock = (event: number): void => {
    close(object, event);
    close(block, event);
    block = undefined;
    object = undefined;
    dead = false;
  };

  const baseline = replay.reader.baseline();
  if (baseline) {
    const { blocks, objects } = baseline;
    for (let i = 0; i < blocks.address.length; i++) {
      const size = blocks.size[i]! - OVERHEAD;
      if (covers(blocks.address[i]!, size)) openBlock(blocks.address[i]!, size, null, -1, 0, "before");
    }
    for (let i = 0; i < objects.address.length; i++) {
      born++;
      const at = objects.address[i]!;
      if (concerns(at)) object = entryOf(born, at, objects.bytes[i]!, objects.type[i]!, -1, 0, "before");
    }
  }
  for (const { columns, first: begin, last: end } of replay.range(0, to)) {
    const { kind, address, location, a, b } = columns;
    for (let i = begin; i < end; i++) {
      const code = kind[i]!;
      if (code === NEW) born++;
      else if (
        code !== ALLOC &&
        code !== REALLOC &&
        code !== FREE &&
        code !== DEALLOC &&
        code !== RESURRECT &&
        code !== SETTYPE
      )
        continue;
      const at = address[i]!;
      const event = columns.first + i;
      if (code === ALLOC) {
        if (!covers(at, a[i]!)) continue;
        endBlock(event);
        openBlock(at, a[i]!, DOMAINS[b[i]!] ?? null, event, location[i]!, "allocator");
      } else if (code === FREE) {
        if (block !== undefined && at === block.address) endBlock(event);
      } else if (code === REALLOC) {
        const mine = block !== undefined && b[i] === block.address;
        if (mine && at === b[i] && covers(at, a[i]!)) block!.size = a[i]!;
        else {
          if (mine) endBlock(event);
          if (covers(at, a[i]!)) {
            endBlock(event);
            openBlock(at, a[i]!, null, event, location[i]!, "realloc");
          }
        }
      } else if (concerns(at)) {
        if (code === NEW) {
          const via =
            b[i] === 0
              ? "static"
              : dead || (block?.via === "before" && !object)
                ? "free-list"
                : object?.died === null
                  ? "other"
                  : "allocator";
          close(object, event);
          object = entryOf(born, at, b[i]!, a[i]!, event, location[i]!, via);
          dead = false;
        } else if (object?.address === at) {
          if (code === DEALLOC && object.died === null) {
            object.died = event;
            dead = true;
          } else if (code === RESURRECT) {
            object.died = null;
            dead = false;
          } else if (code === SETTYPE) object.type = a[i]!;
        }
      }
    }
  }
  close(object, null);
  close(block, null);
  const listed = last.length > MOST_EACH ? last.splice(0, last.length - MOST_EACH).length : 0;
  sums.leftOut += listed;
  const entries = [...first, ...last].sort((x, y) => x.born - y.born || (x.what === "block" ? -1 : 1));
  const { names } = replay;
  return {
    address: wanted,
    from: timeInfo(replay, from),
    to: timeInfo(replay, to),
    occupants: entries.map(({ what, id, address, size, type, domain, born: at, died, location, via }) => ({
      what,
      id,
      address,
      size,
      type: what === "object" ? names.type(type) : null,
      domain,
      born: at < 0 ? null : timeInfo(replay, at),
      died: died === null ? null : timeInfo(replay, died),
      place: sourcePlace(names, location),
      via,
    })),
    ...sums,
  };

  function entryOf(
    id: number,
    at: number,
    size: number,
    type: number,
    event: number,
    location: number,
    via: Occupant["via"],
  ): Entry {
    return { what: "object", id, address: at, size, type, domain: null, born: event, died: null, location, via };
  }
}
