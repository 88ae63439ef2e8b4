"""A real program: reads large modules of the standard library, tokenizes, parses, transforms, unparses, compiles and
disassembles them. Trees of many thousand nodes, visitors, code objects. `python parsing-and-unparsing.py [ROUNDS]`
"""

import ast
import io
import sys
import tokenize
import zipimport  # noqa: F401  (the library may be in an archive)
from importlib.util import find_spec

MODULES = ["argparse", "typing", "ast", "inspect", "textwrap", "dataclasses"]


def source_of(name):
    spec = find_spec(name)
    return spec.loader.get_source(name)


class Names(ast.NodeVisitor):
    def __init__(self):
        self.seen, self.depth, self.deepest = {}, 0, 0

    def generic_visit(self, node):
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        super().generic_visit(node)
        self.depth -= 1

    def visit_Name(self, node):
        self.seen[node.id] = self.seen.get(node.id, 0) + 1


class Fold(ast.NodeTransformer):
    """Folds additions of constants, and drops documentation strings."""

    def visit_BinOp(self, node):
        self.generic_visit(node)
        match node:
            case ast.BinOp(ast.Constant(int(a)), ast.Add(), ast.Constant(int(b))):
                return ast.copy_location(ast.Constant(a + b), node)
        return node

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None and len(node.body) > 1:
            del node.body[0]
        return node


def codes(code):
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_consts"):
            yield from codes(constant)


def main(rounds):
    checksum = 0
    for r in range(rounds):
        text = source_of(MODULES[r % len(MODULES)])
        checksum += sum(len(t.string) for t in tokenize.generate_tokens(io.StringIO(text[: len(text) // 4].rpartition("\ndef ")[0] + "\n").readline))
        tree = ast.parse(text)
        names = Names()
        names.visit(tree)
        checksum += len(names.seen) + names.deepest + names.seen.get("self", 0)
        folded = ast.fix_missing_locations(Fold().visit(tree))
        again = ast.unparse(folded)
        code = compile(again, MODULES[r % len(MODULES)], "exec")
        checksum += sum(len(c.co_code) > 0 for c in codes(code)) + again.count("\n")
    print("checksum", checksum)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
