/**
 * `npm run bench [-- --quick] [NAME…]`: runs the benchmarks beside this file, each a module that exports `run(options)`. Prints what
 * they print and writes what they return to test/bench/results/NAME.json.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const words = process.argv.slice(2);
const quick = words.includes("--quick");
const asked = words.filter((word) => !word.startsWith("--"));
const here = import.meta.dirname;
const names = readdirSync(here)
  .filter((name) => name.endsWith(".mjs") && name !== "bench.mjs" && !name.startsWith("_"))
  .map((name) => name.slice(0, -".mjs".length))
  .filter((name) => asked.length === 0 || asked.includes(name) || asked.includes(name.replace(/^analyze-/, "")));
if (names.length === 0 || words.some((word) => word.startsWith("--") && word !== "--quick")) {
  console.error("usage: npm run bench -- [--quick] [NAME…]");
  process.exit(2);
}

/** One minute's load: a machine that does something else gives ratios that are too high, and seconds that mean nothing. */
const load = () => loadavg()[0].toFixed(2);
const results = join(here, "results");
mkdirSync(results, { recursive: true });
for (const name of names) {
  const before = load();
  console.log(`${name}: ${cpus().length} cores, Node ${process.versions.node}, load average ${before}`);
  const { run } = await import(pathToFileURL(join(here, `${name}.mjs`)).href);
  if (run === undefined) continue; // a script that can be started alone, too: importing it ran it
  const found = await run({ quick });
  const file = join(results, `${name}.json`);
  const machine = {
    cores: cpus().length,
    node: process.versions.node,
    loadBefore: Number(before),
    loadAfter: Number(load()),
  };
  writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), quick, machine, ...found }, null, 2)}\n`);
  console.log(`load average now ${load()}; figures in ${file}\n`);
}
