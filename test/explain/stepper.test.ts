/** The stepping page in a real browser: keys, counts, the picture, hostile names, no request, its own policy, its size. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accessibilityViolations, launchBrowser, noBrowser, openPage, screenshot } from "../support/browser.js";
import { refledger } from "../support/recording.js";

const program = `class Node:
    pass

def pair(left, right):
    both = [left, right]
    return both

evil = type("</script><img src=x onerror=alert(1)>", (), {})()
first = Node()
second = first
first.next = [first, "<b>bold</b>"]
table = {"</script>": first, "k": evil}
for i in range(50):
    row = (first, i)
kept = pair(first, evil)
del second
x = 4
`;

let directory: string;
let file: string;
let browser: Browser;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "refledger-stepper-"));
  writeFileSync(join(directory, "program.py"), program);
  file = join(directory, "page.html");
  const made = await refledger(["explain", "program.py", "--html", "page.html"], { cwd: directory });
  expect(made.code, made.err).toBe(0);
  expect(made.out).toBe("");
  if (!noBrowser) browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  rmSync(directory, { recursive: true, force: true });
});

it("stays under its bound where a program has more to show, and says what it leaves out", async () => {
  const lines = ["kept = []", "class Thing: pass"];
  for (let i = 0; i < 300; i++) lines.push(`name_of_some_length_${i} = [[], Thing(), (kept,)]`);
  lines.push("many = list(map(list, [()] * 15000))", "kept.append(many)");
  writeFileSync(join(directory, "large.py"), `${lines.join("\n")}\n`);
  const made = await refledger(["explain", "large.py", "--all", "--html", "large.html"], { cwd: directory });
  expect(made.code, made.err).toBe(0);
  const page = readFileSync(join(directory, "large.html"), "utf8");
  expect(Buffer.byteLength(page)).toBeLessThan(2_000_000);
  const text = /id="data">(.*?)<\/script>/s.exec(page)![1]!;
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_500_000);
  const { steps } = JSON.parse(text) as { steps: { line: number; unsaid: number; changes: unknown[] }[] };
  expect([steps[0]!.line, steps.at(-1)!.line]).toEqual([1, 304]);
  const large = steps.find(({ line }) => line === 303)!;
  expect(large.changes.length + large.unsaid).toBeGreaterThan(15_000);
  const left = Number(/(\d+) steps between the first and the last are left out/.exec(page)![1]);
  // A step for each line at least; a line that a function or class body runs on has more.
  expect(left + steps.length).toBeGreaterThanOrEqual(304);
  expect(left).toBeGreaterThan(0);
});

it("is small", () => expect(statSync(file).size).toBeLessThan(500_000));

describe.skipIf(noBrowser)("in a browser", () => {
  it("steps with the keyboard and shows counts and references that change", async () => {
    const { page, said, requests, close } = await openPage(browser, file);
    const where = (): Promise<string | null> => page.textContent("#where");
    expect(await where()).toMatch(/^Step 1 of \d+: line \d/);
    await page.keyboard.press("ArrowRight");
    expect(await where()).toMatch(/^Step 2 of/);
    await page.keyboard.press("ArrowLeft");
    expect(await where()).toMatch(/^Step 1 of/);
    const counts = new Map<number, string | undefined>();
    const names = new Map<number, (string | undefined)[]>();
    const edges = new Set<number>();
    const steps = Number(/of (\d+)/.exec((await where())!)![1]);
    expect(steps).toBeLessThan(40);
    for (let step = 0; step < steps; step++) {
      const line = Number(/line (\d+)/.exec((await where())!)![1]);
      const cells = await page.$$eval("#counts tr", (rows) =>
        rows.map((row) =>
          [...(row as unknown as { children: { textContent: string }[] }).children].map((cell) => cell.textContent),
        ),
      );
      names.set(
        line,
        cells.map(([name]) => name),
      );
      counts.set(line, cells.find(([name]) => name === "first")?.[2]);
      edges.add(await page.$$eval("#graph .edge", (all) => all.length));
      await page.keyboard.press("ArrowRight");
    }
    // After line 9: first; 10: second; 11: the list; 12: the dict; 14: the latest tuple; 15: kept; 16: without second.
    expect([9, 10, 11, 12, 14, 15, 16].map((line) => counts.get(line))).toEqual(["1", "2", "3", "4", "5", "6", "5"]);
    expect(edges.size).toBeGreaterThan(4);
    // `both` takes over a reference: no event, but it is what the line did.
    expect(names.get(5)).toContain("pair.both");
    await page.keyboard.press("Home");
    expect(await where()).toMatch(/^Step 1 of/);
    await page.keyboard.press("End");
    expect(await where()).toContain(`Step ${steps} of ${steps}`);
    expect(await page.textContent("#graph")).toContain("<img");
    await screenshot(page, "stepper");
    expect(said).toEqual([]);
    expect(requests).toEqual([]);
    await close();
  });

  it.each(["light", "dark"] as const)("is accessible on %s ground", async (colorScheme) => {
    const { page, close } = await openPage(browser, file, { colorScheme });
    await page.keyboard.press("End");
    expect(await accessibilityViolations(page)).toEqual([]);
    if (colorScheme === "dark") await screenshot(page, "stepper-dark");
    await close();
  });
});
