/**
 * Small graphs as SVG: nodes in a circle, references as arrows between them, bent so that there and back do not lie on each other. Positions follow from
 * the number of nodes alone.
 */
import { type Html, html } from "./html.js";

export interface DrawnNode {
  readonly text: string;
  readonly small: string;
}

export interface DrawnEdge {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly closing: boolean;
}

const LETTER = 7.4;
const NODE_HEIGHT = 40;
const MOST_LETTERS = 22;
const MOST_LABEL = 26;

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const at = (n: number): string => n.toFixed(1);

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
}

export function graphDrawing(nodes: readonly DrawnNode[], edges: readonly DrawnEdge[], label: string): Html {
  const n = nodes.length;
  if (n === 0) return html``;
  const texts = nodes.map(({ text }) => cut(text, MOST_LETTERS));
  const widths = nodes.map(({ small }, i) =>
    Math.max(70, Math.max(texts[i]!.length * LETTER, small.length * 6.3) + 20),
  );
  const widest = Math.max(...widths);
  const radius = n === 1 ? 0 : n === 2 ? widest / 2 + 85 : Math.max(105, (n * (NODE_HEIGHT + 42)) / (2 * Math.PI));
  const wide = n > 2 ? 1.6 : 1;
  const margin = 70;
  const width = 2 * radius * wide + widest + 2 * margin;
  const height = n === 2 ? 170 : 2 * radius + NODE_HEIGHT + 2 * margin - (n === 1 ? 20 : 40);
  const boxes: Box[] = nodes.map((_, i) => {
    const angle = n === 2 ? Math.PI * (1 - i) : (2 * Math.PI * i) / n - Math.PI / 2;
    return {
      x: width / 2 + radius * wide * Math.cos(angle),
      y: height / 2 + (n === 2 ? 0 : radius * Math.sin(angle)),
      w: widths[i]!,
    };
  });
  const used = new Map<string, number>();
  const drawn = edges.map(({ from, to, text, closing }) => {
    const key = `${from} ${to}`;
    const nth = used.get(key) ?? 0;
    used.set(key, nth + 1);
    const bend = curve(
      boxes[from]!,
      boxes[to]!,
      from === to,
      nth,
      edges.some((one) => one.from === to && one.to === from),
    );
    const name = closing ? "closing" : "edge";
    return html`<path class="edge${closing ? " closing" : ""}" d="${bend.path}"/><path class="${closing ? "closingarrow" : "arrow"}" d="${bend.head}"/><text class="${name === "closing" ? "closinglabel" : "label"}" x="${at(bend.label.x)}" y="${at(bend.label.y)}" text-anchor="middle">${cut(text, MOST_LABEL)}${closing && " (closing)"}</text>`;
  });
  const bodies = nodes.map(({ small }, i) => {
    const { x, y, w } = boxes[i]!;
    return html`<rect class="node" x="${at(x - w / 2)}" y="${at(y - NODE_HEIGHT / 2)}" width="${at(w)}" height="${NODE_HEIGHT}" rx="5"/><text x="${at(x)}" y="${at(y - 2)}" text-anchor="middle">${texts[i]!}</text><text class="label" x="${at(x)}" y="${at(y + 13)}" text-anchor="middle">${small}</text>`;
  });
  return html`<svg class="graph" role="img" aria-label="${label}" viewBox="0 0 ${at(width)} ${at(height)}" width="${at(width)}" height="${at(height)}">${drawn}${bodies}</svg>`;
}

interface Bend {
  readonly path: string;
  readonly head: string;
  readonly label: { readonly x: number; readonly y: number };
}

function curve(a: Box, b: Box, loop: boolean, nth: number, back: boolean): Bend {
  if (loop) {
    const [x, y] = [a.x, a.y - NODE_HEIGHT / 2];
    const h = 38 + nth * 18;
    const [x1, x2] = [x - 22 - nth * 6, x + 22 + nth * 6];
    return {
      path: `M${at(x - 12)} ${at(y)} C${at(x1)} ${at(y - h)} ${at(x2)} ${at(y - h)} ${at(x + 12)} ${at(y - 4)}`,
      head: arrow(x + 12, y, 0.35, 1),
      label: { x, y: y - h * 0.75 - 6 },
    };
  }
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const length = Math.hypot(dx, dy) || 1;
  const [nx, ny] = [dy / length, -dx / length];
  const amount = (back ? 46 : 22) + nth * 26;
  const middle = { x: (a.x + b.x) / 2 + nx * amount, y: (a.y + b.y) / 2 + ny * amount };
  const start = border(a, middle.x - a.x, middle.y - a.y);
  const end = border(b, middle.x - b.x, middle.y - b.y);
  const [tx, ty] = [end.x - middle.x, end.y - middle.y];
  const t = Math.hypot(tx, ty) || 1;
  return {
    path: `M${at(start.x)} ${at(start.y)} Q${at(middle.x)} ${at(middle.y)} ${at(end.x - (4 * tx) / t)} ${at(end.y - (4 * ty) / t)}`,
    head: arrow(end.x, end.y, tx / t, ty / t),
    label: { x: (start.x + 2 * middle.x + end.x) / 4 + nx * 9, y: (start.y + 2 * middle.y + end.y) / 4 + ny * 9 + 4 },
  };
}

/** Where a line from the middle of a box leaves it. */
function border({ x, y, w }: Box, dx: number, dy: number): { x: number; y: number } {
  const scale = Math.min(w / 2 / Math.max(1e-9, Math.abs(dx)), NODE_HEIGHT / 2 / Math.max(1e-9, Math.abs(dy)));
  return { x: x + dx * scale, y: y + dy * scale };
}

function arrow(x: number, y: number, dx: number, dy: number): string {
  const [px, py] = [-dy, dx];
  return `M${at(x)} ${at(y)} L${at(x - 9 * dx + 4 * px)} ${at(y - 9 * dy + 4 * py)} L${at(x - 9 * dx - 4 * px)} ${at(y - 9 * dy - 4 * py)} Z`;
}
