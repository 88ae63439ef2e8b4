/** Charts: drawn when they come near the window, told of the chosen range, with words beside them and downloads below. */
import type { PageChart } from "../page-data.js";
import { csvOf, rowsOf, save, vegaLiteOf } from "./downloads.js";
import { element, page } from "./elements.js";
import { choose, currentRange, isWhole, onRange, type Range, stretchesOf, whole } from "./range.js";

/** What the page uses of Vega. */
interface View {
  data(name: string, rows: unknown[]): View;
  runAsync(): Promise<View>;
  /** Has the next run lay the chart out anew. */
  resize(): View;
  addSignalListener(name: string, listener: (name: string, value: unknown) => void): View;
  signal(name: string, value: unknown): View;
  scale(name: string): (value: number) => number;
}
declare const vega: {
  parse(specification: unknown, config: null, options: { ast: true }): unknown;
  View: new (runtime: unknown, options: Record<string, unknown>) => View;
  expressionInterpreter: unknown;
};

const tip = element("div", { class: "tip", role: "status", hidden: "" });

/** Vega's tooltips as an element with text. */
function showTip(_handler: unknown, event: MouseEvent, _item: unknown, value: unknown): void {
  if (value === null || value === undefined || value === "") {
    tip.hidden = true;
    return;
  }
  const rows = typeof value === "object" ? Object.entries(value) : [["", value]];
  tip.replaceChildren(
    ...rows.map(([name, text]) =>
      element("div", {}, element("span", {}, String(name)), element("b", {}, String(text))),
    ),
  );
  tip.hidden = false;
  const left = Math.min(event.pageX + 14, window.scrollX + document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${event.pageY + 14}px`;
}

/** The rows of a chart's first dataset that the range leaves. */
function narrowed(chart: PageChart, range: Range): Record<string, string | number | null>[] {
  const rows = rowsOf(page.datasets[chart.data[0]!]!);
  if (isWhole(range) || chart.follows === null) return rows;
  const first = page.edges[range.from]!.event;
  const last = page.edges[range.to]!.event;
  if (chart.follows === "event") return rows.filter(({ event }) => Number(event) >= first && Number(event) < last);
  return rows.filter(({ from, to }) => Number(to ?? last) > first && Number(from) < last);
}

const rangeRows = (range: Range): unknown[] =>
  isWhole(range) ? [] : [{ from: page.edges[range.from]!.event, to: page.edges[range.to]!.event }];

/** Charts that do not yet show the chosen range, and how each is brought up to date. */
const stale = new Map<HTMLElement, () => void>();
const inSight = new WeakSet<Element>();
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        inSight.add(target);
        bringUpToDate(target as HTMLElement);
      } else inSight.delete(target);
    }
  },
  { rootMargin: "200px" },
);

function bringUpToDate(place: HTMLElement): void {
  const update = stale.get(place);
  stale.delete(place);
  update?.();
}

/** One chart that is out of sight, whenever the page has nothing else to do. */
function catchUp(): void {
  const [next] = stale.keys();
  if (next) bringUpToDate(next);
  if (stale.size > 0) whenIdle(catchUp);
}

const whenIdle = (work: () => void): void => {
  if ("requestIdleCallback" in window) window.requestIdleCallback(work);
  else setTimeout(work, 50);
};

/** The chart follows the range: at once while it can be seen, else when the page is idle, so that a brush is answered quickly. */
function whenSeen(place: HTMLElement, update: () => void): void {
  sight.observe(place);
  onRange(() => {
    if (stale.size === 0) whenIdle(catchUp);
    stale.set(place, update);
    if (inSight.has(place)) bringUpToDate(place);
  });
}

/** Whether something of a chart lies below its picture. */
function isCut(place: HTMLElement): boolean {
  const picture = place.querySelector("svg");
  const content = picture?.querySelector("g");
  return !!picture && !!content && content.getBoundingClientRect().bottom > picture.getBoundingClientRect().bottom + 1;
}

async function draw(chart: PageChart, place: HTMLElement): Promise<void> {
  const runtime = vega.parse(chart.vega, null, { ast: true });
  const view = new vega.View(runtime, {
    renderer: "svg",
    container: place,
    hover: true,
    expr: vega.expressionInterpreter,
    tooltip: showTip,
    logLevel: 1,
  });
  const marksRange = (chart.vega["data"] as { name: string }[]).some(({ name }) => name === "range");
  const fill = (range: Range): void => {
    chart.data.forEach((name, i) => {
      view.data(name, i === 0 ? narrowed(chart, range) : rowsOf(page.datasets[name]!));
    });
    if (marksRange) view.data("range", rangeRows(range));
  };
  fill(currentRange());
  await view.runAsync();
  // The legend wraps by the width that the chart has in the end, and its height is taken before that: a narrow chart needs another look.
  if (isCut(place)) await view.resize().runAsync();
  view.addSignalListener("width", () => {
    setTimeout(() => {
      if (isCut(place)) void view.resize().runAsync();
    });
  });
  if (chart.name === "live-bytes") {
    // The brush follows the sliders as the sliders follow the brush; its own echo is not a choice.
    let echoes = 0;
    let dragged = false;
    const follow = (range: Range): void => {
      const [x, { from, to }] = [view.scale("x"), range];
      const ends = isWhole(range) ? [0, 0] : [x(page.edges[from]!.event), x(page.edges[to]!.event)];
      echoes++;
      void view
        .signal("brush_x", ends)
        .runAsync()
        .then(() => echoes--);
    };
    onRange((range) => {
      if (!dragged) follow(range);
    });
    // A page that has no width for a moment (some make one to capture it) squeezes the brush to nothing: that is no choice either.
    let squeezed = false;
    view.addSignalListener("width", (_name, value) => {
      const isBack = squeezed && value !== 0;
      squeezed = value === 0;
      if (isBack) setTimeout(() => follow(currentRange()));
    });
    view.addSignalListener("brush", (_name, value) => {
      if (echoes > 0 || squeezed) return;
      dragged = true;
      const events = (value as { event?: [number, number] }).event;
      choose(events ? stretchesOf(Math.min(...events), Math.max(...events)) : whole());
      dragged = false;
    });
  } else if (chart.follows !== null || marksRange) {
    whenSeen(place, () => {
      fill(currentRange());
      void view.runAsync();
    });
  }
  const svg = place.querySelector("svg");
  svg?.setAttribute("aria-label", chart.label);
  svg?.setAttribute("role", "img");
  place.dataset["drawn"] = "yes";
}

export function mountCharts(): void {
  document.body.append(tip);
  for (const chart of page.charts) {
    const figure = document.querySelector<HTMLElement>(`figure[data-chart="${CSS.escape(chart.name)}"]`);
    if (!figure) continue;
    const place = element("div", { class: "chart" });
    const csv = element("button", { type: "button", "aria-label": `CSV of ${chart.title}` }, "CSV");
    csv.addEventListener("click", () => save(`${chart.name}.csv`, "text/csv", csvOf(page.datasets[chart.data[0]!]!)));
    const lite = element("button", { type: "button", "aria-label": `Vega-Lite of ${chart.title}` }, "Vega-Lite");
    lite.addEventListener("click", () => save(`${chart.name}.vl.json`, "application/json", vegaLiteOf(chart)));
    figure.append(
      element("figcaption", {}, element("b", {}, chart.title), element("span", { class: "muted" }, chart.text)),
      place,
      element("div", { class: "tools" }, csv, lite),
    );
  }
}

/** Draws all charts, those at the top first; between two of them the page can answer. */
export async function drawCharts(): Promise<void> {
  for (const chart of page.charts) {
    const place = document.querySelector<HTMLElement>(`figure[data-chart="${CSS.escape(chart.name)}"] .chart`);
    if (!place) continue;
    await draw(chart, place);
    await new Promise((resolve) => setTimeout(resolve));
  }
  document.documentElement.dataset["ready"] = "yes";
}
