/**
 * Pages of small programs that are unlike a service: one that does nothing, one that fails, one that makes cycles of several kinds, one
 * whose names are as long as paragraphs; and two programs of different names held against each other.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityViolations, launchBrowser, noBrowser, openPage } from "../support/browser.js";
import { emptied, refledger } from "../support/recording.js";

const folder = emptied(resolve(import.meta.dirname, "../../artefacts/small-pages-test"));

const WORD = "OfANameThatGoesOnAndOn".repeat(12);
const CYCLIC = `
import gc
class Node:
    def __init__(self, name):
        self.name = str(name) * 20
def ring(i):
    a = Node(i); b = Node(i + 1)
    a.next = b
    b.prev = a
class Handler:
    def __init__(self):
        self.callback = self.called
    def called(self): pass
for i in range(30):
    ring(i)
    Handler()
gc.collect()
for i in range(10):
    ring(i)
`;
const LONG = `
class Class${WORD}:
    def __init__(self):
        self.attribute${WORD} = [1, 2]
cache${WORD} = []
def function${WORD}():
    cache${WORD}.append(Class${WORD}())
for i in range(60):
    function${WORD}()
`;
const KEPT = (kept: string): string => `
from one import helper
from two import helper as other
cache = {}
def keep(i):
    cache[${kept}] = [i, helper.work(i), other.work(i)]
for i in range(200):
    keep(i)
`;
const HELPER = (work: string): string => `
def work(i):
    return ${work}
`;
const FAILING = `
class Job:
    pass
def work(jobs):
    jobs.append(Job())
    if len(jobs) == 40:
        raise ValueError("job is bad")
    work(jobs)
work([])
`;
const PROGRAMS = { empty: "", cyclic: CYCLIC, long: LONG, failing: FAILING };

const file = (name: string): string => join(folder, `${name}.html`);

async function record(name: string, text: string, code = 0): Promise<string> {
  writeFileSync(join(folder, `${name}.py`), text);
  const trace = join(folder, `${name}.trace.db`);
  const recorded = await refledger(["record", "-q", "--out", trace, `${name}.py`], { cwd: folder });
  expect(recorded.code, recorded.err).toBe(code);
  return trace;
}

beforeAll(async () => {
  for (const [name, text] of Object.entries(PROGRAMS)) {
    const trace = await record(name, text, name === "failing" ? 1 : 0);
    const made = await refledger(["report", trace, "-o", file(name)], { cwd: folder });
    expect(made.code, made.err).toBe(0);
  }
  for (const [package_, work] of [
    ["one", "[i]"],
    ["two", "(i, i)"],
  ] as const) {
    mkdirSync(join(folder, package_), { recursive: true });
    writeFileSync(join(folder, package_, "__init__.py"), "");
    writeFileSync(join(folder, package_, "helper.py"), HELPER(work));
  }
  const before = await record("kept", KEPT("i"));
  const after = await record("kept_fixed", KEPT("i % 20"));
  const made = await refledger(["report", "--compare", before, after, "-o", file("compared")], { cwd: folder });
  expect(made.code, made.err).toBe(0);
});

describe.skipIf(noBrowser)("the page of", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  async function look(name: string, width: number, what: (page: Page) => Promise<void>): Promise<void> {
    const { page, said, requests, close } = await openPage(browser, file(name), { viewport: { width, height: 844 } });
    await what(page);
    expect([said, requests]).toEqual([[], []]);
    await close();
  }

  it("an empty program says that nothing was found, and folds away what is of the runtime itself", () =>
    look("empty", 1280, async (page) => {
      expect(await page.locator("#verdict").innerText()).toBe("No problem was found in its memory.");
      expect(await page.locator("#leaks > article, #cycles > article").count()).toBe(0);
      expect(await page.locator('[data-chart="cycle-lives"]').count()).toBe(0);
      const folded = page.locator("#cycles details.runtime");
      expect(await folded.locator("summary").innerText()).toMatch(/^Of the runtime itself and its library: \d+ obs/);
      expect(await folded.locator("article").first().isVisible()).toBe(false);
      expect(await page.locator("#objects").innerText()).toContain("of the runtime itself: the ledgers of its objects");
      expect((await page.content()).includes("created at .")).toBe(false);
      // Where nothing is wrong nothing is marked, and a root alone is said once.
      expect(await page.locator(".suspect").count()).toBe(0);
      for (const article of await page.locator("article.finding", { has: page.locator("ol.path") }).all()) {
        const steps = await article.locator("ol.path .edge code").allTextContents();
        const above = await article.locator("h4 + p code").allTextContents();
        expect(above).not.toContain(steps[0]);
      }
      await page.locator("details").evaluateAll((all) => {
        for (const one of all) (one as HTMLDetailsElement).open = true;
      });
      expect(await accessibilityViolations(page)).toEqual([]);
    }));

  it("a program that failed says so in its verdict", () =>
    look("failing", 1280, async (page) => {
      expect(await page.locator("#failure").innerText()).toMatch(/^The program failed: it ended with exit code 1/);
      expect(await page.locator("#verdict").getAttribute("class")).toContain("problem");
    }));

  it("a program with cycles of several kinds counts kinds, gives their types, and has ledgers of their members", () =>
    look("cyclic", 1280, async (page) => {
      expect(await page.locator("#verdict .lead").innerText()).toBe("2 kinds of cycles.");
      const nodes = page.locator("#cycles > article", { hasText: "cycles of Node" });
      expect(await nodes.locator("h3").innerText()).toMatch(
        /: 30 died by the collector, 10 were still there at the end/,
      );
      const said = await nodes.innerText();
      expect(said).toMatch(/160 objects of 2 types \(80 Node, 80 str\)/);
      expect(said).toMatch(/Orphaned at #[\d,]+ \([\d.]+ s\), <module> cyclic\.py:15/);
      expect(said).toContain("The store that closed the ring: cyclic.py:9");
      expect(said).toContain("The decref that orphaned it: cyclic.py:15");
      expect(said).toContain("Where Node is created: cyclic.py:7");
      expect(said).toContain("let go in <module> cyclic.py:15 (30), <module> cyclic.py:19 (10)");
      expect(
        await page.locator("#cycles > article", { hasText: "cycles of method" }).locator("h3").innerText(),
      ).toMatch(/\(60 objects: 30 Handler and 30 method; /);
      expect(await page.locator("article.ledger").count()).toBe(2);
      expect(await page.locator("#ledger-1 p").first().innerText()).toContain("closed the ring, of an example of:");
      expect(await accessibilityViolations(page)).toEqual([]);
    }));

  it("a program with very long names fits a phone, with what it says on the first screen", () =>
    look("long", 390, async (page) => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      expect((await page.locator("#verdict").boundingBox())!.height).toBeLessThan(400);
      for (const id of ["alive", "types"]) {
        const numbers = await page
          .locator(`#${id} tbody td.n`)
          .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right));
        expect(Math.max(...numbers)).toBeLessThan(390);
      }
      const heads = await page
        .locator("table.groups th")
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right));
      expect(Math.max(...heads)).toBeLessThan(460);
      expect(await page.locator("#left-out").innerText()).toMatch(/the ends of \d+ long texts/);
    }));

  it("a program with very long names shows the counts of its lines beside them", () =>
    look("long", 1280, async (page) => {
      const numbers = await page
        .locator("#hot td.n, .listing td.n")
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right));
      expect(numbers.length).toBeGreaterThan(20);
      expect(Math.max(...numbers)).toBeLessThan(1280);
      const where = await page
        .locator(".statement tbody td:last-child")
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right));
      expect(Math.max(...where)).toBeLessThan(1280);
      // The file ends with its last line.
      expect(await page.locator(".listing tbody tr").last().innerText()).toMatch(/^9\b/);
    }));

  it("on paper keeps the mark of a line, its tables, and no words about dragging", () =>
    look("long", 718, async (page) => {
      await page.emulateMedia({ media: "print" });
      expect(await page.locator("p.screen").isVisible()).toBe(false);
      const mark = page.locator("pre.lines mark").first();
      expect(await mark.evaluate((one) => getComputedStyle(one).borderLeftStyle)).toBe("solid");
      expect(
        await page
          .locator("table, pre")
          .evaluateAll(
            (all) =>
              all.filter((one) => !one.closest("details:not([open])") && one.getBoundingClientRect().right > 719)
                .length,
          ),
      ).toBe(0);
    }));

  it("two recordings of scripts of different names holds their functions against each other", () =>
    look("compared", 1280, async (page) => {
      const rows = page.locator("#functions-compared tbody tr");
      const names = await rows.locator("th").allInnerTexts();
      expect(names).toContain("keep kept.py → kept_fixed.py");
      expect(new Set(names).size).toBe(names.length);
      expect(names.some((name) => /^keep (?!kept\.py → kept_fixed\.py)/.test(name))).toBe(false);
      // Two files of one name are two.
      const files = names.map((name) => name.slice(name.indexOf(" ") + 1));
      expect(files).not.toContain("helper.py");
      // Nothing was beyond the largest differences, and nothing says so.
      expect(await page.locator("#left-out").innerText()).not.toContain("that differ");
      for (const id of ["types-compared", "functions-compared"]) {
        const right = await page.locator(`#${id}`).evaluate((table) => table.getBoundingClientRect().right);
        expect(right).toBeLessThan(1280 - 20);
      }
      expect(await accessibilityViolations(page)).toEqual([]);
    }));
});
