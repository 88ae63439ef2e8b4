/** `refledger chart`: a single chart of the report, for a paper or a wiki. */
import { extname, resolve } from "node:path";
import type { CommandModule } from "yargs";
import { CHART_FORMATS, type ChartFormat, drawChart, Failure, makeReport } from "../index.js";
import { json, tableText } from "./explore.js";
import { standardOutput } from "./output.js";
import { refuseInput, writeOut } from "./output-file.js";
import { printable } from "./printable.js";
import { inputOf } from "./report.js";

interface Arguments {
  trace: string;
  name: string | undefined;
  out: string | undefined;
  list: boolean;
  dark: boolean;
  width: number;
  source: boolean;
  values: boolean;
  json: boolean;
}

export const chartCommand: CommandModule<object, Arguments> = {
  command: "chart <trace> [name]",
  describe: "Write one chart of the report as SVG, PNG or Vega-Lite specification",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .positional("name", { type: "string", describe: "the chart; --list names them" })
      .option("out", { alias: "o", type: "string", describe: "FILE.svg, FILE.png or FILE.json; by default NAME.svg" })
      .option("list", { type: "boolean", default: false, describe: "list the charts that the trace has" })
      .option("dark", { type: "boolean", default: false, describe: "for a dark page" })
      .option("width", { type: "number", default: 760, describe: "pixels of the drawing, without its axes" })
      .option("source", { type: "boolean", default: true, describe: "--no-source leaves the program's text out" })
      .option("values", { type: "boolean", default: true, describe: "--no-values leaves keys, reprs and marks out" })
      .option("json", { type: "boolean", default: false, describe: "with --list: print one JSON array" })
      .example("$0 chart app.trace.db --list", "which there are")
      .example("$0 chart app.trace.db live-bytes -o heap.svg", "live bytes by type over time")
      .example("$0 chart app.trace.db live-bytes -o heap.json", "the same as Vega-Lite, with its data"),
  handler: async ({ trace, name, out, list, dark, width, source, values, json: asJson }) => {
    if (!list && name === undefined) throw new Failure("name a chart; refledger chart TRACE --list names them", 2);
    if (!(Number.isInteger(width) && width >= 50 && width <= 10_000))
      throw new Failure("--width: must be a whole number from 50 to 10000", 2);
    const format = formatOf(out);
    const path = resolve(out ?? `${name}.svg`);
    if (!list) refuseInput(path, [trace]);
    const report = makeReport(await inputOf(trace), { source, values });
    if (list) {
      const rows = report.charts.map((chart) => ({ name: chart.name, title: chart.title, text: chart.text }));
      await standardOutput().write(
        asJson
          ? json(rows)
          : tableText(
              ["name", "what"],
              ["left", "left"],
              rows.map((row) => [printable(row.name), printable(row.title)]),
            ),
      );
      return;
    }
    const chart = report.charts.find((one) => one.name === name);
    if (!chart)
      throw new Failure(`${name}: no such chart; there are: ${report.charts.map((one) => one.name).join(", ")}`, 2);
    writeOut(path, await drawChart(chart, report.datasets, format, { dark, width }));
    await standardOutput().write(`wrote ${printable(path)}\n`);
  },
};

function formatOf(out: string | undefined): ChartFormat {
  if (out === undefined) return "svg";
  const format = CHART_FORMATS.find((one) => extname(out).toLowerCase() === `.${one}`);
  if (!format) throw new Failure(`-o ${out}: the name must end in .svg, .png or .json`, 2);
  return format;
}
