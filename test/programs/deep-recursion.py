"""Exercises recursion up to RecursionError: in Python functions, through C code (repr, comparison, calls of special methods,
json, pickle, sorting keys), recovering each time; frames of thousands of levels with locals; raised limit.
"""

import copy
import functools
import json
import pickle
import sys
import weakref


class Held:
    pass


watch = []


def dive(n=0):
    held = Held()
    watch.append(weakref.ref(held))
    return dive(n + 1) + len(held.__dict__)


for _ in range(5):
    try:
        dive()
        assert False
    except RecursionError as error:
        message = str(error)
    assert len(watch) > 900 and not any(r() for r in watch)
    watch.clear()
print("python:", message)


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


previous = sys.getrecursionlimit()
sys.setrecursionlimit(20000)
assert depth(15000) == 15000
sys.setrecursionlimit(previous)
try:
    depth(5000)
except RecursionError:
    print("limit restored")


# Mutual recursion through C.
class Nest:
    def __init__(self, inner=None):
        self.inner = inner

    def __repr__(self):
        return "<%r>" % (self.inner,)

    def __eq__(self, other):
        return self.inner == other.inner

    def __hash__(self):
        return hash((self.inner, 1))

    def __call__(self, x):
        return self.inner(x)

    def __getattr__(self, name):
        return getattr(self, name + "_")

    def __iter__(self):
        return iter(list(self.inner))

    def __add__(self, other):
        return self.inner + other.inner

    def __index__(self):
        return int(self.inner)


self_holding = Nest()
self_holding.inner = self_holding
other = Nest()
other.inner = other
loop = []
loop.append({"loop": (loop,)})
twin = []
twin.append({"loop": (twin,)})


@functools.lru_cache
def cached(n):
    return cached(n + 1)


def key(x):
    return sorted([x], key=key)


def generator():
    yield from generator()


class Meta(type):
    def __instancecheck__(cls, obj):
        return isinstance(obj, cls)


class Endless(metaclass=Meta):
    @property
    def p(self):
        return self.p

    def __del__(self):
        pass


attempts = {
    "repr": lambda: repr(self_holding),
    "eq": lambda: self_holding == other,
    "hash": lambda: hash(self_holding),
    "call": lambda: self_holding(1),
    "getattr": lambda: self_holding.missing,
    "iter": lambda: list(self_holding),
    "add": lambda: self_holding + other,
    "list eq": lambda: loop == twin,
    "lru_cache": lambda: cached(0),
    "sort key": lambda: key(1),
    "generator": lambda: list(generator()),
    "instancecheck": lambda: isinstance(1, Endless),
    "property": lambda: Endless().p,
    "map": lambda: functools.reduce(lambda f, _: (lambda: list(map(lambda _: f(), [1]))), range(3000), lambda: 1)(),
}
for name, attempt in attempts.items():
    outcomes = set()
    for _ in range(2):
        try:
            attempt()
            outcomes.add("finished")
        except RecursionError:
            outcomes.add("RecursionError")
    print("%s: %s" % (name, *outcomes))

# Nested data: whether C code refuses it depends on the C stack of the machine, so either answer is right.
nested = []
for _ in range(3000):
    nested = [nested]
for name, attempt in {
    "json": lambda: json.loads(json.dumps(nested)) == nested,
    "repr": lambda: repr(nested),
    "pickle": lambda: pickle.loads(pickle.dumps(nested)) == nested,
    "eval": lambda: eval("(" * 150 + ")" * 150),
    "copy": lambda: copy.deepcopy(nested),
}.items():
    for _ in range(3):
        try:
            attempt()
        except (RecursionError, MemoryError, SyntaxError):
            pass
    print(name, "tried")
cached.cache_clear()
self_holding.inner = other.inner = None
del nested
