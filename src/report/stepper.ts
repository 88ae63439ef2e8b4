/**
 * The page that steps through a program: its source, what the step did in words, the counts of what variables name, the object graph as a
 * picture, and the blocks that the objects stand in. One file without a request; a content security policy allows its one script
 * and its one style by hash. Data is JSON in a script element that is no script.
 */
import { createHash } from "node:crypto";
import type { Explanation } from "../analyze/explain-data.js";
import type { Step, Steps } from "../analyze/explain-steps.js";
import { printable } from "../base/printable.js";
import { type Html, html, scriptJson, trusted } from "./html.js";
import { STEPPER_SCRIPT } from "./stepper-script.js";
import { themeStyle } from "./theme.js";

/** Bytes of the data; beyond that steps are left out from the middle. */
const MOST_DATA = 1_500_000;
/** Objects whose changes one step tells; it says how many more there are. */
const MOST_CHANGED = 200;

const bars = Array.from({ length: 21 }, (_, i) => `.w${i}{width:${i * 0.5}rem}`).join("");

const STYLE = `${themeStyle()}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
header,main,footer{padding:.5rem 1rem}
h1{font-size:1.25rem;margin:.5rem 0}
h2{font-size:1rem;margin:1rem 0 .25rem}
main{display:grid;grid-template-columns:minmax(18rem,2fr) 3fr;gap:0 1.5rem}
@media (max-width:52rem){main{display:block}}
nav{position:sticky;top:0;background:var(--paper);border-bottom:1px solid var(--rule);padding:.4rem 1rem;display:flex;flex-wrap:wrap;gap:.5rem;align-items:center;z-index:2}
button{font:inherit;color:var(--link);background:none;border:1px solid var(--rule);border-radius:3px;padding:.15rem .6rem;cursor:pointer}
button:disabled{color:var(--muted);cursor:default}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
#where{font-weight:600}
.source{list-style:none;margin:0;padding:0;font:13px/1.5 ui-monospace,"DejaVu Sans Mono",monospace;max-height:75vh;overflow:auto;border:1px solid var(--rule)}
.source li{white-space:pre-wrap;padding:0 .5rem 0 3.4rem;position:relative}
.source li span{position:absolute;left:0;width:2.8rem;text-align:right;color:var(--muted)}
.source li.here{background:var(--suspectpaper);box-shadow:inset 3px 0 var(--suspect)}
#said{padding-left:1.1rem;margin:.25rem 0}
#said ul{padding-left:1.1rem}
.scroll{overflow:auto;max-height:30rem;border:1px solid var(--grid)}
table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{text-align:left;padding:.15rem .5rem;border-bottom:1px solid var(--grid);font-weight:normal}
th{color:var(--muted)}
.n{text-align:right;font-variant-numeric:tabular-nums}
.changed td{font-weight:600}
#blocks td,#blocks th{white-space:nowrap}
.gone td{color:var(--muted)}
.nowrap{white-space:nowrap}
.bar{display:inline-block;height:.7rem;background:var(--c0)}
${bars}
svg text{font:12px system-ui,"DejaVu Sans",sans-serif;fill:var(--ink)}
svg .node{fill:var(--panel);stroke:var(--rule)}
svg .touched .node{stroke:var(--suspect);stroke-width:2}
svg .immortal text{fill:var(--muted)}
svg .count{font-weight:600}
svg .var{font-family:ui-monospace,"DejaVu Sans Mono",monospace}
svg .edge{fill:none;stroke:var(--muted);stroke-width:1.3}
svg .arrow{fill:var(--muted)}
svg .label{fill:var(--muted);font-size:11px}
.muted{color:var(--muted)}`;

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** The page; under 2 MB for a script of up to 200,000 characters. */
export function stepperPage(explanation: Explanation, all: Steps): string {
  const objects = new Map(
    explanation.objects.map(({ object, type, address, names: of, death }) => [
      object,
      {
        type: printable(type),
        address,
        names: of.map(printable),
        death: death && {
          event: death.event,
          memory: death.memory,
          reuse: death.reuse && { event: death.reuse.event, what: printable(death.reuse.what) },
        },
      },
    ]),
  );
  let { steps, leftOut } = { steps: all.steps.map(shown), leftOut: all.leftOut };
  const dataOf = (kept: typeof steps): Html => {
    const told = kept.flatMap(({ changes, variables, nodes }) => [
      ...[...changes, ...nodes].map(({ object }) => object),
      ...variables.map(([, , object]) => object),
    ]);
    const names = Object.fromEntries(
      [...new Set(told)].flatMap((id) => (objects.has(id) ? [[id, objects.get(id)]] : [])),
    );
    return scriptJson({ steps: kept, names });
  };
  let data = dataOf(steps);
  while (Buffer.byteLength(data.text) > MOST_DATA && steps.length > 2) {
    const half = Math.floor(steps.length / 4);
    leftOut += steps.length - 2 * Math.max(1, half);
    steps = half === 0 ? [steps[0]!, steps.at(-1)!] : [...steps.slice(0, half), ...steps.slice(-half)];
    data = dataOf(steps);
  }
  const policy = `default-src 'none'; script-src ${hash(STEPPER_SCRIPT)}; style-src ${hash(STYLE)}; base-uri 'none'; form-action 'none'`;
  const file = printable(explanation.file.slice(explanation.file.lastIndexOf("/") + 1));
  const source = explanation.lines.map(
    ({ line, source: text }) => html`<li id="L${line}"><span>${line}</span>${printable(text)}
</li>`,
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>${file}, step by step</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<header><h1>${file}: what each line does to memory</h1>
<p class="muted">Arrow keys step through the program, Home and End go to its ends. CPython ${explanation.python}; the picture is read from the interpreter's memory after each step, the counts are those of the recorded events.${leftOut > 0 ? ` ${leftOut} steps between the first and the last are left out.` : ""}</p></header>
<nav aria-label="Steps">
<button id="first" type="button" aria-label="First step">|◀</button>
<button id="back" type="button" aria-label="Step back">◀ back</button>
<button id="next" type="button" aria-label="Next step">next ▶</button>
<button id="last" type="button" aria-label="Last step">▶|</button>
<input id="slider" type="range" min="0" max="0" value="0" aria-label="Step">
<span id="where" role="status" aria-live="polite"></span>
</nav>
<main>
<section aria-labelledby="h-source"><h2 id="h-source">Source</h2><ol class="source" tabindex="0" aria-label="Source of the program">${source}</ol></section>
<section aria-labelledby="h-step"><h2 id="h-step">This step</h2><ul id="said"></ul>
<h2>Counts of what variables name</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Counts"><table><thead><tr><th scope="col">variable</th><th scope="col">object</th><th scope="col" class="n">count</th><th scope="col">value</th></tr></thead><tbody id="counts"></tbody></table></div>
<h2>Objects and references</h2>
<p id="more" class="muted" hidden>The picture has no room for all objects.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Object graph"><svg id="graph" role="img" aria-label="Object graph"></svg></div>
<h2>Memory of these objects</h2>
<div class="scroll" tabindex="0" role="region" aria-label="Blocks"><table><thead><tr><th scope="col">address</th><th scope="col" class="n nowrap">bytes</th><th scope="col">size</th><th scope="col">object</th><th scope="col">state</th></tr></thead><tbody id="blocks"></tbody></table></div>
</section>
</main>
<script type="application/json" id="data">${data}</script>
<script>${trusted(STEPPER_SCRIPT)}</script>
</body>
</html>
`;
  return page.text;
}

/** Names of the recorded program, with what hides or turns text made visible. */
function shown(step: Step): Step & { unsaid: number } {
  return {
    ...step,
    function: printable(step.function),
    variables: step.variables.map(([scope, name, id]) => [printable(scope), printable(name), id]),
    nodes: step.nodes.map((node) => ({ ...node, type: printable(node.type), text: printable(node.text) })),
    edges: step.edges.map(([a, b, text]) => [a, b, printable(text)]),
    unsaid: Math.max(0, step.changes.length - MOST_CHANGED),
    changes: step.changes.slice(0, MOST_CHANGED).map((change) => ({
      ...change,
      list: change.list.map(({ delta, text }) => ({ delta, text: printable(text) })),
    })),
  };
}
