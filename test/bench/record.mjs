/**
 * What recording costs: each workload unrecorded and recorded, whole processes from start to exit, in turns, so that whatever else the
 * machine does hits both. The interpreter is the same in both. Nothing is subtracted: start-up, audit and closing of the trace count.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { geometricMean, measure, median, table } from "./_process.mjs";

const here = import.meta.dirname;
const dist = resolve(here, "../../dist");
const refledger = join(dist, "cli/main.js");
const plain = join(dist, "interpreter/run-plain-cli.js");
const workloads = join(here, "workloads");
const MB = 1e6;

/** The recording of one program, with what the trace says of itself. */
async function recorded(folder, cache, words, options = []) {
  const trace = join(folder, "bench.trace.db");
  const env = { REFLEDGER_CACHE: cache };
  const cost = await measure([refledger, "record", "--quiet", "--overwrite", "--out", trace, ...options, ...words], {
    cwd: folder,
    env,
  });
  const info = JSON.parse((await measure([refledger, "info", trace, "--json"])).out);
  const size = statSync(trace).size;
  return { ...cost, info, size };
}

async function workload(folder, cache, file, turns) {
  const [before, after] = [[], []];
  for (let turn = 0; turn < turns; turn++) {
    before.push(await measure([plain, join(workloads, file)], { cwd: folder }));
    after.push(await recorded(folder, cache, [join(workloads, file)]));
    if (before[0].out !== after[turn].out || !before[0].out.startsWith("checksum"))
      throw new Error(`${file}: another output when recorded`);
  }
  const walls = (runs) => median(runs.map(({ wall }) => wall));
  const peaks = (runs) => median(runs.map(({ peak }) => peak));
  const { info, size } = after[0];
  return {
    workload: file.replace(/\.py$/, ""),
    plainSeconds: walls(before),
    recordedSeconds: walls(after),
    ratio: walls(after) / walls(before),
    events: info.events.total,
    // From the program's start to the last audit's end: what both threads kept up while the program ran.
    eventsPerSecond: median(after.map((one) => one.info.events.total / (one.info.lastAudit.wall / 1000))),
    bytesPerEvent: info.bytesPerEvent,
    fileBytesPerEvent: size / info.events.total,
    plainPeak: peaks(before),
    recordedPeak: peaks(after),
  };
}

/** Seconds from the start of the process to the program's first line, plain, recorded, and recorded without a cache. */
async function startUp(folder, cache, turns) {
  const hello = ["-c", "print('hello')"];
  const [plainRuns, warm, cold] = [[], [], []];
  for (let turn = 0; turn < turns; turn++) {
    plainRuns.push(await measure([plain, ...hello], { cwd: folder }));
    warm.push(await recorded(folder, cache, hello));
    const empty = mkdtempSync(join(tmpdir(), "refledger-cold-"));
    try {
      cold.push(await recorded(folder, empty, hello));
    } finally {
      rmSync(empty, { recursive: true, force: true });
    }
  }
  const first = (runs) => median(runs.map(({ firstOutput }) => firstOutput));
  return { plainSeconds: first(plainRuns), recordedSeconds: first(warm), coldSeconds: first(cold) };
}

export async function run({ quick }) {
  const turns = quick ? 1 : 3;
  const folder = mkdtempSync(join(tmpdir(), "refledger-bench-"));
  const cache = join(folder, "cache");
  try {
    await recorded(folder, cache, ["-c", "pass"]); // the cache is made
    const rows = [];
    for (const file of readdirSync(workloads)
      .filter((name) => name.endsWith(".py"))
      .sort()) {
      rows.push(await workload(folder, cache, file, turns));
      process.stderr.write(`${file}: ${rows.at(-1).ratio.toFixed(2)}\n`);
    }
    const start = await startUp(folder, cache, turns);
    const ratio = geometricMean(rows.map((row) => row.ratio));
    const all = rows.reduce((sum, { events }) => sum + events, 0);
    const summary = {
      ratio,
      eventsPerSecond: geometricMean(rows.map((row) => row.eventsPerSecond)),
      bytesPerEvent: rows.reduce((sum, row) => sum + row.bytesPerEvent * row.events, 0) / all,
      fileBytesPerEvent: rows.reduce((sum, row) => sum + row.fileBytesPerEvent * row.events, 0) / all,
      mostMemory: Math.max(...rows.map((row) => row.recordedPeak - row.plainPeak)),
    };
    const head = [
      "workload",
      "plain s",
      "recorded s",
      "ratio",
      "M events",
      "M events/s",
      "bytes/event",
      "file bytes/event",
      "memory + MB",
    ];
    const cells = (name, row) => [
      name,
      row.plainSeconds?.toFixed(2) ?? "",
      row.recordedSeconds?.toFixed(2) ?? "",
      row.ratio.toFixed(2),
      row.events ? (row.events / 1e6).toFixed(1) : "",
      (row.eventsPerSecond / 1e6).toFixed(1),
      row.bytesPerEvent.toFixed(2),
      row.fileBytesPerEvent.toFixed(2),
      ((row.mostMemory ?? row.recordedPeak - row.plainPeak) / MB).toFixed(0),
    ];
    console.log(
      table(head, [
        ...rows.map((row) => cells(row.workload, row)),
        cells("geometric mean; most memory", { ...summary, events: all }),
      ]),
    );
    console.log(
      `\nfirst line of a program after: ${start.plainSeconds.toFixed(2)} s plain, ${start.recordedSeconds.toFixed(2)} s recorded, ${start.coldSeconds.toFixed(2)} s recorded for the first time`,
    );
    return { workloads: rows, startUp: start, summary };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
