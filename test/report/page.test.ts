/**
 * The page as a person meets it, in a real browser: what each section says, that its numbers are those of the commands, that the choice of a range narrows
 * what follows, and that nothing leaves the page.
 */
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytes, count, plural } from "../../src/base/quantity.js";
import type { Survey } from "../../src/index.js";
import {
  accessibilityViolations,
  launchBrowser,
  noBrowser,
  type Opened,
  openPage,
  screenshot,
} from "../support/browser.js";
import { emptied, infoOf, refledger, verified } from "../support/recording.js";

const folder = emptied(join(import.meta.dirname, "../../artefacts/page-test"));
const script = resolve(import.meta.dirname, "../../traces/leaky-cache.py");
const trace = join(folder, "leaky.trace.db");
const file = join(folder, "leaky.html");

async function jsonOf<T>(...args: string[]): Promise<T> {
  const { out, err, code } = await refledger([...args, "--json"]);
  if (code !== 0) throw new Error(`${args.join(" ")}: ${code} ${err}`);
  return JSON.parse(out) as T;
}

const sqlRows = async (query: string): Promise<unknown[][]> =>
  (await refledger(["sql", trace, query, "--json"])).out
    .split("\n")
    .slice(0, -1)
    .map((line) => Object.values(JSON.parse(line) as Record<string, unknown>));

beforeAll(async () => {
  const recorded = await refledger(["record", "--out", trace, script, "60"], { cwd: folder });
  expect(recorded.code, recorded.err).toBe(0);
  const made = await refledger(["report", trace, "-o", file, "--json"], { cwd: folder });
  expect(made.code, made.err).toBe(0);
  expect(JSON.parse(made.out)).toEqual({ page: file, bytes: statSync(file).size });
});

describe.skipIf(noBrowser)("the page in a browser", () => {
  let browser: Browser;
  let opened: Opened;
  let page: Page;
  beforeAll(async () => {
    browser = await launchBrowser();
    opened = await openPage(browser, file);
    page = opened.page;
  });
  afterAll(async () => {
    await browser?.close();
  });

  const fact = (name: string): Promise<string> => page.locator(`[data-fact="${name}"]`).innerText();
  const cells = (selector: string): Promise<string[][]> =>
    page
      .locator(`${selector} tbody tr`)
      .evaluateAll((rows) =>
        rows.map((row) => [...row.children].map((cell) => (cell as HTMLElement).innerText.trim())),
      );

  it("says what was recorded, as info and verify do", async () => {
    const info = await infoOf(trace);
    const checked = await verified(trace);
    expect(await page.title()).toBe("leaky-cache.py: memory report");
    expect(await page.locator("h1").innerText()).toBe("leaky-cache.py");
    expect(await fact("events")).toContain(count(info.events.total));
    expect(await fact("events")).toContain(
      `${count(info.events.incref + info.events.decref + info.events.setref)} changes`,
    );
    expect(await fact("born")).toContain(count(info.events.new));
    expect(await fact("born")).toContain(`${count(info.events.dealloc)} deallocated`);
    expect(await fact("collections")).toContain(count(info.collections));
    expect(await fact("collections")).toContain(plural(info.marks, "mark"));
    expect(checked.ok).toBe(true);
    expect(await fact("verify")).toContain("exact");
    expect(await fact("verify")).toContain(
      `${count(checked.objectsChecked)} objects and ${count(checked.blocksChecked)} blocks audited, 0 mismatches`,
    );
    expect(await fact("exit")).toContain("0");
  });

  it("lists what is alive at the end, as `at` does", async () => {
    const at = await jsonOf<Survey>("at", trace, "--time", "end");
    expect(await fact("end-objects")).toContain(plural(at.objects, "object"));
    expect(await fact("end-objects")).toContain(bytes(at.bytes));
    const rows = await cells("#alive");
    expect(rows).toHaveLength(15);
    rows.forEach(([type, objects, size], i) => {
      const row = at.types[i]!;
      expect(type).toMatch(new RegExp(`${row.type.replace(/[.*+?^$()[\]{}|\\]/g, "\\$&")}$`));
      expect([objects, size]).toEqual([count(row.count), bytes(row.bytes)]);
    });
    const peak = await jsonOf<Survey>("at", trace, "--time", "peak");
    expect(await fact("peak")).toContain(bytes(peak.alive.bytes));
    expect(await fact("peak")).toContain(`#${count(peak.time.event)}`);
  });

  it("draws what was alive over time, as `at` says of the same moments", async () => {
    const [columns, rows] = await page.evaluate(() => {
      const data = JSON.parse(document.getElementById("data")!.textContent!);
      return [data.datasets.live.columns, data.datasets.live.rows] as [string[], (string | number)[][]];
    });
    expect(columns).toEqual(["event", "seconds", "type", "rank", "objects", "bytes"]);
    const events = [...new Set(rows.map(([event]) => event as number))];
    expect(events.length).toBeGreaterThan(50);
    for (const event of [events[0]!, events[events.length >> 1]!, events.at(-2)!, events.at(-1)!]) {
      const at = await jsonOf<Survey>("at", trace, "--time", `#${event}`);
      const here = rows.filter(([one]) => one === event);
      expect([event, here.reduce((sum, row) => sum + (row[4] as number), 0)]).toEqual([event, at.objects]);
      expect(here.reduce((sum, row) => sum + (row[5] as number), 0)).toBe(at.bytes);
      for (const [, , type, , objects, size] of here) {
        if (/ other types?$/.test(type as string)) continue;
        const row = at.types.find((one) => one.type === type);
        expect([type, objects, size]).toEqual([type, row?.count ?? 0, row?.bytes ?? 0]);
      }
    }
    expect(await page.locator('[data-chart="live-bytes"] svg').count()).toBe(1);
    expect(await page.locator('[data-chart="live-bytes"] svg').getAttribute("aria-label")).toContain(
      "Stacked area chart",
    );
    const info = await infoOf(trace);
    expect(await page.locator('[data-chart="live-bytes"] svg path[d]').count()).toBeGreaterThan(info.collections);
  });

  it("gives every chart words, a label, and both downloads", async () => {
    const figures = page.locator("figure[data-chart]");
    const n = await figures.count();
    expect(n).toBeGreaterThanOrEqual(5);
    for (let i = 0; i < n; i++) {
      const figure = figures.nth(i);
      expect(await figure.locator("svg").getAttribute("aria-label")).toMatch(/chart|heat map/i);
      expect((await figure.locator("figcaption").innerText()).length).toBeGreaterThan(40);
      expect(await figure.getByRole("button").allInnerTexts()).toEqual(["CSV", "Vega-Lite"]);
    }
    const figure = page.locator('[data-chart="calls"]');
    const [csv] = await Promise.all([page.waitForEvent("download"), figure.getByText("CSV").click()]);
    expect(csv.suggestedFilename()).toBe("leaky-cache.py-calls.csv");
    const lines = readFileSync(await csv.path(), "utf8")
      .trimEnd()
      .split("\r\n");
    expect(lines[0]).toBe("from,to,calls,increfs,decrefs");
    const info = await infoOf(trace);
    const sums = lines.slice(1).reduce((sum, line) => sum.map((n, i) => n + Number(line.split(",")[i + 2])), [0, 0, 0]);
    expect(sums).toEqual([info.events.call, info.events.incref, info.events.decref]);
    const [lite] = await Promise.all([page.waitForEvent("download"), figure.getByText("Vega-Lite").click()]);
    const specification = JSON.parse(readFileSync(await lite.path(), "utf8"));
    expect(specification.$schema).toContain("vega-lite");
    expect(specification.datasets.activity).toHaveLength(lines.length - 1);
    expect(JSON.stringify(specification)).not.toContain("var(--");
  });

  it("counts at each line what sql counts", async () => {
    const rows = await cells("#hot");
    expect(rows.length).toBeGreaterThan(15);
    const counted = await sqlRows(`
      SELECT line, sum(kind = 'incref'), sum(kind = 'decref'), sum(kind = 'new'), sum(kind = 'dealloc') FROM events
      WHERE file LIKE '%leaky-cache.py' AND line IS NOT NULL AND kind IN ('incref', 'decref', 'new', 'dealloc') GROUP BY line`);
    const byLine = new Map(counted.map(([line, ...counts]) => [line as number, counts as number[]]));
    for (const [place, , ...counts] of rows) {
      const line = Number(/^leaky-cache\.py:(\d+)/.exec(place!)![1]);
      expect([line, ...counts]).toEqual([line, ...byLine.get(line)!.map(count)]);
    }
    const listed = await page.locator("details.file tr[data-line]").count();
    expect(listed).toBe(byLine.size);
    const source = readFileSync(script, "utf8").split("\n");
    expect(rows[0]![1]).toBe(source[Number(/:(\d+)/.exec(rows[0]![0]!)![1]) - 1]!.trim());
  });

  it("narrows what follows to the brushed range, and says the same as sql about it", async () => {
    const chart = page.locator('[data-chart="live-bytes"] svg');
    await chart.scrollIntoViewIfNeeded();
    const box = (await chart.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.6, box.y + 120);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 120, { steps: 4 });
    await page.mouse.move(box.x + box.width * 0.8, box.y + 120, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => page.locator("#range").innerText()).toMatch(/^events #/);
    const [, first, last] = /#([\d,]+) to #([\d,]+)/.exec(await page.locator("#range").innerText())!;
    const [from, to] = [first!, last!].map((n) => Number(n.replace(/,/g, "")));
    const types = await cells("#types");
    const counted = await sqlRows(`
      SELECT type, sum(kind = 'new'), sum(kind = 'dealloc') FROM events
      WHERE event >= ${from} AND event < ${to} AND kind IN ('new', 'dealloc') GROUP BY type`);
    expect(types.length).toBeGreaterThan(3);
    for (const [type, born, died] of types) {
      const row = counted.find(([name]) => type === name || type!.endsWith(`.${name}`))!;
      expect([type, born, died]).toEqual([type, count(row[1] as number), count(row[2] as number)]);
    }
    const lines = await sqlRows(`
      SELECT line, count(*) AS n FROM events WHERE event >= ${from} AND event < ${to} AND file LIKE '%leaky-cache.py'
      AND kind IN ('incref', 'decref', 'new', 'dealloc') GROUP BY line ORDER BY n DESC LIMIT 1`);
    const hot = await cells("#hot");
    expect(hot[0]![0]).toMatch(new RegExp(`^leaky-cache\\.py:${lines[0]![0]} `));
    const sum = hot[0]!.slice(2).reduce((all, n) => all + Number(n.replace(/,/g, "")), 0);
    expect(sum).toBe(lines[0]![1]);
    await screenshot(page, "page-brushed");
    await page.getByRole("button", { name: "whole recording" }).click();
    await expect.poll(() => page.locator("#range").innerText()).toBe("the whole recording");
  });

  it("lets the keyboard choose the range too", async () => {
    await page.locator("#to").focus();
    await page.keyboard.press("ArrowLeft");
    await expect.poll(() => page.locator("#range").innerText()).toMatch(/^events #0 to #/);
    await page.locator("#from").focus();
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => page.locator("#range").innerText()).not.toMatch(/^events #0 to/);
    await page.getByRole("button", { name: "whole recording" }).click();
    await expect.poll(() => page.locator("#range").innerText()).toBe("the whole recording");
  });

  it("is accessible in light and dark, fits a phone, says nothing on the console and asks nothing of the network", async () => {
    expect(await accessibilityViolations(page)).toEqual([]);
    await screenshot(page, "page-light");
    expect(opened.said).toEqual([]);
    expect(opened.requests.filter((url) => !url.startsWith("blob:"))).toEqual([]);
    const dark = await openPage(browser, file, { colorScheme: "dark" });
    expect(await accessibilityViolations(dark.page)).toEqual([]);
    await screenshot(dark.page, "page-dark");
    expect([dark.said, dark.requests]).toEqual([[], []]);
    await dark.close();
    const phone = await openPage(browser, file, { viewport: { width: 390, height: 844 }, hasTouch: true });
    expect(await phone.page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);

    await screenshot(phone.page, "page-phone");
    expect([phone.said, phone.requests]).toEqual([[], []]);
    await phone.close();
  });
});

describe("the page as a file", () => {
  it("is small, complete in itself and forbids everything else", () => {
    const text = readFileSync(file, "utf8");
    expect(text.length).toBeLessThan(3_000_000);
    expect(text.includes("default-src 'none'")).toBe(true);
    expect(/(?:src|href)="(?:https?:)?\/\//.test(text)).toBe(false);
    expect(/unsafe-(?:inline|eval)/.test(text)).toBe(false);
  });

  it("leaves out source and values where asked to", async () => {
    const bare = join(folder, "bare.html");
    const made = await refledger(["report", trace, "-o", bare, "--no-source", "--no-values"], { cwd: folder });
    expect(made.code, made.err).toBe(0);
    const text = readFileSync(bare, "utf8");
    const whole = readFileSync(file, "utf8");
    // As they stand in HTML and in the page's data.
    for (const piece of ["number % 50 == 0", "key = (session, page)", "request"]) {
      const written = piece === "request" ? `"${piece}"` : piece;
      expect(whole.includes(written), piece).toBe(true);
      expect(text.includes(written), piece).toBe(false);
    }
    expect(text.includes("visitor-")).toBe(false);
    expect(text.includes("--no-source")).toBe(true);
    expect(text.includes("--no-values")).toBe(true);
  });

  it("says in one line what is wrong", async () => {
    const ended = await refledger(["report", trace, "-o", join(folder, "no/such/folder.html")], { cwd: folder });
    expect(ended.code).toBe(1);
    expect(ended.err).toMatch(/^refledger: .*cannot be written \(ENOENT\); choose another with -o\n$/);
  });
});
