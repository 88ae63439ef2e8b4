/** What follows the chosen range beside charts, lines and types: what was alive, free lists, the heap; and the notes of what cannot follow it. */
import { bytes, count, plural } from "../../base/quantity.js";
import { rowsOf } from "./downloads.js";
import { byId, element, page } from "./elements.js";
import { isWhole, type Range } from "./range.js";

const percentText = (hits: number, births: number): string =>
  births === 0 ? "–" : `${((100 * hits) / births).toFixed(1)} %`;

const momentText = ({ event, seconds }: { event: number; seconds: number }): string =>
  `#${count(event)} (${seconds.toFixed(3)} s)`;

/** Puts rows into a table's body, or says that there are none. */
export function fillTable(id: string, rows: readonly HTMLElement[]): void {
  const table = byId<HTMLTableElement>(id);
  const columns = table?.tHead?.rows[0]?.cells.length ?? 1;
  const none = (): HTMLElement =>
    element("tr", { class: "gap" }, element("td", { colspan: String(columns) }, "none in this part"));
  table?.tBodies[0]?.replaceChildren(...(rows.length > 0 ? rows : [none()]));
}

/** The last of what is known at moments, by the end of the range. */
const before = <T extends { event: number }>(moments: readonly T[], event: number): T | undefined =>
  moments.filter((one) => one.event <= event).pop();

/** Rows of the tables as the page came, to be put back. */
const asMade = new Map<string, HTMLElement[]>();
function rowsAsMade(id: string): HTMLElement[] {
  const known = asMade.get(id) ?? [...(byId<HTMLTableElement>(id)?.tBodies[0]?.rows ?? [])];
  asMade.set(id, known);
  return known;
}

export function showAlive(range: Range): void {
  const made = rowsAsMade("alive");
  const part = byId("alive-part");
  if (!part) return;
  const at = isWhole(range) ? undefined : before(page.alive, page.edges[range.to]!.event);
  part.hidden = at === undefined;
  const place = byId<HTMLTableElement>("alive")!.tHead!.rows[0]!.cells[3]!;
  place.hidden = at !== undefined;
  if (at === undefined) {
    fillTable("alive", made);
    return;
  }
  const isEnd = at.event === page.edges[range.to]!.event;
  part.textContent = `Shown is what was alive at ${momentText(at)}, ${isEnd ? "the end of the chosen part" : "the last moment looked at in the chosen part or before it"}: ${plural(at.objects, "object")}, ${bytes(at.bytes)}.`;
  const rows: HTMLElement[] = [];
  for (let i = 0; i < at.rows.length; i += 3) {
    const [type, objects, size] = [at.rows[i]!, at.rows[i + 1]!, at.rows[i + 2]!];
    rows.push(
      element(
        "tr",
        {},
        element("th", { scope: "row" }, page.aliveTypes[type]!),
        element("td", { class: "n" }, count(objects)),
        element("td", { class: "n" }, bytes(size)),
      ),
    );
  }
  fillTable("alive", rows);
}

/** Sums over the windows of the range: their edges are those of the stretches. */
export function showFreeLists(range: Range): void {
  const total = byId("free-total");
  const lists = page.freeLists;
  if (!total || !lists) return;
  total.dataset["made"] ??= total.textContent!;
  const first = page.edges[range.from]!.event;
  const last = page.edges[range.to]!.event;
  const isIn = (event: number): boolean => event >= first && event < last;
  const sum = (counts: readonly number[]): number =>
    counts.reduce((all, n, i) => (isIn(lists.windows[i]!) ? all + n : all), 0);
  const [hits, births] = [sum(lists.hits), sum(lists.births)];
  total.textContent = isWhole(range)
    ? total.dataset["made"]!
    : `In the chosen part, ${count(hits)} of ${count(births)} births (${percentText(hits, births)}) were served so, without asking the allocator.`;
  const rates = page.datasets["hit-rates"];
  const sums = new Map<string, [number, number]>();
  for (const { from, type, hits: some, births: all } of rates ? rowsOf(rates) : []) {
    if (!isIn(Number(from))) continue;
    const row = sums.get(String(type)) ?? [0, 0];
    sums.set(String(type), [row[0] + Number(some), row[1] + Number(all)]);
  }
  for (const row of byId<HTMLTableElement>("free-lists")?.tBodies[0]?.rows ?? []) {
    const [fromList, all] = sums.get(row.cells[0]!.textContent!) ?? [0, 0];
    [count(fromList), count(all - fromList), percentText(fromList, all)].forEach((text, i) => {
      row.cells[i + 1]!.textContent = text;
    });
  }
}

export function showHeap(range: Range): void {
  const part = byId("heap-part");
  const sizes = page.datasets["heap-size"];
  if (!part || !sizes) return;
  part.hidden = isWhole(range);
  if (part.hidden) return;
  const rows = rowsOf(sizes).map(({ event, seconds, what, bytes }) => ({
    event: Number(event),
    seconds: Number(seconds),
    what,
    bytes: Number(bytes),
  }));
  const at = before(rows, page.edges[range.to]!.event);
  const bytesOf = (wanted: string): string =>
    bytes(rows.find(({ event, what }) => event === at?.event && what === wanted)?.bytes ?? 0);
  const then = at
    ? `At ${momentText(at)}, the end of the chosen part, blocks held ${bytesOf("in use")} of a footprint of ${bytesOf("footprint")}. `
    : "";
  part.textContent = `${then}The numbers above, of blocks and of free memory, are those of the recording’s end.`;
}

/** Rows of what happened at one event outside of the range step back; a table that has none left says so. */
export function showStatements(range: Range): void {
  const first = page.edges[range.from]!.event;
  const last = page.edges[range.to]!.event;
  const tables = new Map<HTMLTableElement, number>();
  for (const row of document.querySelectorAll<HTMLTableRowElement>("tr[data-event]")) {
    const event = Number(row.dataset["event"]);
    row.hidden = !isWhole(range) && (event < first || event >= last);
    const table = row.closest("table")!;
    tables.set(table, (tables.get(table) ?? 0) + Number(!row.hidden));
  }
  for (const [table, shown] of tables) {
    const body = table.tBodies[0]!;
    // What stands between rows, such as how many are left out, is of the whole.
    for (const gap of body.querySelectorAll<HTMLElement>("tr.gap:not(.none)")) gap.hidden = !isWhole(range);
    body.querySelector("tr.none")?.remove();
    if (shown > 0) continue;
    const columns = String(table.tHead!.rows[0]!.cells.length);
    body.append(element("tr", { class: "gap none" }, element("td", { colspan: columns }, "none in this part")));
  }
}

/** What is about the whole recording says so while a part of it is chosen. */
export function showNotes(range: Range): void {
  for (const note of document.querySelectorAll<HTMLElement>("[data-whole]")) note.hidden = isWhole(range);
}
