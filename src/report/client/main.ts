/** Starts the page: charts, the choice of a range, and what follows it. */

import { count } from "../../base/quantity.js";
import { drawCharts, mountCharts } from "./draw.js";
import { byId, element, page } from "./elements.js";
import { fillTable, showAlive, showFreeLists, showHeap, showNotes, showStatements } from "./follow.js";
import { choose, currentRange, isWhole, onRange, type Range, sumsIn, whole } from "./range.js";

/** Steps of heat, and the counts of a line, as on the server's side. */
const STEPS = 7;
const COUNTS = 4;
const TYPE_ROWS = 15;

function showRange(range: Range): void {
  const from = page.edges[range.from]!;
  const to = page.edges[range.to]!;
  byId("range")!.textContent = isWhole(range)
    ? "the whole recording"
    : `events #${count(from.event)} to #${count(to.event)} (${from.seconds.toFixed(3)} s to ${to.seconds.toFixed(3)} s)`;
  for (const [id, stretch, edge] of [
    ["from", range.from, from],
    ["to", range.to, to],
  ] as const) {
    const slider = byId<HTMLInputElement>(id)!;
    slider.value = String(stretch);
    slider.setAttribute("aria-valuetext", `event ${count(edge.event)}, ${edge.seconds.toFixed(3)} s`);
  }
  byId<HTMLButtonElement>("whole")!.disabled = isWhole(range);
}

function showTypes(range: Range): void {
  const rows = page.types
    .map(({ type, stretches }) => ({ type, sums: sumsIn(range, stretches, 2) }))
    .filter(({ sums }) => sums[0]! + sums[1]! > 0)
    .sort((x, y) => y.sums[0]! - x.sums[0]! || (x.type < y.type ? -1 : 1))
    .slice(0, TYPE_ROWS);
  const cell = (n: number): HTMLElement => element("td", { class: "n" }, count(n));
  fillTable(
    "types",
    rows.map(({ type, sums: [born, died] }) =>
      element("tr", {}, element("th", { scope: "row" }, type), cell(born!), cell(died!), cell(born! - died!)),
    ),
  );
}

interface SourceRow {
  readonly index: number;
  /** The cells of the counts, and the heat that each shows. */
  readonly counts: { readonly cell: HTMLElement; shown: number }[];
}
let rowsOfSource: SourceRow[] | undefined;

/** The lines of the sources, gathered once. */
function sourceRows(): SourceRow[] {
  rowsOfSource ??= [...document.querySelectorAll<HTMLTableRowElement>("tr[data-line]")]
    .filter((row) => row.closest("#hot") === null)
    .map((row) => {
      while (row.cells.length < 2 + COUNTS) row.append(element("td", { class: "n heat" }));
      const counts = [...row.cells].slice(2).map((cell) => ({ cell, shown: -1 }));
      return { index: Number(row.dataset["line"]), counts };
    });
  return rowsOfSource;
}

/** Numbers beside the lines, and which lines are hot. */
function showLines(range: Range): void {
  const sums = page.lines.map((flat) => sumsIn(range, flat, COUNTS));
  const most = Array.from({ length: COUNTS }, (_, k) => sums.reduce((max, row) => Math.max(max, row[k]!), 0));
  const heat = (n: number, k: number): number =>
    n === 0 || most[k] === 0 ? 0 : Math.max(1, Math.ceil(Math.sqrt(n / most[k]!) * (STEPS - 1)));
  const cells = (index: number): HTMLElement[] =>
    sums[index]!.map((n, k) => element("td", { class: `n heat h${heat(n, k)}` }, count(n)));
  for (const { index, counts } of sourceRows()) {
    sums[index]!.forEach((n, k) => {
      const { cell, shown } = counts[k]!;
      const text = count(n);
      if (cell.textContent !== text) cell.textContent = text;
      const step = heat(n, k);
      if (shown === step) return;
      cell.className = `n heat h${step}`;
      counts[k]!.shown = step;
    });
  }
  const hot = byId<HTMLTableElement>("hot");
  if (!hot) return;
  const total = (index: number): number => sums[index]!.reduce((all, n) => all + n, 0);
  const order = sums
    .map((_, index) => index)
    .filter((index) => total(index) > 0)
    .sort((x, y) => total(y) - total(x) || x - y)
    .slice(0, Number(hot.dataset["rows"]));
  const lines = page.datasets["lines"]!.rows;
  fillTable(
    "hot",
    order.map((index) => {
      const [file, line, name, source] = lines[index]!;
      const short = String(file).slice(String(file).lastIndexOf("/") + 1);
      return element(
        "tr",
        { "data-line": String(index) },
        element("th", { scope: "row" }, `${short}:${line} `, element("span", { class: "muted" }, String(name))),
        element("td", { class: "code" }, element("code", {}, String(source ?? ""))),
        ...cells(index),
      );
    }),
  );
}

/** Findings that were seen outside of the range alone are hidden, and their number is said. */
function showFindings(range: Range): void {
  const first = page.edges[range.from]!.event;
  const last = page.edges[range.to]!.event;
  for (const note of document.querySelectorAll<HTMLElement>("[data-outside]")) {
    let outside = 0;
    for (const article of note.parentElement!.querySelectorAll<HTMLElement>("article[data-from]")) {
      const { from, to } = article.dataset;
      article.hidden = !isWhole(range) && (Number(from) >= last || Number(to) < first);
      if (article.hidden) outside++;
    }
    note.hidden = outside === 0;
    note.textContent = `${count(outside)} ${outside === 1 ? "finding lies" : "findings lie"} outside of the chosen part of the recording.`;
  }
}

/** A link to a finding that is hidden shows the whole recording again: a link must lead somewhere. */
function followLinks(): void {
  document.addEventListener("click", ({ target }) => {
    const link = (target as Element).closest<HTMLAnchorElement>('a[href^="#"]');
    if (link && byId(link.hash.slice(1))?.hidden) choose(whole());
  });
}

function start(): void {
  const from = byId<HTMLInputElement>("from");
  const to = byId<HTMLInputElement>("to");
  if (from && to) {
    onRange(showRange);
    onRange(showTypes);
    onRange(showLines);
    onRange(showStatements);
    onRange(showFindings);
    for (const show of [showAlive, showFreeLists, showHeap, showNotes]) onRange(show);
    followLinks();
    // Neither end is moved by the other: one that would pass it stops before it.
    from.addEventListener("input", () => {
      choose({ from: Math.min(Number(from.value), currentRange().to - 1), to: currentRange().to });
      showRange(currentRange());
    });
    to.addEventListener("input", () => {
      choose({ from: currentRange().from, to: Math.max(Number(to.value), currentRange().from + 1) });
      showRange(currentRange());
    });
    byId("whole")!.addEventListener("click", () => choose(whole()));
  }
  mountCharts();
  void drawCharts();
}

start();
