/** The page's parts that every report has: what was recorded, over time, and what was left out. */
import type { Overview } from "../analyze/overview.js";
import { bytes, count, plural, seconds } from "../base/quantity.js";
import { type Html, html } from "./html.js";
import { typeName, type Words } from "./words.js";

/** Types in the table of births and deaths. */
export const LISTED_TYPES = 15;

const fact = (name: string, title: string, value: Html | string, more: Html | string = ""): Html =>
  html`<div><dt>${title}</dt><dd data-fact="${name}">${value}${more !== "" && html`<small>${more}</small>`}</dd></div>`;

export function programName({ info }: Pick<Overview, "info">, words: Words): string {
  const { program } = info;
  if (!program) return "unknown program";
  if (program.kind === "code") return "a program given with -c";
  return program.kind === "module" ? `-m ${words.name(program.text)}` : words.lastPart(program.text);
}

export function factList(overview: Overview, words: Words): Html {
  const { info, verify, end, time } = overview;
  const { events } = info;
  // Of what was there before the program, so that births, deaths and what is left add up.
  const older = info.objects.baseline - (end.alive.objects - end.objects);
  const wrong = verify.mismatches + verify.blockMismatches + verify.unknownReferents + verify.strayEvents;
  const check = verify.ok
    ? html`<span class="good">exact</span>`
    : verify.audits === 0
      ? html`<span class="bad">not audited</span>`
      : html`<span class="bad">${plural(wrong, "mismatch").replace(/hs$/, "hes")}</span>`;
  return html`<dl class="facts">
${fact("events", "Events", count(events.total), `${count(events.incref + events.decref + events.setref)} changes of reference counts`)}
${fact("seconds", "Run time, recorded", seconds(info.wallSeconds), `${info.bytesPerEvent.toFixed(2)} bytes an event`)}
${fact("born", "Objects born", count(events.new), `${count(events.dealloc)} deallocated: ${count(events.dealloc - older)} of these and ${count(older)} of the runtime’s from before the program`)}
${fact("end-objects", "Of these alive at the end", plural(end.objects, "object"), bytes(end.bytes))}
${fact("peak", "Peak, the runtime’s own included", bytes(time.peak.bytes), `at #${count(time.peak.at.event)} (${time.peak.at.seconds.toFixed(3)} s)`)}
${fact("collections", "Cycle collections", count(info.collections), plural(info.marks, "mark"))}
${fact("verify", "Self-check", check, `${count(verify.objectsChecked)} objects and ${count(verify.blocksChecked)} blocks audited, ${plural(wrong, "mismatch").replace(/hs$/, "hes")}`)}
${fact("exit", "Exit code", info.exitCode === null ? "none" : String(info.exitCode), info.complete ? "recorded to the end" : html`<span class="bad">cut off</span>`)}
</dl>
<p class="muted">CPython ${words.name(info.python)}, ${info.created === null ? "" : `recorded ${words.name(info.created.slice(0, 16).replace("T", " "))} UTC, `}from the ${info.from === "interpreter" ? "interpreter" : "program"}’s start${info.argv.length > 0 && html`, with ${plural(info.argv.length, "argument")}: <code>${info.argv.map((word) => words.value(word)).join(" ")}</code>`}. Times are event numbers (#), as in the commands; seconds are those of the recording, which is slower than a plain run. Sizes are in decimal units (1 kB = 1000 B) and count each object’s own memory.</p>`;
}

const sliderText = ({ event, seconds: s }: { readonly event: number; readonly seconds: number }): string =>
  `event ${count(event)}, ${s.toFixed(3)} s`;

export function timeSection(overview: Overview, words: Words): Html {
  const { activity } = overview;
  const rows = activity.types
    .slice(0, LISTED_TYPES)
    .map((row) => typeRow(typeName(words, row), row.births, row.deaths));
  return html`<p class="screen">Drag over the first chart to choose a part of the recording; what comes after it is narrowed to that part, and what cannot be says so. Or use the two sliders, also by keyboard.</p>
<figure data-chart="live-bytes"></figure>
<div class="range" role="group" aria-label="Part of the recording shown"><output id="range" aria-live="polite">the whole recording</output>
<label>from <input type="range" id="from" min="0" max="${activity.calls.length}" value="0" step="1" aria-valuetext="${sliderText(activity.edges[0]!)}"></label>
<label>to <input type="range" id="to" min="0" max="${activity.calls.length}" value="${activity.calls.length}" step="1" aria-valuetext="${sliderText(activity.edges.at(-1)!)}"></label>
<button id="whole" type="button" disabled>whole recording</button></div>
<figure data-chart="live-objects"></figure>
<div class="pair"><figure data-chart="calls"></figure><figure data-chart="births-deaths"></figure></div>
<h3>Types by births</h3>
<p>Objects born and deallocated, by type, in the part of the recording that is shown.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Types by births"><table id="types"><thead><tr><th scope="col">type</th><th scope="col" class="n">born</th><th scope="col" class="n">deallocated</th><th scope="col" class="n">difference</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

const typeRow = (type: string, births: number, deaths: number): Html =>
  html`<tr><th scope="row">${type}</th><td class="n">${count(births)}</td><td class="n">${count(deaths)}</td><td class="n">${count(births - deaths)}</td></tr>`;

export function endTable({ end }: Overview, words: Words): Html {
  const rows = end.types
    .slice(0, LISTED_TYPES)
    .map(
      (row) =>
        html`<tr><th scope="row">${typeName(words, row)}</th><td class="n">${count(row.count)}</td><td class="n">${bytes(row.bytes)}</td><td class="place">${words.place(row.places[0] ?? null) || html`<span class="muted">no Python code</span>`}</td></tr>`,
    );
  return html`<h3>Alive at the end</h3>
<p>Objects of the program that were alive when it ended, by type: the ${LISTED_TYPES} types with the most bytes, and where most of them were created.</p>
<p class="part" id="alive-part" hidden></p>
<div class="scroll" tabindex="0" role="region" aria-label="Alive at the end, by type"><table id="alive"><thead><tr><th scope="col">type</th><th scope="col" class="n">objects</th><th scope="col" class="n">size</th><th scope="col">most were created in</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function leftOutTable(rows: readonly { readonly what: string; readonly why: string }[]): Html {
  if (rows.length === 0) return html`<p>Nothing was left out.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="What was left out"><table id="left-out"><thead><tr><th scope="col">what</th><th scope="col">why</th></tr></thead><tbody>${rows.map(({ what, why }) => html`<tr><td class="place">${what}</td><td class="place">${why}</td></tr>`)}</tbody></table></div>`;
}
