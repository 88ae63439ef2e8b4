/**
 * `npm run reports`: records the sample programs and makes their pages in reports/, with a screenshot of each and the README that shows them. The
 * programs run in a temporary folder, so that no page names a folder of this machine; a page that does is not written.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const root = resolve(import.meta.dirname, "../..");
const out = join(root, "reports");
const refledger = join(root, "dist/cli/main.js");
const folder = mkdtempSync(join(tmpdir(), "reports-"));
const browser = process.env.REFLEDGER_BROWSER ?? "/usr/bin/chromium";

const run = (...args) =>
  execFileSync(process.execPath, [refledger, ...args], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });

/** Two lines more: the cache is emptied when it has grown. */
function fixed(source) {
  const line = "        if key not in self.known:\n";
  if (!source.includes(line)) throw new Error(`leaky-cache.py has no ${line.trim()} any more`);
  return source.replace(line, `        if len(self.known) > 50:\n            self.known.clear()\n${line}`);
}

const PAGES = [
  {
    name: "leaky-cache",
    title: "A cache that is never trimmed",
    text: "A service that answers 400 requests and keeps every session, and what looks like a leak and is none.",
  },
  {
    name: "leaky-cache-fixed",
    title: "Before and after the fix",
    text: "The same service with a bound for its cache (`if len(self.known) > 50: self.known.clear()`), compared with the first: `refledger report --compare`.",
  },
];

try {
  const program = join(folder, "leaky-cache.py");
  copyFileSync(join(root, "traces/leaky-cache.py"), program);
  run("record", "--quiet", "--out", "before.trace.db", "leaky-cache.py");
  writeFileSync(program, fixed(readFileSync(program, "utf8")));
  run("record", "--quiet", "--out", "after.trace.db", "leaky-cache.py");
  run("report", "before.trace.db", "-o", join(out, "leaky-cache.html"));
  run("report", "--compare", "before.trace.db", "after.trace.db", "-o", join(out, "leaky-cache-fixed.html"));
  const chrome = await chromium.launch({
    executablePath: browser,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
  for (const { name } of PAGES) {
    const page = join(out, `${name}.html`);
    if (readFileSync(page, "utf8").includes(folder)) {
      rmSync(page);
      throw new Error(`${name}.html names a folder of this machine`);
    }
    const view = await chrome.newPage({ viewport: { width: 1180, height: 1180 } });
    await view.goto(pathToFileURL(page).href);
    await view.waitForSelector("html[data-ready=yes]");
    await view.screenshot({ path: join(out, `${name}.png`) });
    console.log(
      `${name}.html ${statSync(page).size} bytes, ${name}.png ${statSync(join(out, `${name}.png`)).size} bytes`,
    );
  }
  await chrome.close();
  writeFileSync(
    join(out, "README.md"),
    `# Sample reports

Pages that \`refledger report\` wrote about the sample programs in [traces/](../traces/README.md). Each is one file without any
network: download it and open it. \`npm run reports\` makes them again.

${PAGES.map(
  ({ name, title, text }) => `## ${title}

${text} Page: [${name}.html](${name}.html).

![${title}](${name}.png)
`,
).join("\n")}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
