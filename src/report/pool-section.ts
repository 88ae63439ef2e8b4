/** Pools: free lists as they were, the real heap over time and as a map, what pins it, and what a pymalloc would have done with the same requests. */
import type { FreeListRow, Pin, PoolsAnalysis, PymallocResult } from "../analyze/pools-data.js";
import { bytes, count, plural } from "../base/quantity.js";
import { byteAxis, type Cell, type Chart, countAxis, type Dataset, eventAxis, specification } from "./charts.js";
import { wholeNote } from "./finding-section.js";
import { type Html, html } from "./html.js";
import type { PageData } from "./page-data.js";
import { colour, heatColours } from "./theme.js";
import { type Drawn, distinct, round } from "./time-charts.js";
import { typeName, type Words } from "./words.js";

/** Rows of each table. */
const ROWS = 15;

export interface PoolSection extends Drawn {
  readonly section: Html;
  /** For the page's script. */
  readonly freeLists: PageData["freeLists"];
}

const percent = (share: number | null): string => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);

export function poolSection(pools: PoolsAnalysis, words: Words): PoolSection {
  const charts: Chart[] = [];
  const datasets: Record<string, Dataset> = {};
  const add = (chart: Chart, data: Dataset): void => {
    charts.push(chart);
    datasets[chart.name] = data;
  };
  const { freeLists, heap, models } = pools;
  const lists = freeLists.rows.filter(({ fromFreeList }) => fromFreeList > 0).slice(0, ROWS);
  const names = distinct(
    lists.map((row) => `${typeName(words, row)}, ${row.size === null ? "larger" : `${row.size} B`}`),
  );
  if (lists.length > 0) {
    charts.push(freeListChart(names));
    add(...hitRateChart(lists, names, freeLists.windows));
  }
  add(...heapSizeChart(pools));
  if (heap.heat.regions > 0 && heap.heat.event.length > 1) add(...heapMap(pools));
  const pymallocs = models.filter((model): model is PymallocResult => model.kind === "pymalloc");
  for (const model of pymallocs.slice(-1)) add(...sizeClassChart(model, words));
  const figure = (name: string): Html | false =>
    charts.some((one) => one.name === name) && html`<figure data-chart="${name}"></figure>`;
  const listRows = lists.map(
    (row, i) =>
      html`<tr><th scope="row">${names[i]!}</th><td class="n">${count(row.fromFreeList)}</td><td class="n">${count(row.fromAllocator)}</td><td class="n">${percent(row.hitRate)}</td><td class="n">${count(row.highestFill)}</td><td class="n">${count(row.fill)}</td><td class="n">${bytes(row.bytes)}</td></tr>`,
  );
  return {
    section: html`<h3>Free lists</h3>
<p>Some types keep the memory of their dead objects for their next ones. <span id="free-total">Over the whole recording, ${count(freeLists.fromFreeList)} of ${count(freeLists.fromFreeList + freeLists.fromAllocator)} births (${percent(freeLists.hitRate)}) were served so, without asking the allocator.</span></p>
${figure("free-lists")}${figure("hit-rates")}
${lists.length > 0 && html`${wholeNote("The births and the hit rate are those of the chosen part; the fills are those of the whole recording and of its end.")}<div class="scroll" tabindex="0" role="region" aria-label="Free lists"><table id="free-lists"><thead><tr><th scope="col">type, size</th><th scope="col" class="n">births from free list</th><th scope="col" class="n">from allocator</th><th scope="col" class="n">hit rate</th><th scope="col" class="n">highest fill</th><th scope="col" class="n">fill at the end</th><th scope="col" class="n">size</th></tr></thead><tbody>${listRows}</tbody></table></div>`}
<h3>The real heap, over time and at the end</h3>
<p>The recorded interpreter’s allocator is dlmalloc, on a 32-bit machine. At the end ${plural(heap.blocks, "block")} hold ${bytes(heap.used)} of a footprint of ${bytes(heap.footprint)} (${percent(heap.utilisation)}); ${bytes(heap.free)} lie free between blocks, the largest free range has ${bytes(heap.largestFree)}; fragmentation is ${heap.fragmentation === null ? "not defined" : heap.fragmentation.toFixed(2)} (0 = all free memory in one range, 1 = crumbs).</p>
<p class="part" id="heap-part" hidden></p>
${figure("heap-size")}${figure("heap-map")}
${pinTable(heap.sparse.pins, `At the end, regions of 64 KiB that are less than a tenth full: ${count(heap.sparse.regions)}, with ${bytes(heap.sparse.free)} free in them. What keeps them:`, "heap-pins", words)}
${modelTable(pymallocs, words)}
${figure("size-classes")}`,
    charts,
    datasets,
    freeLists: { windows: freeLists.windows, hits: freeLists.hits, births: freeLists.births },
  };
}

/** Sums of the windows that the hit rates are drawn by, so that it follows a range as they do. */
function freeListChart(names: readonly string[]): Chart {
  return {
    name: "free-lists",
    title: "Births by where their memory came from",
    text: "For each type and size that used a free list: how many objects were born in memory that an earlier one had left, and how many needed new memory.",
    label: `Bar chart of births from free lists and from the allocator for ${plural(names.length, "type")}.`,
    data: ["hit-rates"],
    specification: specification(names.length * 20, {
      data: { name: "hit-rates" },
      transform: [
        { calculate: "datum.births - datum.hits", as: "from the allocator" },
        { calculate: "datum.hits", as: "from the free list" },
        { fold: ["from the free list", "from the allocator"], as: ["source", "objects"] },
      ],
      mark: { type: "bar" },
      encoding: {
        y: { field: "type", type: "nominal", scale: { domain: names }, title: null },
        x: { aggregate: "sum", field: "objects", type: "quantitative", axis: countAxis("objects born") },
        color: {
          field: "source",
          type: "nominal",
          title: null,
          scale: { domain: ["from the free list", "from the allocator"], range: [colour("c2"), colour("c1")] },
        },
        tooltip: [
          { field: "type" },
          { field: "source" },
          { aggregate: "sum", field: "objects", type: "quantitative", title: "births", format: ",d" },
        ],
      },
    }),
    follows: "span",
  };
}

function heapSizeChart({ heap }: PoolsAnalysis): [Chart, Dataset] {
  const { event, seconds, used, footprint } = heap.series;
  const rows = event.flatMap((at, i): Cell[][] => [
    [at, round(seconds[i]!), "footprint", footprint[i]!],
    [at, round(seconds[i]!), "in use", used[i]!],
  ]);
  return [
    {
      name: "heap-size",
      title: "Memory in use and taken",
      text: "Bytes that blocks hold (the runtime’s own included), and the footprint: from the heap’s start to the highest end that a block ever had, which is what the process has taken from the system at least.",
      label: `Line chart of the heap: ${bytes(heap.used)} in use of ${bytes(heap.footprint)} at the end.`,
      data: ["heap-size"],
      specification: specification(160, {
        data: { name: "heap-size" },
        mark: { type: "line", interpolate: "step-after", strokeWidth: 1.8 },
        encoding: {
          x: eventAxis(),
          y: { field: "bytes", type: "quantitative", axis: byteAxis },
          color: {
            field: "what",
            type: "nominal",
            title: null,
            legend: { symbolType: "stroke" },
            scale: { domain: ["footprint", "in use"], range: [colour("c5"), colour("c0")] },
          },
        },
      }),
      follows: "event",
    },
    { columns: ["event", "seconds", "what", "bytes"], rows },
  ];
}

/** Share of the births that free lists served, by window of the recording. */
function hitRateChart(
  lists: readonly FreeListRow[],
  names: readonly string[],
  windows: readonly number[],
): [Chart, Dataset] {
  const rows = lists.flatMap(({ hits, births }, i): Cell[][] =>
    births.flatMap((n, window): Cell[][] =>
      n === 0
        ? []
        : [
            [
              windows[window]!,
              windows[window + 1]!,
              names[i]!,
              hits[window]!,
              n,
              Math.round((1000 * hits[window]!) / n) / 10,
            ],
          ],
    ),
  );
  return [
    {
      name: "hit-rates",
      title: "Free-list hit rate over time",
      text: "Of the births of each type and size, the share (in %) that found memory left by an earlier object, in windows of equal numbers of events. Empty: nothing of the type was born in that window.",
      label: `Heat map of free-list hit rates for ${plural(lists.length, "type")} over time.`,
      data: ["hit-rates"],
      specification: specification(Math.max(60, lists.length * 17), {
        data: { name: "hit-rates" },
        mark: { type: "rect" },
        encoding: {
          x: { ...eventAxis("from"), title: "event number" },
          x2: { field: "to" },
          y: { field: "type", type: "nominal", title: null, sort: names, axis: { grid: false } },
          color: {
            field: "percent",
            type: "quantitative",
            title: "% from the free list",
            // The palest step is left to what is empty: no birth at all is something else than no birth from the list.
            scale: { type: "threshold", domain: [25, 50, 75, 90, 99], range: heatColours().slice(1) },
          },
          tooltip: [
            { field: "type" },
            { field: "percent", type: "quantitative", title: "% from the free list" },
            { field: "hits", type: "quantitative", title: "births from the free list", format: ",d" },
            { field: "births", type: "quantitative", title: "births", format: ",d" },
            { field: "from", type: "quantitative", title: "from event", format: ",d" },
          ],
        },
      }),
      follows: "span",
    },
    { columns: ["from", "to", "type", "hits", "births", "percent"], rows },
  ];
}

function heapMap({ heap, to }: PoolsAnalysis): [Chart, Dataset] {
  const { event, regions, regionBytes, permille } = heap.heat;
  const rows = event.flatMap((from, moment) =>
    Array.from({ length: regions }, (_, region): Cell[] => {
      const share = permille[moment * regions + region]! / 10;
      return [
        from,
        event[moment + 1] ?? Math.max(to.event, from + 1),
        (region * regionBytes) / 1024,
        ((region + 1) * regionBytes) / 1024,
        share,
      ];
    }),
  );
  return [
    {
      name: "heap-map",
      title: "Map of the heap over time",
      text: `How full each region of ${regionBytes / 1024} KiB of the heap was, from its start (bottom) to its end (top): pale regions are nearly empty and still cannot be given back while a block is in them.`,
      label: `Heat map of the heap: ${plural(regions, "region")} of ${regionBytes / 1024} KiB over ${plural(event.length, "moment")}.`,
      data: ["heap-map"],
      specification: specification(Math.max(120, Math.min(320, regions * 6)), {
        data: { name: "heap-map" },
        mark: { type: "rect" },
        encoding: {
          x: { ...eventAxis("from"), title: "event number" },
          x2: { field: "to" },
          y: { field: "bottom", type: "quantitative", title: "KiB from the heap’s start", scale: { nice: false } },
          y2: { field: "top" },
          color: {
            field: "percent",
            type: "quantitative",
            title: "% in use",
            scale: { type: "threshold", domain: [1, 10, 30, 50, 75, 95], range: heatColours() },
          },
          tooltip: [
            { field: "bottom", type: "quantitative", title: "KiB", format: ",d" },
            { field: "percent", type: "quantitative", title: "% in use" },
            { field: "from", type: "quantitative", title: "event", format: ",d" },
          ],
        },
      }),
      follows: "span",
    },
    { columns: ["from", "to", "bottom", "top", "percent"], rows },
  ];
}

function sizeClassChart(model: PymallocResult, words: Words): [Chart, Dataset] {
  const rows = model.classes.flatMap(({ size, blocks, free }): Cell[][] => [
    [size, "in use", blocks * size],
    [size, "free", free * size],
  ]);
  return [
    {
      name: "size-classes",
      title: `Size classes of the model “${words.name(model.title)}”`,
      text: "Bytes of the pools’ blocks by size class at the end, in use and free: what a pymalloc would have made of this program’s requests. It is a model: the recorded interpreter has no pymalloc.",
      label: `Bar chart of ${plural(model.classes.length, "size class").replace(/classs$/, "classes")} of a pymalloc model.`,
      data: ["size-classes"],
      specification: specification(140, {
        data: { name: "size-classes" },
        mark: { type: "bar" },
        encoding: {
          x: { field: "size", type: "ordinal", title: "bytes of a block", axis: { labelOverlap: true, labelAngle: 0 } },
          y: { field: "bytes", type: "quantitative", axis: byteAxis },
          color: {
            field: "state",
            type: "nominal",
            title: null,
            scale: { domain: ["in use", "free"], range: [colour("c0"), colour("c1")] },
          },
          tooltip: [{ field: "size" }, { field: "state" }, { field: "bytes", type: "quantitative", format: ",d" }],
        },
      }),
      follows: null,
    },
    { columns: ["size", "state", "bytes"], rows },
  ];
}

function pinTable(pins: readonly Pin[], text: string, id: string, words: Words): Html | null {
  if (pins.length === 0) return null;
  const rows = pins
    .slice(0, ROWS)
    .map(
      ({ type, place, blocks, bytes: size, regions, pinned }) =>
        html`<tr><th scope="row">${type === null ? "block without an object" : words.name(type)}</th><td class="place">${words.place(place) || "no Python code"}</td><td class="n">${count(blocks)}</td><td class="n">${bytes(size)}</td><td class="n">${count(regions)}</td><td class="n">${bytes(pinned)}</td></tr>`,
    );
  return html`${wholeNote("What keeps regions is about the recording’s end, not the chosen part’s.")}<p>${text}</p><div class="scroll" tabindex="0" role="region" aria-label="What pins memory"><table id="${id}"><thead><tr><th scope="col">type</th><th scope="col">created at</th><th scope="col" class="n">blocks</th><th scope="col" class="n">size</th><th scope="col" class="n">regions</th><th scope="col" class="n">free memory pinned</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function modelTable(models: readonly PymallocResult[], words: Words): Html | null {
  if (models.length === 0) return null;
  const rows = models.map(
    (model) =>
      html`<tr><th scope="row">${words.name(model.title)}</th><td class="n">${count(model.requests)}</td><td class="n">${count(model.passedOn)}</td><td class="n">${count(model.arenas)}</td><td class="n">${count(model.peakArenas)}</td><td class="n">${bytes(model.system)}</td><td class="n">${percent(model.internalFragmentation)}</td><td class="n">${percent(model.externalFragmentation)}</td></tr>`,
  );
  return html`<h3>Models, at the end of the recording</h3>
<p>What other allocators would have done with the same requests, in the sizes that the recorded 32-bit interpreter asked for. Internal fragmentation is what rounding up loses, external what lies in free blocks, free pools and headers.</p>
${wholeNote("A model is fed the whole recording: the table and the size classes are about its end, not the chosen part’s.")}
<div class="scroll" tabindex="0" role="region" aria-label="Models"><table id="models"><thead><tr><th scope="col">model</th><th scope="col" class="n">requests served</th><th scope="col" class="n">passed to malloc</th><th scope="col" class="n">arenas</th><th scope="col" class="n">at most</th><th scope="col" class="n">from the system</th><th scope="col" class="n">internal</th><th scope="col" class="n">external</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
