/** Rounds of lines: as many as the loop goes round, the last of them shown, what belongs to one statement told as one, and sums that add up. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roundsOf, type Told, teller } from "./told.js";

const { tell, close } = teller();
afterAll(close);

const lines = [
  "for i in range(1000, 1003):",
  "    x = [i]",
  "items = [[1], [2], [3]]",
  "for a in items:",
  "    pass",
  "squares = [a * 2 for a in items]",
  'strings = ["a%d" % n for n in range(3)]',
  "table = {str(n): a for n, a in enumerate(items)}",
  "for a in []:",
  "    pass",
  "def first(of):",
  "    for a in of:",
  "        if a:",
  "            break",
  "    return a",
  "for n in range(4):",
  "    got = first(items)",
  "class Context:",
  "    def __enter__(self):",
  "        self.r = []",
  "        return self.r",
  "    def __exit__(self, *error):",
  "        self.r = None",
  "def decorate(f):",
  "    return f",
  "@decorate",
  "def work(n):",
  "    yield [n]",
  "with Context() as r:",
  "    for a in items:",
  "        r.append(a)",
  "out = list(work(1000))",
  "pair = (",
  "    items,",
  "    out,",
  ")",
  "def cell():",
  "    f = lambda: f",
  "cell()",
  "cell()",
  "big = 2 ** 70",
  "kept = []",
  "for n in range(50):",
  "    big = big + 1",
  "    kept.append(big)",
  "def tree(depth):",
  "    if depth:",
  "        for node in tree(depth - 1):",
  "            yield [node]",
  "    yield [depth]",
  "leaves = list(tree(3))",
  "def small():",
  "    for n in range(3):",
  "        one = [big, n]",
  "    for n in range(4):",
  "        two = (big, n)",
  "    many = [[n] for n in range(5)]",
  "small()",
];
const at = (source: string): number => lines.indexOf(source) + 1;

let told: Told;
beforeAll(async () => {
  told = await tell(`${lines.join("\n")}\n`);
}, 300_000);

const line = (source: string) => {
  const found = told.explanation.lines.find((one) => one.line === at(source));
  if (!found) throw new Error(`no line ${source}`);
  return found;
};
/** As it is printed. */
const printed = (source: string): string[] => {
  const all = told.text.split("\n");
  const start = all.findIndex((text) => text.replace(/^ *\d+ {2}/, "").startsWith(source));
  const end = all.findIndex((text, i) => i > start && /^ *\d+ {2}\S| *\d+ {6}/.test(text.slice(0, 10)));
  return all.slice(start, end < 0 ? undefined : end);
};

describe("loops", () => {
  it.each([
    ["for i in range(1000, 1003):", 3],
    ["    x = [i]", 3],
    ["for a in items:", 3],
    ["squares = [a * 2 for a in items]", 3],
    ['strings = ["a%d" % n for n in range(3)]', 3],
    ["table = {str(n): a for n, a in enumerate(items)}", 3],
    ["for a in []:", 1],
    ["            break", 4],
    ["    got = first(items)", 4],
    ["    kept.append(big)", 50],
    // tree(3) to tree(1) go round once, twice and thrice.
    ["            yield [node]", 6],
  ])("%s: %i rounds", (source, rounds) => {
    expect(line(source).rounds, printed(source).join("\n")).toBe(rounds);
    if (rounds > 1) expect(printed(source)[0]).toMatch(new RegExp(`\\(${rounds} rounds`));
    else expect(printed(source)[0]).not.toMatch(/rounds/);
  });

  it("the last round is the one in which the last value was bound", () => {
    const bound = line("for i in range(1000, 1003):").shown.map(({ nth, phase, objects }) => [
      nth,
      phase,
      objects.flatMap(({ changes }) => changes.map(({ text }) => text)).filter((text) => text === "bound to `i`")
        .length,
    ]);
    expect(bound.slice(0, 2)).toEqual([
      [1, "round", 1],
      [3, "round", 1],
    ]);
    const [birth] = roundsOf(told.explanation, 1, "i").filter(({ changes }) =>
      changes.some(({ by }) => by === "birth"),
    );
    expect(birth?.after).toBe(1);
    expect(told.explanation.objects.filter(({ names }) => names.includes("i")).at(-1)?.death).toBe(null);
  });

  it("what the line does when the loop is over belongs to the last round, and is said as that", () => {
    const { shown } = line("squares = [a * 2 for a in items]");
    expect(shown.map(({ nth, phase }) => `${nth} ${phase}`)).toEqual(["1 round", "3 round", "3 over"]);
    expect(printed("squares =").join("\n")).toMatch(/round 3:\n.*when the loop was over:\n.*bound to `squares`/s);
    expect(printed("for a in items:").join("\n")).toMatch(/when the loop was over:\n +list #\d+ `items`/);
  });
});

it.each([
  ["        one = [big, n]", 3],
  ["        two = (big, n)", 4],
  ["    many = [[n] for n in range(5)]", 5],
])(
  "a loop that leaves events at one instruction alone goes round as often as that makes something: %s",
  (source, n) => {
    expect(line(source).rounds).toBe(n);
  },
);

describe("one statement that runs once", () => {
  it.each(["class Context:", "def work(n):", "@decorate", "with Context() as r:", "pair = ("])("%s", (source) => {
    expect(printed(source)[0]).not.toMatch(/rounds/);
    expect(printed(source).join("\n")).not.toMatch(/round \d/);
    expect(line(source).functions.every(({ rounds }) => rounds === 1)).toBe(true);
  });

  it("a function that begins on the line is told apart from the line", () => {
    expect(printed("def cell():")[0]).toMatch(/\(3 rounds: 1 in the module, 2 in cell\(\)\)$/);
  });
});

describe("sums", () => {
  it("add up, and say what other lines did", () => {
    let checked = 0;
    for (const { objects } of told.explanation.lines)
      for (const { before, after, born, plus, minus, set, elsewhere } of objects) {
        if (before === null || after === null) continue;
        expect(before + born + plus - minus + set + elsewhere).toBe(after);
        checked++;
      }
    expect(checked).toBeGreaterThan(50);
    const sum = printed("    big = big + 1").join(" ").replace(/\s+/g, " ");
    expect(sum).toMatch(/`big` 0 → 1 \(born with 1, \+2 −3, \+1 on other lines\)/);
  });

  it("are of all rounds: what was born in a round that is not shown is not among them", () => {
    for (const { line: number, rounds, shown, objects } of told.explanation.lines) {
      if (rounds < 3) continue;
      for (const { object, born } of objects) {
        const { born: birth } = told.explanation.objects.find((one) => one.object === object)!;
        const inShown = shown.some(({ first, last }) => birth && birth.event >= first && birth.event <= last);
        expect(born === 1, `line ${number}: #${object}`).toBe(birth?.line === number && inShown);
      }
    }
  });
});
