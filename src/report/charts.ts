/**
 * A chart: what it shows in words, its Vega-Lite specification and the data it reads, by name. The page, `chart` and the downloads all take it from
 * here. Specifications name colours as variables (theme.ts) and datasets by name; `standalone` puts both in.
 */
import { CHART_CONFIG, HEAT_STEPS, heatColours, LIGHT, withColours } from "./theme.js";

export type Cell = string | number | null;

/** A table of values. */
export interface Dataset {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export type Specification = Readonly<Record<string, unknown>>;

export interface Chart {
  /** Lower case, digits and dashes. */
  readonly name: string;
  readonly title: string;
  /** What it shows and how to read it, with the units: whole sentences. */
  readonly text: string;
  /** For who cannot see it: what it is and its main numbers. */
  readonly label: string;
  /** Names of the datasets; the first is the one that is downloaded. */
  readonly data: readonly string[];
  readonly specification: Specification;
  /**
   * How a range of events narrows the first dataset: by its column `event`, by its columns `from` and `to` (what overlaps stays), or
   * not at all: then the range is marked, where the chart reads the dataset `range`, or the chart chooses it.
   */
  readonly follows: "event" | "span" | null;
}

export const SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json";

export interface Frame {
  /** Pixels, without axes. */
  readonly height: number;
}

/** A specification of ours: as wide as its place, our look. */
export const specification = (height: number, rest: Specification): Specification => ({
  $schema: SCHEMA,
  width: "container",
  height,
  autosize: { type: "fit-x", contains: "padding" },
  config: CHART_CONFIG,
  ...rest,
});

/** Horizontal axis of event numbers. */
export const eventAxis = (field = "event", title = "event number"): Specification => ({
  field,
  type: "quantitative",
  title,
  scale: { nice: false, zero: false },
  axis: { format: "~s", tickCount: 8 },
});

/** Vertical axis of bytes: decimal units. */
export const byteAxis = { format: "~s", title: "bytes", tickCount: 5 };
export const countAxis = (title: string): Specification => ({ format: "~s", title, tickCount: 5 });

/** Events with their seconds, as a reader's tooltip. */
export const atTooltip = (event = "event", seconds = "seconds"): Specification[] => [
  { field: event, type: "quantitative", title: "event", format: ",d" },
  { field: seconds, type: "quantitative", title: "seconds", format: ".3f" },
];

/** Counts as heat, up to `most`: steps rise with the square root, since counts differ by magnitudes. */
export const heatScale = (field: string, title: string, most: number): Specification => {
  const steps = new Set<number>();
  for (let i = 1; i < HEAT_STEPS; i++) steps.add(Math.max(1, Math.round(most * (i / HEAT_STEPS) ** 2)));
  const domain = [...steps];
  return {
    field,
    type: "quantitative",
    title,
    scale: { type: "threshold", domain, range: heatColours().slice(HEAT_STEPS - 1 - domain.length) },
    legend: { format: "~s", symbolType: "square" },
  };
};

/** The part of the recording that a reader chose, behind everything else. */
export const rangeLayer: Specification = {
  data: { name: "range" },
  mark: { type: "rect", color: "var(--c0)", opacity: 0.14 },
  encoding: { x: { field: "from", type: "quantitative" }, x2: { field: "to" } },
};

/** A dataset as rows of objects, as Vega takes them. */
export const objectsOf = ({ columns, rows }: Dataset): Record<string, Cell>[] =>
  rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]!])));

/** The chart by itself: data and colours put in, a width of its own. */
export function standalone(
  chart: Chart,
  datasets: Readonly<Record<string, Dataset>>,
  options: { readonly width?: number; readonly theme?: Readonly<Record<string, string>> } = {},
): Specification {
  const theme = options.theme ?? LIGHT;
  const named = Object.fromEntries(chart.data.map((name) => [name, objectsOf(datasets[name]!)]));
  const usesRange = JSON.stringify(chart.specification).includes('{"name":"range"}');
  return {
    ...withColours(chart.specification, theme),
    ...(options.width === undefined ? {} : { width: options.width }),
    background: theme["paper"]!,
    description: chart.label,
    datasets: usesRange ? { ...named, range: [] } : named,
  };
}
