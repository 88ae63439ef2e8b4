/** Cycles: each kind drawn as a small graph with the reference that closed it, its life, and how long such garbage lay before it was collected. */
import type { CycleExample, CycleFinding, Moment } from "../analyze/cycle-findings.js";
import type { CyclesAnswer } from "../analyze/cycles.js";
import type { SourcePlace } from "../analyze/finding.js";
import type { FindingDetail } from "../analyze/finding-detail.js";
import type { Overview } from "../analyze/overview.js";
import { bytes, count, plural } from "../base/quantity.js";
import { type Cell, type Chart, type Dataset, eventAxis, specification } from "./charts.js";
import { findingArticle, hiddenNote, isOfRuntime, linesAround, ofRuntime, wholeNote } from "./finding-section.js";
import { graphDrawing } from "./graph-drawing.js";
import { type Html, html } from "./html.js";
import { colour } from "./theme.js";
import { type Drawn, distinct } from "./time-charts.js";
import type { Words } from "./words.js";

/** Kinds that are shown, collections that are listed, members that are drawn. */
const MOST_KINDS = 10;
const MOST_COLLECTIONS = 30;
const MOST_DRAWN = 10;

export interface CycleSection extends Drawn {
  readonly section: Html;
  readonly leftOut: readonly { readonly what: string; readonly why: string }[];
}

export function cycleSection(answer: CyclesAnswer, overview: Overview, words: Words): CycleSection {
  const isRuntime = (finding: CycleFinding): boolean => isOfRuntime(finding, overview);
  const own = answer.findings.filter((finding) => !isRuntime(finding));
  const shown = [...own, ...answer.findings.filter(isRuntime)].slice(0, MOST_KINDS);
  const leftOut: { what: string; why: string }[] = [];
  if (answer.findings.length > shown.length)
    leftOut.push({
      what: `${answer.findings.length - shown.length} of ${answer.findings.length} kinds of cycles`,
      why: "the runtime’s own first, then the ones that lay dead with the fewest bytes for the shortest time; all: refledger cycles TRACE",
    });
  const ownShown = shown.filter((finding) => !isRuntime(finding));
  const lives = lifeChart(ownShown, answer, words);
  const article = (finding: CycleFinding): Html => {
    const detail: FindingDetail = {
      finding,
      steps: [],
      suspect: null,
      ledger: null,
      leak: null,
      span: lifeOf(finding.example, answer),
    };
    return findingArticle(detail, overview, words, kindOf(finding, overview, words));
  };
  const end = answer.atEnd.known
    ? `${plural(answer.atEnd.objects, "object")} in cycles lay as garbage at the end, uncollected.`
    : `What was garbage at the end is not known${answer.atEnd.note === null ? "" : `: ${words.sentence(answer.atEnd.note)}`}.`;
  return {
    section: html`<p>Objects that refer to each other in a ring are not freed when nothing else refers to them: their counts never reach zero, and they lie dead until the cycle collector runs. ${end}</p>
${
  ownShown.length === 0
    ? html`<p>No cycle of the program’s own died in this recording, and none was left.</p>`
    : html`<figure data-chart="cycle-lives"></figure>
<p>Choosing a part of the recording leaves the kinds whose example lived in it, and the collections that ran in it.</p>`
}
${wholeNote("The numbers of each kind, and what lay as garbage at the end, are those of the whole recording, not only of the chosen part.")}${hiddenNote("cycles")}
${ownShown.map(article)}
${ofRuntime(shown.filter(isRuntime).map(article))}
${collectionTable(answer, leftOut)}`,
    ...lives,
    leftOut,
  };
}

function kindOf(finding: CycleFinding, overview: Overview, words: Words): Html {
  const { example, structures, stillThere, collections, deadEvents, deadSeconds } = finding;
  const taken = structures - stillThere;
  const fate = [
    taken > 0 ? `${count(taken)} taken by ${plural(collections, "collection")}` : "",
    stillThere > 0 ? `${count(stillThere)} still there at the end` : "",
  ].filter((part) => part !== "");
  const who = structures === 1 ? "It lay" : "They lay";
  const cost = deadSeconds
    ? `(${deadSeconds.mean.toFixed(3)} s; ${count(finding.byteSeconds)} byte-seconds in all)`
    : "";
  const dwell = !deadEvents
    ? ""
    : deadEvents.least === deadEvents.most
      ? ` ${who} dead for ${plural(deadEvents.least, "event")} ${cost}.`
      : ` ${who} dead for ${count(deadEvents.least)} to ${count(deadEvents.most)} events, ${count(deadEvents.mean)} on average ${cost}.`;
  return html`<p>${plural(finding.cycles, "cycle")} in ${plural(structures, "piece")} of garbage: ${fate.join(", ")}.${dwell}</p>
${exampleGraph(example, words)}
${momentText("Closed", example.closed, "by the store", words)}${momentText("Orphaned", example.orphaned, "by the decref", words)}
${example.collected ? html`<p><b>Collected</b> at #${count(example.collected.event)} (${example.collected.seconds.toFixed(3)} s)${example.collection !== null && html`, by collection ${example.collection}`}.</p>` : html`<p><b>Collected</b> never: it was still there at the end.</p>`}
${placesText(finding, words)}
${example.closed?.place && linesAround(example.closed.place, "The store that closed the ring", overview, words)}
${example.orphaned?.place && !isSame(example.orphaned.place, example.closed?.place) && linesAround(example.orphaned.place, "The decref that orphaned it", overview, words)}`;
}

const isSame = (place: SourcePlace, other: SourcePlace | null | undefined): boolean =>
  place.file === other?.file && place.line === other.line;

/** Lines at which the kind’s cycles were let go, where there are several. */
function placesText({ orphanedAt }: CycleFinding, words: Words): Html | null {
  if (orphanedAt.length < 2) return null;
  const parts = orphanedAt.map(
    ({ place, structures }) => `${words.place(place) || "no Python code"} (${count(structures)})`,
  );
  return html`<p>Of this kind, let go in ${parts.join(", ")}.</p>`;
}

function momentText(title: string, moment: Moment | null, by: string, words: Words): Html | null {
  if (!moment) return null;
  const { time, place, object, how } = moment;
  const where = words.place(place);
  const source = words.source(place?.source ?? null);
  return html`<p><b>${title}</b> at #${count(time.event)} (${time.seconds.toFixed(3)} s)${where !== "" && html`, ${where}`} <span class="muted">(${how})</span>${where !== "" && html`, ${by} there, of #${object}`}.${source && html` <code class="muted">${source.trim()}</code>`}</p>`;
}

/** The ring of the example; what only hangs on it is told in words. */
function exampleGraph(example: CycleExample, words: Words): Html {
  const ring = example.members.map((member, i) => ({ member, i })).filter(({ member }) => member.cycle > 0);
  const drawn = ring.slice(0, MOST_DRAWN);
  const place = new Map(drawn.map(({ i }, n) => [i, n]));
  const inside = example.edges.filter(({ from, to }) => place.has(from) && place.has(to));
  const closing = example.closed
    ? inside.findIndex(({ to }) => example.members[to]!.object === example.closed!.object)
    : -1;
  const drawing = graphDrawing(
    drawn.map(({ member }) => ({ text: words.name(member.type), small: `#${member.object}, ${bytes(member.bytes)}` })),
    inside.map(({ from, to, name }, i) => ({
      from: place.get(from)!,
      to: place.get(to)!,
      text: name === null ? "" : words.expression(name),
      closing: i === closing,
    })),
    `An example of the cycle: ${drawn.map(({ member }) => words.name(member.type)).join(", ")}`,
  );
  const left = example.collected === null;
  const hanging = example.members.length - ring.length + example.moreMembers;
  const more = ring.length - drawn.length;
  return html`<h4>An example</h4>${drawing}
<p class="muted">${closing >= 0 ? "The marked reference closed the ring. " : ""}References are ${example.edgesAre === "observed" ? "as read from the memory" : "inferred from the order in which the collector let go of the objects"}.${more > 0 && html` ${plural(more, "more object")} of the ring ${more === 1 ? "is" : "are"} not drawn.`}${hanging > 0 && (left ? html` ${plural(hanging, "more object")} ${hanging === 1 ? "hangs" : "hang"} on it.` : html` ${plural(hanging, "more object")} hung on it and went with it.`)}</p>`;
}

/** From the birth of the ring's last member to its collection or the recording's end. */
const lifeOf = ({ members, collected }: CycleExample, { events }: CyclesAnswer): { from: number; to: number } => ({
  from: members.reduce((most, { cycle, born }) => (cycle > 0 && born ? Math.max(most, born.event) : most), 0),
  to: collected?.event ?? events,
});

function lifeChart(findings: readonly CycleFinding[], answer: CyclesAnswer, words: Words): Drawn {
  const labels = distinct(
    findings.map(({ classes, type }) => {
      const names = classes.map((one) => words.name(one.type));
      const text = (names.length > 0 ? names : [words.name(type)]).slice(0, 3).join(" ↔ ");
      return text.length > 34 ? `${text.slice(0, 33)}…` : text;
    }),
  );
  const rows: Cell[][] = [];
  findings.forEach(({ example }, i) => {
    const { from: born, to: end } = lifeOf(example, answer);
    const orphaned = example.orphaned?.time.event ?? null;
    const dead = example.collected ? "dead, until collected" : "dead, to the end";
    if (orphaned !== null) {
      rows.push([born, orphaned, labels[i]!, "in use"]);
      rows.push([orphaned, end, labels[i]!, dead]);
    } else rows.push([born, end, labels[i]!, "in use or dead: not known"]);
  });
  const data: Dataset = { columns: ["from", "to", "kind", "state"], rows };
  if (rows.length === 0) return { charts: [], datasets: {} };
  const chart: Chart = {
    name: "cycle-lives",
    title: "Life of an example of each kind",
    text: "From the birth of the ring’s last member to the moment when nothing outside referred to it any more, and on to its collection or the recording’s end, by event number. The second part is memory that was lost for that time.",
    label: `Chart of the lives of ${plural(findings.length, "kind")} of cycles: ${labels.join(", ")}.`,
    data: ["cycle-lives"],
    specification: specification(Math.max(40, labels.length * 26), {
      data: { name: "cycle-lives" },
      mark: { type: "bar", height: { band: 0.6 } },
      encoding: {
        x: { ...eventAxis("from"), title: "event number" },
        x2: { field: "to" },
        y: { field: "kind", type: "nominal", title: null, sort: labels },
        color: {
          field: "state",
          type: "nominal",
          title: null,
          scale: {
            domain: ["in use", "dead, until collected", "dead, to the end", "in use or dead: not known"],
            range: [colour("c0"), colour("c1"), colour("c5"), colour("c7")],
          },
        },
        tooltip: [
          { field: "kind" },
          { field: "state" },
          { field: "from", type: "quantitative", title: "from event", format: ",d" },
          { field: "to", type: "quantitative", title: "to event", format: ",d" },
        ],
      },
    }),
    follows: "span",
  };
  return { charts: [chart], datasets: { "cycle-lives": data } };
}

function collectionTable(answer: CyclesAnswer, leftOut: { what: string; why: string }[]): Html {
  const { collections } = answer;
  if (collections.length === 0) return html`<h3>Collections</h3><p>The collector did not run.</p>`;
  const listed = collections.slice(0, MOST_COLLECTIONS);
  if (collections.length > listed.length)
    leftOut.push({
      what: `${count(collections.length - listed.length)} of ${count(collections.length)} collections in the table`,
      why: "the first ones are listed; all: refledger cycles TRACE",
    });
  const number = (n: number | null): string => (n === null ? "–" : count(n));
  // Of a part of the recording, the page's script hides the others.
  const rows = listed.map(
    (one) =>
      html`<tr data-event="${one.start.event}"><td class="n">${one.number}</td><td class="n">${count(one.start.event)}</td><td class="n">${one.start.seconds.toFixed(3)} s</td><td>${one.reason}</td><td class="n">${one.generation}</td><td class="n">${number(one.allocated)}</td><td class="n">${number(one.collected)}</td><td class="n">${number(one.freed)}</td><td class="n">${one.freedBytes === null ? "–" : bytes(one.freedBytes)}</td><td class="n">${number(one.uncollectable)}</td></tr>`,
  );
  return html`<h3>Collections</h3>
<p>Runs of the cycle collector. The reason “heap” means that so many containers had been allocated since the run before; “collected” is the collector’s own count.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Collections"><table id="collections"><thead><tr><th scope="col" class="n">no.</th><th scope="col" class="n">event</th><th scope="col" class="n">time</th><th scope="col">reason</th><th scope="col" class="n">generation</th><th scope="col" class="n">containers allocated</th><th scope="col" class="n">collected</th><th scope="col" class="n">objects freed</th><th scope="col" class="n">size</th><th scope="col" class="n">uncollectable</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
