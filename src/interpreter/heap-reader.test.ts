/** What is read out of the interpreter's memory against what Python says of the same objects. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { plain } from "../../test/support/plain.js";
import { WasmModule } from "../wasm/module.js";
import { type CodeFacts, decodeLines, HeapReader, type LineRange, type TypeFacts } from "./heap-reader.js";
import { runInterpreter } from "./interpreter.js";
import { readLayout } from "./layout.js";
import { interpreterFiles, sharedWords } from "./main-thread.js";

const original = new Uint8Array(readFileSync(interpreterFiles().module));

/** Ranges with equal neighbours as one: Python may tell them apart by column. */
function merged(ranges: readonly LineRange[]): LineRange[] {
  const out: LineRange[] = [];
  for (const range of ranges) {
    const last = out.at(-1);
    if (last && last.line === range.line && last.stop === range.start)
      out[out.length - 1] = { ...last, stop: range.stop };
    else out.push(range);
  }
  return out;
}

describe("decodeLines", () => {
  it("reads line tables as co_lines does, for all code of large modules", () => {
    const code = `
import json, types, importlib
def walk(code):
    yield code
    for c in code.co_consts:
        if isinstance(c, types.CodeType): yield from walk(c)
rows = []
for name in ('ast', 'argparse', 'asyncio.base_events', 'dataclasses', 'enum', 'inspect', 'json.decoder', 'logging', 'pickle', 'tarfile', 'typing', 'zipfile'):
    module = importlib.import_module(name)
    for code in walk(module.__loader__.get_code(name)):
        rows.append([code.co_qualname, code.co_firstlineno, code.co_linetable.hex(), list(code.co_lines())])
# What sources seldom have: no line at all, very long jumps forwards and back, expressions over many lines, one line for everything.
odd = compile('x = (1 +\\n' + '\\n' * 5000 + '2 + y)\\n\\nfor i in z:\\n  pass\\nelse: w', 'odd', 'exec')
one = compile(';'.join(f'a{i} = f(a{i}, {i})' for i in range(300)), 'one', 'exec')
none = (lambda: 1).__code__.replace(co_linetable=b'')
far = odd.replace(co_firstlineno=2_000_000)
for code in (*walk(odd), *walk(one), none, far):
    rows.append([code.co_qualname, code.co_firstlineno, code.co_linetable.hex(), list(code.co_lines())])
print(json.dumps(rows))
`;
    const { out, err } = plain(["-c", code]);
    expect(err).toBe("");
    const rows = JSON.parse(out) as [string, number, string, [number, number, number | null][]][];
    expect(rows.length).toBeGreaterThan(1000);
    let withoutLine = 0;
    for (const [name, firstLine, table, lines] of rows) {
      const expected = merged(lines.map(([start, stop, line]) => ({ start, stop, line })));
      expect(decodeLines(Buffer.from(table, "hex"), firstLine), name).toEqual(expected);
      withoutLine += expected.filter(({ line }) => line === null).length;
    }
    expect(withoutLine).toBeGreaterThan(10);
  });
});

/** Runs a program whose marks are addresses, and reads what is there when each is made. */
function atMarks<T>(code: string, read: (heap: HeapReader, address: number, more: number[]) => T): T[] {
  const seen: T[] = [];
  let heap: HeapReader | undefined;
  const layout = readLayout(new WasmModule(original));
  const { exitCode } = runInterpreter({
    module: new WebAssembly.Module(original),
    standardLibrary: new Uint8Array(readFileSync(interpreterFiles().standardLibrary)),
    program: { kind: "code", target: code, args: [] },
    cwd: "/",
    env: {},
    hashSeed: 0,
    version: "0",
    ...sharedWords(),
    hooks: {
      instantiated: (instance) => {
        heap = new HeapReader(instance.exports["memory"] as WebAssembly.Memory, layout);
      },
      mark: (name) => {
        const [address, ...more] = name.split(" ").map(Number);
        seen.push(read(heap!, address!, more));
      },
    },
  });
  expect(exitCode).toBe(0);
  return seen;
}

describe("the heap reader", () => {
  it("reads strings of every width, and nothing else", () => {
    const code = `
import refledger
class S(str): pass
x = ['', 'ascii', 'caf\\xe9', 'Ж' * 5000, '名前🐍', '\\x00\\ud800', 'y' * 20000, 1, None, [], S('sub')]
for s in x: refledger.mark(str(id(s)))
`;
    const texts = atMarks(code, (heap, at) => heap.text(at));
    expect(texts.slice(0, 6)).toEqual(["", "ascii", "café", "Ж".repeat(5000), "名前🐍", "\x00\ud800"]);
    expect(texts[6]).toBe("y".repeat(10_000));
    // A subclass's text stands elsewhere; it names no types and no code.
    expect(texts.slice(7)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it("reads types as Python names them", () => {
    const code = `
import refledger, collections, decimal, json.scanner
class Outer:
    class Inner: pass
class Slots: __slots__ = ('a', 'b')
Made = type('Mädchen', (dict,), {'__module__': 'elsewhere'})
for t in (int, list, Outer, Outer.Inner, Slots, Made, collections.OrderedDict, decimal.Decimal, type(json.scanner.c_make_scanner), type(lambda: 1)):
    refledger.mark(f'{id(t)} {t.__basicsize__} {t.__itemsize__} {t.__flags__}')
`;
    const types = atMarks(code, (heap, at, sizes): TypeFacts => {
      const { basicsize, itemsize, flags, ...facts } = heap.type(at);
      expect([basicsize, itemsize, flags], facts.name).toEqual(sizes);
      return { basicsize, itemsize, flags, ...facts };
    });
    expect(types.map(({ module, name }) => [module, name])).toEqual([
      ["builtins", "int"],
      ["builtins", "list"],
      ["__main__", "Outer"],
      ["__main__", "Outer.Inner"],
      ["__main__", "Slots"],
      ["elsewhere", "Mädchen"],
      ["collections", "OrderedDict"],
      ["decimal", "Decimal"],
      ["builtins", "type"],
      ["builtins", "function"],
    ]);
  });

  it("reads code objects", () => {
    const code = `
import refledger, json
class C:
    def method(self, x):
        def inner(): return x
        return inner
refledger.mark(str(id(C.method.__code__)))
refledger.mark(str(id(C().method(1).__code__)))
refledger.mark(str(id(json.loads.__code__)))
`;
    const codes = atMarks(code, (heap, at): CodeFacts => heap.code(at));
    expect(codes.map(({ name, qualname, firstLine }) => [name, qualname, firstLine])).toEqual([
      ["method", "C.method", 4],
      ["inner", "C.method.<locals>.inner", 5],
      ["loads", "loads", expect.any(Number)],
    ]);
    expect(codes[0]!.file).toBe("<string>");
    expect(codes[2]!.file).toMatch(/json\/__init__\.py$/);
    for (const { instructions, lines } of codes) {
      expect(instructions.length % 2).toBe(0);
      expect(lines.at(-1)!.stop).toBe(instructions.length);
    }
  });
});
