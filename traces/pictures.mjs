/**
 * The course's pictures, drawn from recorded events: each number in them is asked of a trace (or of the allocator models, fed with a trace's
 * requests), none is written here. They name no event number and no address, so they are the same wherever they are drawn.
 */
import { pathToFileURL } from "node:url";
import { join } from "node:path";

const INK = "#1f2933";
const SOFT = "#9aa5b1";
const USED = "#2f6f9f";
const FREE = "#e4e7eb";
const LOUD = "#c2410c";
const escaped = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

const svg = (width, height, title, body) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Noto Sans CJK SC', sans-serif" font-size="13">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${body.join("\n")}
</svg>
`;
const text = (x, y, what, { fill = INK, anchor = "start", size, mono = false } = {}) =>
  `<text x="${x}" y="${y}" fill="${fill}" text-anchor="${anchor}"${size ? ` font-size="${size}"` : ""}${mono ? ` font-family="ui-monospace, monospace"` : ""}>${escaped(what)}</text>`;
const rect = (x, y, width, height, fill, more = "") =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}"${more}/>`;

/** Bars of counts, one a row: `rows` are [source line, count]. */
function bars(title, rows) {
  const most = Math.max(...rows.map(([, count]) => count));
  const left = 330;
  const unit = Math.min(36, 280 / most);
  const body = rows.flatMap(([what, count], i) => {
    const y = 16 + i * 26;
    return [
      text(left - 12, y + 14, what, { anchor: "end", mono: true, size: 12 }),
      ...Array.from({ length: count }, (_, n) => rect(left + n * unit, y + 3, unit - 3, 15, USED, ' rx="2"')),
      text(left + count * unit + 6, y + 15, count),
    ];
  });
  return svg(left + most * unit + 50, 28 + rows.length * 26, title, body);
}

export async function pictures({ wanted, recorded, root }) {
  const parts = ["index.js", "allocators/pymalloc.js", "allocators/private-pool.js", "allocators/profiles.js"];
  const modules = await Promise.all(parts.map((part) => import(pathToFileURL(join(root, "dist", part)).href)));
  const library = Object.assign({}, ...modules);
  const drawn = [];
  const open = new Map();
  const replayOf = (program) => {
    if (!open.has(program)) open.set(program, library.openReplay(recorded(program).trace));
    return open.get(program);
  };
  const countAt = (program, mark, object) => {
    const replay = replayOf(program);
    replay.seek(library.resolveTime(replay, `mark:${mark}`));
    const id = library.resolveObject(replay, object);
    return replay.heap.objectAt(replay.birthOf(id).address).count;
  };
  const events = (program, from, to, kinds) => {
    const replay = replayOf(program);
    const time = (mark) => library.resolveTime(replay, `mark:${mark}`);
    return [...library.describeEvents(replay.reader, { from: time(from), to: time(to) - 1, kinds })];
  };
  const draw = async (chapter, name, make) => {
    if (wanted.length === 0 || wanted.includes(chapter)) drawn.push([name, await make()]);
  };
  try {
    await draw("01", "01-count-up.svg", () => {
      const at = (mark) => countAt("01-count-up", mark, "Thing[1]");
      return bars("The count of one object, after each statement of 01-count-up.py", [
        ["thing = Thing()", at("bound")],
        ["second = thing", at("name")],
        ["look(thing)  … while it runs", at("inside[1]")],
        ["… and after it", at("call")],
        ["shelf = [thing]", at("list")],
        ["shelf.append(thing)", at("append")],
        ["pair = (thing, thing)", at("tuple")],
        ['table = {"key": thing}', at("value")],
        ['table[thing] = "value"', at("key")],
        ["bag = {thing}", at("set")],
        ["owner.property = thing", at("attribute")],
        ["closure = enclose(thing)", at("cell")],
        ["weak = weakref.ref(thing)", at("weak")],
      ]);
    });
    await draw("02", "02-count-down.svg", () => {
      const at = (mark) => countAt("02-count-down", mark, "Thing");
      return bars("The count of one object, before and after each statement of 02-count-down.py", [
        ["shelf = [thing] * 6  …", at("remove-before")],
        ["shelf.remove(thing)", at("remove")],
        ["shelf.pop()", at("pop")],
        ["del shelf[1:3]", at("slice")],
        ["shelf.clear()", at("clear")],
        ["shelf = [thing, thing]", at("container-before")],
        ["del shelf", at("container")],
      ]);
    });
    await draw("03", "03-at-zero.svg", () => order(events));
    await draw("04", "04-cycles.svg", () => cycle((mark, object) => countAt("04-cycles", mark, object)));
    await draw("05", "05-pools.svg", () => pools(library, events));
    await draw("06", "06-private-pools.svg", () => privatePools(library, events));
    await draw("07", "07-borrowed.svg", () => {
      const changes = (from, to, mark, object) => {
        const replay = replayOf("07-borrowed");
        replay.seek(library.resolveTime(replay, `mark:${mark}`));
        const { address } = replay.birthOf(library.resolveObject(replay, object));
        return events("07-borrowed", from, to, ["incref", "decref"]).filter((event) => event.address === address).length;
      };
      return bars("Changes of the object's count that a statement makes, 07-borrowed.py on CPython 3.14", [
        ["three looks at a local variable", changes("looked-before", "looked", "looked-before", "Thing")],
        ["look(thing)  from a function", changes("asked", "called", "looked-before", "Thing")],
        ["a look at a module's name", changes("module-before", "module", "module-before", "Thing")],
      ]);
    });
    await draw("08", "08-free-ranges.svg", () => ranges(events));
  } finally {
    for (const replay of open.values()) replay.close();
  }
  return drawn;
}

/** Chapter 3: what happens between `del ship` and the next line. */
function order(events) {
  const rows = [];
  for (const event of events("03-at-zero", "order-before", "order", ["decref", "dealloc", "call", "free"])) {
    const { kind, type, operands } = event;
    if (kind === "decref" && type === "Ship" && rows.length === 0) rows.push(["del ship", "the last reference goes: 1 → 0"]);
    else if (kind === "dealloc" && type === "Ship") rows.push(["dealloc", "the Ship is handed to its destructor"]);
    else if (kind === "call" && operands.code === "Ship.__del__") rows.push(["Ship.__del__", "its finalizer runs; the Ship is whole"]);
    else if (kind === "call" && operands.code === "<lambda>") rows.push(["callback", "weak references are cleared, then told"]);
    else if (kind === "dealloc" && type === "Cargo") rows.push(["dealloc", "its attributes go: the Cargo's count is 0 too"]);
    else if (kind === "call" && operands.code === "Cargo.__del__") rows.push(["Cargo.__del__", "the Cargo's finalizer runs"]);
  }
  rows.push(["free", "the memory goes back; the next line runs"]);
  const body = rows.flatMap(([what, meaning], i) => [
    `<circle cx="24" cy="${26 + i * 32}" r="10" fill="${i === 0 ? LOUD : USED}"/>`,
    ...(i > 0 ? [`<line x1="24" y1="${4 + i * 32}" x2="24" y2="${16 + i * 32}" stroke="${SOFT}"/>`] : []),
    text(24, 30 + i * 32, i + 1, { fill: "#ffffff", anchor: "middle", size: 11 }),
    text(48, 30 + i * 32, what, { mono: true }),
    text(180, 30 + i * 32, meaning, { fill: INK }),
  ]);
  return svg(520, 20 + rows.length * 32, "What one del does, in order", body);
}

/** Chapter 4: the two objects with their counts at four moments. */
function cycle(countAt) {
  const frames = [
    ["closed", "right.other = left", true, true],
    ["one-name", "del left", false, true],
    ["orphaned", "del right", false, false],
    ["collected", "gc.collect()", undefined, undefined],
  ];
  const arrow = (x1, y1, x2, y2, colour) =>
    `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colour}" stroke-width="1.5" marker-end="url(#to)"/>`;
  const body = [
    `<defs><marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="${INK}"/></marker></defs>`,
  ];
  frames.forEach(([mark, line, left, right], i) => {
    const x = 20 + i * 200;
    body.push(text(x + 80, 22, line, { mono: true, anchor: "middle" }));
    for (const [k, name, held] of [
      [0, "Left", left],
      [1, "Right", right],
    ]) {
      const cx = x + 34 + k * 92;
      if (held === undefined) {
        body.push(`<circle cx="${cx}" cy="120" r="26" fill="none" stroke="${SOFT}" stroke-dasharray="4 4"/>`);
        body.push(text(cx, 124, "freed", { anchor: "middle", fill: SOFT, size: 11 }));
        continue;
      }
      body.push(`<circle cx="${cx}" cy="120" r="26" fill="${held ? "#dbeafe" : "#ffedd5"}" stroke="${held ? USED : LOUD}"/>`);
      body.push(text(cx, 118, name, { anchor: "middle", size: 12 }));
      body.push(text(cx, 134, countAt(mark, name), { anchor: "middle", size: 13 }));
      if (held) {
        body.push(text(cx, 58, name.toLowerCase(), { anchor: "middle", mono: true, size: 12 }));
        body.push(arrow(cx, 64, cx, 93, INK));
      }
    }
    if (left === undefined) return;
    body.push(arrow(x + 58, 108, x + 102, 108, INK), arrow(x + 102, 132, x + 58, 132, INK));
  });
  return svg(820, 165, "A cycle: the numbers are the counts recorded at these moments", body);
}

/** Chapter 5: the pools of the 64-byte class after all but 40 of 20,000 blocks were freed; the requests run through the model. */
async function pools({ pymallocProfile, Pymalloc }, events) {
  const rows = [];
  for (const name of ["3.9-64", "3.10-64"]) {
    const profile = pymallocProfile(name);
    const model = new Pymalloc(profile);
    const places = new Map();
    for (const event of events("05-pinned-pools", "second-before", "second-pinned", ["alloc", "free"])) {
      if (event.kind === "alloc" && event.operands.size === 64) places.set(event.address, model.malloc(64));
      else if (event.kind === "free" && places.has(event.address)) {
        model.free(places.get(event.address));
        places.delete(event.address);
      }
    }
    const most = Math.ceil(20_000 / model.blocksPerPool(64));
    const pinned = new Set([...places.values()].map((address) => Math.floor(address / profile.poolBytes)));
    const first = Math.min(...pinned);
    rows.push({ profile, most, pinned, first, inUse: model.poolsInUse, blocks: model.blocks });
  }
  const body = [];
  let y = 20;
  for (const { profile, most, pinned, first, inUse, blocks } of rows) {
    const kib = profile.poolBytes / 1024;
    body.push(text(16, y, `pools of ${kib} KiB: ${blocks} blocks of 64 bytes (${(blocks * 64) / 1024} KiB) hold ${inUse} of ${most} pools (${inUse * kib} KiB)`));
    const columns = 80;
    for (let i = 0; i < most; i++) {
      body.push(rect(16 + (i % columns) * 9, y + 10 + Math.floor(i / columns) * 11, 8, 9, pinned.has(first + i) ? LOUD : FREE));
    }
    y += 40 + Math.ceil(most / columns) * 11;
  }
  return svg(760, y - 10, "Pools held by one survivor each", body);
}

/** Chapter 6: peak memory of integers, then floats, with private block pools and with one allocator for both. */
async function privatePools({ PrivatePool, privatePoolProfile, pymallocProfile, Pymalloc }, events) {
  const shared = new Pymalloc(pymallocProfile("3.10-64"));
  const own = { int: new PrivatePool(privatePoolProfile("python2-int-64")), float: new PrivatePool(privatePoolProfile("python2-float-64")) };
  const places = new Map();
  const feed = (from, to) => {
    for (const { kind, type, address } of events("06-private-pools", from, to, ["new", "dealloc"])) {
      if (type !== "int" && type !== "float") continue;
      if (kind === "new") places.set(address, [type, own[type].born(), shared.malloc(type === "int" ? 32 : 24)]);
      else if (places.has(address)) {
        const [was, place, block] = places.get(address);
        own[was].died(place);
        shared.free(block);
        places.delete(address);
      }
    }
    return [own.int.bytes, own.float.bytes, shared.poolsInUse * shared.profile.poolBytes];
  };
  const steps = [
    ["20,000 integers", feed("integers-before", "integers")],
    ["released", feed("integers", "released")],
    ["20,000 floats", feed("released", "floats")],
  ];
  const most = Math.max(...steps.flatMap(([, [a, b, c]]) => [a + b, c]));
  const unit = 380 / most;
  const size = (bytes) => `${Math.round(bytes / 1024).toLocaleString("en-US")} KiB`;
  const body = [
    text(170, 20, "Python 2: a block pool for each type", { size: 12 }),
    rect(420, 10, 12, 12, USED), text(437, 20, "int", { size: 12 }),
    rect(470, 10, 12, 12, LOUD), text(487, 20, "float", { size: 12 }),
    rect(530, 10, 12, 12, "#5b8c5a"), text(547, 20, "Python 3: pools for all", { size: 12 }),
  ];
  steps.forEach(([name, [ints, floats, all]], i) => {
    const y = 40 + i * 58;
    body.push(text(156, y + 26, name, { anchor: "end" }));
    body.push(rect(170, y, ints * unit, 18, USED), rect(170 + ints * unit, y, floats * unit, 18, LOUD));
    body.push(text(176 + (ints + floats) * unit, y + 14, size(ints + floats), { size: 12 }));
    body.push(rect(170, y + 22, all * unit, 18, "#5b8c5a"), text(176 + all * unit, y + 36, size(all), { size: 12 }));
  });
  return svg(720, 40 + steps.length * 58, "Memory held for integers and floats, by the models", body);
}

/** Chapter 8: the four blocks and what took their place. */
function ranges(events) {
  const P = "08-free-ranges";
  const place = (from, to, size) => events(P, from, to, ["alloc"]).filter(({ operands }) => operands.size === size).map(({ address }) => address);
  const [a, b, c, d] = place("cut", "cut-done", 40_000);
  const [double] = place("hole-done", "double-done", 80_000);
  const [same] = place("double-done", "same-done", 40_000);
  const [joined] = place("join-done", "joined-done", 80_000);
  const end = double + 80_008;
  const x = (address) => 190 + ((address - a) / (end - a)) * 520;
  const row = (i, what, blocks) => {
    const y = 18 + i * 34;
    const parts = [text(178, y + 15, what, { anchor: "end", mono: true, size: 12 }), rect(190, y, 520, 22, FREE)];
    for (const [name, address, size, fill] of blocks) {
      const width = ((size + 8) / (end - a)) * 520;
      parts.push(rect(x(address).toFixed(1), y, (width - 2).toFixed(1), 22, fill ?? USED));
      parts.push(text((x(address) + width / 2).toFixed(1), y + 15, name, { fill: "#ffffff", anchor: "middle", size: 11 }));
    }
    return parts;
  };
  const A = ["a", a, 40_000];
  const B = ["b", b, 40_000];
  const C = ["c", c, 40_000];
  const D = ["d", d, 40_000];
  const E = ["double", double, 80_000];
  return svg(730, 18 + 6 * 34, "The heap of 08-free-ranges.py, to scale; grey is free", [
    ...row(0, "a, b, c, d", [A, B, C, D]),
    ...row(1, "del b", [A, C, D]),
    ...row(2, "double = 80,000", [A, C, D, E]),
    ...row(3, "same = 40,000", [A, ["same", same, 40_000, LOUD], C, D, E]),
    ...row(4, "del same, c", [A, D, E]),
    ...row(5, "joined = 80,000", [A, ["joined", joined, 80_000, LOUD], D, E]),
  ]);
}
