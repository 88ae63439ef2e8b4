/**
 * The page as a person meets it, in a real browser: what each section says, that its numbers are those of the commands, that the choice of a range narrows
 * what follows, and that nothing leaves the page.
 */
import { readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bytes, count, plural } from "../../src/base/quantity.js";
import type { CyclesAnswer, History, LeakResult, PoolsAnalysis, Survey, WhyResult } from "../../src/index.js";
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

/** The same of a verb that exits with 1 when it found a problem. */
async function answerOf<T>(...args: string[]): Promise<T> {
  const { out, err } = await refledger([...args, "--json"]);
  if (out === "") throw new Error(`${args.join(" ")}: ${err}`);
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
    const at = await jsonOf<Survey>("at", trace, "--time", "end");
    const older = info.objects.baseline - (at.alive.objects - at.objects);
    const own = info.events.dealloc - older;
    expect(await fact("born")).toContain(
      `${count(info.events.dealloc)} deallocated: ${count(own)} of these and ${count(older)} of the runtime’s`,
    );
    expect(info.events.new - own).toBe(at.objects);
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

  const text = (selector: string): Promise<string> => page.locator(selector).innerText();
  /** Opens what is folded away, so that it is on the screen. */
  const unfold = (): Promise<void> =>
    page.locator("details").evaluateAll((all) => {
      for (const one of all) (one as HTMLDetailsElement).open = true;
    });
  const flat = (words: string): string => words.replace(/\s+/g, " ");

  it("tells of leaks what `leaks` prints", async () => {
    const answer = await answerOf<LeakResult>("leaks", trace);
    const shown = answer.findings.filter(({ kind }) => kind !== "cycle");
    expect(shown.some(({ isProblem, culprit }) => isProblem && culprit !== null)).toBe(true);
    expect(await page.locator("#leaks article").count()).toBe(shown.length);
    await unfold();
    expect(await text("#leak-scope")).toContain(
      `${count(answer.iterations.count)} rounds by ${answer.iterations.name}`,
    );
    for (const finding of shown) {
      const article = `[data-finding="${finding.fingerprint}"]`;
      const said = flat(await text(article));
      expect(said).toContain(flat(finding.title));
      expect(said).toContain(`${plural(finding.objects, "object")} of type ${finding.type}, ${bytes(finding.bytes)}`);
      if (finding.keptBy) expect(said).toContain(finding.keptBy.expression);
      if (finding.holder)
        expect(said).toContain(
          `${finding.isProblem ? "What grows" : "What holds them"} is ${finding.holder.expression}`,
        );
      // Where nothing is wrong nothing is under suspicion.
      expect(await page.locator(`${article} li.suspect`).count()).toBe(finding.isProblem && finding.keptBy ? 1 : 0);
      expect(said.includes("the suspect reference")).toBe(finding.isProblem && finding.keptBy !== null);
      if (finding.isProblem && finding.perIteration !== null)
        expect(await text(`${article} [data-rate]`)).toBe(String(Math.round(finding.perIteration * 100) / 100));
      if (finding.culprit && finding.reference) {
        const { function: name, file: path, line, source } = finding.culprit;
        expect(await text(`${article} [data-culprit]`)).toBe(`${name} ${basename(path!)}:${line}`);
        expect(said).toContain(`made at #${count(finding.reference.made.event)}`);
        const marked = await page.locator(`${article} pre.lines mark`).allInnerTexts();
        expect(marked.map((one) => one.trim().replace(/^\d+\s+/, ""))).toContain(source);
      }
      const groups = await cells(`${article} table.groups`);
      expect(groups.map(([type, , ...numbers]) => [type, ...numbers])).toEqual(
        finding.groups.map((group) => [
          group.type,
          count(group.objects),
          bytes(group.bytes),
          count(group.made),
          count(group.died),
        ]),
      );
      const path = finding.keptBy?.steps ?? [];
      expect(await page.locator(`${article} ol.path .step`).count()).toBe(path.length);
    }
  });

  it("says of the references of a path what `why` says", async () => {
    const { findings } = await answerOf<LeakResult>("leaks", trace);
    const finding = findings.find(({ isProblem, keptBy }) => isProblem && keptBy)!;
    const { answers } = await answerOf<WhyResult>(
      "why",
      trace,
      `0x${finding.keptBy!.steps.at(-1)!.address.toString(16)}`,
    );
    const steps = answers[0]!.paths[0]!.steps;
    expect(steps.map(({ address }) => address)).toEqual(finding.keptBy!.steps.map(({ address }) => address));
    const edges = await page.locator(`[data-finding="${finding.fingerprint}"] ol.path .edge`).allInnerTexts();
    const told = steps.map(({ made }, i) => {
      if (i < steps.length - 4 || !made || made.event === null) return "";
      return `made at ${made.function} ${basename(made.file!)}:${made.line} at #${count(made.event)}`;
    });
    expect(told.filter((one) => one !== "").length).toBeGreaterThan(1);
    told.forEach((one, i) => {
      if (one === "") expect(edges[i]).not.toContain("made at");
      else expect(flat(edges[i]!)).toContain(one);
    });
  });

  it("tells of cycles what `cycles` prints", async () => {
    const answer = await answerOf<CyclesAnswer>("cycles", trace);
    expect(answer.findings.length).toBeGreaterThan(0);
    expect(await page.locator("#cycles article").count()).toBe(Math.min(10, answer.findings.length));
    await unfold();
    const isOwn = ({ isProblem, recorded, createdAt }: CyclesAnswer["findings"][number]): boolean =>
      isProblem || (recorded && createdAt?.file?.endsWith("leaky-cache.py") === true);
    const own = answer.findings.filter(isOwn);
    expect(own.length).toBeGreaterThan(0);
    expect(await page.locator("#cycles > article").count()).toBe(own.length);
    expect(await text("#verdict")).toContain(`${plural(own.length, "kind")} of cycles`);
    for (const finding of [...own, ...answer.findings.filter((one) => !isOwn(one))].slice(0, 10)) {
      const said = flat(await text(`#cycles [data-finding="${finding.fingerprint}"]`));
      expect(said).toContain(flat(finding.title));
      expect(said).toContain(`${plural(finding.cycles, "cycle")} in ${plural(finding.structures, "piece")} of garbage`);
      if (finding.typesInAll > 1) expect(said).toContain(`of ${finding.typesInAll} types (`);
      else expect(said).toContain(`${plural(finding.objects, "object")} of type ${finding.type}`);
      for (const { type, objects } of finding.typesInAll > 1 ? finding.types.slice(0, 8) : [])
        expect(said).toContain(`${count(objects)} ${type}`);
      const { deadEvents, deadSeconds, example, structures } = finding;
      if (deadEvents && deadSeconds) {
        const { least, most, mean } = deadEvents;
        const span =
          least === most
            ? plural(least, "event")
            : `${count(least)} to ${count(most)} events, ${count(mean)} on average`;
        expect(said).toContain(
          `${structures === 1 ? "It" : "They"} lay dead for ${span} (${deadSeconds.mean.toFixed(3)} s; ${count(finding.byteSeconds)} byte-seconds in all)`,
        );
      }
      for (const [name, moment] of [
        ["Closed", example.closed?.time],
        ["Orphaned", example.orphaned?.time],
        ["Collected", example.collected],
      ] as const)
        if (moment) expect(said).toContain(`${name} at #${count(moment.event)} (${moment.seconds.toFixed(3)} s)`);
      if (example.collected === null) {
        expect(said).toContain("Collected never: it was still there at the end");
        expect(said).not.toContain("went with it");
      }
      const { place } = example.orphaned ?? { place: null };
      if (place?.file?.endsWith("leaky-cache.py")) {
        expect(said).toContain(`${place.function} leaky-cache.py:${place.line}`);
        expect(said).toContain(place.source!);
      }
    }
    // Every excerpt says what it shows.
    const captions = await page
      .locator("pre.lines")
      .evaluateAll((all) => all.map((one) => one.previousElementSibling?.className));
    expect(new Set(captions)).toEqual(new Set(["caption"]));
    expect(await text("#cycles")).toContain("The store that closed the ring: leaky-cache.py:");
    if (answer.atEnd.known)
      expect(await text("#cycles")).toContain(`${plural(answer.atEnd.objects, "object")} in cycles lay as garbage`);
    const number = (n: number | null): string => (n === null ? "–" : count(n));
    expect(await cells("#collections")).toEqual(
      answer.collections
        .slice(0, 30)
        .map((one) => [
          String(one.number),
          count(one.start.event),
          `${one.start.seconds.toFixed(3)} s`,
          one.reason,
          String(one.generation),
          number(one.allocated),
          number(one.collected),
          number(one.freed),
          one.freedBytes === null ? "–" : bytes(one.freedBytes),
          number(one.uncollectable),
        ]),
    );
  });

  it("tells of pools what `pools` prints", async () => {
    const models = ["early-32", "3.3-32", "3.10-32"].flatMap((name) => ["--model", name]);
    const { freeLists, heap, models: modelled } = await answerOf<PoolsAnalysis>("pools", trace, ...models);
    const percent = (share: number | null): string => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);
    const said = flat(await text("#pools"));
    expect(said).toContain(
      `${count(freeLists.fromFreeList)} of ${count(freeLists.fromFreeList + freeLists.fromAllocator)} births (${percent(freeLists.hitRate)})`,
    );
    expect(said).toContain(
      `${plural(heap.blocks, "block")} hold ${bytes(heap.used)} of a footprint of ${bytes(heap.footprint)} (${percent(heap.utilisation)}); ${bytes(heap.free)} lie free`,
    );
    const used = freeLists.rows.filter(({ fromFreeList }) => fromFreeList > 0);
    expect((await cells("#free-lists")).map(([, ...numbers]) => numbers)).toEqual(
      used
        .slice(0, 15)
        .map((row) => [
          count(row.fromFreeList),
          count(row.fromAllocator),
          percent(row.hitRate),
          count(row.highestFill),
          count(row.fill),
          bytes(row.bytes),
        ]),
    );
    expect((await cells("#models")).map(([, ...numbers]) => numbers)).toEqual(
      modelled.map((model) => {
        if (model.kind !== "pymalloc") throw new Error(model.kind);
        return [
          count(model.requests),
          count(model.passedOn),
          count(model.arenas),
          count(model.peakArenas),
          bytes(model.system),
          percent(model.internalFragmentation),
          percent(model.externalFragmentation),
        ];
      }),
    );
    // Over time: the windows of a row add up to its whole.
    const rates = await page.evaluate(
      () =>
        JSON.parse(document.getElementById("data")!.textContent!).datasets["hit-rates"].rows as (string | number)[][],
    );
    const types = [...new Set(rates.map(([, , type]) => type))];
    expect(types.length).toBe(Math.min(15, used.length));
    const sumOf = (type: unknown, column: number): number =>
      rates.filter((row) => row[2] === type).reduce((all, row) => all + (row[column] as number), 0);
    expect(new Set(types.map((type) => `${sumOf(type, 3)} of ${sumOf(type, 4)}`))).toEqual(
      new Set(used.slice(0, 15).map((row) => `${row.fromFreeList} of ${row.fromFreeList + row.fromAllocator}`)),
    );
  });

  it("prints the ledgers that `history` prints", async () => {
    const ledgers = page.locator("article.ledger");
    const n = await ledgers.count();
    expect(n).toBeGreaterThan(0);
    for (let i = 1; i <= n; i++) {
      const id = Number(/^#(\d+)/.exec(await text(`#ledger-${i} h3`))![1]);
      const history = await answerOf<History>("history", trace, `#${id}`);
      const listed =
        history.rows.length <= 60 ? history.rows : [...history.rows.slice(0, 30), ...history.rows.slice(-30)];
      const rows = (await cells(`#ledger-${i} table.statement`)).filter((row) => row.length > 1);
      expect(rows.map(([event, , change, balance]) => [event, change, balance])).toEqual(
        listed.map(({ time, kind, delta, balance }) => [
          count(time.event),
          kind === "pairs" ? "±0" : delta > 0 ? `+${count(delta)}` : delta < 0 ? `−${count(-delta)}` : "",
          balance === null ? "immortal" : count(balance),
        ]),
      );
      const said = flat(await text(`#ledger-${i}`));
      expect(said).toContain(`${plural(history.changes, "change")} of its count`);
      if (history.open.length > 0)
        expect(said).toContain(`${plural(history.open.length, "reference")} still open at the end`);
    }
  });

  it("narrows what follows to the brushed range, and says the same as sql about it", async () => {
    const alive = await cells("#alive");
    const freeTotal = await text("#free-total");
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
    const seen = await page
      .locator("article[data-from]")
      .evaluateAll((all) => all.map((one) => [one.dataset["from"], one.dataset["to"], (one as HTMLElement).hidden]));
    expect(seen.length).toBeGreaterThan(1);
    for (const [start, stop, hidden] of seen) expect(hidden).toBe(Number(start) >= to! || Number(stop) < from!);
    expect(seen.some(([, , hidden]) => hidden)).toBe(true);
    const end = await jsonOf<Survey>("at", trace, "--time", `#${to}`);
    expect(await text("#alive-part")).toContain(
      `#${count(to!)} (${end.time.seconds.toFixed(3)} s), the end of the chosen part: ${plural(end.objects, "object")}, ${bytes(end.bytes)}.`,
    );
    expect((await cells("#alive")).map(([, ...numbers]) => numbers.slice(0, 2))).toEqual(
      end.types.slice(0, 15).map((row) => [count(row.count), bytes(row.bytes)]),
    );
    const { freeLists: lists } = await answerOf<PoolsAnalysis>("pools", trace, "--from", `#${from}`, "--to", `#${to}`);
    const percent = (hits: number, all: number): string => (all === 0 ? "–" : `${((100 * hits) / all).toFixed(1)} %`);
    const births = lists.fromFreeList + lists.fromAllocator;
    expect(await text("#free-total")).toBe(
      `In the chosen part, ${count(lists.fromFreeList)} of ${count(births)} births (${percent(lists.fromFreeList, births)}) were served so, without asking the allocator.`,
    );
    const nameOf = (row: PoolsAnalysis["freeLists"]["rows"][number]): string =>
      `${row.type}, ${row.size === null ? "larger" : `${row.size} B`}`;
    for (const [name, hits, fresh, rate] of await cells("#free-lists")) {
      const row = lists.rows.find((one) => name === nameOf(one) || name!.endsWith(`.${nameOf(one)}`));
      if (row)
        expect([name, hits, fresh, rate]).toEqual([
          name,
          count(row.fromFreeList),
          count(row.fromAllocator),
          percent(row.fromFreeList, row.fromFreeList + row.fromAllocator),
        ]);
      else expect([name, hits]).toEqual([name, "0"]);
    }
    const bars = page.locator('[data-chart="free-lists"] svg');
    await bars.scrollIntoViewIfNeeded();
    expect(await text("#heap-part")).toMatch(
      new RegExp(`^At #${count(to!)} .*, the end of the chosen part, blocks held .* of a footprint of `),
    );
    const { heap } = await answerOf<PoolsAnalysis>("pools", trace, "--to", `#${to}`);
    expect(await text("#heap-part")).toContain(`blocks held ${bytes(heap.used)} of a footprint`);
    // What is of the whole recording says so, in each section that has such numbers.
    for (const section of ["leaks", "cycles", "pools", "source", "objects"]) {
      const notes = page.locator(`#${section} [data-whole]`);
      expect([section, await notes.count()]).not.toEqual([section, 0]);
      for (const note of await notes.all()) expect(await note.isVisible()).toBe(true);
    }
    await screenshot(page, "page-brushed");
    // Capturing a page as a whole gives it no width for a moment: nobody has chosen anything by that.
    const chosen = await page.locator("#range").innerText();
    const size = page.viewportSize()!;
    await page.setViewportSize({ width: 1, height: 1 });
    await page.waitForTimeout(500);
    await page.setViewportSize(size);
    await page.waitForTimeout(500);
    expect(await page.locator("#range").innerText()).toBe(chosen);
    await page.getByRole("button", { name: "whole recording" }).click();
    await expect.poll(() => page.locator("#range").innerText()).toBe("the whole recording");
    for (const note of await page.locator("[data-whole], .part").all()) expect(await note.isVisible()).toBe(false);
    expect(await cells("#alive")).toEqual(alive);
    expect(await text("#pools")).toContain(freeTotal);
  });

  it("says that there is nothing in a part that has nothing, and moves neither slider by the other", async () => {
    await page.locator("#to").fill("3");
    expect(await cells("#collections")).toContainEqual(["none in this part"]);
    for (const statement of await page.locator("table.statement").all())
      expect((await statement.innerText()).includes("none in this part")).toBe(
        (await statement.locator("tbody tr[data-event]:visible").count()) === 0,
      );
    await page.locator("#from").fill("40");
    expect([await page.locator("#from").inputValue(), await page.locator("#to").inputValue()]).toEqual(["2", "3"]);
    await page.locator("#to").fill("0");
    expect([await page.locator("#from").inputValue(), await page.locator("#to").inputValue()]).toEqual(["2", "3"]);
    const [, first, last] = /^events #([\d,]+) to #([\d,]+)/.exec(await page.locator("#range").innerText())!;
    expect(await page.locator("#from").getAttribute("aria-valuetext")).toMatch(`event ${first}, `);
    expect(await page.locator("#to").getAttribute("aria-valuetext")).toMatch(`event ${last}, `);
    await page.getByRole("button", { name: "whole recording" }).click();
    expect(await page.locator("#collections .none").count()).toBe(0);
  });

  it("shows the finding that a link names, whatever part was chosen", async () => {
    await page.locator("#from").fill("1");
    await page.locator("#to").fill("2");
    await page.locator("#from").fill("0");
    await page.locator("#to").fill("1");
    const link = page.locator("#verdict a").first();
    const target = page.locator((await link.getAttribute("href"))!);
    expect(await target.isVisible()).toBe(false);
    expect(await page.locator('[data-outside="leaks"]').innerText()).toMatch(/outside of the chosen part/);
    await link.click();
    await expect.poll(() => target.isVisible()).toBe(true);
    expect(await page.locator("#range").innerText()).toBe("the whole recording");
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
    // A legend that wraps has room for its last line, also after the window became narrower.
    const cut = (): Promise<number> =>
      phone.page.evaluate(
        () =>
          [...document.querySelectorAll(".chart svg")].filter(
            (svg) => svg.querySelector("g")!.getBoundingClientRect().bottom > svg.getBoundingClientRect().bottom + 1,
          ).length,
      );
    await expect.poll(cut).toBe(0);
    await phone.page.setViewportSize({ width: 330, height: 844 });
    await phone.page.waitForTimeout(500);
    await expect.poll(cut).toBe(0);
    await phone.page.setViewportSize({ width: 390, height: 844 });

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
