/** Charts over the whole recording: what was alive, what ran, which lines were busy when. */
import type { Overview } from "../analyze/overview.js";
import { bytes, count, plural } from "../base/quantity.js";
import {
  atTooltip,
  byteAxis,
  type Cell,
  type Chart,
  countAxis,
  type Dataset,
  eventAxis,
  heatScale,
  rangeLayer,
  type Specification,
  specification,
} from "./charts.js";
import { colour, SERIES_COLOURS, seriesColours } from "./theme.js";
import { typeName, type Words } from "./words.js";

export interface Drawn {
  readonly charts: readonly Chart[];
  readonly datasets: Readonly<Record<string, Dataset>>;
}

/** Lines of the heat map over time. */
const MAP_LINES = 20;

export function timeCharts({ time, activity, info }: Overview, words: Words): Drawn {
  const { moments } = time;
  const others =
    time.others.types === 0 ? [] : [{ ...time.others, label: `${plural(time.others.types, "other type")}` }];
  const labels = distinct(time.types.map((row) => typeName(words, row)));
  const series = [...time.types.map((row, i) => ({ ...row, label: labels[i]! })), ...others];
  const shown = series.map(({ label }) => label);
  const colours = seriesColours();
  const range = [...colours.slice(0, time.types.length), ...(others.length > 0 ? [colours[SERIES_COLOURS - 1]!] : [])];
  const stacked = (field: "bytes" | "objects", axis: Specification, brush: boolean): Specification =>
    specification(brush ? 260 : 200, {
      layer: [
        {
          data: { name: "live" },
          ...(brush
            ? {
                params: [
                  {
                    name: "brush",
                    select: { type: "interval", encodings: ["x"] },
                  },
                ],
              }
            : {}),
          mark: { type: "area", interpolate: "step-after", line: false, opacity: 0.9 },
          encoding: {
            x: eventAxis(),
            y: { field, type: "quantitative", stack: "zero", axis },
            color: { field: "type", type: "nominal", title: null, sort: shown, scale: { domain: shown, range } },
            order: { field: "rank", type: "quantitative" },
            tooltip: [
              { field: "type", title: "type" },
              { field: "objects", type: "quantitative", format: ",d" },
              { field: "bytes", type: "quantitative", format: ",d" },
              ...atTooltip(),
            ],
          },
        },
        ...(brush ? [] : [rangeLayer]),
        {
          data: { name: "collections" },
          mark: { type: "rule", strokeDash: [3, 3], color: colour("muted") },
          encoding: { x: eventAxis() },
        },
        {
          data: { name: "collections" },
          mark: { type: "point", shape: "triangle-down", filled: true, size: 60, color: colour("ink"), opacity: 1 },
          encoding: {
            x: eventAxis(),
            y: { value: 0 },
            tooltip: [
              { field: "number", title: "collection" },
              { field: "generation" },
              { field: "reason" },
              { field: "collected", type: "quantitative", title: "objects collected", format: ",d" },
              ...atTooltip(),
            ],
          },
        },
        {
          data: { name: "marks" },
          mark: { type: "tick", orient: "vertical", size: 8, thickness: 1, color: colour("ink") },
          encoding: {
            x: eventAxis(),
            y: { value: "height" },
            tooltip: [{ field: "name", title: "mark" }, ...atTooltip()],
          },
        },
      ],
    });
  const last = <T>(numbers: readonly T[]): T | undefined => numbers[numbers.length - 1];
  const endOf = (pick: "bytes" | "objects"): number => series.reduce((sum, row) => sum + (last(row[pick]) ?? 0), 0);
  const events = count(info.events.total);
  const moment = `${count(moments.length)} moments`;
  const legend =
    "Triangles and dashed lines are runs of the cycle collector; ticks at the foot are marks that the program set. The runtime’s own objects from before the program are not counted.";
  const live: Cell[][] = series.flatMap(({ label, objects, bytes: sizes }, rank) =>
    moments.map(({ event, seconds }, i) => [event, round(seconds), label, rank, objects[i]!, sizes[i]!]),
  );
  const map = lineMap({ activity }, words);
  const charts: Chart[] = [
    {
      name: "live-bytes",
      title: "Live bytes by type",
      text: `Bytes of the objects that were alive, by type, at ${moment} of the recording: left is the program’s start, right its end. ${legend}`,
      label: `Stacked area chart of live bytes by type over ${events} events; ${bytes(endOf("bytes"))} at the end; largest: ${shown.slice(0, 3).join(", ")}.`,
      data: ["live", "collections", "marks"],
      specification: stacked("bytes", byteAxis, true),
      follows: null,
    },
    {
      name: "live-objects",
      title: "Live objects by type",
      text: `How many objects were alive, by type, at the same ${moment}.`,
      label: `Stacked area chart of live objects by type over ${events} events; ${count(endOf("objects"))} objects at the end.`,
      data: ["live", "collections", "marks"],
      specification: stacked("objects", countAxis("objects"), false),
      follows: null,
    },
    {
      name: "calls",
      title: "Calls of Python functions",
      text: `Python frames entered in each of ${count(activity.calls.length)} stretches of ${count((info.events.total || 1) / activity.calls.length)} events: where it is low, the events came from few long-running functions or from C code.`,
      label: `Bar chart of calls over ${events} events; ${count(info.events.call)} calls in all.`,
      data: ["activity"],
      specification: barsOf("calls", "calls", colour("c0")),
      follows: null,
    },
    {
      name: "births-deaths",
      title: "Births and deaths of objects",
      text: "Objects that were created (upwards) and deallocated (downwards) in each stretch. Where the two balance, memory stays level.",
      label: `Bar chart of births and deaths over ${events} events; ${count(info.events.new)} births, ${count(info.events.dealloc)} deaths in all.`,
      data: ["births-deaths"],
      specification: specification(120, {
        layer: [
          rangeLayer,
          {
            data: { name: "births-deaths" },
            mark: { type: "rect" },
            encoding: {
              x: { ...eventAxis("from"), title: "event number" },
              x2: { field: "to" },
              y: { field: "signed", type: "quantitative", stack: null, axis: countAxis("objects") },
              y2: { datum: 0 },
              color: {
                field: "what",
                type: "nominal",
                title: null,
                scale: { domain: ["births", "deaths"], range: [colour("c0"), colour("c5")] },
              },
              tooltip: [
                { field: "what" },
                { field: "objects", type: "quantitative", format: ",d" },
                { field: "from", type: "quantitative", title: "from event", format: ",d" },
              ],
            },
          },
        ],
      }),
      follows: null,
    },
    ...map.charts,
  ];
  const { edges } = activity;
  const sums = [0, 1].map((which) => {
    const by = new Array<number>(activity.calls.length).fill(0);
    for (const { stretches } of activity.types) for (const [i, ...n] of stretches) by[i]! += n[which]!;
    return by;
  });
  const span = (i: number): Cell[] => [edges[i]!.event, edges[i + 1]!.event];
  return {
    charts,
    datasets: {
      live: { columns: ["event", "seconds", "type", "rank", "objects", "bytes"], rows: live },
      collections: {
        columns: ["event", "seconds", "number", "generation", "reason", "collected"],
        rows: time.collections.map(({ number, start, generation, reason, collected }) => [
          start.event,
          round(start.seconds),
          number,
          generation,
          reason,
          collected,
        ]),
      },
      marks: {
        columns: ["event", "seconds", "name"],
        rows: time.marks.map(({ name, at }) => [at.event, round(at.seconds), words.value(name)]),
      },
      activity: {
        columns: ["from", "to", "calls", "increfs", "decrefs"],
        rows: activity.calls.map((n, i) => [...span(i), n, activity.increfs[i]!, activity.decrefs[i]!]),
      },
      "births-deaths": {
        columns: ["from", "to", "what", "objects", "signed"],
        rows: activity.calls.flatMap((_, i) => [
          [...span(i), "births", sums[0]![i]!, sums[0]![i]!],
          [...span(i), "deaths", sums[1]![i]!, -sums[1]![i]!],
        ]),
      },
      ...map.datasets,
    },
  };
}

const sum = (counts: readonly number[]): number => counts.reduce((all, n) => all + n, 0);

/** Milliseconds are enough, and shorter. */
export const round = (seconds: number): number => Math.round(seconds * 1000) / 1000;

/** Names that are the same once shown get a number. */
export function distinct(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return n === 1 ? name : `${name} (${n})`;
  });
}

const barsOf = (field: string, title: string, fill: string): Specification =>
  specification(90, {
    layer: [
      rangeLayer,
      {
        data: { name: "activity" },
        mark: { type: "rect", color: fill },
        encoding: {
          x: { ...eventAxis("from"), title: "event number" },
          x2: { field: "to" },
          y: { field, type: "quantitative", axis: countAxis(title) },
          y2: { datum: 0 },
          tooltip: [
            { field, type: "quantitative", format: ",d" },
            { field: "from", type: "quantitative", title: "from event", format: ",d" },
            { field: "to", type: "quantitative", title: "to event", format: ",d" },
          ],
        },
      },
    ],
  });

const short = (name: string): string => (name.length > 30 ? `${name.slice(0, 29)}…` : name);

function lineMap({ activity }: Pick<Overview, "activity">, words: Words): Drawn {
  const lines = activity.lines.slice(0, MAP_LINES);
  if (lines.length === 0) return { charts: [], datasets: {} };
  const { edges } = activity;
  const most = lines.reduce(
    (max, { stretches }) => stretches.reduce((all, [, ...counts]) => Math.max(all, sum(counts)), max),
    0,
  );
  const labels = distinct(lines.map(({ file, line }) => `${short(words.lastPart(activity.files[file]!))}:${line}`));
  return {
    charts: [
      {
        name: "lines-over-time",
        title: "The busiest lines over time",
        text: `Changes of reference counts, births and deaths at each of the ${plural(lines.length, "busiest line")} of the program’s own files, by stretch of the recording: the darker (on dark ground: the lighter), the more.`,
        label: `Heat map of events by line and time for ${plural(lines.length, "line")}; the busiest is ${labels[0]}.`,
        data: ["lines-over-time"],
        specification: specification(Math.max(60, lines.length * 17), {
          data: { name: "lines-over-time" },
          mark: { type: "rect" },
          encoding: {
            x: { ...eventAxis("from"), title: "event number" },
            x2: { field: "to" },
            y: { field: "line", type: "nominal", title: null, sort: labels, axis: { grid: false } },
            color: heatScale("events", "events in a stretch", most),
            tooltip: [
              { field: "line" },
              { field: "function" },
              { field: "events", type: "quantitative", format: ",d" },
              { field: "from", type: "quantitative", title: "from event", format: ",d" },
            ],
          },
        }),
        follows: "span",
      },
    ],
    datasets: {
      "lines-over-time": {
        columns: ["from", "to", "line", "function", "events"],
        rows: lines.flatMap(({ stretches, function: name }, n) =>
          stretches.map(([i, ...counts]) => [
            edges[i]!.event,
            edges[i + 1]!.event,
            labels[n]!,
            words.name(name),
            sum(counts),
          ]),
        ),
      },
    },
  };
}
