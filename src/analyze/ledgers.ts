/**
 * The ledgers of a few objects at once, in one pass over the events between their births and the moments of interest, without the index
 * of objects: which references to each were open then, and which of them was made last.
 */

import { OpenList } from "../replay/history.js";
import type { Replay } from "../replay/replay.js";
import { Kind } from "../trace/events.js";

/** One object, from its birth up to an event. */
export interface LedgerWish {
  readonly address: number;
  readonly birth: number;
  /** Events before this one count. */
  readonly until: number;
}

/** A reference that was open. */
export interface OpenEntry {
  readonly event: number;
  readonly kind: "birth" | "incref" | "setref";
  readonly location: number;
  readonly site: number;
  /** False: another decref may have ended this one instead of the one that it was matched with. */
  readonly sure: boolean;
}

/** The references to each object that were open at its moment, oldest first. Objects from before the recording have none that are known. */
export function openReferences(replay: Replay, wishes: readonly LedgerWish[]): OpenEntry[][] {
  const { names } = replay;
  const lines = new Map<string, number>();
  const lineOf = (location: number): { line: number; function: string | null } => {
    const { function: name, file, line } = names.place(location);
    const text = `${name} ${file}:${line}`;
    let number = lines.get(text);
    if (number === undefined) {
      number = lines.size;
      lines.set(text, number);
    }
    return { line: number, function: name };
  };
  const lists = wishes.map(() => new OpenList());
  const byAddress = new Map<number, number[]>();
  // Most addresses are nobody's here: one load tells.
  const maybe = new Uint8Array(1 << 16);
  const slot = (address: number): number => (address >>> 3) & 0xffff;
  wishes.forEach(({ address, birth }, w) => {
    if (birth < 0) return;
    const list = byAddress.get(address);
    if (list) list.push(w);
    else byAddress.set(address, [w]);
    maybe[slot(address)] = 1;
  });
  const known = wishes.filter(({ birth }) => birth >= 0);
  const from = known.reduce((least, { birth }) => Math.min(least, birth), Number.POSITIVE_INFINITY);
  const to = known.reduce((most, { until }) => Math.max(most, until), 0);
  for (const { columns, first, last } of replay.range(from, to)) {
    const { kind, address, location, site, a } = columns;
    const [begin, end] = [columns.first + first, columns.first + last];
    if (!known.some(({ birth, until }) => birth < end && until > begin)) continue;
    for (let i = first; i < last; i++) {
      const at = address[i]!;
      if (maybe[slot(at)] === 0) continue;
      const code = kind[i]!;
      if (code !== Kind.incref && code !== Kind.decref && code !== Kind.setref && code !== Kind.new) continue;
      const event = columns.first + i;
      for (const w of byAddress.get(at) ?? []) {
        const { birth, until } = wishes[w]!;
        if (event < birth || event >= until) continue;
        const list = lists[w]!;
        const where = lineOf(location[i]!);
        const open = { event, location: location[i]!, site: site[i]!, ...where };
        if (event === birth) list.push({ ...open, kind: "birth" });
        else if (code === Kind.incref) list.push({ ...open, kind: "incref" });
        else if (code === Kind.decref) list.close(where.line, where.function, 0);
        else if (code === Kind.setref) {
          const more = (a[i]! - list.size) | 0;
          for (let n = 0; n < Math.min(more, 1000); n++) list.push({ ...open, kind: "setref" });
          for (let n = 0; n < Math.min(-more, 1000); n++) list.close(where.line, where.function, 0);
        }
      }
    }
  }
  return lists.map((list) => list.list());
}
