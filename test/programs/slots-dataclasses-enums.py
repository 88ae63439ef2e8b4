"""Exercises classes that are made by decorators and bases: __slots__, dataclasses (frozen, slots, ordered), enum and flags,
namedtuple, property and cached_property, classmethod, staticmethod, total_ordering, singledispatch, lru_cache, partial.
"""

import collections
import dataclasses
import enum
import functools
import gc
import sys
import typing


class Slotted:
    __slots__ = ("a", "b", "__weakref__")

    def __init__(self, a, b):
        self.a, self.b = a, b


class Wider(Slotted):
    __slots__ = ("c", "__dict__")


class Value:
    pass


value = Value()
base = sys.getrefcount(value)
slotted = [Slotted(value, i) for i in range(200)]
wider = [Wider(value, value) for i in range(100)]
for w in wider:
    w.c = value
    w.anything = value
assert sys.getrefcount(value) == base + 200 + 400
for s in slotted[::2]:
    del s.a
for w in wider:
    w.a = None
    del w.c
try:
    slotted[0].a
except AttributeError:
    assert sys.getrefcount(value) == base + 100 + 200
for s in slotted:
    s.b = s  # a cycle through a slot
del slotted, wider, s, w
gc.collect()
assert sys.getrefcount(value) == base
print("slots: counts return to base")


@dataclasses.dataclass(slots=True, order=True)
class Point:
    x: int
    y: int = 0
    tags: list = dataclasses.field(default_factory=list, compare=False, repr=False)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    name: str
    limits: tuple = (1, 2)
    cached: typing.ClassVar[dict] = {}

    def __post_init__(self):
        self.cached[self.name] = self


@dataclasses.dataclass
class Tree:
    left: "Tree | None" = None
    right: "Tree | None" = None
    size: dataclasses.InitVar[int] = 0

    def __post_init__(self, size):
        if size:
            self.left, self.right = Tree(size=size - 1), Tree(size=size - 1)


points = sorted(Point(i * 7 % 13, i) for i in range(30))
points[0].tags.append(points)
moved = dataclasses.replace(points[1], y=100)
config = Config(name="n")
try:
    config.name = "other"
except dataclasses.FrozenInstanceError as error:
    print("frozen:", error)
Pair = dataclasses.make_dataclass("Pair", [("l", int), ("r", int, dataclasses.field(default=3))], slots=True)
nested = dataclasses.asdict(Tree(size=5))
print("dataclasses:", points[0], moved, hash(config) == hash(Config(name="n")), Pair(1), len(str(nested)))
for i in range(8):
    dataclasses.make_dataclass("D%d" % i, ["a", "b", "c"], frozen=bool(i % 2))(1, 2, 3)


class Color(enum.Enum):
    RED = 1
    GREEN = enum.auto()
    CRIMSON = RED

    @property
    def pretty(self):
        return self.name.title()

    @classmethod
    def _missing_(cls, value):
        return cls.GREEN if value == "verde" else None


class Permission(enum.IntFlag):
    R = 4
    W = 2
    X = 1


class Mode(enum.StrEnum):
    FAST = enum.auto()
    SLOW = enum.auto()


flags = [Permission(i) for i in range(8)] * 10
print("enums:", Color("verde").pretty, Color.CRIMSON, list(Color), Permission.R | Permission.X, len(set(flags)), [*Mode], Mode("fast"))
for i in range(8):
    made = enum.Enum("Made%d" % i, ["ONE", "TWO"])
    assert made.ONE is made["ONE"] is made(1)
del made


class Descriptors:
    def __init__(self):
        self._x = Value()

    @property
    def x(self):
        return self._x

    @x.setter
    def x(self, new):
        self._x = new

    @x.deleter
    def x(self):
        self._x = None

    @functools.cached_property
    def once(self):
        return [self, "computed"]

    @classmethod
    def make(cls):
        return cls()

    @staticmethod
    def double(v):
        return v * 2

    @functools.singledispatchmethod
    def kind(self, v):
        return "other"

    @kind.register
    def _(self, v: int):
        return "int"

    @functools.partialmethod
    def part(self, a=1, *, b=2):
        return a + b


ds = [Descriptors.make() for _ in range(100)]
for d in ds:
    d.x, y = d.once, d.x
    del d.x
    assert d.once is d.once and d.kind(3) == "int" and d.kind("s") == "other" and d.part(5) == 7 and d.double(2) == 4
bound = [d.make for d in ds] + [d.part for d in ds]
del ds, d, y, bound
gc.collect()
print("descriptors done")


# functools on functions.
@functools.lru_cache(maxsize=50)
def limited(a, b=0, *, c=0):
    return Value(), a


@functools.cache
def forever(n):
    return n if n < 2 else forever(n - 1) + forever(n - 2)


for i in range(300):
    limited(i % 70, c=i % 3)
    limited(i, b=value)
    limited(str(i % 5))
info = limited.cache_info()
print("lru_cache:", info.hits, info.misses, info.currsize, forever(80))
assert sys.getrefcount(value) > base
limited.cache_clear()
assert sys.getrefcount(value) == base


@functools.singledispatch
def describe(x):
    return "object"


@describe.register(list)
@describe.register(tuple)
def _(x):
    return "sequence of " + ",".join(describe(y) for y in x)


@describe.register
def _(x: bool):
    return "bool"


@functools.total_ordering
class Version:
    def __init__(self, *parts):
        self.parts = parts

    def __eq__(self, o):
        return self.parts == o.parts

    def __lt__(self, o):
        return self.parts < o.parts


add = functools.partial(functools.partial(lambda *a, **k: (sum(a), k), 1, x=1), 2, y=2)
calls = [add(i, z=i) for i in range(50)]
print("functools:", describe([1, (True, [])]), Version(1, 2) >= Version(1, 0), calls[7], functools.reduce(lambda a, b: a * b, range(1, 12)))
print("sorted:", sorted(["bb", "a", "ccc"], key=functools.cmp_to_key(lambda a, b: len(b) - len(a))))

Row = collections.namedtuple("Row", "a b c", rename=True)


class Typed(typing.NamedTuple):
    left: int
    right: list = []


rows = [Row(i, value, None) for i in range(100)]
assert sys.getrefcount(value) == base + 100
rows = [Row._make(r[:2] + (i,)) for i, r in enumerate(rows)]
rows.sort(key=lambda r: -r.c)
print("namedtuple:", rows[0].c, Typed(1), Row._fields, len({Typed(i, i) for i in range(10)}))
del rows
assert sys.getrefcount(value) == base
