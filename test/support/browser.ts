/**
 * A real browser for tests of pages: Chromium from this machine, by name on PATH or from REFLEDGER_BROWSER. Where there is none the tests are
 * skipped, and say so.
 */
import { accessSync, constants, mkdirSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

const isProgram = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

function findBrowser(): string | undefined {
  const given = process.env["REFLEDGER_BROWSER"];
  if (given) {
    if (!isProgram(given)) throw new Error(`REFLEDGER_BROWSER: ${given} is no program`);
    return given;
  }
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

export const browserPath = findBrowser();
export const noBrowser = browserPath === undefined;
if (noBrowser)
  console.warn(
    `no browser: tests that look at pages are SKIPPED; install one of ${NAMES.join(", ")} or set REFLEDGER_BROWSER`,
  );

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: browserPath!,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    timeout: 60_000,
  });

export interface Opened {
  readonly page: Page;
  /** Whatever the console said, and errors that nobody caught. */
  readonly said: string[];
  /** Requests that are not the page itself. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** Opens a page from the disk and waits until its charts are drawn. */
export async function openPage(browser: Browser, path: string, how: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...how });
  const page = await context.newPage();
  const [said, requests]: [string[], string[]] = [[], []];
  const url = pathToFileURL(path).href;
  page.on("console", (message) => said.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => said.push(`uncaught: ${error.message}`));
  page.on("dialog", (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (request.url() !== url) requests.push(request.url().slice(0, 200));
  });
  await page.goto(url);
  await page.waitForSelector("html[data-ready=yes]", { timeout: 60_000 });
  return { page, said, requests, close: () => context.close() };
}

/** Violations that axe finds, one line each. The page's own policy stands: axe is brought in from outside of it. */
export async function accessibilityViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }),
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}

/** As much of a page as a screenshot shows, in pixels. */
const MOST_HEIGHT = 6000;

/**
 * Screenshots of a page's upper part are kept for people to look at; the folder is not in the repository. The window is made as tall as the picture:
 * a capture "of the full page" with a clip takes Chromium a minute on a page of 50,000 pixels (and any timeout on a busy machine), and this takes a second.
 */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = resolve(import.meta.dirname, "../../artefacts");
  mkdirSync(folder, { recursive: true });
  const size = page.viewportSize()!;
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width: size.width, height: Math.min(MOST_HEIGHT, Math.max(size.height, height)) });
  await page.screenshot({ path: join(folder, `${name}.png`), timeout: 90_000 });
  await page.setViewportSize(size);
}
