/**
 * What `explain` costs after the program has ended: a script of 100 lines that leaves 10 million events, recorded first, then explained
 * by the command on the trace, as a person would wait for it.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { TraceReader } from "../../dist/index.js";

const command = resolve(import.meta.dirname, "../../dist/cli/main.js");
const BOUND = 5;

/** 100 lines: functions that work on lists, dicts and objects, and a loop that calls them. */
function script(rounds) {
  const lines = ["class Item:", "    def __init__(self, key):", "        self.key = key", "        self.peers = []"];
  for (let f = 0; f < 10; f++)
    lines.push(
      `def work_${f}(items, table):`,
      `    item = Item((${f}, len(items)))`,
      "    items.append(item)",
      "    item.peers.append(items)",
      "    table[item.key] = item",
      "    other = table.get(item.key)",
      "    pair = (item, other)",
      "    item.peers.clear()",
      "    return pair",
    );
  lines.push(`for round in range(${rounds}):`, "    items, table = [], {}");
  lines.push("    for n in range(50):", "        pair = work_0(items, table)");
  lines.push("        last = [work_1(items, table), work_5(items, table), work_9(items, table)]");
  lines.push("    items.clear()");
  return `${lines.join("\n")}\n`;
}

export async function run({ quick }) {
  const folder = mkdtempSync(join(tmpdir(), "refledger-bench-"));
  try {
    const path = join(folder, "program.py");
    const trace = join(folder, "program.trace.db");
    const text = script(quick ? 100 : 660);
    writeFileSync(path, text);
    execFileSync(process.execPath, [command, "record", "-q", "--no-graphs", "-o", trace, path], { stdio: "inherit" });
    const reader = TraceReader.open(trace);
    const { events } = reader;
    reader.close();
    const begun = performance.now();
    const out = execFileSync(process.execPath, [command, "explain", trace], { encoding: "utf8", maxBuffer: 1 << 28 });
    const seconds = (performance.now() - begun) / 1000;
    const lines = text.split("\n").length - 1;
    console.log(
      `  ${lines} lines, ${(events / 1e6).toFixed(1)} million events: ${seconds.toFixed(2)} s (bound ${BOUND} s)`,
    );
    console.log(`  ${out.split("\n").length} lines of text`);
    return { lines, events, seconds, bound: BOUND, missed: seconds > BOUND };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
