"""Exercises collections: deque (rotation, maxlen, insertion, iteration while changing), OrderedDict (order operations),
defaultdict, Counter, ChainMap, UserDict and friends, and the abstract classes with their mixins.
"""

import collections
import collections.abc
import gc
import sys
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque


class Value:
    pass


value = Value()
base = sys.getrefcount(value)

d = deque()
for i in range(2000):
    (d.append if i % 3 else d.appendleft)([i])
    if i % 5 == 0:
        d.pop() if i % 2 else d.popleft()
d.rotate(137)
d.rotate(-1000)
d.insert(500, ["inserted"])
del d[3], d[-3]
d.extendleft([[i] for i in range(50)])
d.reverse()
d[10], d[11] = d[11], d[10]
d.remove(["inserted"])
print("deque:", len(d), d[0], d[-1], d.index([7]), d.count([8]))
bounded = deque((value for _ in range(100)), maxlen=64)
assert sys.getrefcount(value) == base + 64 and len(bounded + bounded) == 64
bounded *= 3
copied = bounded.copy()
bounded.extend(range(60))
assert sys.getrefcount(value) == base + 4 + 64
bounded.clear(), copied.clear()
assert sys.getrefcount(value) == base
try:
    for x in d:
        d.append(x)
except RuntimeError as error:
    print("deque iteration:", error)
try:
    deque([1, 2], 3)[7]
except IndexError:
    pass
assert deque("abc") < deque("abd") and list(reversed(deque("abc"))) == list("cba")
# Blocks of deques come from their own free list.
for _ in range(20):
    many = [deque(range(i % 200)) for i in range(60)]
    del many

od = OrderedDict((i, [i]) for i in range(300))
for i in range(0, 300, 3):
    od.move_to_end(i, last=bool(i % 2))
for i in range(0, 300, 7):
    del od[i]
od.update(a=1, b=2)
assert od.popitem()[0] == "b" and od.popitem(last=False)[0] == 294 or True
other = OrderedDict(reversed(od.items()))
assert other != od and dict(other) == dict(od) and list(reversed(other)) == list(od)
print("ordered:", len(od), next(iter(od)), list(od)[-1], (od | {"z": 1})["z"], od.setdefault("q", 5), od.pop("none", "default"))
cache = OrderedDict()
for i in range(1000):
    cache[i % 130] = Value()
    cache.move_to_end(i % 130)
    if len(cache) > 100:
        cache.popitem(last=False)
assert len(cache) == 100


class Ordered(OrderedDict):
    def __missing__(self, key):
        return "missing %s" % key

    def __del__(self):
        Ordered.deleted = getattr(Ordered, "deleted", 0) + 1


for i in range(20):
    o = Ordered(a=1)
    o["self"] = o
    assert o[i] == "missing %d" % i
del o
gc.collect()
print("in cycles:", Ordered.deleted)

groups = defaultdict(lambda: defaultdict(list))
for i in range(500):
    groups[i % 7][str(i % 3)].append(value)
assert sys.getrefcount(value) == base + 500
print("defaultdict:", len(groups), {k: len(v) for k, v in groups[3].items()}, groups.default_factory is not None)
del groups
assert sys.getrefcount(value) == base

words = "the cat sat on the mat the end on and on".split() * 20
count = Counter(words)
count.update(words[:50])
count.subtract({"the": 10, "new": 5})
print("counter:", count.most_common(2), (count & Counter(the=3)), +Counter(a=-1, b=2), count.total(), sorted(Counter("abca") + Counter("ab"))[0], len(list(count.elements())))
chain = ChainMap({"a": 1}, {"a": 2, "b": value})
child = chain.new_child({"c": 3})
child["d"] = 4
assert child["b"] is value and len(child) == 4 and child.parents["a"] == 1 and dict(chain | {"x": 1})["x"] == 1
try:
    del child["a"]
except KeyError as error:
    print("chainmap:", str(error)[:30])


class Lower(collections.UserDict):
    def __setitem__(self, key, v):
        super().__setitem__(key.lower(), v)


class Rev(collections.UserList):
    pass


class Range(collections.abc.Sequence):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if not 0 <= i < self.n:
            raise IndexError(i)
        return [i]


class Bag(collections.abc.MutableSet):
    def __init__(self, it=()):
        self.items = list(it)

    def __contains__(self, x):
        return x in self.items

    def __iter__(self):
        return iter(self.items)

    def __len__(self):
        return len(self.items)

    def add(self, x):
        if x not in self:
            self.items.append(x)

    def discard(self, x):
        if x in self.items:
            self.items.remove(x)


lower = Lower(ABC=1, Def=2)
bag = Bag([1, 2, 3])
bag |= {4, 5}
bag ^= {1}
bag -= {2}
print("user types:", dict(lower), Rev([3, 1, 2])[::-1], Range(5).index([3]), [3] in Range(5), list(reversed(Range(3))), sorted(bag & {3, 4}), bag.pop(), len(bag))
print("abstract:", [isinstance(x, collections.abc.Hashable) for x in (1, [], ())], issubclass(dict, collections.abc.Mapping), isinstance((i for i in ()), collections.abc.Generator))
