"""Exercises dict: key tables of str only that become general, split tables shared by instances, resizing up and down,
deletion and dummies, popitem, views and their set operations, fromkeys, merge operators, changing size while iterating,
keys whose __eq__ changes the dict, subclass with __missing__, mappings as keyword arguments.
"""

import gc
import sys
import types


class Value:
    def __init__(self, n):
        self.n = n


# str keys first (a table without hashes), then a key that is not a str: the table is converted.
table = {}
for i in range(1000):
    table["key%d" % i] = Value(i)
table[17] = Value(-1)
table[("a", 1)] = Value(-2)
table[None] = Value(-3)
assert len(table) == 1003 and table["key999"].n == 999
for i in range(0, 1000, 3):
    del table["key%d" % i]
for i in range(0, 1000, 6):
    table["again%d" % i] = table.setdefault("key%d" % i, Value(i))
print("general table:", len(table), sum(v.n for v in table.values()))

# Shrinking by copy, growing by update.
small = {k: v for k, v in table.items() if isinstance(k, str) and k.startswith("again")}
copied = small.copy()
copied.update(table, extra=Value(5))
copied.update([("x", Value(1)), ("y", Value(2))])
assert len(copied) == len(table) + 3
order = [copied.popitem()[0] for _ in range(3)]
print("popitem:", order)
while copied:
    copied.popitem()
assert not copied
table.clear()

# Split tables: instances of one class share their keys, until they do not.
class Record:
    def __init__(self, i):
        self.a = Value(i)
        self.b = i
        if i % 10 == 0:
            self.only_some = Value(i)
        if i % 97 == 0:
            for k in range(40):
                setattr(self, "wide%d" % k, k)


records = [Record(i) for i in range(500)]
dicts = [r.__dict__ for r in records[::2]]
for d in dicts[::3]:
    d["added"] = d.pop("b")
    d[1] = "not a str"
for r in records[1::4]:
    r.__dict__ = {"a": Value(0), "b": 0}
for r in records[3::8]:
    del r.a
    r.__dict__.clear()
kept = records[5].__dict__
del records
print("split tables:", sum(len(d) for d in dicts), len(kept))
del dicts, kept

# Views and their set operations.
a = {i: str(i) for i in range(0, 300, 2)}
b = {i: str(i) for i in range(0, 300, 3)}
assert a.keys() & b.keys() == {i for i in range(0, 300, 6)}
assert len(a.keys() | b.keys()) == 200 and len(a.items() ^ b.items()) == 150
assert a.keys() - b.keys() <= a.keys() and not a.keys().isdisjoint(b)
assert list(reversed(a))[:2] == [298, 296] and list(reversed(a.items()))[0] == (298, "298")
mapping = a.keys().mapping
assert isinstance(mapping, types.MappingProxyType) and mapping[4] == "4"
merged = a | b
merged |= {"z": 1}
print("views:", len(merged), len(a.items() & b.items()))

# fromkeys: one value, many references; with a set and a dict as source.
shared = Value(0)
count = sys.getrefcount(shared)
for source in (range(100), set(range(100)), dict.fromkeys(range(100)), (str(i) for i in range(100))):
    made = dict.fromkeys(source, shared)
    assert sys.getrefcount(shared) == count + 100
    made[next(iter(made))] = None
    assert sys.getrefcount(shared) == count + 99
    del made
    assert sys.getrefcount(shared) == count

# Changing size while iterating; keys that change the dict in their comparison.
try:
    for k in a:
        a[k + 1000] = "new"
except RuntimeError as error:
    print("iteration:", error)


class Evil:
    def __init__(self, target):
        self.target = target

    def __hash__(self):
        return 1

    def __eq__(self, other):
        if self.target:
            self.target.clear()
        return self is other


evil = {}
evil[Evil(None)] = 1
evil[Evil(evil)] = 2
evil.get(Evil(evil))
evil[Evil(None)] = 3
print("evil keys left:", len(evil) > 0)
evil.clear()

# A value whose finalizer changes the dict that drops it.
class Doomed:
    def __init__(self, target, key):
        self.target, self.key = target, key

    def __del__(self):
        self.target[self.key] = "from the finalizer"


doomed = {}
for i in range(20):
    doomed[i] = Doomed(doomed, i + 100)
for i in range(20):
    doomed[i] = None
for i in range(20):
    doomed[i] = Doomed(doomed, i + 200)
    doomed.pop(i)
print("finalizers wrote:", sorted(k for k in doomed if k >= 100) == [*range(100, 120), *range(200, 220)])


class Counting(dict):
    def __missing__(self, key):
        self[key] = Value(len(self))
        return self[key]


counting = Counting()
for word in ("a b c a b a " * 30).split():
    counting[word].n += 1
print("missing:", {k: v.n for k, v in counting.items()})


def take(**kwargs):
    kwargs["more"] = 1
    return kwargs


original = {"k%d" % i: Value(i) for i in range(30)}
assert len(take(**original, other=1)) == 32 and len(original) == 30

# Dicts in cycles.
gc.collect()
for i in range(100):
    d = {"self": None, i: [i]}
    d["self"] = d
    d[("key", i)] = d.items()
del d
assert gc.collect() >= 100

# The free list of dict objects and of small key tables.
for _ in range(20):
    burst = [{} for _ in range(150)] + [{"a": i} for i in range(150)]
    for d in burst:
        d["b"] = d
        d.clear()
    del burst
print("done:", len(globals()) > 10)
