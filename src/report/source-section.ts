/** The program's own lines with what happened at each: the hot ones first, then file by file. */
import { LINE_COUNTS, type LineActivity } from "../analyze/activity.js";
import type { Overview } from "../analyze/overview.js";
import { count, plural } from "../base/quantity.js";
import type { Dataset } from "./charts.js";
import { wholeNote } from "./finding-section.js";
import { type Html, html } from "./html.js";
import { HEAT_STEPS } from "./theme.js";
import type { Words } from "./words.js";

/** Rows of the table of hot lines. */
export const HOT_LINES = 25;
/** Lines of all listings together; beyond, only lines with events and their neighbours are listed. */
const LISTED_LINES = 3000;
/** Lines with counts that a page carries. */
export const COUNTED_LINES = 3000;

export interface SourceSection {
  readonly section: Html;
  readonly datasets: Readonly<Record<string, Dataset>>;
  /** For the page's script: each counted line's totals by stretch, flat: stretch and four counts, again and again. */
  readonly lines: readonly (readonly number[])[];
  readonly leftOut: readonly { readonly what: string; readonly why: string }[];
}

export const sum = (counts: readonly number[]): number => counts.reduce((all, n) => all + n, 0);

/** Step of heat, 0 to HEAT_STEPS - 1, on a scale of square roots: counts differ by magnitudes. */
export const heatStep = (n: number, most: number): number =>
  n === 0 || most === 0 ? 0 : Math.max(1, Math.ceil(Math.sqrt(n / most) * (HEAT_STEPS - 1)));

export function sourceSection(overview: Overview, words: Words): SourceSection {
  const { activity, sources } = overview;
  const lines = activity.lines.slice(0, COUNTED_LINES);
  const leftOut: { what: string; why: string }[] = [];
  if (activity.lines.length > lines.length)
    leftOut.push({
      what: `${count(activity.lines.length - lines.length)} of ${count(activity.lines.length)} lines with events`,
      why: "the ones with the fewest events",
    });
  const textOf = ({ file, line }: LineActivity): string | null =>
    words.source(sources[file]?.lines?.[line - 1]?.trimStart() ?? null);
  const most = LINE_COUNTS.map((_, i) => lines.reduce((max, { total }) => Math.max(max, total[i]!), 0));
  const own = sum(lines.map(({ total }) => sum(total)));
  const { library, noFrame } = activity.elsewhere;
  const all = sum(activity.lines.map(({ total }) => sum(total))) + library + noFrame;
  const share = (n: number): string => `${all === 0 ? 0 : ((100 * n) / all).toFixed(1)} %`;
  const cells = (counts: readonly number[]): Html[] =>
    counts.map((n, i) => html`<td class="n heat h${heatStep(n, most[i]!)}">${count(n)}</td>`);
  const numbered = lines.map((line, index) => ({ line, index }));
  const listings = sources.map(({ path, lines: text }, file) => {
    const here = numbered.filter(({ line }) => line.file === file);
    return { path, text: words.options.source ? text : null, here };
  });
  let room = LISTED_LINES;
  const files = listings
    .sort((x, y) => y.here.length - x.here.length)
    .map(({ path, text, here }, i) => {
      if (here.length === 0) return html``;
      const byLine = new Map(here.map((entry) => [entry.line.line, entry]));
      const whole = text !== null && text.length <= room;
      // Line 0 is what CPython gives the start of a module, before its first line.
      const wanted = whole
        ? [...(byLine.has(0) ? [0] : []), ...text.map((_, n) => n + 1)]
        : around(
            here.map(({ line }) => line.line),
            text?.length ?? 0,
          );
      const listed = wanted.slice(0, Math.max(room, 50));
      room = Math.max(0, room - listed.length);
      if (listed.length < wanted.length)
        leftOut.push({ what: `lines of ${words.path(path)}`, why: "the listings together are too long for one page" });
      const rows = listed.map((n, at) => {
        const entry = byLine.get(n);
        const gap = at > 0 && listed[at - 1] !== n - 1;
        return html`${gap && html`<tr class="gap"><td colspan="6">⋯</td></tr>`}<tr${entry ? html` data-line="${entry.index}"` : ""}><th scope="row" class="n">${n}</th><td class="code"><code>${words.source(text?.[n - 1] ?? null) ?? ""}</code></td>${entry ? cells(entry.line.total) : html`<td></td><td></td><td></td><td></td>`}</tr>`;
      });
      return html`<details class="file"${i === 0 ? html` open` : ""}><summary>${words.path(path)} <span class="muted">${plural(here.length, "line")} with events</span></summary>
<div class="scroll" tabindex="0" role="region" aria-label="Listing of ${words.path(path)}"><table class="listing"><thead><tr><th scope="col">line</th><th scope="col">source</th>${countHeads()}</tr></thead><tbody>${rows}</tbody></table></div></details>`;
    });
  const hot = numbered
    .slice(0, HOT_LINES)
    .map(
      ({ line, index }) =>
        html`<tr data-line="${index}"><th scope="row">${placeOf(overview, words, line)}</th><td class="code"><code>${textOf(line) ?? ""}</code></td>${cells(line.total)}</tr>`,
    );
  const section =
    lines.length === 0
      ? html`<p>No line of the program’s own files left an event.</p>`
      : html`<p>What each line of the program’s own files did, counted from the events: references taken (<b>increfs</b>) and given up (<b>decrefs</b>), objects created (<b>births</b>) and deallocated (<b>deaths</b>) while that line ran. ${share(own)} of all such events happened at these lines, ${share(library)} in library code and ${share(noFrame)} where no Python code ran. Each column has its own scale of heat.</p>
${wholeNote("The charts and the counts are those of the chosen part; the three shares, and how many lines of a file have events, are those of the whole recording.")}
<figure data-chart="lines-over-time"></figure>
<h3 id="hot-lines">Hot lines</h3>
<div class="scroll" tabindex="0" role="region" aria-label="Hot lines"><table id="hot" data-rows="${HOT_LINES}"><thead><tr><th scope="col">line</th><th scope="col">source</th>${countHeads()}</tr></thead><tbody>${hot}</tbody></table></div>
<h3>Files</h3>${files}`;
  return {
    section,
    datasets: {
      lines: {
        columns: ["file", "line", "function", "source", ...LINE_COUNTS],
        rows: lines.map((line) => [
          words.path(activity.files[line.file]!),
          line.line,
          words.name(line.function),
          textOf(line),
          ...line.total,
        ]),
      },
    },
    lines: lines.map(({ stretches }) => stretches.flat()),
    leftOut,
  };
}

const countHeads = (): Html[] => LINE_COUNTS.map((name) => html`<th scope="col" class="n">${name}</th>`);

const placeOf = ({ activity }: Overview, words: Words, { file, line, function: name }: LineActivity): Html =>
  html`${words.lastPart(activity.files[file]!)}:${line} <span class="muted">${words.name(name)}</span>`;

/** Lines with two neighbours on each side. */
function around(lines: readonly number[], most: number): number[] {
  const wanted = new Set<number>();
  for (const line of lines)
    for (let n = line - 2; n <= line + 2; n++) if (n === line || (n >= 1 && n <= most)) wanted.add(n);
  return [...wanted].sort((x, y) => x - y);
}
