"""Exercises compile, exec and eval of many short-lived code objects, functions made from code by hand, code.replace, globals
that are dict subclasses, constants and names of code, line tables, and functions whose code is exchanged while they run.
"""

import gc
import sys
import types
import weakref

total = 0
for i in range(400):
    total += eval("x * %d + len(%r)" % (i, "s" * (i % 5)), {"x": 2})
print("eval:", total)

space = {}
for i in range(60):
    exec(
        f"""
def f{i}(a, b={i}, *args, c=({i}, 'c'), **kw):
    'docstring {i}'
    def inner(x):
        nonlocal a
        a += x
        return [y for y in range(a) if y % 2 or b], lambda: (a, inner)
    return inner({i} % 3)[0], args, c, kw
class C{i}:
    constant = {{1, 2, {i}}}
    def m(self, n: int = {i}) -> 'C{i}':
        return self.constant | {{n}}
value{i} = f{i}(4)[0] + sorted(C{i}().m())
""",
        space,
    )
print("exec:", sum(sum(space["value%d" % i]) for i in range(60)))
code_refs = [weakref.ref(space["f%d" % i].__code__) for i in range(60)]
space.clear()
gc.collect()
print("code objects left:", sum(r() is not None for r in code_refs))


# Functions made by hand from one code object; code replaced.
def template(a, b=2, *, c=3):
    return a, b, c, name  # noqa: F821


functions = []
for i in range(100):
    f = types.FunctionType(template.__code__, {"name": "n%d" % i}, "made%d" % i, (i,), ())
    f.__kwdefaults__ = {"c": [i]}
    f.__annotations__ = {"a": i}
    functions.append(f)
assert functions[7](1) == (1, 7, [7], "n7")
for i, f in enumerate(functions):
    f.__code__ = f.__code__.replace(co_name="renamed%d" % i, co_consts=f.__code__.co_consts + (i * 1000,), co_firstlineno=i + 1)
    f.__defaults__ = None
    f.attribute = functions
assert functions[9].__code__.co_consts[-1] == 9000
consts = functions[3].__code__.co_consts
del functions[:50], f
gc.collect()
print("replaced:", len(functions), consts[-1], functions[0].__code__.co_name)


def swapping(n):
    if n == 3:
        swapping.__code__ = (lambda n: ("swapped", n)).__code__
    return n, swapping(n + 1)


print("swapped while running:", swapping(0))


# Globals and locals that are not plain dicts.
class Tracing(dict):
    def __getitem__(self, key):
        if key.startswith("auto_"):
            return len(key)
        return super().__getitem__(key)

    def __missing__(self, key):
        raise KeyError(key)


result = {}
exec("y = auto_abc + 1\nz = [y, auto_]\n", {}, t := Tracing(result))
assert t["y"] == 9 and t["z"] == [9, 5]
for i in range(50):
    exec("import_free = 1\nfor k in range(3): q = k\ndel import_free", {"__builtins__": {"range": range}}, Tracing())
try:
    exec("len", {"__builtins__": {}})
except NameError as error:
    print("builtins:", error)

# Large constants: nested tuples, frozensets, big integers, strings, code in code.
source = "x = (%s)\ny = %s in {%s}\nz = lambda: (lambda: (lambda: x))" % (
    ", ".join("(%d, 'a%d', %d.5, b'%d', (%d,))" % (i, i, i, i, i) for i in range(300)),
    5,
    ", ".join(str(i) for i in range(200)),
)
for mode in range(3):
    code = compile(source, "<large>", "exec", optimize=mode - 1)
    names = {}
    exec(code, names)
    assert names["z"]()()() is names["x"] and names["y"]
    lines = {line for _, _, line in code.co_lines()}
    positions = sum(1 for _ in code.co_positions())
print("large:", len(names["x"]), len(lines) <= 4, positions > 300)
del code, names

# AST in and out; single and func_type modes; flags; compile errors that have made half their constants.
import ast

tree = ast.parse("x = (%s)" % ", ".join("(%d, 'a%d', %d.5, b'%d', (%d,))" % (i, i, i, i, i) for i in range(60)))
for node in ast.walk(tree):
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        node.value += 1
code = compile(ast.fix_missing_locations(tree), "<tree>", "exec")
exec(code, ns := {})
assert ns["x"][0] == (1, "a0", 0.5, b"0", (1,))
bad = 0
for i in range(100):
    try:
        compile("def f():\n  x = ('a', 'b', %d)\n  return (yield) and {1, 2, %d}\n  x = 1 = %d\n" % (i, i, i), "<bad>", "exec")
    except SyntaxError:
        bad += 1
print("bad:", bad, compile("1\n", "<s>", "single").co_name)

# Frames of code run by exec keep it alive.
def frame_of(text):
    box = []
    exec(text, {"box": box, "sys": sys})
    return box[0]


frames = [frame_of("local = [%d]\nbox.append(sys._getframe())" % i) for i in range(30)]
assert frames[4].f_globals["local"] == [4] and frames[4].f_back is not None
frames.clear()
gc.collect()
print("marshalled:", eval(__import__("marshal").loads(__import__("marshal").dumps(compile("6 * 7", "", "eval")))))
