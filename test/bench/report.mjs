/**
 * `npm run bench -- report`: the page of a trace of some 50 million events: how long it takes to write, how large it is, how soon a browser can be
 * used with it, and how soon a brush is answered. Bounds: 20 s, 3 MB, 3 s, 0.2 s. The page is written by a process of its own, start to
 * exit, the analyses included (the trace is fresh: nothing is kept in it). Interactive is when the page's script says that every chart is
 * drawn. A brush is answered when the page has been painted after the slider moved: charts, tables and findings narrowed.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { measure, median } from "./_process.mjs";

const refledger = resolve(import.meta.dirname, "../../dist/cli/main.js");
const workload = resolve(import.meta.dirname, "workloads/parsing-and-unparsing.py");
const OPENED = 3;
const BRUSHES = 9;

/** Seconds from the navigation to the moment when all charts are drawn, and from each brush to the paint after it. */
async function inBrowser(browser, file) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const begun = performance.now();
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector("html[data-ready=yes]", { timeout: 60_000 });
  const interactive = (performance.now() - begun) / 1000;
  const brushes = await page.evaluate(async (n) => {
    const [from, to] = ["from", "to"].map((id) => document.getElementById(id));
    const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    const times = [];
    const most = Number(to.max);
    for (let i = 0; i < n; i++) {
      const slider = i % 2 === 0 ? from : to;
      slider.value = String(
        i % 2 === 0 ? Math.floor((most * (i + 1)) / (3 * n)) : most - Math.floor((most * i) / (3 * n)),
      );
      await painted();
      const begun = performance.now();
      slider.dispatchEvent(new Event("input"));
      await painted();
      times.push((performance.now() - begun) / 1000);
    }
    return times;
  }, BRUSHES);
  await page.close();
  return { interactive, brushes };
}

export async function run({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), "refledger-bench-"));
  try {
    const trace = join(folder, "bench.trace.db");
    await measure([refledger, "record", "--quiet", "--out", trace, workload, quick ? "1" : "10"], { cwd: folder });
    const { events } = JSON.parse((await measure([refledger, "info", trace, "--json"])).out);
    const file = join(folder, "bench.html");
    const written = await measure([refledger, "report", trace, "-o", file], { cwd: folder });
    const again = await measure([refledger, "report", trace, "-o", file], { cwd: folder });
    const browser = await chromium.launch({
      executablePath: process.env.REFLEDGER_BROWSER ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    });
    const seen = [];
    for (let i = 0; i < OPENED; i++) seen.push(await inBrowser(browser, file));
    await browser.close();
    const brushes = seen.flatMap((one) => one.brushes);
    const figures = {
      events: events.total,
      seconds: written.wall,
      megabytesOfMemory: written.peak / 1e6,
      secondsAgain: again.wall,
      bytes: statSync(file).size,
      interactive: median(seen.map((one) => one.interactive)),
      brush: median(brushes),
      slowestBrush: Math.max(...brushes),
    };
    const { seconds, secondsAgain, bytes, interactive, brush, slowestBrush } = figures;
    console.log(`events       ${(events.total / 1e6).toFixed(1)} M`);
    console.log(`written in   ${seconds.toFixed(1)} s (at most 20 s), ${Math.round(figures.megabytesOfMemory)} MB`);
    console.log(`again in     ${secondsAgain.toFixed(1)} s`);
    console.log(`size         ${(bytes / 1e6).toFixed(2)} MB (at most 3 MB)`);
    console.log(`interactive  ${interactive.toFixed(2)} s (at most 3 s), the median of ${OPENED}`);
    console.log(`brush        ${brush.toFixed(3)} s, slowest ${slowestBrush.toFixed(3)} s (at most 0.2 s)`);
    return { figures };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
