/** Single charts as files, and two traces compared, in a real browser where there is one. */
import { copyFileSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { bytes, count } from "../../src/base/quantity.js";
import type { Survey } from "../../src/index.js";
import { accessibilityViolations, launchBrowser, noBrowser, openPage, screenshot } from "../support/browser.js";
import { emptied, refledger } from "../support/recording.js";

const folder = emptied(resolve(import.meta.dirname, "../../artefacts/chart-test"));
const script = join(folder, "leaky-cache.py");
const [before, after] = [join(folder, "before.trace.db"), join(folder, "after.trace.db")];

const ok = async (...args: string[]): Promise<string> => {
  const { out, err, code } = await refledger(args, { cwd: folder });
  if (code !== 0) throw new Error(`${args.join(" ")}: ${code} ${err}`);
  return out;
};

beforeAll(async () => {
  copyFileSync(resolve(import.meta.dirname, "../../traces/leaky-cache.py"), script);
  await ok("record", "--quiet", "--out", before, "leaky-cache.py", "40");
  const text = readFileSync(script, "utf8");
  writeFileSync(script, text.replace("key = (session, page)", "key = (session.user, page)"));
  await ok("record", "--quiet", "--out", after, "leaky-cache.py", "40");
});

describe("chart", () => {
  it("lists the charts and writes each form of one", async () => {
    const charts = JSON.parse(await ok("chart", before, "--list", "--json")) as { name: string }[];
    expect(charts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["live-bytes", "live-objects", "calls", "births-deaths", "lines-over-time", "heap-map"]),
    );
    await ok("chart", before, "live-bytes", "-o", "a.svg");
    const svg = readFileSync(join(folder, "a.svg"), "utf8");
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain("Live bytes by type");
    expect(svg).not.toContain("var(--");
    await ok("chart", before, "live-bytes", "-o", "a.png");
    const png = readFileSync(join(folder, "a.png"));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.readUInt32BE(16)).toBeGreaterThan(1500);
    await ok("chart", before, "live-bytes", "-o", "a.json");
    const { $schema, datasets } = JSON.parse(readFileSync(join(folder, "a.json"), "utf8"));
    expect($schema).toContain("vega-lite");
    const at = JSON.parse(await ok("at", before, "--time", "end", "--json")) as Survey;
    const last = Math.max(...datasets.live.map(({ event }: { event: number }) => event));
    expect(last).toBe(at.time.event);
    const end = datasets.live.filter(({ event }: { event: number }) => event === last);
    expect(end.reduce((sum: number, row: { bytes: number }) => sum + row.bytes, 0)).toBe(at.bytes);
  });

  it("says in one line what is wrong", async () => {
    const wrong = async (...args: string[]): Promise<string> => {
      const { err, code } = await refledger(args, { cwd: folder });
      expect(code).toBe(2);
      return err;
    };
    expect(await wrong("chart", before)).toMatch(/name a chart/);
    expect(await wrong("chart", before, "nothing")).toMatch(/no such chart; there are: live-bytes/);
    expect(await wrong("chart", before, "calls", "-o", "x.gif")).toMatch(/must end in .svg, .png or .json/);
    expect(await wrong("report")).toMatch(/name one trace, or two after --compare/);
    expect(await wrong("report", "--compare", before)).toMatch(/name one trace, or two after --compare/);
  });
});

describe("report and chart", () => {
  it("refuse to write onto the traces that they read", async () => {
    const bytesBefore = readFileSync(before);
    symlinkSync(before, join(folder, "link.svg"));
    for (const words of [
      ["report", before, "-o", before],
      ["report", before, "-o", `${before}-wal`],
      ["report", "--compare", after, before, "-o", before],
      ["chart", before, "live-bytes", "-o", "link.svg"],
    ]) {
      const { out, err, code } = await refledger(words, { cwd: folder });
      expect([code, out]).toEqual([2, ""]);
      expect(err).toMatch(
        /^refledger: -o \S+: that (is the trace itself|belongs to the trace \S+); choose another file\n$/,
      );
    }
    expect(readFileSync(before).equals(bytesBefore)).toBe(true);
  });
});

describe.skipIf(noBrowser)("two traces compared", () => {
  it("shows the numbers of both, as `at` gives them, and what changed", async () => {
    await ok("report", "--compare", before, after, "-o", "compared.html");
    const browser = await launchBrowser();
    try {
      const { page, said, requests } = await openPage(browser, join(folder, "compared.html"));
      const [a, b] = [before, after].map(async (trace) => JSON.parse(await ok("at", trace, "--json")) as Survey);
      const [x, y] = [await a!, await b!];
      const row = (name: string): Promise<string[]> => page.locator(`tr[data-fact="${name}"] td`).allInnerTexts();
      expect((await row("end-objects")).slice(0, 2)).toEqual([count(x.objects), count(y.objects)]);
      expect((await row("end-bytes")).slice(0, 2)).toEqual([bytes(x.bytes), bytes(y.bytes)]);
      const sessions = page.locator("#types-compared tr", { has: page.locator("th", { hasText: /^Session$/ }) });
      expect((await sessions.locator("td").allInnerTexts()).slice(0, 3)).toEqual(["40", "0", "−40"]);
      expect(await page.locator("#verdict").innerText()).toMatch(
        /\d+ findings? new, \d+ gone, \d+ changed, \d+ the same/,
      );
      expect(await accessibilityViolations(page)).toEqual([]);
      expect([said, requests]).toEqual([[], []]);
      await screenshot(page, "compared");
    } finally {
      await browser.close();
    }
  });
});
