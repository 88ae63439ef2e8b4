/**
 * One chart as a file: SVG by Vega without a browser, PNG from that SVG by resvg with the system's fonts, or the Vega-Lite specification with its
 * data. Colours are those of light unless asked otherwise.
 */
import { Failure } from "../base/failure.js";
import { type Chart, type Dataset, standalone } from "./charts.js";
import { DARK, LIGHT } from "./theme.js";

export interface DrawOptions {
  /** Pixels of the drawing without its axes; 760 by default. */
  readonly width?: number;
  readonly dark?: boolean;
}

/** PNGs have so many pixels for one of the drawing's. */
const PNG_SCALE = 2;

export const CHART_FORMATS = ["svg", "png", "json"] as const;
export type ChartFormat = (typeof CHART_FORMATS)[number];

export async function drawChart(
  chart: Chart,
  datasets: Readonly<Record<string, Dataset>>,
  format: ChartFormat,
  options: DrawOptions = {},
): Promise<string | Uint8Array> {
  const theme = options.dark ? DARK : LIGHT;
  const specification = standalone(chart, datasets, { width: options.width ?? 760, theme });
  if (format === "json") return `${JSON.stringify(specification, null, 1)}\n`;
  // Loaded when needed: the other commands should start without them.
  const [vega, { compile }] = await Promise.all([import("vega"), import("vega-lite")]);
  const titled = { ...specification, title: { text: chart.title, anchor: "start", fontSize: 14, offset: 12 } };
  const view = new vega.View(vega.parse(compile(titled as never).spec), { renderer: "none", logLevel: vega.Error });
  const svg = await view.toSVG();
  view.finalize();
  return format === "svg" ? svg : pngOf(svg);
}

async function pngOf(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const font = { loadSystemFonts: true, sansSerifFamily: "DejaVu Sans", defaultFontFamily: "DejaVu Sans" };
  const probe = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text y="9">Mg</text></svg>';
  if (new Resvg(probe, { font }).getBBox() === undefined)
    throw new Failure("a PNG needs a font and this machine has none: install one (DejaVu Sans), or write an .svg");
  return new Resvg(svg, { font, fitTo: { mode: "zoom", value: PNG_SCALE } }).render().asPng();
}
