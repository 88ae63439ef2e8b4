/**
 * Two traces side by side, before and after a change: which findings are new, gone or changed (by fingerprint), how the heap at the end and over time differs,
 * and which functions create more or fewer objects. Lines move when a program is changed, so functions are compared, not lines.
 */
import { posix } from "node:path";
import type { Finding } from "../analyze/finding.js";
import type { Overview } from "../analyze/overview.js";
import type { ReportInput } from "../analyze/report-input.js";
import { bytes, count, plural, seconds } from "../base/quantity.js";
import { byteAxis, type Cell, type Chart, type Dataset, eventAxis, specification } from "./charts.js";
import { failureText, findingArticle, isOfRuntime, KIND_NAMES, titleOf } from "./finding-section.js";
import { type Html, html } from "./html.js";
import { type Report, type ReportOptions, wordsFor } from "./page.js";
import { leftOutTable, programName } from "./sections.js";
import { colour } from "./theme.js";
import { round } from "./time-charts.js";
import { typeName, type Words } from "./words.js";

/** Rows of the tables of differences. */
const ROWS = 25;

type Unit = (n: number) => string;

const signed = (n: number, unit: Unit): string => (n === 0 ? "0" : `${n > 0 ? "+" : "−"}${unit(Math.abs(n))}`);

interface Side {
  readonly input: ReportInput;
  readonly words: Words;
  readonly name: string;
}

/** A table of differences, and what it does not show. */
interface Table {
  readonly body: Html;
  readonly leftOut: readonly { readonly what: string; readonly why: string }[];
}

export function makeComparison(before: ReportInput, after: ReportInput, options: ReportOptions = {}): Report {
  const sides = [before, after].map((input): Side => {
    const words = wordsFor(input.overview, options);
    return { input, words, name: programName(input.overview, words) };
  });
  const [a, b] = sides as [Side, Side];
  const names = a.name === b.name ? ["before", "after"] : [`A: ${a.name}`, `B: ${b.name}`];
  const chart = liveChart([a, b], names);
  const findings = findingChanges(a, b);
  const [heap, functions] = [typeTable(a, b, names), functionTable(a, b, names)];
  const failed = [a, b].map(({ input, words }, n) => {
    const text = failureText(input.overview, words);
    return text && html`<p>${names[n]}: ${text}</p>`;
  });
  return {
    title: `${b.name}: two memory reports compared`,
    head: html`<h1>${a.name === b.name ? b.name : `${a.name} and ${b.name}`}</h1>
<p class="muted">Two recordings side by side: ${names.join(" and ")}.</p>
<div class="verdict${findings.fresh > 0 ? " problem" : ""}" id="verdict"><p class="lead"><b>${findings.sentence}</b></p>${failed}</div>
${factTable(a.input.overview, b.input.overview, names)}`,
    sections: [
      { id: "findings", title: "Findings", body: findings.body },
      { id: "time", title: "Time", body: html`<figure data-chart="live-total"></figure>` },
      { id: "heap", title: "Heap at the end", body: heap.body },
      { id: "functions", title: "Functions", body: functions.body },
      {
        id: "left-out-section",
        title: "Left out",
        body: leftOutTable([
          { what: "charts and lines of each recording", why: "a page of its own has them: refledger report TRACE" },
          ...findings.leftOut,
          ...heap.leftOut,
          ...functions.leftOut,
        ]),
      },
    ],
    charts: [chart.chart],
    datasets: { "live-total": chart.data, lines: { columns: [], rows: [] } },
    data: {
      fileName: `${b.name.replace(/[^\w.-]+/g, "-")}-compared`,
      edges: [],
      lines: [],
      types: [],
      alive: [],
      aliveTypes: [],
      freeLists: null,
    },
  };
}

function liveChart(sides: readonly Side[], names: readonly string[]): { chart: Chart; data: Dataset } {
  const rows = sides.flatMap(({ input }, n) => {
    const { time } = input.overview;
    const all = [...time.types, time.others];
    return time.moments.map(({ event, seconds: s }, i): Cell[] => [
      event,
      round(s),
      names[n]!,
      all.reduce((sum, row) => sum + row.objects[i]!, 0),
      all.reduce((sum, row) => sum + row.bytes[i]!, 0),
    ]);
  });
  return {
    data: { columns: ["event", "seconds", "trace", "objects", "bytes"], rows },
    chart: {
      name: "live-total",
      title: "Live bytes",
      text: "Bytes of the program’s objects that were alive, in both recordings, by event number. The runtime’s own objects from before the program are not counted.",
      label: `Line chart of live bytes of two recordings, ${names.join(" and ")}.`,
      data: ["live-total"],
      specification: specification(240, {
        data: { name: "live-total" },
        mark: { type: "line", interpolate: "step-after", strokeWidth: 2 },
        encoding: {
          x: eventAxis(),
          y: { field: "bytes", type: "quantitative", axis: byteAxis },
          color: {
            field: "trace",
            type: "nominal",
            title: null,
            sort: names,
            legend: { symbolType: "stroke" },
            scale: { domain: names, range: [colour("c5"), colour("c0")] },
          },
          strokeDash: {
            field: "trace",
            type: "nominal",
            title: null,
            sort: names,
            scale: {
              domain: names,
              range: [
                [4, 3],
                [1, 0],
              ],
            },
          },
        },
      }),
      follows: null,
    },
  };
}

const head = (first: string, titles: readonly string[]): Html =>
  html`<thead><tr><th scope="col">${first}</th>${titles.map((title) => html`<th scope="col" class="n">${title}</th>`)}</tr></thead>`;

function factTable(a: Overview, b: Overview, names: readonly string[]): Html {
  const facts: [string, string, Unit, (overview: Overview) => number][] = [
    ["end-objects", "objects alive at the end", count, ({ end }) => end.objects],
    ["end-bytes", "bytes alive at the end", bytes, ({ end }) => end.bytes],
    ["peak", "peak, the runtime’s own included", bytes, ({ time }) => time.peak.bytes],
    ["born", "objects born", count, ({ info }) => info.events.new],
    ["events", "events", count, ({ info }) => info.events.total],
    ["collections", "collections", count, ({ info }) => info.collections],
    ["seconds", "run time, recorded", seconds, ({ info }) => info.wallSeconds],
    ["mismatches", "mismatches in the self-check", count, ({ verify }) => verify.mismatches + verify.blockMismatches],
  ];
  const rows = facts.map(([name, title, unit, pick]) => {
    const [x, y] = [pick(a), pick(b)];
    return html`<tr data-fact="${name}"><th scope="row">${title}</th><td class="n">${unit(x)}</td><td class="n">${unit(y)}</td><td class="n">${signed(y - x, unit)}</td></tr>`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Both recordings in numbers"><table id="facts" class="compared">${head("fact", [...names, "change"])}<tbody>${rows}</tbody></table></div>`;
}

function findingChanges(a: Side, b: Side): Table & { sentence: string; fresh: number } {
  // What is of the runtime itself is no work of who changed the program.
  const own = ({ input }: Side): Finding[] => input.findings.filter((finding) => !isOfRuntime(finding, input.overview));
  const print = (side: Side): Map<string, Finding> =>
    new Map(own(side).map((finding) => [finding.fingerprint, finding]));
  const [before, after] = [print(a), print(b)];
  const [left, right] = [a, b].map((side) => side.input.findings.length - own(side).length);
  const fresh = [...after.values()].filter(({ fingerprint }) => !before.has(fingerprint));
  const gone = [...before.values()].filter(({ fingerprint }) => !after.has(fingerprint));
  const both = [...after.values()].filter(({ fingerprint }) => before.has(fingerprint));
  const changed = both.filter((finding) => {
    const was = before.get(finding.fingerprint)!;
    return was.objects !== finding.objects || was.bytes !== finding.bytes;
  });
  const same = both.length - changed.length;
  const articles = (side: Side, findings: readonly Finding[]): Html[] =>
    findings.map((finding) => {
      const known = side.input.details.find((one) => one.finding === finding);
      const bare = { finding, steps: [], suspect: null, ledger: null, leak: null, span: null };
      return findingArticle(known ?? bare, side.input.overview, side.words);
    });
  const changes = changed.map((finding) => {
    const was = before.get(finding.fingerprint)!;
    return html`<tr data-finding="${finding.fingerprint}"><th scope="row">${KIND_NAMES[finding.kind]}: ${b.words.name(finding.type)}</th><td>${titleOf(was, a.words)}</td><td>${titleOf(finding, b.words)}</td><td class="n">${signed(finding.objects - was.objects, count)}</td><td class="n">${signed(finding.bytes - was.bytes, bytes)}</td></tr>`;
  });
  const problems = fresh.filter(({ isProblem }) => isProblem).length;
  return {
    fresh: problems,
    leftOut:
      left! + right! > 0
        ? [
            {
              what: `observations about the runtime itself: ${count(left!)} and ${count(right!)}`,
              why: "no code of the program’s own; the page of each recording has them",
            },
          ]
        : [],
    sentence: `${plural(fresh.length, "finding")} new, ${count(gone.length)} gone, ${count(changed.length)} changed, ${count(same)} the same.`,
    body: html`<p>A finding is known again by its fingerprint, which is made of names, not of numbers.</p>
<h3 id="new">New (${fresh.length})</h3>${fresh.length === 0 ? html`<p>None.</p>` : articles(b, fresh)}
<h3 id="gone">Gone (${gone.length})</h3>${gone.length === 0 ? html`<p>None.</p>` : articles(a, gone)}
<h3 id="changed">Changed (${changed.length})</h3>${changed.length === 0 ? html`<p>None.</p>` : html`<div class="scroll" tabindex="0" role="region" aria-label="Changed findings"><table>${html`<thead><tr><th scope="col">what</th><th scope="col">before</th><th scope="col">after</th><th scope="col" class="n">objects</th><th scope="col" class="n">size</th></tr></thead>`}<tbody>${changes}</tbody></table></div>`}`,
  };
}

interface Sum {
  readonly label: string;
  readonly x: [number, number];
  readonly y: [number, number];
}

function joined(
  a: Side,
  b: Side,
  rowsOf: (side: Side) => readonly { label: string; first: number; second: number }[],
): Sum[] {
  const rows = new Map<string, Sum>();
  for (const [n, side] of [a, b].entries())
    for (const { label, first, second } of rowsOf(side)) {
      const row = rows.get(label) ?? { label, x: [0, 0], y: [0, 0] };
      rows.set(label, row);
      row.x[n]! += first;
      row.y[n]! += second;
    }
  return [...rows.values()];
}

/** Only what was really left out is said to be. */
const beyond = (what: string, all: number, where: string): Table["leftOut"] =>
  all > ROWS
    ? [{ what: `${count(all - ROWS)} of ${count(all)} ${what} that differ`, why: `the smallest differences; ${where}` }]
    : [];

function typeTable(a: Side, b: Side, names: readonly string[]): Table {
  const all = joined(a, b, ({ input, words }) =>
    input.overview.end.types.map((row) => ({ label: typeName(words, row), first: row.count, second: row.bytes })),
  )
    .filter(({ x, y }) => x[0] !== x[1] || y[0] !== y[1])
    .sort((p, q) => Math.abs(q.y[1] - q.y[0]) - Math.abs(p.y[1] - p.y[0]) || (p.label < q.label ? -1 : 1));
  const rows = all
    .slice(0, ROWS)
    .map(
      ({ label, x, y }) =>
        html`<tr><th scope="row">${label}</th><td class="n">${count(x[0])}</td><td class="n">${count(x[1])}</td><td class="n">${signed(x[1] - x[0], count)}</td><td class="n">${bytes(y[0])}</td><td class="n">${bytes(y[1])}</td><td class="n">${signed(y[1] - y[0], bytes)}</td></tr>`,
    );
  const leftOut = beyond("types at the end", all.length, "all: refledger at TRACE --json");
  if (rows.length === 0) return { body: html`<p>The same types, with the same numbers.</p>`, leftOut };
  const [one, two] = names;
  const body = html`<p>The program’s objects alive at the end, by type, where they differ: the largest differences in bytes first.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Heap at the end, compared"><table id="types-compared" class="compared">${head("type", [`objects ${one}`, `objects ${two}`, "change", `size ${one}`, `size ${two}`, "change"])}<tbody>${rows}</tbody></table></div>`;
  return { body, leftOut };
}

/**
 * The files of both recordings by what they are to their program: the script by being the script, whatever it is called, and others by their
 * path from the script's folder. Two files of one name in different folders are two.
 */
function fileLabels(a: Side, b: Side): ReadonlyMap<Side, (file: string) => string> {
  const scripts = [a, b].map(({ input }) => scriptOf(input.overview));
  const shown = [a, b].map(({ words }, n) => words.lastPart(scripts[n] ?? ""));
  const script = shown[0] === shown[1] ? shown[0]! : `${shown[0]} → ${shown[1]}`;
  return new Map(
    [a, b].map((side, n) => {
      const { words, input } = side;
      const cwd = input.overview.info.cwd ?? "/";
      const path = scripts[n];
      const home = path === null || path === undefined ? null : posix.dirname(posix.resolve(cwd, path));
      const label = (file: string): string => {
        const whole = posix.resolve(cwd, file);
        if (path && whole === posix.resolve(cwd, path)) return script;
        return home !== null && whole.startsWith(`${home}/`)
          ? words.name(whole.slice(home.length + 1))
          : words.path(file);
      };
      return [side, label];
    }),
  );
}

const scriptOf = ({ info: { program } }: Overview): string | null => (program?.kind === "script" ? program.text : null);

function functionTable(a: Side, b: Side, names: readonly string[]): Table {
  const labels = fileLabels(a, b);
  const all = joined(a, b, (side) =>
    side.input.overview.activity.lines.map(({ file, function: name, total }) => ({
      label: `${side.words.name(name)} ${labels.get(side)!(side.input.overview.activity.files[file]!)}`,
      first: total[2]!,
      second: total[0]! + total[1]!,
    })),
  )
    .filter(({ x, y }) => x[0] !== x[1] || y[0] !== y[1])
    .sort(
      (p, q) =>
        Math.abs(q.x[1] - q.x[0]) - Math.abs(p.x[1] - p.x[0]) || Math.abs(q.y[1] - q.y[0]) - Math.abs(p.y[1] - p.y[0]),
    );
  const rows = all
    .slice(0, ROWS)
    .map(
      ({ label, x, y }) =>
        html`<tr><th scope="row">${label}</th><td class="n">${count(x[0])}</td><td class="n">${count(x[1])}</td><td class="n">${signed(x[1] - x[0], count)}</td><td class="n">${count(y[0])}</td><td class="n">${count(y[1])}</td><td class="n">${signed(y[1] - y[0], count)}</td></tr>`,
    );
  const leftOut = beyond("functions", all.length, "the page of each recording has all lines");
  if (rows.length === 0) return { body: html`<p>Every function of the program’s own files did the same.</p>`, leftOut };
  const [one, two] = names;
  const body = html`<p>Objects created, and changes of reference counts, while the functions of the program’s own files ran: where they differ, the largest differences in births first.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Functions, compared"><table id="functions-compared" class="compared">${head("function", [`births ${one}`, `births ${two}`, "change", `count changes ${one}`, `count changes ${two}`, "change"])}<tbody>${rows}</tbody></table></div>`;
  return { body, leftOut };
}
