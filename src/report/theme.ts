/**
 * Colours. Series colours are those of Okabe and Ito (Color Universal Design, 2008), which colour-blind readers tell apart; on dark
 * ground the two darkest are lightened. Heat runs from paper to ink of one hue, so its order survives grey print.
 *
 * Charts name colours as CSS variables, so that one chart serves light, dark and paper; what leaves the page gets the values.
 */

/** Series beyond these are drawn together, in the last colour. */
export const SERIES_COLOURS = 8;
export const HEAT_STEPS = 7;

type Theme = Readonly<Record<string, string>>;

export const LIGHT: Theme = {
  paper: "#ffffff",
  panel: "#f6f7f8",
  ink: "#1b1f24",
  muted: "#57606a",
  grid: "#e3e6ea",
  rule: "#c9ced4",
  link: "#0a5aa0",
  suspect: "#b3261e",
  suspectpaper: "#fdecea",
  good: "#0b6b4b",
  c0: "#0072b2",
  c1: "#e69f00",
  c2: "#009e73",
  c3: "#cc79a7",
  c4: "#56b4e9",
  c5: "#d55e00",
  c6: "#f0e442",
  c7: "#a9b0b8",
  h0: "#f4f7fb",
  h1: "#dce8f5",
  h2: "#bcd6ee",
  h3: "#8fbce2",
  h4: "#3273b1",
  h5: "#1f65a5",
  h6: "#0f4c81",
  hot: "#ffffff",
};

export const DARK: Theme = {
  paper: "#14171b",
  panel: "#1c2026",
  ink: "#e6e9ed",
  muted: "#a4adb8",
  grid: "#2b3139",
  rule: "#434b55",
  link: "#7cc0ff",
  suspect: "#ff8a80",
  suspectpaper: "#3a1d1b",
  good: "#5fd0a5",
  c0: "#3d9fdc",
  c1: "#e69f00",
  c2: "#1fb48a",
  c3: "#cc79a7",
  c4: "#8fd0f5",
  c5: "#e8743b",
  c6: "#f0e442",
  c7: "#6d7681",
  h0: "#1b2027",
  h1: "#1d2f42",
  h2: "#20425f",
  h3: "#26587f",
  h4: "#68a6d6",
  h5: "#8dc0e8",
  h6: "#c2e0f8",
  hot: "#0d1117",
};

export const colour = (name: string): string => `var(--${name})`;
export const seriesColours = (): string[] => Array.from({ length: SERIES_COLOURS }, (_, i) => colour(`c${i}`));
export const heatColours = (): string[] => Array.from({ length: HEAT_STEPS }, (_, i) => colour(`h${i}`));

/** The same specification with values in place of variables. */
export function withColours<T>(specification: T, theme: Theme): T {
  const text = JSON.stringify(specification).replace(
    /var\(--([a-z0-9]+)\)/g,
    (whole, name: string) => theme[name] ?? whole,
  );
  return JSON.parse(text) as T;
}

const variables = (theme: Theme): string =>
  Object.entries(theme)
    .map(([name, value]) => `--${name}:${value};`)
    .join("");

/** The variables, for light, dark and print. */
export const themeStyle = (): string =>
  `:root{color-scheme:light;${variables(LIGHT)}}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark;${variables(DARK)}}}`;

/** How charts look, as Vega-Lite's `config`. */
export const CHART_CONFIG = {
  background: "transparent",
  font: "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif",
  padding: 4,
  view: { stroke: null },
  axis: {
    labelColor: colour("muted"),
    titleColor: colour("muted"),
    titleFontWeight: "normal",
    gridColor: colour("grid"),
    domainColor: colour("rule"),
    tickColor: colour("rule"),
    labelFontSize: 11,
    titleFontSize: 11,
    labelLimit: 260,
  },
  axisX: { grid: false },
  axisY: { domain: false, ticks: false },
  legend: {
    labelColor: colour("ink"),
    titleColor: colour("muted"),
    titleFontWeight: "normal",
    labelFontSize: 11,
    titleFontSize: 11,
    symbolType: "square",
    orient: "bottom",
    labelLimit: 180,
    columns: { expr: "max(1, floor(width / 120))" },
  },
  text: { color: colour("ink") },
  title: { color: colour("ink") },
  rule: { color: colour("muted") },
} as const;
