/**
 * A program whose every name is an attack, in a real browser: no script of its runs, no request is made, the layout stands, and what was to be left out is
 * nowhere in the file.
 */
import { copyFileSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityViolations, launchBrowser, noBrowser, openPage, screenshot } from "../support/browser.js";
import { emptied, refledger } from "../support/recording.js";

const folder = emptied(resolve(import.meta.dirname, "../../artefacts/hostile-test"));
const trace = join(folder, "hostile.trace.db");
const file = join(folder, "hostile.html");
const bare = join(folder, "bare.html");
const SECRETS = ["source-secret-4711", "value-secret-0815", "mark-secret-2342", "argument-secret-666"];

beforeAll(async () => {
  const script = join(folder, "<b onclick=globalThis.pwned=7>'\"&amp;.py");
  copyFileSync(join(import.meta.dirname, "programs/hostile.py"), script);
  const recorded = await refledger(["record", "--out", trace, script, "argument-secret-666</script>"], { cwd: folder });
  expect(recorded.code, recorded.err).toBe(0);
  for (const options of [
    ["-o", file],
    ["-o", bare, "--no-source", "--no-values"],
  ]) {
    const made = await refledger(["report", trace, ...options], { cwd: folder });
    expect(made.code, made.err).toBe(0);
  }
});

describe("a hostile program's page as a file", () => {
  it("has the scripts and elements that it should have, and no more", () => {
    for (const path of [file, bare]) {
      const text = readFileSync(path, "utf8");
      expect(text.length).toBeLessThan(3_000_000);
      expect(text.match(/<script/g)).toHaveLength(3);
      expect(text.match(/<\/script>/g)).toHaveLength(3);
      expect(text.match(/<style/g)).toHaveLength(1);
      for (const wrong of [
        "<img",
        "<svg onload",
        "<b onclick",
        "pwned = 3</script>",
        "\u202e",
        "\u2066",
        "\x1b",
        "\x00",
        "<!--",
      ])
        expect(text.includes(wrong), JSON.stringify(wrong)).toBe(false);
      expect(text.includes("L".repeat(500))).toBe(false);
      expect(text.includes("k".repeat(500))).toBe(false);
    }
  });

  it("has source and values by default, and without them none anywhere", () => {
    const [whole, text] = [readFileSync(file, "utf8"), readFileSync(bare, "utf8")];
    expect(whole.includes("source-secret-4711")).toBe(true);
    expect(whole.includes("mark-secret-2342")).toBe(true);
    expect(whole.includes("argument-secret-666")).toBe(true);
    for (const secret of SECRETS) expect(text.includes(secret), secret).toBe(false);
    expect(text.includes("SECRET_IN_SOURCE")).toBe(false);
  });
});

describe.skipIf(noBrowser)("a hostile program's page in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });

  it("runs no script, makes no request, keeps its layout and its accessibility", async () => {
    for (const [path, name] of [
      [file, "hostile"],
      [bare, "hostile-bare"],
    ] as const) {
      const { page, said, requests, close } = await openPage(browser, path, { viewport: { width: 390, height: 844 } });
      expect(await page.evaluate(() => (globalThis as Record<string, unknown>)["pwned"])).toBeUndefined();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      expect(await page.locator("h2").allInnerTexts()).toContain("Left out");
      expect(await page.locator("#left-out").innerText()).toMatch(/the ends of \d+ long texts/);
      await page.locator("#to").focus();
      for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowLeft");
      await expect.poll(() => page.locator("#range").innerText()).toMatch(/^events/);
      expect(await page.evaluate(() => (globalThis as Record<string, unknown>)["pwned"])).toBeUndefined();
      if (path === file) expect(await accessibilityViolations(page)).toEqual([]);
      expect([said, requests]).toEqual([[], []]);
      await screenshot(page, name);
      await close();
    }
  });
});
