/** What the page's script is given: plain data in a `<script>` of JSON. */
import type { Chart, Dataset, Specification } from "./charts.js";

export interface PageChart
  extends Pick<Chart, "name" | "title" | "text" | "label" | "data" | "specification" | "follows"> {
  /** The specification compiled to Vega. */
  readonly vega: Specification;
}

export interface PageData {
  /** Begins the names of downloads. */
  readonly fileName: string;
  readonly charts: readonly PageChart[];
  readonly datasets: Readonly<Record<string, Dataset>>;
  /** Ends of the stretches: event numbers and seconds. */
  readonly edges: readonly { readonly event: number; readonly seconds: number }[];
  /** Of each counted line: stretch and four counts, again and again. */
  readonly lines: readonly (readonly number[])[];
  /** Of each listed type: its name, then stretch, births, deaths again and again. */
  readonly types: readonly { readonly type: string; readonly stretches: readonly number[] }[];
  /** What was alive at ends of stretches, ascending: the largest types as index in `aliveTypes`, objects and bytes, again and again. */
  readonly alive: readonly {
    readonly event: number;
    readonly seconds: number;
    readonly objects: number;
    readonly bytes: number;
    readonly rows: readonly number[];
  }[];
  readonly aliveTypes: readonly string[];
  /** First event of each window, and per window the births from free lists and all births; null = the page has no pools. */
  readonly freeLists: {
    readonly windows: readonly number[];
    readonly hits: readonly number[];
    readonly births: readonly number[];
  } | null;
  /** Colours of light, for what leaves the page. */
  readonly colours: Readonly<Record<string, string>>;
}
