"""Exercises inspect, types, ast, tokenize, dis, symtable, traceback-less frames, sys._getframe, code positions, annotations,
linecache and pprint: the interpreter looking at itself.
"""

import ast
import dis
import gc
import inspect
import io
import pprint
import symtable
import sys
import textwrap
import tokenize
import types

SOURCE = textwrap.dedent(
    '''
    """module"""
    import os as system
    from a.b import (c, d as e)
    @decorate(1, x=2)
    class K(Base, metaclass=M):
        a: int = 3
        b: "str"
        async def m(self, *args, k: int = 5, **kw) -> list[int]:
            async with x as y, z:
                async for i in range(10):
                    await i
            return [j async for j in kw if j]
    def g(p, /, q=(1, 2), *, r):
        global t
        try:
            yield from p
        except (A, B) as err:
            raise C from err
        else:
            del p[q:r:2], p.attr
        finally:
            assert r, f"{q!r:>{10}} {p=}"
        while not q or r and -q ** 2 // 3 < 4 <= 5:
            if (n := q) is None: continue
            else: break
        lambda *a, b=1: (a if b else {**b, 1: 2})
        match p:
            case [K(a=1), *_, (3 | 4)] | [] if p: pass
            case {"k": v, **rest}: pass
            case _: nonlocal_ = {1, *q}
        return {k: v for k, v in p.items()}
    '''
)
tree = ast.parse(SOURCE)
kinds = {}
for node in ast.walk(tree):
    kinds[type(node).__name__] = kinds.get(type(node).__name__, 0) + 1
again = ast.unparse(tree)
assert ast.dump(ast.parse(again)) == ast.dump(tree) and ast.unparse(ast.parse(again)) == again
print("ast:", len(kinds), sum(kinds.values()), kinds["Name"])


class Doubler(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.copy_location(ast.Constant(node.value * 2), node) if isinstance(node.value, int) else node

    def visit_Assert(self, node):
        return None


changed = ast.fix_missing_locations(Doubler().visit(ast.parse(SOURCE)))
code = compile(changed, "<changed>", "exec")
assert "assert" not in ast.unparse(changed) and ast.literal_eval("{'a': [1, (2.5, None)], 'b': {-1}}")["b"] == {-1}
print("compiled:", len(code.co_consts) > 3, ast.get_docstring(tree))
node = ast.parse("a + b")
node.body[0].value.left = node  # a cycle through tree nodes
del node

tokens = list(tokenize.generate_tokens(io.StringIO(SOURCE).readline))
rebuilt = tokenize.untokenize(tokens)
assert compile(rebuilt, "<rebuilt>", "exec").co_names == compile(SOURCE, "<s>", "exec").co_names
print("tokens:", len(tokens) > 250, tokenize.tok_name[tokens[0].type], len({t.string for t in tokens}) > 80)
try:
    list(tokenize.generate_tokens(io.StringIO("(\n'unclosed").readline))
except (tokenize.TokenError, SyntaxError):
    print("unclosed")

# Disassembly of everything in the source, and of code that has already been specialised.
def hot(n):
    total = 0
    for i in range(n):
        total += i * 2 if i % 2 else len(str(i))
    return total


for _ in range(5):
    hot(300)


def all_codes(c):
    yield c
    for const in c.co_consts:
        if isinstance(const, types.CodeType):
            yield from all_codes(const)


instructions = [i for c in all_codes(compile(SOURCE, "<s>", "exec")) for i in dis.get_instructions(c)]
text = io.StringIO()
dis.dis(hot, file=text, **({"adaptive": True} if sys.version_info >= (3, 11) else {}))
assert "RETURN_VALUE" in text.getvalue() and len(instructions) > 150
print("dis:", len({i.opname for i in instructions}) > 40, dis.stack_effect(dis.opmap["POP_TOP"]), "hot" in dis.code_info(hot))
assert all(len(p) == 4 for p in hot.__code__.co_positions()) and list(hot.__code__.co_lines())

table = symtable.symtable(SOURCE, "<s>", "exec")
print("symbols:", sorted(s.get_name() for s in table.get_symbols())[:6], table.lookup("g").is_namespace(), [c.get_name() for c in table.get_children()][:2])


def signature(a, /, b: int, *c, d=3, **e) -> "list":
    """Documentation."""


bound = inspect.signature(signature).bind(1, 2, 3, x=4)
bound.apply_defaults()
print("signature:", inspect.signature(signature), dict(bound.arguments), inspect.getdoc(signature), inspect.signature(print).parameters["sep"].default == " ")
try:
    inspect.signature(signature).bind()
except TypeError as error:
    print("bind:", error)
members = inspect.getmembers(types.SimpleNamespace(a=1, b=[2]), lambda v: not callable(v))
print("members:", [m[0] for m in members if not m[0].startswith("__")], len(inspect.getmembers(str)) > 60, inspect.getmro(bool)[1].__name__)
print("static:", inspect.getattr_static(type("T", (), {"p": property(len)}), "p").__class__.__name__, inspect.isgeneratorfunction(all_codes), len(inspect.getsource(hot).splitlines()))


# Frames by hand: walked, kept, their locals read and written.
def outer(depth):
    mark = [depth]
    if depth:
        return outer(depth - 1)
    frame = sys._getframe()
    names = []
    while frame:
        names.append((frame.f_code.co_name, frame.f_lineno > 0, frame.f_locals.get("mark") if frame.f_code.co_name == "outer" else None))
        frame = frame.f_back
    return names, sys._getframe(), inspect.stack(0)[1].function


names, kept, caller = outer(6)
print("frames:", len(names), names[0], caller, kept.f_back.f_locals["depth"])
assert inspect.currentframe().f_code.co_name == "<module>"
del kept
namespace = types.SimpleNamespace(x=1, me=None)
namespace.me = namespace
pprint.pprint({"long": list(range(12)), "nested": {"k" * 10: [("v", {"deep": {1, 2}})] * 3}, "ns": "..."}, width=50, depth=4)
print(repr(namespace), types.MappingProxyType({"a": 1}) | {"b": 2}, types.GenericAlias(list, (int,)), types.new_class("New", (list,), {}, lambda ns: ns.update(z=1)).z)
simple = types.coroutine(lambda: (yield))
method = types.MethodType(signature, 5)
cell = types.CellType([1])
cell.cell_contents.append(cell)
del namespace, cell
assert gc.collect() > 0 and method.__self__ == 5
