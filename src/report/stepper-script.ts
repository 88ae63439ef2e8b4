/**
 * The script of the stepping page, as text: the page's policy allows it by its hash. It builds everything with DOM calls and `textContent`,
 * so that no name of the program can become markup. Layout of the picture: variables in the first column, then the objects by
 * their distance from them; edges are curves from right to left side, those within a column or
 * back to an earlier one are arcs on the right.
 */
export const STEPPER_SCRIPT = `"use strict";
(() => {
const data = JSON.parse(document.getElementById("data").textContent);
const { steps, names } = data;
const SVG = "http://www.w3.org/2000/svg";
const at = (id) => document.getElementById(id);
const el = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };
const svg = (tag, attrs, text) => { const e = document.createElementNS(SVG, tag); for (const k in attrs) e.setAttribute(k, attrs[k]); if (text !== undefined) e.textContent = text; return e; };
const cut = (s, n) => s.length > n ? s.slice(0, n - 1) + "\\u2026" : s;
const count = (n) => n === null ? "immortal" : String(n);
const label = (id) => { const n = names[id]; return n ? n.type + " #" + id + (n.names.length ? " (" + n.names.slice(0, 2).join(", ") + ")" : "") : "#" + id; };
let now = 0;
function picture(step) {
  const root = at("graph"); root.replaceChildren();
  const depth = new Map(); const queue = [];
  for (const [, , id] of step.variables) if (!depth.has(id)) { depth.set(id, 1); queue.push(id); }
  const out = new Map();
  for (const [a, b] of step.edges) { if (!out.has(a)) out.set(a, []); out.get(a).push(b); }
  for (let i = 0; i < queue.length; i++) for (const b of out.get(queue[i]) || []) if (!depth.has(b)) { depth.set(b, Math.min(5, depth.get(queue[i]) + 1)); queue.push(b); }
  const W = 175, H = 46, rows = [0, 0, 0, 0, 0, 0], place = new Map();
  step.nodes.forEach((n) => { const d = depth.get(n.object) || 5; place.set(n.object, { x: d * 215 - 60, y: 14 + rows[d]++ * 60 }); });
  step.variables.forEach((v, i) => { v.y = 14 + i * 30; }); rows[0] = step.variables.length / 2;
  const height = 30 + Math.max(1, ...rows) * 60, width = 215 * (1 + Math.max(1, ...[...place.values()].map((p) => Math.round((p.x + 60) / 215)))) + 60;
  root.setAttribute("viewBox", "0 0 " + width + " " + height); root.setAttribute("width", width); root.setAttribute("height", height);
  const defs = svg("defs", {}); const marker = svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" });
  marker.append(svg("path", { d: "M0 0L8 4L0 8z", class: "arrow" })); defs.append(marker); root.append(defs);
  const line = (x1, y1, x2, y2, text, back) => {
    const bend = Math.max(30, Math.abs(x2 - x1) / 2);
    const out = Math.max(x1, x2) + 30 + Math.min(60, Math.abs(y2 - y1) / 4);
    const d = back ? "M" + x1 + " " + y1 + "C" + out + " " + y1 + " " + out + " " + y2 + " " + x2 + " " + y2 : "M" + x1 + " " + y1 + "C" + (x1 + bend) + " " + y1 + " " + (x2 - bend) + " " + y2 + " " + x2 + " " + y2;
    root.append(svg("path", { d, class: "edge", "marker-end": "url(#arrow)" }));
    if (text) root.append(svg("text", { x: back ? out - 12 : (x1 + x2) / 2, y: (y1 + y2) / 2 - 3, class: "label", "text-anchor": back ? "start" : "middle" }, cut(text, 18)));
  };
  for (const v of step.variables) { const p = place.get(v[2]); if (p) line(128, v.y + 8, p.x - 2, p.y + H / 2, "", false); }
  const parallel = new Map();
  for (const [a, b, text] of step.edges) { const key = a + ">" + b; parallel.set(key, parallel.has(key) ? parallel.get(key) + " " + text : text); }
  for (const [key, text] of parallel) { const [a, b] = key.split(">").map(Number), p = place.get(a), q = place.get(b); if (!p || !q) continue; const back = q.x <= p.x; line(p.x + W, p.y + H / 2 + (a === b ? 12 : 4), back ? q.x + W + 2 : q.x - 2, q.y + H / 2 - (back ? 10 : 0), text, back); }
  for (const v of step.variables) root.append(svg("text", { x: 124, y: v.y + 12, class: "var", "text-anchor": "end" }, cut((v[0] ? v[0] + "." : "") + v[1], 18)));
  const touched = new Set(step.changes.map((c) => c.object));
  for (const n of step.nodes) {
    const p = place.get(n.object), g = svg("g", { class: "object" + (n.count === null ? " immortal" : touched.has(n.object) ? " touched" : "") });
    g.append(svg("rect", { x: p.x, y: p.y, width: W, height: H, rx: 4, class: "node" }));
    g.append(svg("text", { x: p.x + 8, y: p.y + 18 }, cut(n.type + " #" + n.object, 24)));
    g.append(svg("text", { x: p.x + 8, y: p.y + 36, class: "count" }, (n.count === null ? "immortal" : "count " + n.count) + (n.text ? "  " + cut(n.text, 12) : "")));
    root.append(g);
  }
  root.setAttribute("aria-label", step.nodes.length + " objects, " + step.variables.length + " variables, " + step.edges.length + " references after line " + step.line);
}
function blocks(step) {
  const body = at("blocks"); body.replaceChildren();
  const alive = new Map(step.nodes.filter((n) => n.bytes > 0).map((n) => [n.object, n]));
  const list = [...alive.values()].map((n) => ({ address: n.address, bytes: n.bytes, text: n.type + " #" + n.object, state: "in use" }));
  for (const id in names) { const n = names[id]; if (n.death && n.death.event < step.event && !alive.has(Number(id))) {
    const reused = n.death.reuse && n.death.reuse.event < step.event;
    if (!list.some((b) => b.address === n.address)) list.push({ address: n.address, bytes: 0, text: n.type + " #" + id, state: reused ? "given to " + n.death.reuse.what : n.death.memory === "freed" ? "freed" : "in a free list" }); } }
  list.sort((a, b) => a.address - b.address);
  for (const b of list.slice(0, 60)) {
    const tr = el("tr", undefined, b.state === "in use" ? "" : "gone");
    const bar = el("td"), fill = el("span", "", "bar w" + Math.min(20, Math.ceil(b.bytes / 16))); bar.append(fill);
    tr.append(el("td", "0x" + b.address.toString(16)), el("td", b.bytes ? String(b.bytes) : "", "n"), bar, el("td", b.text), el("td", b.state)); body.append(tr);
  }
}
function show(i) {
  now = Math.max(0, Math.min(steps.length - 1, i));
  const step = steps[now]; if (!step) return;
  for (const row of document.querySelectorAll(".source li.here")) { row.classList.remove("here"); row.removeAttribute("aria-current"); }
  const row = at("L" + step.line); if (row) { row.classList.add("here"); row.setAttribute("aria-current", "step"); row.scrollIntoView({ block: "nearest" }); }
  at("where").textContent = "Step " + (now + 1) + " of " + steps.length + ": line " + step.line + (step.function === "<module>" ? "" : ", in " + step.function + "()") + (step.rounds > 1 ? ", round " + step.nth + " of " + step.rounds : "") + (step.phase === "over" ? ", when the loop was over" : step.phase === "continued" ? ", further on in the statement" : "");
  const said = at("said"); said.replaceChildren();
  for (const c of step.changes) {
    const li = el("li"); li.append(el("b", label(c.object) + "  " + count(c.before) + " \\u2192 " + count(c.after)));
    const ul = el("ul"); for (const one of c.list) ul.append(el("li", (one.delta ? (one.delta > 0 ? "+" : "\\u2212") + Math.abs(one.delta) + " " : "") + one.text)); li.append(ul); said.append(li);
  }
  if (step.unsaid) said.append(el("li", "and " + step.unsaid + " more objects"));
  if (!step.changes.length) said.append(el("li", "No count of a named object changes here."));
  const counts = at("counts"); counts.replaceChildren();
  const before = new Map((steps[now - 1] ? steps[now - 1].nodes : []).map((n) => [n.object, n.count]));
  const byObject = new Map(step.nodes.map((n) => [n.object, n]));
  for (const [scope, name, id] of step.variables) { const n = byObject.get(id); if (!n) continue;
    const tr = el("tr", undefined, before.has(id) && before.get(id) === n.count ? "" : "changed");
    tr.append(el("td", (scope ? scope + "." : "") + name), el("td", n.type + " #" + id), el("td", count(n.count), "n"), el("td", n.text)); counts.append(tr); }
  at("more").hidden = !step.more;
  picture(step); blocks(step);
  at("back").disabled = now === 0; at("first").disabled = now === 0; at("next").disabled = now === steps.length - 1; at("last").disabled = now === steps.length - 1;
  at("slider").value = now;
}
at("back").addEventListener("click", () => show(now - 1)); at("next").addEventListener("click", () => show(now + 1));
at("first").addEventListener("click", () => show(0)); at("last").addEventListener("click", () => show(steps.length - 1));
at("slider").max = Math.max(0, steps.length - 1); at("slider").addEventListener("input", (e) => show(Number(e.target.value)));
document.addEventListener("keydown", (e) => {
  if (e.altKey || e.ctrlKey || e.metaKey || e.target === at("slider")) return;
  const to = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: steps.length - 1 }[e.key];
  if (to === undefined) return; e.preventDefault(); show(to);
});
show(0);
document.documentElement.dataset.ready = "yes";
})();`;
