/**
 * What replay costs: opening, deriving keyframes and index, folding, seeking, histories, memory.
 *
 *     node test/bench/replay.mjs [TRACE]
 *
 * Without a trace it records parsing-and-unparsing.py, 10 rounds: some 50 million events. The trace given is copied, so that its
 * index is derived anew. Rates of a busy machine mean little: the load is printed with them. Exits 1 when a bound of the project is missed.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { alignmentOf, chunkNumber, createColumns, Heap, historyOf, listObjects, openReplay } from "../../dist/index.js";
import { record } from "../../dist/record/record.js";

const folder = mkdtempSync(join(tmpdir(), "refledger-bench-"));
const trace = join(folder, "bench.trace.db");
const rows = [];
let missed = 0;

/** One line of the report; `bound` is [what must hold, as text, whether it does]. */
function report(what, value, bound) {
  if (bound && !bound[1]) missed++;
  rows.push([what, value, bound ? `${bound[0]}${bound[1] ? "" : "  MISSED"}` : ""]);
}
const millions = (n) => `${(n / 1e6).toFixed(1)} million`;
const ms = (n) => `${n < 10 ? n.toFixed(1) : Math.round(n)} ms`;
const timed = (work) => {
  const begun = performance.now();
  const result = work();
  return [performance.now() - begun, result];
};
const median = (numbers) => [...numbers].sort((x, y) => x - y)[numbers.length >> 1];

try {
  const given = process.argv[1] === import.meta.filename ? process.argv[2] : undefined;
  if (given !== undefined) {
    if (!existsSync(given)) throw new Error(`${given}: no such file`);
    copyFileSync(given, trace);
    const copy = new Database(trace);
    copy.exec("DROP TABLE IF EXISTS keyframes; DROP TABLE IF EXISTS chunk_objects");
    copy.close();
  } else {
    process.stderr.write("recording 50 million events…\n");
    await record({
      program: {
        kind: "script",
        target: resolve(import.meta.dirname, "workloads/parsing-and-unparsing.py"),
        args: ["10"],
      },
      out: trace,
      cwd: folder,
      env: {},
      version: "bench",
    });
  }
  report(
    "load of the machine",
    loadavg()
      .map((n) => n.toFixed(2))
      .join(" "),
  );

  // Decoding and folding alone, the best of three passes over the first 15 million events.
  const replay = openReplay(trace, {
    progress: (done, all) => process.stderr.write(`\rindexing ${Math.floor((done / all) * 100)}%`),
  });
  const { reader } = replay;
  const events = replay.end;
  report("events", `${millions(events)}, ${(reader.eventBytes / events).toFixed(2)} bytes each`);
  const columns = createColumns(reader.chunkCapacity);
  const passes = [0, 1, 2].map(() => {
    const heap = Heap.from(reader.baseline(), alignmentOf(reader));
    let decoding = 0;
    let folding = 0;
    for (let chunk = 0; chunk < reader.chunks.length && heap.next < 15e6; chunk++) {
      decoding += timed(() => reader.readChunk(chunkNumber(chunk), columns))[0];
      folding += timed(() => heap.apply(columns, 0, columns.count))[0];
    }
    return { decode: heap.next / decoding / 1000, fold: heap.next / folding / 1000 };
  });
  const fold = Math.max(...passes.map((pass) => pass.fold));
  report("folding", `${fold.toFixed(1)} million events/s`, ["at least 20", fold >= 20]);
  report("decoding", `${Math.max(...passes.map((pass) => pass.decode)).toFixed(1)} million events/s`);

  const [deriving] = timed(() => replay.prepare());
  process.stderr.write("\r\x1b[K");
  const derived = replay.derived();
  report(
    "deriving keyframes and index, once",
    `${(deriving / 1000).toFixed(1)} s, ${(events / deriving / 1000).toFixed(1)} million events/s`,
  );
  const share = derived.bytes / reader.eventBytes;
  report("keyframes and index", `${derived.keyframes} keyframes, ${(share * 100).toFixed(0)} % of the events' bytes`, [
    "at most 50 %",
    share <= 0.5,
  ]);
  replay.close();

  const opens = [0, 1, 2, 3, 4].map(() => {
    const [took, opened] = timed(() => {
      const again = openReplay(trace);
      again.prepare();
      return again;
    });
    opened.close();
    return took;
  });
  report("opening, the index included", ms(median(opens)), ["at most 200 ms", median(opens) <= 200]);

  const again = openReplay(trace);
  let seed = 20260101;
  const seeks = Array.from({ length: 60 }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return timed(() => again.seek(Math.floor((seed / 2 ** 32) * events)))[0];
  });
  report("seeking to a random event, median", ms(median(seeks)), ["at most 300 ms", median(seeks) <= 300]);
  report("seeking, worst of 60", ms(Math.max(...seeks)), ["at most 1000 ms", Math.max(...seeks) <= 1000]);

  // Objects with about 1,000 changes: three from the end of the trace, the first, middle and last born.
  again.seek(events);
  const busy = listObjects(again, { all: true }, "age").filter(({ changes }) => changes >= 800 && changes <= 1500);
  for (const object of [busy[0], busy[busy.length >> 1], busy[busy.length - 1]]) {
    if (!object) continue;
    const [took, history] = timed(() => historyOf(again, object.id));
    report(`history of #${object.id}, ${history.changes} changes`, ms(took), ["at most 1000 ms", took <= 1000]);
  }
  const memory = process.resourceUsage().maxRSS / 1024;
  report("memory at most", `${Math.round(memory)} MB`, ["at most 500 MB", memory <= 500]);
  again.close();

  const widths = [0, 1].map((i) => Math.max(...rows.map((row) => row[i].length)));
  for (const row of rows)
    console.log(`${row[0].padEnd(widths[0])}  ${row[1].padStart(widths[1])}  ${row[2]}`.trimEnd());
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = missed === 0 ? 0 : 1;
