/**
 * One self-contained HTML page about a trace: text and tables are in the HTML, charts are drawn by the page's script from Vega specifications that were
 * compiled from Vega-Lite when the page was made, so the page carries Vega's runtime alone.
 *
 * **Safety.** Names come from a stranger's program. Everything passes Words (escapes visible, lengths bounded) and then the template's escaping; the
 * data for the script is JSON whose `<` is escaped. A content security policy allows the page's own two scripts and its style, by hash, and
 * nothing else: no request, no inline handler, no evaluated string (Vega's expressions are interpreted).
 */
import { createHash } from "node:crypto";
import type { FindingKind } from "../analyze/finding.js";
import type { Overview } from "../analyze/overview.js";
import type { ReportInput } from "../analyze/report-input.js";
import type { Suspect } from "../analyze/suspects.js";
import { plural } from "../base/quantity.js";
import type { Chart, Dataset } from "./charts.js";
import { cycleSection } from "./cycle-section.js";
import { findingArticle, isOfRuntime, leakScope, ofRuntime, verdict } from "./finding-section.js";
import { type Html, html, scriptJson, trusted } from "./html.js";
import { ledgerSection } from "./ledger-section.js";
import type { PageChart, PageData } from "./page-data.js";
import { poolSection } from "./pool-section.js";
import { libraries, pageScript } from "./scripts.js";
import { endTable, factList, leftOutTable, programName, timeSection } from "./sections.js";
import { sourceSection } from "./source-section.js";
import { STYLE } from "./style.js";
import { LIGHT } from "./theme.js";
import { timeCharts } from "./time-charts.js";
import { typeName, Words } from "./words.js";

export interface ReportOptions {
  /** Source text is shown; true by default. */
  readonly source?: boolean;
  /** Keys, reprs, marks and arguments are shown; true by default. */
  readonly values?: boolean;
}

/** Types whose births and deaths the page carries. */
const CARRIED_TYPES = 300;

/** Ledgers that are shown. */
const MOST_LEDGERS = 6;

interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** Charts and parts of a report, before they are put together. */
export interface Report {
  readonly title: string;
  readonly head: Html;
  readonly sections: readonly Section[];
  readonly charts: readonly Chart[];
  readonly datasets: Readonly<Record<string, Dataset>>;
  readonly data: Omit<PageData, "charts" | "datasets" | "colours">;
}

export function wordsFor({ info }: Overview, options: ReportOptions): Words {
  const script = info.program?.kind === "script" ? info.program.text : "";
  const homes = [info.cwd ?? "", script.slice(0, Math.max(0, script.lastIndexOf("/")))];
  return new Words({
    source: options.source !== false,
    values: options.values !== false,
    homes: homes.sort((x, y) => y.length - x.length),
  });
}

export function makeReport(input: ReportInput, options: ReportOptions = {}): Report {
  const { overview } = input;
  const words = wordsFor(overview, options);
  const time = timeCharts(overview, words);
  const source = sourceSection(overview, words);
  const ledgers = ledgerSection(suspectsOf(input), withoutLedgers(input), words);
  const program = programName(overview, words);
  const articles = (kinds: readonly FindingKind[], runtime: boolean): Html[] =>
    input.details
      .filter(({ finding }) => kinds.includes(finding.kind) && isOfRuntime(finding, overview) === runtime)
      .map((detail) => findingArticle(detail, overview, words));
  const leaks = articles(LEAKS, false);
  const pools = poolSection(input.pools, words);
  const cycles = cycleSection(input.cycles, overview, words);
  const sections: Section[] = [
    { id: "time", title: "Time", body: html`${timeSection(overview, words)}${endTable(overview, words)}` },
    {
      id: "leaks",
      title: "Leaks",
      body: html`${leaks.length > 0 ? html`${leakScope(input.leaks, words)}${leaks}` : html`<p>No objects of the program’s own were found to pile up, and no reference is lost.</p>`}
${ofRuntime(articles(LEAKS, true))}`,
    },
    { id: "cycles", title: "Cycles", body: cycles.section },
    { id: "pools", title: "Pools", body: html`${pools.section}${articles(["pinned-memory"], false)}` },
    { id: "source", title: "Source", body: source.section },
    { id: "objects", title: "Objects", body: ledgers.section },
  ];
  const leftOut = [
    ...overview.leftOut.map(({ what, why }) => ({ what: words.sentence(what), why: words.sentence(why) })),
    ...cycles.leftOut,
    ...source.leftOut,
    ...ledgers.leftOut,
  ];
  if (!words.options.source) leftOut.push({ what: "source text", why: "--no-source" });
  if (!words.options.values)
    leftOut.push({ what: `${plural(words.hidden, "value")}: keys, reprs, marks, arguments`, why: "--no-values" });
  if (words.shortened > 0)
    leftOut.push({ what: `the ends of ${plural(words.shortened, "long text")}`, why: "they were longer than a line" });
  sections.push({ id: "left-out-section", title: "Left out", body: leftOutTable(leftOut) });
  return {
    title: `${program}: memory report`,
    head: html`<h1>${program}</h1>
<p class="muted">Memory report: every change of every reference count, every birth and death of an object, exactly.</p>
${verdict(input.findings, overview, words)}
${factList(overview, words)}`,
    sections,
    charts: [...time.charts, ...cycles.charts, ...pools.charts, ...ledgers.charts],
    datasets: { ...time.datasets, ...cycles.datasets, ...pools.datasets, ...source.datasets, ...ledgers.datasets },
    data: {
      fileName: program.replace(/[^\w.-]+/g, "-"),
      edges: overview.activity.edges,
      lines: source.lines,
      types: overview.activity.types
        .slice(0, CARRIED_TYPES)
        .map((row) => ({ type: typeName(words, row), stretches: row.stretches.flat() })),
      ...aliveData(overview, words),
      freeLists: pools.freeLists,
    },
  };
}

/** The names of types once, the rows as numbers: 65 moments are carried. */
function aliveData({ alive }: Overview, words: Words): Pick<PageData, "alive" | "aliveTypes"> {
  const aliveTypes: string[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (name: string): number => {
    const known = numbers.get(name) ?? aliveTypes.push(name) - 1;
    numbers.set(name, known);
    return known;
  };
  return {
    alive: alive.map(({ at, objects, bytes, types }) => ({
      ...at,
      objects,
      bytes,
      rows: types.flatMap((row) => [numberOf(typeName(words, row)), row.count, row.bytes]),
    })),
    aliveTypes,
  };
}

const LEAKS: readonly FindingKind[] = ["leak", "growth", "warm-up", "lost-reference"];

/** Ledgers of the objects that the program's own findings name, problems first, each object once. */
function suspectsOf({ details, members, overview }: ReportInput): Suspect[] {
  const found = new Map<number, Suspect>();
  const add = (suspect: Suspect | null): void => {
    const id = suspect?.history.object.id;
    if (suspect && id !== undefined && found.size < MOST_LEDGERS && !found.has(id)) found.set(id, suspect);
  };
  for (const { ledger, finding } of details) if (finding.isProblem) add(ledger);
  for (const suspect of members) add(suspect);
  for (const { ledger, finding } of details) if (!isOfRuntime(finding, overview)) add(ledger);
  return [...found.values()];
}

/** Why there are none, where there are none. */
function withoutLedgers({ findings, overview }: ReportInput): string {
  if (findings.length === 0) return "Nothing was found, so there is no object whose ledger should be read.";
  return findings.every((finding) => isOfRuntime(finding, overview))
    ? "What was found is of the runtime itself: the ledgers of its objects are not shown."
    : "No object is known that stands for what was found, so there is no ledger to read.";
}

/** Each chart is one picture with one label: its marks, axes and legends need none of their own. */
function withoutAria<T>(part: T): T {
  const quiet = <P>(one: P): P => ({ ...withoutAria(one), aria: false });
  const copy = { ...part } as Record<string, unknown>;
  for (const name of ["marks", "axes", "legends"]) if (Array.isArray(copy[name])) copy[name] = copy[name].map(quiet);
  return copy as T;
}

const sha = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

export async function pageOf(report: Report): Promise<string> {
  // Loaded when needed: the other commands should start without it.
  const { compile } = await import("vega-lite");
  const used = new Set(["lines", ...report.charts.flatMap(({ data }) => data)]);
  const data: PageData = {
    ...report.data,
    charts: report.charts.map(
      (chart): PageChart => ({ ...chart, vega: withoutAria(compile(chart.specification as never).spec) as never }),
    ),
    datasets: Object.fromEntries(Object.entries(report.datasets).filter(([name]) => used.has(name))),
    colours: LIGHT,
  };
  const scripts = [libraries(), pageScript()];
  const policy = `default-src 'none'; script-src ${scripts.map(sha).join(" ")}; style-src ${sha(STYLE)}; base-uri 'none'; form-action 'none'`;
  const { text } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${report.title}</title>
<style>${trusted(STYLE)}</style></head>
<body><a class="skip" href="#content">Skip to the content</a>
<header class="top" id="top">${report.head}</header>
<nav class="sections" aria-label="Sections"><div><a href="#top">Top</a>${report.sections.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</div></nav>
<main id="content" tabindex="-1">${report.sections.map(({ id, title, body }) => html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${body}</section>`)}</main>
<footer>Made by refledger from a recording of the program. The page is complete in itself and asks nothing of the network. Charts can be downloaded as data (CSV) and as Vega-Lite specifications.</footer>
<script type="application/json" id="data">${scriptJson(data)}</script>
<script>${trusted(scripts[0]!)}</script>
<script>${trusted(scripts[1]!)}</script>
</body></html>
`;
  return text;
}
