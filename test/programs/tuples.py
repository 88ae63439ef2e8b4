"""Exercises tuple: packing and unpacking, the free lists by length, repetition and concatenation, tuples in cycles, tuples
that the collector stops tracking, resizing while they are built, hash and comparison, subclasses and named tuples.
"""

import collections
import gc
import sys


class Thing:
    pass


shared = Thing()
base = sys.getrefcount(shared)
t = (shared,) * 500
assert sys.getrefcount(shared) == base + 500
u = t + (shared, 1)
t = None
assert sys.getrefcount(shared) == base + 501
u = u[1:400:2]
assert sys.getrefcount(shared) == base + len(u)
u = None
assert sys.getrefcount(shared) == base
print("repetition and slices: counts return to base")

# Free lists: one for each length below 20; fill and drain each, and one longer.
for length in range(25):
    bundle = [tuple(range(length)) for _ in range(60)]
    assert sum(map(len, bundle)) == length * 60
    del bundle
for length in range(1, 22):
    a = tuple([shared] * length)
    b = tuple([a] * length)
    del a
    assert len(b) == length
    del b
assert sys.getrefcount(shared) == base

# Built from an iterator of unknown length: the tuple is resized as it grows.
print("from iterators:", [len(tuple(x for x in range(n))) for n in (0, 1, 9, 10, 11, 100, 1000)])


def spread(*args, **kwargs):
    return args, kwargs


for i in range(200):
    args, kwargs = spread(*range(i % 17), **{"k%d" % k: k for k in range(i % 5)})
    (a, b), *rest = [args, kwargs.values()], *args
    assert len(a) == i % 17

# A tuple in a cycle, collected.
class Node:
    pass


gc.collect()
for i in range(100):
    node = Node()
    node.me = (node, (i, [node]))
del node
found = gc.collect()
assert found >= 300, found
print("cycles through tuples collected")

# The collector stops tracking tuples of atoms.
atoms = (1, "a", 2.5, None, b"x", (1, 2))
atoms = tuple(list(atoms))
gc.collect()
assert not gc.is_tracked(atoms)
assert gc.is_tracked((shared, []))

# zip reuses its result tuple if nobody else holds it.
total = 0
for x, y in zip(range(300), range(300, 600)):
    total += x * y
held = [pair for pair in zip(range(300), range(300, 600))]
assert len(set(map(id, held))) == 300
swapped = {b: a for a, b in held}
print("zip:", total, len(swapped))


class Point(tuple):
    def __new__(cls, *xs):
        return super().__new__(cls, xs)


points = sorted(Point(i * 7 % 11, i) for i in range(50))
Pair = collections.namedtuple("Pair", "left right", defaults=[None])
pairs = [Pair(p[0], p)._replace(left=p[1]) for p in points]
assert pairs[0]._asdict()["right"] is points[0]
print("subclass:", points[:3], "named:", pairs[0].left, hash((1, (2, 3))) == hash((1, (2, 3))))

# Comparison that calls back, and a failing one.
class Sour:
    def __eq__(self, other):
        raise RuntimeError("sour")


try:
    (1, 2, Sour()) == (1, 2, Sour())
except RuntimeError as error:
    print("comparison:", error)
