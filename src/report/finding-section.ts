/** Findings for a reader: one sentence, the retaining path drawn from root to object, when and where its references were made, the lines around. */
import type { CycleFinding } from "../analyze/cycle-findings.js";
import type { Finding, FindingKind, SourcePlace } from "../analyze/finding.js";
import type { FindingDetail, StepDetail } from "../analyze/finding-detail.js";
import type { LeakFinding, LeakResult } from "../analyze/leaks.js";
import type { Overview } from "../analyze/overview.js";
import { bytes, count, plural, rate, unitOfRate } from "../base/quantity.js";
import { type Html, html } from "./html.js";
import type { Words } from "./words.js";

export const KIND_NAMES: Readonly<Record<FindingKind, string>> = {
  leak: "leak",
  growth: "growth",
  "warm-up": "warm-up, no leak",
  "lost-reference": "lost reference",
  cycle: "cycle",
  "pinned-memory": "pinned memory",
};

/** Lines shown on each side of a place, and types of a mixed finding that are listed. */
const AROUND = 3;
const MOST_TYPES = 8;

/**
 * Whether a finding is of the runtime: nothing that the program should do anything about, and made before its first line, in library code or where
 * no Python code ran. The program's own files are those whose text the trace has.
 */
export function isOfRuntime(finding: Finding, { sources }: Overview): boolean {
  if (finding.isProblem) return false;
  if ((finding as Partial<CycleFinding>).recorded === false) return true;
  return !sources.some(({ path }) => path === finding.createdAt?.file);
}

/** The runtime's own findings, folded away. */
export function ofRuntime(articles: readonly Html[]): Html | null {
  if (articles.length === 0) return null;
  return html`<details class="runtime"><summary>Of the runtime itself and its library: ${plural(articles.length, "observation")}</summary>
<p class="muted">Made before the program’s first line, in library code or by the interpreter: no code of the program’s own.</p>${articles}</details>`;
}

/** Seen while a part of the recording is chosen, in what cannot follow it. */
export const wholeNote = (text = "This is about the whole recording, not only the chosen part."): Html =>
  html`<p class="whole" data-whole hidden>${text}</p>`;

/** Expressions in a finding's sentences, the longest first, so that they can be taken out. */
export const expressionsOf = ({ keptBy }: Finding): string[] =>
  keptBy === null
    ? []
    : [keptBy.expression, ...keptBy.steps.map(({ expression }) => expression)].sort((x, y) => y.length - x.length);

export const titleOf = (finding: Finding, words: Words): string =>
  words.sentence(finding.title, expressionsOf(finding));

/** A finding's article; `more` goes below its sentences. */
export function findingArticle(
  detail: FindingDetail,
  overview: Overview,
  words: Words,
  more: Html | null = null,
): Html {
  const { finding, leak, span } = detail;
  const told = finding.advice === null ? "" : words.sentence(finding.advice, expressionsOf(finding));
  const advice = told.replace(/^[a-z]/, (first) => first.toUpperCase()).replace(/([^.…])$/, "$1.");
  return html`<article class="finding${finding.isProblem ? " problem" : ""}" data-finding="${finding.fingerprint}" id="finding-${finding.fingerprint}"${span && html` data-from="${span.from}" data-to="${span.to}"`}>
<h3><span class="tag">${KIND_NAMES[finding.kind]}</span>${titleOf(finding, words)}</h3>
${advice !== "" && html`<p>${advice}</p>`}
<p class="muted">${objectsText(finding, words)}, ${bytes(finding.bytes)}${finding.createdAt && html`${isMixed(finding) ? `; ${words.name(finding.type)} created` : ", created"} ${createdText(finding.createdAt, words)}`}. Fingerprint <code>${finding.fingerprint}</code>.</p>
${more}
${finding.createdAt && linesAround(finding.createdAt, `Where ${isMixed(finding) ? words.name(finding.type) : "they"} ${isMixed(finding) ? "is" : "are"} created`, overview, words)}
${leak && leakFacts(leak, overview, words)}
${finding.keptBy && retainingPath(detail, words)}
</article>`;
}

/** Objects of a cycle need not be of the type that it is named after. */
const isMixed = (finding: Finding): boolean => ((finding as Partial<CycleFinding>).types ?? []).length > 1;

/** How many objects, and of which types: those of a cycle are seldom all of one. */
function objectsText(finding: Finding, words: Words): string {
  const { types = [], typesInAll = 0 } = finding as Partial<CycleFinding>;
  const all = plural(finding.objects, "object");
  if (!isMixed(finding)) return `${all} of type ${words.name(finding.type)}`;
  const listed = types.slice(0, MOST_TYPES);
  const rest = finding.objects - listed.reduce((sum, { objects }) => sum + objects, 0);
  const parts = listed.map(({ type, objects }) => `${count(objects)} ${words.name(type)}`);
  if (rest > 0) parts.push(`${count(rest)} of ${plural(typesInAll - listed.length, "other type")}`);
  return `${all} of ${plural(typesInAll, "type")} (${parts.join(", ")})`;
}

const createdText = (place: SourcePlace, words: Words): string => {
  const where = words.place(place);
  return where === "" ? "where no Python code ran" : `at ${where}`;
};

const EVIDENCE = { stored: "Stored at", "handed-over": "Stored at", birth: "Made at", unbalanced: "Taken at" } as const;

/** What only a leak has: its rate, the line that made the reference which was not given back, the holder that grows, and what goes along. */
function leakFacts(leak: LeakFinding, overview: Overview, words: Words): Html {
  const { perIteration, unit, isProblem, culprit, reference, representative, holder, groups, createdAt } = leak;
  const object = reference?.object ?? representative;
  const same = culprit !== null && culprit.file === createdAt?.file && culprit.line === createdAt?.line;
  const rows = groups.map(
    (group) =>
      html`<tr><th scope="row">${words.name(group.type)}</th><td class="place">${words.place(group.createdAt) || "C code"}</td><td class="n">${count(group.objects)}</td><td class="n">${bytes(group.bytes)}</td><td class="n">${count(group.made)}</td><td class="n">${count(group.died)}</td></tr>`,
  );
  return html`${perIteration !== null && isProblem && html`<p><b>Remains</b> <span data-rate>${rate(perIteration)}</span> ${unitOfRate(perIteration, unit)} a round.</p>`}
${culprit && reference && html`<p><b>${EVIDENCE[reference.evidence]}</b> <span data-culprit>${words.place(culprit) || "C code"}</span>: the reference was made at #${count(reference.made.event)} (${reference.made.seconds.toFixed(3)} s)${object !== null && html`, of ${object === representative && "the representative "}#${object}`}${isProblem && ", and is not given back"}.</p>`}
${culprit && !same && linesAround(culprit, "Where the reference is made that keeps them", overview, words)}
${holder && html`<p><b>${isProblem ? "What grows" : "What holds them"}</b> is <code>${words.expression(holder.expression)}</code>, a ${words.name(holder.type)}${holder.others > 0 && html`, and ${plural(holder.others, "other holder")} like it`}.</p>`}
${rows.length > 0 && html`<h4>What belongs to it</h4><div class="scroll" tabindex="0" role="group" aria-label="Types and places that belong to it"><table class="groups"><thead><tr><th scope="col">type</th><th scope="col">created at</th><th scope="col" class="n">objects</th><th scope="col" class="n">size</th><th scope="col" class="n">made</th><th scope="col" class="n">died</th></tr></thead><tbody>${rows}</tbody></table></div><p class="muted">“Made” and “died” count over the whole recording.</p>`}`;
}

/** As the command prints it. */
/** How leaks were looked for, and what a chosen part of the recording does to them. */
export function leakScope({ iterations, from, to, hasGraph }: LeakResult, words: Words): Html {
  const rounds =
    iterations.by === "events"
      ? html`No rounds were found in the program, so survivors were counted from #${count(from.event)} to #${count(to.event)}.`
      : html`${count(iterations.count)} rounds by <code>${words.value(iterations.name ?? "")}</code>; the first quarter is warm-up.`;
  return html`<p id="leak-scope">${rounds}${!hasGraph && " The trace has no object graph at its end: what keeps the objects is not known."} Choosing a part of the recording leaves the findings whose representative was created, or stored, in it; their numbers stay those of the whole recording.</p>${wholeNote("The numbers of each finding are those of the whole recording, not only of the chosen part.")}${hiddenNote("leaks")}`;
}

/** Says how many articles of a section lie outside of the chosen part; the page's script fills it. */
export const hiddenNote = (section: string): Html =>
  html`<p class="muted" data-outside="${section}" role="status" hidden></p>`;

/** The lines around a place, the place marked, under what they show; nothing where the trace does not have them. */
export function linesAround(place: SourcePlace, label: string, { sources }: Overview, words: Words): Html | null {
  const lines = sources.find(({ path }) => path === place.file)?.lines;
  if (!lines || place.line === null || !words.options.source) return null;
  const first = Math.max(1, place.line - AROUND);
  const rows = lines.slice(first - 1, place.line + AROUND).map((text, i) => {
    const row = html`${String(first + i).padStart(5)}  ${words.source(text) ?? ""}`;
    return first + i === place.line ? html`<mark>${row}</mark>\n` : html`${row}\n`;
  });
  const where = `${words.path(place.file)}:${place.line}`;
  return html`<p class="caption">${label}: ${where}</p><pre class="lines" tabindex="0" role="group" aria-label="${label}: lines around ${where}">${rows}</pre>`;
}

function retainingPath({ finding, steps: details, suspect: found }: FindingDetail, words: Words): Html {
  const { expression, root, steps } = finding.keptBy!;
  // Nothing is under suspicion where nothing is wrong.
  const suspect = finding.isProblem ? found : null;
  const items = steps.map((step, i) => {
    const detail = details[i];
    const role = `${i === suspect ? " suspect" : ""}${i === steps.length - 1 ? " target" : ""}`;
    const goes =
      step.retainedObjects === null
        ? ""
        : `if it let go: ${plural(step.retainedObjects, "object")}, ${bytes(step.retainedBytes ?? 0)}`;
    return html`<li class="step${role}"><span class="edge"><code>${words.expression(step.name)}</code>${i === suspect && " ← the suspect reference"}${detail && madeText(detail, words)}</span><span class="node"><b>${words.name(step.type)}</b>${detail?.id && html` <span class="muted">#${detail.id}</span>`}${goes !== "" && html` <span class="muted">${goes}</span>`}</span></li>`;
  });
  return html`<h4>What keeps ${finding.objects > 1 ? "one of them" : "it"} alive</h4>
${steps[0]?.name !== expression && html`<p><code>${words.expression(expression)}</code></p>`}
<ol class="path" aria-label="Retaining path from the root (${root}) to the object">${items}</ol>`;
}

/** As `why` says it: inferred from the ledger, and a guess where other references fit as well. */
function madeText({ made }: StepDetail, words: Words): Html | null {
  if (!made || made.event === null || made.certainty === "unknown") return null;
  const where = words.place(made) || "C code";
  if (made.alternatives === 0) return html` <span>made at ${where} at #${count(made.event)}</span>`;
  return html` <span class="muted">probably made at ${where} at #${count(made.event)}; ${plural(made.alternatives, "other reference")} of its ledger would fit as well</span>`;
}

/** How many there are of a kind, in words. */
const kindCount = (kind: FindingKind, n: number): string =>
  kind === "cycle"
    ? `${plural(n, "kind")} of cycles`
    : kind === "growth" || kind === "pinned-memory"
      ? `${plural(n, "case")} of ${KIND_NAMES[kind]}`
      : plural(n, KIND_NAMES[kind]);

/** That the program failed, where it did: no finding says so. */
export function failureText({ info }: Overview, words: Words): string | null {
  const { exitCode, stopped } = info;
  if (exitCode === 0) return null;
  if (exitCode === null)
    return `The program did not come to its end in this recording${stopped === null ? "" : `: ${words.sentence(stopped)}`}.`;
  return exitCode === 1
    ? "The program failed: it ended with exit code 1, as after an exception that nobody caught. The memory at that moment is what is called the end here."
    : `The program ended with exit code ${exitCode}.`;
}

/** The verdict: what the program's own findings come to, in a sentence or two. */
export function verdict(all: readonly Finding[], overview: Overview, words: Words): Html {
  const findings = all.filter((finding) => !isOfRuntime(finding, overview));
  const problems = findings.filter(({ isProblem }) => isProblem);
  const others = findings.length - problems.length;
  const failure = failureText(overview, words);
  const failed = failure !== null && html`<p id="failure">${failure}</p>`;
  const link = (finding: Finding): Html =>
    html`<a href="#finding-${finding.fingerprint}">${titleOf(finding, words)}</a>`;
  if (problems.length === 0)
    return html`<div class="verdict${failure !== null && " problem"}" id="verdict"><p class="lead">No problem was found in its memory${others > 0 && html`; ${plural(others, "observation")} that ${others === 1 ? "is" : "are"} none ${others === 1 ? "is" : "are"} listed below`}.</p>${failed}</div>`;
  const kinds = new Map<FindingKind, number>();
  for (const { kind } of problems) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const sums = [...kinds].map(([kind, n]) => kindCount(kind, n));
  return html`<div class="verdict problem" id="verdict"><p class="lead"><b>${sums.join(", ")}.</b></p><ul>${problems.slice(0, 6).map((finding) => html`<li>${link(finding)}</li>`)}</ul>${problems.length > 6 && html`<p>… and ${count(problems.length - 6)} more.</p>`}${failed}${others > 0 && html`<p class="muted">${plural(others, "more observation")} that need${others === 1 ? "s" : ""} nothing done.</p>`}</div>`;
}
