/** A chart's data as CSV and its Vega-Lite specification, as files made in the page. */
import type { Dataset } from "../charts.js";
import type { PageChart } from "../page-data.js";
import { page } from "./elements.js";

/** As RFC 4180 has it. A cell that a spreadsheet would take for a formula gets an apostrophe: names are a stranger's. */
export function csvOf({ columns, rows }: Dataset): string {
  const cell = (value: string | number | null): string => {
    if (value === null) return "";
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

export const rowsOf = ({ columns, rows }: Dataset): Record<string, string | number | null>[] =>
  rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]!])));

/** The specification with its data and with colours in place of variables. */
export function vegaLiteOf(chart: PageChart): string {
  const coloured = JSON.stringify(chart.specification).replace(
    /var\(--([a-z0-9]+)\)/g,
    (whole, name: string) => page.colours[name] ?? whole,
  );
  const datasets: Record<string, unknown> = { range: [] };
  for (const name of chart.data) datasets[name] = rowsOf(page.datasets[name]!);
  const specification = {
    ...(JSON.parse(coloured) as object),
    description: chart.label,
    background: "#ffffff",
    width: 760,
    datasets,
  };
  return `${JSON.stringify(specification, null, 1)}\n`;
}

export function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${page.fileName}-${name}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
