/** The suspects' ledgers as bank statements: every change of the count with its line and the balance after it, and a step chart of it. */
import type { LedgerRow, Suspect } from "../analyze/suspects.js";
import { bytes, count, plural } from "../base/quantity.js";
import { atTooltip, type Cell, type Chart, countAxis, eventAxis, specification } from "./charts.js";
import { wholeNote } from "./finding-section.js";
import { type Html, html } from "./html.js";
import { colour } from "./theme.js";
import { type Drawn, round } from "./time-charts.js";
import { typeName, type Words } from "./words.js";

/** Rows of a ledger on the page; of a longer one the first and the last. */
const ROWS = 60;

export interface LedgerSection extends Drawn {
  readonly section: Html;
  readonly leftOut: readonly { readonly what: string; readonly why: string }[];
}

const WORD: Readonly<Record<LedgerRow["kind"], string>> = {
  birth: "born",
  incref: "taken",
  decref: "given up",
  setref: "set",
  settype: "type changed",
  dealloc: "deallocated",
  resurrect: "brought back",
  resized: "moved or resized",
  pairs: "taken and given up",
};

/** `without`: what is said where there is none. */
export function ledgerSection(suspects: readonly Suspect[], without: string, words: Words): LedgerSection {
  const charts: Chart[] = [];
  const datasets: Record<string, LedgerSection["datasets"][string]> = {};
  const leftOut: { what: string; why: string }[] = [];
  const parts = suspects.map(({ because, history }, n): Html => {
    const { object, rows, open } = history;
    const type = typeName(words, object);
    const name = `ledger-${n + 1}`;
    const title = `#${object.id} ${type}`;
    datasets[name] = {
      columns: ["event", "seconds", "change", "delta", "count", "line"],
      rows: rows.map((row): Cell[] => [
        row.time.event,
        round(row.time.seconds),
        WORD[row.kind],
        row.delta,
        row.balance,
        words.place(row),
      ]),
    };
    charts.push({
      name,
      title: `References to ${title}`,
      text: `How many references there were to the object, after each change.`,
      label: `Step chart of the reference count of ${title}: ${plural(history.changes, "change")}, ${history.count ?? "immortal"} at the end.`,
      data: [name],
      specification: specification(110, {
        data: { name },
        mark: {
          type: "line",
          interpolate: "step-after",
          color: colour("c0"),
          strokeWidth: 1.5,
          point: { size: 18, filled: true, color: colour("c0") },
        },
        encoding: {
          x: eventAxis(),
          y: {
            field: "count",
            type: "quantitative",
            axis: { ...countAxis("references"), tickMinStep: 1, format: "d" },
          },
          tooltip: [
            { field: "change" },
            { field: "count", type: "quantitative", title: "references after it" },
            { field: "line", title: "at" },
            ...atTooltip(),
          ],
        },
      }),
      follows: "event",
    });
    const few = rows.length <= ROWS ? rows : [...rows.slice(0, ROWS / 2), ...rows.slice(-ROWS / 2)];
    const without = rows.length - few.length + history.leftOut;
    if (without > 0)
      leftOut.push({
        what: `${count(without)} rows of the ledger of ${title}`,
        why: `the first and the last are shown; all: refledger history TRACE '#${object.id}'`,
      });
    const statement = few.map((row, i) => {
      const gap = rows.length > ROWS && i === ROWS / 2;
      const at = words.place(row);
      return html`${gap && html`<tr class="gap"><td colspan="5">⋯ ${count(rows.length - ROWS)} rows</td></tr>`}<tr data-event="${row.time.event}"><td class="n">${count(row.time.event)}</td><td>${WORD[row.kind]}${row.pairs > 1 && html` ${count(row.pairs)} times`}</td><td class="n">${row.kind === "pairs" ? "±0" : row.delta > 0 ? `+${count(row.delta)}` : row.delta === 0 ? "" : `−${count(-row.delta)}`}</td><td class="n"><b>${row.balance === null ? "immortal" : count(row.balance)}</b></td><td>${at === "" ? (row.cFunction ?? "") : at} <code class="muted">${words.source(row.source) ?? ""}</code></td></tr>`;
    });
    const openRows = open.map(
      (one) =>
        html`<li>since #${count(one.opened.event)} (${one.opened.seconds.toFixed(3)} s), made at ${words.place(one) || (one.cFunction ?? "C code")} <code class="muted">${words.source(one.source) ?? ""}</code>${!one.sure && html` <span class="muted">(or one like it: the counts do not tell which was given up)</span>`}</li>`,
    );
    const end =
      history.death === null
        ? `alive at the end with ${history.count === null ? "an immortal count" : plural(history.count, "reference")}`
        : `deallocated at #${count(history.death.time.event)}`;
    return html`<article class="ledger" id="${name}"><h3>${title}</h3>
<p>${words.sentence(because)} ${bytes(object.bytes)}, ${object.born === null ? "from before the program" : `born at #${count(object.born.event)} (${object.born.seconds.toFixed(3)} s)`}, ${end}; ${plural(history.changes, "change")} of its count.</p>
<figure data-chart="${name}"></figure>
${open.length > 0 && html`<p class="tight"><b>${plural(open.length, "reference")} still open at the end</b>${history.openElsewhere > 0 && html`, ${count(history.openElsewhere)} more set in bulk or from before`}:</p><ul>${openRows}</ul>`}
<div class="scroll" tabindex="0" role="region" aria-label="Ledger of ${title}"><table class="statement"><thead><tr><th scope="col" class="n">event</th><th scope="col">what</th><th scope="col" class="n">change</th><th scope="col" class="n">references</th><th scope="col">where</th></tr></thead><tbody>${statement}</tbody></table></div></article>`;
  });
  return {
    section:
      parts.length === 0
        ? html`<p>${without} Any object’s ledger: <code>refledger history TRACE OBJECT</code>.</p>`
        : html`<p>Every change of the reference count of objects that findings name, as a bank statement: what was taken, what was given up, and the balance after it. A reference taken and given up again on one line is one row.</p>${wholeNote("Charts and rows are narrowed to the chosen part; the sentences, and the references still open, are about the whole recording.")}${parts}`,
    charts,
    datasets,
    leftOut,
  };
}
