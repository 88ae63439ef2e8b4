/** What `refledger pools` prints for people. */
import type {
  AddressLife,
  ModelResult,
  Pin,
  PoolsAnalysis,
  PrivatePoolResult,
  PymallocResult,
  SourcePlace,
} from "../index.js";
import { hex, limited, placeText, sourceText, tableText, timeText } from "./explore.js";
import { printable } from "./printable.js";
import { bytes, count, plural } from "./quantity.js";

const percent = (share: number | null): string => (share === null ? "-" : `${(100 * share).toFixed(1)} %`);

/** A row of small bars, one for each value from 0 to 1; a dot where there is none. */
const BARS = "▁▂▃▄▅▆▇█";
const SPARKS = 32;

function rateLine(hits: readonly number[], births: readonly number[]): string {
  let line = "";
  const per = births.length / SPARKS;
  for (let i = 0; i < SPARKS; i++) {
    const sum = (column: readonly number[]): number =>
      column.slice(Math.floor(i * per), Math.floor((i + 1) * per)).reduce((all, n) => all + n, 0);
    const all = sum(births);
    line += all === 0 ? "·" : BARS[Math.min(BARS.length - 1, Math.floor((sum(hits) / all) * BARS.length))]!;
  }
  return line;
}

export function freeListsText({ freeLists, from, to }: PoolsAnalysis, limit: number): string {
  const { rows, rest } = limited(freeLists.rows, limit, "row");
  const head = [
    `free lists       from ${timeText(from)} to ${timeText(to)}\n`,
    `births           ${count(freeLists.fromFreeList)} from free lists, ${count(freeLists.fromAllocator)} from the allocator: ${percent(freeLists.hitRate)}\n`,
    freeLists.elsewhere > 0 ? `                 ${count(freeLists.elsewhere)} more in static memory\n` : "",
    `kept now         ${plural(freeLists.fill, "object")}, ${bytes(freeLists.bytes)}\n\n`,
  ].join("");
  if (rows.length === 0) return head;
  return (
    head +
    tableText(
      ["type", "size", "from list", "allocator", "hit rate", "over time", "most kept", "now", "bytes now"],
      ["left", "right", "right", "right", "right", "left", "right", "right", "right"],
      rows.map((row) => [
        printable(row.type),
        row.size === null ? `> ${freeLists.largestSize} B` : bytes(row.size),
        count(row.fromFreeList),
        count(row.fromAllocator),
        percent(row.hitRate),
        rateLine(row.hits, row.births),
        count(row.highestFill),
        count(row.fill),
        bytes(row.bytes),
      ]),
    ) +
    rest
  );
}

function pinsText(pins: readonly Pin[], limit: number, home: string, region: string): string {
  if (pins.length === 0) return "";
  const { rows, rest } = limited(pins, limit, "row");
  return (
    tableText(
      [`keeps ${region}s`, "alone", "free there", "blocks", "bytes", "type", "created in", "source"],
      ["right", "right", "right", "right", "right", "left", "left", "left"],
      rows.map((pin) => [
        count(pin.regions),
        count(pin.alone),
        bytes(pin.pinned),
        count(pin.blocks),
        bytes(pin.bytes),
        contentText(pin.type),
        pinPlace(pin.place, home),
        sourceText(pin.place.source, 40),
      ]),
    ) + rest
  );
}

const contentText = (type: string | null): string => (type === null ? "(no object)" : printable(type));
const pinPlace = (place: SourcePlace, home: string): string =>
  place.file === null ? "before, or no Python frame" : placeText(place, home);

const sizeText = (n: number): string => (n < 1024 ? `${n} B` : n < 1 << 20 ? `${n >> 10} KiB` : `${n >> 20} MiB`);

export function heapText({ heap, to }: PoolsAnalysis, limit: number, home: string): string {
  const { sparse } = heap;
  const head = [
    `the real heap    dlmalloc, at ${timeText(to)}\n`,
    `in use           ${bytes(heap.used)} in ${plural(heap.blocks, "block")}; ${bytes(heap.requested)} requested\n`,
    `most in use      ${bytes(heap.peakUsed)} at ${timeText(heap.peakAt)}\n`,
    `footprint        ${bytes(heap.footprint)} from ${hex(heap.start)} to ${hex(heap.highestTop)}: ${percent(heap.utilisation)} in use\n`,
    `free             ${bytes(heap.free)} in holes, ${bytes(heap.freeAtTop)} at the top; the largest range has ${bytes(heap.largestFree)}\n`,
    `fragmentation    ${heap.fragmentation === null ? "-" : heap.fragmentation.toFixed(3)} (0: one free range, towards 1: crumbs)\n\n`,
  ].join("");
  const holes =
    heap.holes.length === 0
      ? ""
      : `${tableText(
          ["holes from", "number", "bytes"],
          ["right", "right", "right"],
          heap.holes.map((row) => [sizeText(row.from), count(row.count), bytes(row.bytes)]),
        )}\n`;
  const pinned =
    sparse.regions === 0
      ? ""
      : `${plural(sparse.regions, "region")} of 64 KiB less than a tenth full, ${bytes(sparse.free)} free in them, kept by:\n\n${pinsText(sparse.pins, limit, home, "region")}\n`;
  const top = heap.topPins.slice(0, Math.min(5, limit));
  const tops =
    top.length === 0
      ? ""
      : `The highest blocks; without them, and those above, the heap could end lower:\n\n${tableText(
          ["block", "bytes", "lower by", "type", "created in"],
          ["left", "right", "right", "left", "left"],
          top.map((pin) => [
            hex(pin.address),
            bytes(pin.bytes),
            bytes(pin.released),
            contentText(pin.type),
            pinPlace(pin.place, home),
          ]),
        )}`;
  return head + holes + pinned + tops;
}

/** What must be said wherever a model's figures are shown. */
const modelNote = ({ fed, python }: PoolsAnalysis): string =>
  [
    `A model, not what happened: the recorded interpreter (Python ${printable(python ?? "?")}, 32-bit) has no pymalloc. It was fed with the`,
    `${plural(fed.requests, "request")} and ${count(fed.reallocs)} resizes of its domains mem and object, sizes as that interpreter asked for them;`,
    `not with ${plural(fed.otherRequests, "request")} of other domains, nor with ${plural(fed.blocksBefore, "block")} (${bytes(fed.bytesBefore)}) from before the recording.`,
    "",
  ].join("\n");

export function modelText(model: ModelResult, answer: PoolsAnalysis, limit: number, home: string): string {
  return `${modelNote(answer)}\n${model.kind === "pymalloc" ? pymallocText(model, limit, home) : privateText(model)}`;
}

function pymallocText(model: PymallocResult, limit: number, home: string): string {
  const { lost, sparse } = model;
  const classes = limited(
    [...model.classes].sort((x, y) => y.blocks * y.size - x.blocks * x.size || x.size - y.size),
    limit,
    "row",
  );
  return [
    `model            ${model.name}: ${model.title}\n`,
    `                 requests up to ${model.threshold} B from pools of ${sizeText(model.poolBytes)} in arenas of ${sizeText(model.arenaBytes)}, ${model.alignment} bytes aligned\n`,
    `served           ${plural(model.requests, "request")}, resizes that moved among them; ${count(model.passedOn)} passed on to malloc (${bytes(model.passedOnBytes)} of them live)\n`,
    `arenas           ${count(model.arenas)} (${bytes(model.system)}), at most ${count(model.peakArenas)} at ${timeText(model.peakAt)}; ${count(model.arenasTaken)} taken, ${count(model.arenasReturned)} given back\n`,
    `pools            ${count(model.pools)} in use, ${count(model.freePools)} free\n`,
    `blocks           ${count(model.blocks)}: ${bytes(model.requested)} requested, ${bytes(model.rounded)} as rounded up\n`,
    `fragmentation    internal ${percent(model.internalFragmentation)} of the blocks, external ${percent(model.externalFragmentation)} of the arenas\n`,
    `                 ${bytes(lost.freeBlocks)} free blocks, ${bytes(lost.freePools)} free pools, ${bytes(lost.headers)} headers, ${bytes(lost.rests)} rests\n\n`,
    tableText(
      ["size class", "blocks", "free", "pools", "full", "requests", "wasted"],
      ["right", "right", "right", "right", "right", "right", "right"],
      classes.rows.map((row) => [
        bytes(row.size),
        count(row.blocks),
        count(row.free),
        count(row.pools),
        percent(row.blocks + row.free > 0 ? row.blocks / (row.blocks + row.free) : null),
        count(row.requests),
        bytes(row.blocks * row.size - row.requested),
      ]),
    ),
    classes.rest,
    sparse.arenas === 0
      ? ""
      : `\n${plural(sparse.arenas, "arena")} less than a tenth full, ${bytes(sparse.free)} free in them, kept by:\n\n${pinsText(sparse.pins, limit, home, "arena")}`,
  ].join("");
}

function privateText(model: PrivatePoolResult): string {
  const blocks =
    model.perBlock > 0
      ? `blocks of ${bytes(model.blockBytes)} with ${model.perBlock} objects, never given back`
      : "dead objects are kept, at most 80";
  return [
    `model            ${model.name}: ${printable(model.title)}\n`,
    `                 ${blocks}\n`,
    `births           ${count(model.births)}, ${count(model.fromFreeList)} where another had been: ${percent(model.hitRate)}\n`,
    `alive            ${count(model.live)}, at most ${count(model.peakLive)} at ${timeText(model.peakAt)}\n`,
    `free places      ${count(model.free)}, at most ${count(model.highestFree)}\n`,
    `memory           ${bytes(model.bytes)}\n`,
  ].join("");
}

export function compareText(answer: PoolsAnalysis): string {
  const pymallocs = answer.models.filter((model) => model.kind === "pymalloc");
  const privates = answer.models.filter((model) => model.kind === "private-pool");
  const parts = [modelNote(answer), "\n"];
  if (pymallocs.length > 0) {
    parts.push(
      tableText(
        [
          "model",
          "served",
          "to malloc",
          "arenas",
          "most",
          "returned",
          "memory",
          "requested",
          "internal",
          "external",
          "pinned",
        ],
        ["left", "right", "right", "right", "right", "right", "right", "right", "right", "right", "right"],
        pymallocs.map((model) => [
          model.name,
          count(model.requests),
          count(model.passedOn),
          count(model.arenas),
          count(model.peakArenas),
          count(model.arenasReturned),
          bytes(model.system),
          bytes(model.requested),
          percent(model.internalFragmentation),
          percent(model.externalFragmentation),
          count(model.sparse.arenas),
        ]),
      ),
      "\ninternal: lost to rounding up, of the blocks; external: free blocks and pools, headers and rests, of the arenas; pinned: arenas less than a tenth full\n",
    );
  }
  if (privates.length > 0) {
    parts.push(
      pymallocs.length > 0 ? "\n" : "",
      tableText(
        ["model", "births", "reused", "hit rate", "alive", "most alive", "free places", "memory"],
        ["left", "right", "right", "right", "right", "right", "right", "right"],
        privates.map((model) => [
          model.name,
          count(model.births),
          count(model.fromFreeList),
          percent(model.hitRate),
          count(model.live),
          count(model.peakLive),
          count(model.free),
          bytes(model.bytes),
        ]),
      ),
    );
  }
  const { heap } = answer;
  parts.push(
    `\nthe real heap    ${bytes(heap.used)} in use, ${bytes(heap.footprint)} footprint, all domains and what was there before\n`,
  );
  return parts.join("");
}

export function lifeText(life: AddressLife, limit: number, home: string): string {
  const { occupants } = life;
  const shown = Math.min(limit, occupants.length);
  const head = Math.ceil(shown / 2);
  const cells = occupants.map((one) => [
    one.what,
    one.id === null ? hex(one.address) : `#${one.id}`,
    one.type === null ? `(${printable(one.domain ?? "?")})` : printable(one.type),
    bytes(one.size),
    one.via,
    one.born === null ? "before" : timeText(one.born),
    one.died === null ? "-" : timeText(one.died),
    placeText(one.place, home),
  ]);
  const hidden = occupants.length - shown + life.leftOut;
  const rows = [
    ...cells.slice(0, head),
    ...(hidden > 0 ? [["…", `${count(hidden)} more`, "", "", "", "", "", ""]] : []),
    ...cells.slice(cells.length - (shown - head)),
  ];
  const summary = `${hex(life.address)}: ${plural(life.blocks, "block")} and ${plural(life.objects, "object")}, ${count(life.fromFreeList)} of them from a free list\n`;
  if (occupants.length === 0) return `${hex(life.address)}: nobody lived there up to ${timeText(life.to)}\n`;
  return `${summary}\n${tableText(
    ["what", "who", "type", "bytes", "via", "born", "died", "created in"],
    ["left", "left", "left", "right", "left", "left", "left", "left"],
    rows,
  )}`;
}
