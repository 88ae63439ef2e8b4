/**
 * The reasons that are given, where they are easily wrong: what C code puts into containers and takes out, what it holds for a moment, and
 * what destructors do. Each has its truth from CPython's source or from what must be so: `c = [1] + [x]` has no reading of x from a list.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectOf, reasons, roundsOf, type Told, teller } from "./told.js";

const { tell, close } = teller();
afterAll(close);

describe("containers", () => {
  const lines = [
    "class Box: pass",
    "x = Box()",
    "c = [1] + [x]",
    "u = (x,) + (x, x)",
    "v = u[1:]",
    "e = c[:]",
    "w = [x] * 3",
    "c += [x, x]",
    "s = {x} | {1}",
    "first = v[0]",
    "c.append(x)",
    "c.insert(0, x)",
    "c.extend([x, 2])",
    "c.remove(x)",
    "c.clear()",
    "s.add(x)  # is there",
    "s.discard(x)",
    "s.add(x)",
    "d = {}",
    "d.update(k=x)",
    "one = [1, [x]]",
    "both = c + one[1]",
    "class Keeper:",
    "    def __init__(self): self.kept = []",
    "    def append(self, x): self.kept.append(x)",
    "keeper = Keeper()",
    "keeper.append(x)",
    "from collections import defaultdict",
    "by = defaultdict(list)",
    "by[x]",
  ];
  let told: Told;
  const of = (source: string, name = "x"): string[] => reasons(told.explanation, lines.indexOf(source) + 1, name);
  beforeAll(async () => {
    told = await tell(`${lines.join("\n")}\n`);
  }, 120_000);

  it("new ones hold what was put into them", () => {
    for (const [source, name, type, place] of [
      ["c = [1] + [x]", "c", "list", "element"],
      ["u = (x,) + (x, x)", "u", "tuple", "element"],
      ["v = u[1:]", "v", "tuple", "element"],
      ["e = c[:]", "e", "list", "element"],
      ["w = [x] * 3", "w", "list", "element"],
      ["s = {x} | {1}", "s", "set", "member"],
      ["both = c + one[1]", "both", "list", "element"],
    ] as const) {
      // `c` and `s` keep their numbers: the objects are changed in place.
      const sum = of(source).filter((text) =>
        text.endsWith(`${place} of the new ${type} #${objectOf(told.explanation, name)}`),
      );
      const times = { u: 3, v: 2 }[name as string] ?? 1;
      expect(sum, `${source}: ${of(source).join("; ")}`).toHaveLength(times);
      expect(of(source).filter((text) => /\]` is read|slice/.test(text))).toEqual([]);
    }
  });

  it("an element that is read is read, though", () => {
    expect(of("first = v[0]")).toContain("+1 `v[0]` is read onto the stack");
  });

  it("nor is a container that a subscript makes what holds the key", () => {
    expect(of("by[x]").filter((text) => /element|is read onto the stack/.test(text))).toEqual([
      "+1 `x` is read onto the stack",
    ]);
  });

  it("those that are there already are named where the line names them", () => {
    for (const [source, text, times] of [
      ["c += [x, x]", "+1 element of list `c`", 2],
      ["c.append(x)", "+1 element of list `c`", 1],
      ["c.insert(0, x)", "+1 element of list `c`", 1],
      ["c.extend([x, 2])", "+1 element of list `c`", 1],
      ["c.remove(x)", "−1 removed from list `c`", 1],
      ["s.add(x)", "+1 member of set `s`", 1],
      ["s.discard(x)", "−1 removed from set `s`", 1],
      ["d.update(k=x)", "+1 key or value of dict `d`", 1],
    ] as const)
      expect(
        of(source).filter((one) => one === text),
        `${source}: ${of(source).join("; ")}`,
      ).toHaveLength(times);
    expect(of("s.add(x)  # is there").filter((one) => /member/.test(one))).toEqual([]);
    const cleared = of("c.clear()");
    expect(cleared.filter((one) => one === "−1 removed from list `c`").length).toBe(cleared.length);
    expect(cleared.length).toBeGreaterThan(3);
  });

  it("a method of that name of something else is not taken for a list's", () => {
    expect(of("keeper.append(x)").filter((text) => /element of/.test(text))).toEqual([]);
  });

  it("each reason is for an event that the round has, and they add up", () => {
    for (const { shown } of told.explanation.lines)
      for (const { objects } of shown)
        for (const { before, after, plus, minus, elsewhere, changes } of objects) {
          const born = changes.some(({ by }) => by === "birth") ? 1 : 0;
          const set = changes.filter(({ delta }) => Math.abs(delta) > 1).reduce((sum, { delta }) => sum + delta, 0);
          if (before !== null && after !== null) expect(before + born + plus - minus + set + elsewhere).toBe(after);
        }
    expect(told.text).not.toMatch(/C code \((list|set)\.(append|remove|insert|clear|add)\)/);
  });
});

describe("what the interpreter does by itself once it knows the type", () => {
  const lines = [
    "class Box: pass",
    "class Keeper:",
    "    def __init__(self): self.kept = []",
    "    def append(self, item):",
    "        self.kept.append(item)",
    "def fill(keeper, x):",
    "    for _ in range(20):",
    "        keeper.append(x)",
    "x = Box()",
    "fill(Keeper(), x)",
    "many = []",
    "for _ in range(20):",
    "    many.append(x)",
    "d = {}",
    'd.setdefault("k", x)',
    'd.setdefault("k", Box())  # is there',
    'd.setdefault("l", []).append(x)',
    "d.setdefault(x, x)",
  ];
  let told: Told;
  const of = (source: string): string[] => reasons(told.explanation, lines.indexOf(source) + 1, "x");
  beforeAll(async () => {
    told = await tell(`${lines.join("\n")}\n`);
  }, 120_000);

  it("a list's elements are its elements, first and last", () => {
    // Of 20 rounds the first and the last are told.
    expect(of("        self.kept.append(item)").filter((text) => text.startsWith("+1"))).toEqual([
      "+1 element of list `self.kept`",
      "+1 element of list `self.kept`",
    ]);
    expect(of("    many.append(x)").filter((text) => text.includes("element of"))).toEqual([
      "+1 element of list `many`",
      "element of list `many` takes over the stack's reference",
    ]);
  });

  it("a method of that name that is written in Python takes an argument", () => {
    const told = of("        keeper.append(x)");
    expect(told.filter((text) => text.includes("element of"))).toEqual([]);
    expect(told.filter((text) => text.includes("argument `item` of Keeper.append()"))).toHaveLength(2);
  });

  it("setdefault counts what it puts in, and what it gives", () => {
    const given = (source: string): string => `+1 what \`${source}\` gives, on the stack`;
    const set = of('d.setdefault("k", x)');
    expect(set.filter((text) => text === "+1 key or value of dict `d`")).toHaveLength(1);
    expect(set.filter((text) => text === given('d.setdefault("k", x)'))).toHaveLength(1);
    expect(of('d.setdefault("k", Box())  # is there').filter((text) => text.includes("key or value"))).toEqual([]);
    const both = of("d.setdefault(x, x)");
    expect(both.filter((text) => text === "+1 key or value of dict `d`")).toHaveLength(2);
    expect(both.filter((text) => text === given("d.setdefault(x, x)"))).toHaveLength(1);
    expect(of('d.setdefault("l", []).append(x)').filter((text) => text.includes("element of"))).toEqual([
      '+1 element of list `d.setdefault("l", [])`',
    ]);
  });
});

describe("destructors", () => {
  const lines = [
    "class Box: pass",
    "a = Box()",
    "a.k = []",
    "del a.k",
    "del a",
    "def f(): pass",
    "del f",
    "d = {'k': [1]}",
    "del d",
    "def drive(error):",
    "    try:",
    "        raise error([1])",
    "    except LookupError as stop:",
    "        return stop.args",
    "got = drive(LookupError)",
  ];
  let told: Told;
  const of = (source: string, name: string): string[] => reasons(told.explanation, lines.indexOf(source) + 1, name);
  beforeAll(async () => {
    told = await tell(`${lines.join("\n")}\n`);
  }, 120_000);

  it("an instance that dies gives its type back: the name that went was the instance's", () => {
    const id = objectOf(told.explanation, "a");
    expect(of("del a", "Box")).toEqual([`−1 Box #${id}, whose type it is, is freed`]);
    expect(of("del a", "a")[0]).toBe("−1 del `a`");
  });

  it("what C code takes of the type and gives back is not the attribute's doing", () => {
    const [round] = roundsOf(told.explanation, lines.indexOf("del a.k") + 1, "Box");
    expect(round?.changes.map(({ by, delta }) => [by, delta])).toEqual([
      ["c", 1],
      ["c", -1],
    ]);
    expect(told.text).toMatch(/del a\.k\n(?: .*\n)*? +held for a moment by C code: type #\d+ `Box` \+1 −1/);
  });

  it("an object is not what referred to it: its deallocator holds it while it works", () => {
    expect(of("del f", "f")).toEqual([
      "−1 del `f`",
      "freed",
      "+1 its deallocator's own temporary reference",
      "−1 its deallocator's own temporary reference",
    ]);
    expect(of("del d", "d").slice(0, 2)).toEqual(["−1 del `d`", "freed"]);
    for (const { object } of told.explanation.objects)
      for (const { shown } of told.explanation.lines)
        for (const { objects } of shown)
          for (const one of objects)
            if (one.object === object)
              for (const { text } of one.changes)
                expect(text).not.toMatch(new RegExp(`#${object}, which referred to it`));
  });

  it("what falls with something that dies falls with that, whatever the line says", () => {
    const all = told.explanation.lines.flatMap(({ shown }) => shown.flatMap(({ objects }) => objects));
    const texts = all.flatMap(({ changes }) => changes.map(({ text }) => text));
    expect(texts.filter((text) => text.includes("referred to before"))).toEqual([]);
    const stop = objectOf(told.explanation, "drive.stop");
    expect(of("        return stop.args", "got")).toContain(`−1 falls with LookupError #${stop}, which is freed`);
  });
});

describe("locals", () => {
  const lines = [
    "class Box: pass",
    "def f():",
    "    x = Box()",
    "    y = Box()",
    "    a, b = x, y",
    "    kept = [x]",
    "    z = kept.pop()",
    "    return z",
    "f()",
  ];
  let told: Told;
  const of = (source: string, name: string): string[] => reasons(told.explanation, lines.indexOf(source) + 1, name);
  beforeAll(async () => {
    told = await tell(`${lines.join("\n")}\n`);
  }, 120_000);

  it("take over what the line ends with, though that comes after its last event", () => {
    expect(of("    x = Box()", "f.x").at(-1)).toBe("`x` takes over the stack's reference");
    expect(of("    y = Box()", "f.y").at(-1)).toBe("`y` takes over the stack's reference");
    expect(of("    a, b = x, y", "f.a").at(-1)).toBe("`a` takes over the stack's reference");
    expect(of("    a, b = x, y", "f.b").at(-1)).toBe("`b` takes over the stack's reference");
    expect(of("    z = kept.pop()", "f.z").at(-1)).toBe("`z` takes over the stack's reference");
  });
});

describe("loops, comprehensions and what they hold", () => {
  const lines = [
    "class Box: pass",
    "x = Box()",
    "y = Box()",
    "many = [x, y]",
    "for i, j in zip(many, many):",
    "    pass",
    "for n, k in enumerate(many): pass",
    "for each in many: pass",
    "del i, j, k, each",
    "def f(a, b):",
    "    kept = [item for item in (a, b)]",
    "    a, b = b, a",
    "    first, *rest = kept",
    "    return kept",
    "f(x, y)",
    "found = x in many",
    "def g(n, acc=[]):",
    "    acc.append(n)",
    "g(x)",
  ];
  let told: Told;
  const of = (source: string, name = "x"): string[] => reasons(told.explanation, lines.indexOf(source) + 1, name);
  beforeAll(async () => {
    told = await tell(`${lines.join("\n")}\n`);
  }, 120_000);

  it("a tuple that an iterator gives holds its elements: they are not on the stack", () => {
    for (const [source, times] of [
      ["for i, j in zip(many, many):", 2],
      ["for n, k in enumerate(many): pass", 1],
    ] as const) {
      const all = of(source);
      expect(all.filter((text) => text === "+1 element of the loop's next value")).toHaveLength(times);
      expect(all.filter((text) => /next value, on the stack|handed/.test(text))).toEqual([]);
    }
  });

  it("what is iterated over is let go by its iterator", () => {
    const all = of("for each in many: pass", "many");
    expect(all.at(-1)).toBe("−1 the iterator has come to its end and lets go");
    expect(all.filter((text) => text === "−1 leaves the stack")).toHaveLength(1);
  });

  it("a comprehension's variable is read, goes into the list, and goes out of scope", () => {
    const all = of("    kept = [item for item in (a, b)]");
    expect(all).toContain("+1 `item` is read onto the stack");
    expect(all).toContain("the stack's reference is handed to the new list");
    expect(of("    kept = [item for item in (a, b)]", "y").at(-1)).toBe(
      "−1 `item` of the comprehension goes out of scope",
    );
    expect(all.filter((text) => text.includes("C code"))).toEqual([]);
  });

  it("of two variables that one instruction works on, the one that names the object is told", () => {
    const id = objectOf(told.explanation, "x");
    const line = told.explanation.lines[lines.indexOf("    a, b = b, a")]!;
    const all = line.shown.flatMap(({ objects }) => objects.filter(({ object }) => object === id));
    expect(all.flatMap(({ changes }) => changes.map(({ text }) => text))).toEqual([
      "`a` is read onto the stack",
      "`a` is bound anew",
      "`b` takes over the stack's reference",
    ]);
  });

  it("what is unpacked is not unpacked itself, and what is looked through is held for a moment", () => {
    const all = of("    first, *rest = kept", "f.kept");
    expect(all.filter((text) => text.includes("unpacked onto"))).toEqual([]);
    expect(of("found = x in many").filter((text) => text.includes("leaves the stack"))).toHaveLength(1);
  });

  it("a default is no element of a list that its function appends to", () => {
    expect(of("def g(n, acc=[]):", "g.acc").filter((text) => text.includes("element"))).toEqual([]);
  });
});

describe("cells, types and arguments", () => {
  const lines = [
    "class Box:",
    "    def method(self): pass",
    "    @classmethod",
    "    def make(cls): return cls()",
    "x = Box()",
    "y = Box.make()",
    "bound = x.method",
    "def outer(seen):",
    "    own = Box()",
    "    def inner(): return seen, own",
    "    return inner",
    "kept = outer(x)",
    "def f(a, b, c=None, **more): pass",
    "f(*[x, x], **{'c': x})",
    "f(1, 2, k=x)",
    "d = {'one': x, **{'two': x}}",
    "e = d.pop('two')",
    "d |= {'three': x}",
    "try:",
    "    raise ValueError(x)",
    "except ValueError as error:",
    "    pass",
    "def through(f): return f",
    "@through",
    "def decorated(): pass",
    "def branches(n, of):",
    "    if n: k = [of]",
    "    else: k = {}",
    "    return of",
    "branches(0, x)",
    "branches(1, x)",
  ];
  let told: Told;
  const of = (source: string, name = "x"): string[] => reasons(told.explanation, lines.indexOf(source) + 1, name);
  beforeAll(async () => {
    told = await tell(`${lines.join("\n")}\n`);
  }, 120_000);

  it("an instance refers to its type from its birth on", () => {
    const id = objectOf(told.explanation, "x");
    expect(of("x = Box()", "Box")).toContain(`+1 the new Box #${id}, whose type it is`);
    expect(of("x = Box()", "Box").filter((text) => text.includes("C code"))).toEqual([]);
  });

  it("a cell takes an argument over, and a local of its function", () => {
    expect(of("def outer(seen):")).toEqual([
      "+1 the cell of `seen`, which an inner function uses",
      "−1 `seen` itself: the cell stands in its place",
    ]);
    expect(of("    own = Box()", "outer.own").at(-1)).toBe("the stack's reference is handed to the cell of `own`");
  });

  it("arguments are told, however many there are and whatever dies in between", () => {
    const all = of("f(*[x, x], **{'c': x})");
    for (const name of ["a", "b", "c"]) expect(all).toContain(`+1 argument \`${name}\` of f()`);
    expect(all.filter((text) => text.includes("C code"))).toEqual([]);
    expect(of("y = Box.make()", "Box")).toContain("+1 argument `cls` of Box.make()");
    expect(of("f(1, 2, k=x)")).toContain(`+1 key or value of the new dict #${objectOf(told.explanation, "f.more")}`);
    expect(of("bound = x.method")).toContain("+1 held by a new bound method");
  });

  it("dicts that are joined: the one that was only read falls", () => {
    const all = of("d = {'one': x, **{'two': x}}");
    expect(all.filter((text) => /^−1 falls with dict #\d+, which is freed$/.test(text))).toHaveLength(1);
    expect(all.filter((text) => text === "+1 key or value of a dict")).toHaveLength(3);
    expect(of("d |= {'three': x}")).toContain("+1 key or value of dict `d`");
  });

  it("what is popped is removed, and given", () => {
    const all = of("e = d.pop('two')");
    expect(all).toContain("−1 removed from dict `d`");
    expect(all).toContain("+1 what `d.pop('two')` gives, on the stack");
  });

  it("an exception's name is unset where its clause ends", () => {
    const last = told.explanation.lines.flatMap(({ shown, immortal }) => [
      ...shown.flatMap(({ objects }) => objects.flatMap(({ changes }) => changes.map(({ text }) => text))),
      ...immortal.map(({ name, first }) => `${name} = ${first}`),
    ]);
    expect(last).toContain("`error` is unset at the end of `except`");
    expect(last.filter((text) => text === "error = None" || text === "`error` is bound anew")).toEqual([]);
  });

  it("a return at the end of two branches is one", () => {
    const all = of("    return of");
    expect(all.filter((text) => text === "the stack's reference is handed to `return of`")).toHaveLength(2);
  });

  it("what a decorator was read for is on the stack until it has been called", () => {
    const all = of("@through", "through");
    expect(all.filter((text) => text.includes("C code"))).toEqual([]);
    expect(all.at(-1)).toMatch(/^−1 leaves the stack/);
  });
});

describe("methods that the interpreter calls", () => {
  const lines = [
    "class Odd:",
    "    def __eq__(self, other): return self is other",
    "    def __hash__(self): return 1",
    "    def __getitem__(self, key): return self",
    "def f(x, y):",
    "    both = {x, y}",
    "    got = x[y]",
    "    Odd.extra = x",
    "    del Odd.extra",
    "    y.kept = x",
    "    read = y.kept",
    "    many = (*[y], x)",
    "    named = dict(k=x)",
    "    again = [x, x].copy()",
    "    other = {'k': x}",
    "x, y = Odd(), Odd()",
    "f(x, y)",
  ];
  let told: Told;
  const of = (source: string, name = "x"): string[] => reasons(told.explanation, lines.indexOf(source) + 1, name);
  beforeAll(async () => {
    told = await tell(`${lines.join("\n")}\n`);
  }, 120_000);

  it("take arguments: these are no members, and are not read onto the stack", () => {
    expect(of("    both = {x, y}")).toContain("+1 argument `self` of Odd.__eq__()");
    expect(of("    both = {x, y}", "y").filter((text) => text.includes("__hash__() takes over"))).toEqual([]);
    const got = of("    got = x[y]");
    expect(got).toContain("+1 argument `self` of Odd.__getitem__()");
    expect(got.filter((text) => /`x\[y\]` is read|__getitem__\(\) takes over/.test(text))).toEqual([]);
  });

  it("what a type holds while an attribute is deleted is held for a moment", () => {
    expect(of("    del Odd.extra").filter((text) => text.startsWith("−1 removed"))).toHaveLength(1);
  });

  it("an attribute that is read is read, and copies hold what they hold", () => {
    expect(of("    read = y.kept")).toContain("+1 `y.kept` is read onto the stack");
    for (const [source, name, type, place] of [
      ["    many = (*[y], x)", "f.many", "tuple", "element"],
      ["    named = dict(k=x)", "f.named", "dict", "key or value"],
      ["    again = [x, x].copy()", "f.again", "list", "element"],
    ] as const)
      expect(of(source)).toContain(`+1 ${place} of the new ${type} #${objectOf(told.explanation, name)}`);
  });

  it("dicts that die with a function drop what they hold", () => {
    const all = of("f(x, y)");
    for (const name of ["f.named", "f.other"])
      expect(all).toContain(`−1 falls with dict #${objectOf(told.explanation, name)}, which is freed`);
    expect(all.filter((text) => text.includes("C code"))).toEqual([]);
  });
});
