"""Exercises set and frozenset: small tables and large ones, discards and dummies, all operators in place and not, hash of
frozensets as keys, sets of sets, iteration while changing, keys that compare badly, finalizers on removal.
"""

import gc
import sys


class Key:
    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return self.n % 8  # many collisions, on purpose

    def __eq__(self, other):
        return isinstance(other, Key) and self.n == other.n


bag = set()
for i in range(300):
    bag.add(Key(i))
    bag.add(Key(i))
assert len(bag) == 300
for i in range(0, 300, 2):
    bag.discard(Key(i))
    bag.discard(Key(-i - 1))
assert len(bag) == 150 and Key(7) in bag and Key(8) not in bag
try:
    bag.remove(Key(8))
except KeyError as error:
    assert error.args[0].n == 8
for i in range(1000, 1100):
    bag.add(Key(i))
popped = sum(bag.pop().n for _ in range(50))
print("collisions:", len(bag), popped + sum(k.n for k in bag))

one = {i * 3 for i in range(1000)}
two = {i * 5 for i in range(1000)}
print("operators:", len(one | two), len(one & two), len(one - two), len(one ^ two), one.isdisjoint(two), {0, 3} <= one)
one |= two
one &= set(range(2000))
one -= {1, 2, 3, 5}
one ^= {7, 11, 15}
one.update(range(10), [50], (60,), {"a": 1}.values())
one.intersection_update(range(1500))
one.difference_update([0], [3])
one.symmetric_difference_update(range(1490, 1510))
print("in place:", len(one), sum(one))

# Large tables with most of their entries removed again, then copied (the copy is compact).
large = set(range(20000))
for i in range(19900):
    large.discard(i)
copy = large.copy()
assert copy == large and len(copy) == 100
large.clear()
assert sum(copy) == sum(range(19900, 20000))

# frozenset: hashable, shared by conversion, as keys; sets of frozensets.
frozen = frozenset("hello world")
assert frozenset(frozen) is frozen and frozen.copy() is frozen
family = {frozenset(range(i % 7)) for i in range(100)}
assert len(family) == 7 and frozenset() in family and set() in family
index = {frozenset((a, b)): (a, b) for a in range(20) for b in range(20)}
print("frozen:", len(index), sorted(frozen)[:4], hash(frozenset([1, 2])) == hash(frozenset([2, 1])))

# Counts of members.
member = Key(5)
base = sys.getrefcount(member)
sets = [{member} for _ in range(100)]
union = set().union(*sets)
assert sys.getrefcount(member) == base + 101 and len(union) == 1
sets.clear()
union = frozenset(union)
assert sys.getrefcount(member) == base + 1
del union
assert sys.getrefcount(member) == base

try:
    for x in copy:
        copy.add(x + 1)
except RuntimeError as error:
    print("iteration:", error)
try:
    {[]}
except TypeError:
    print("unhashable refused")


class Evil:
    target = None

    def __hash__(self):
        return 3

    def __eq__(self, other):
        if Evil.target is not None:
            Evil.target.clear()
        return False


evil = {Evil(), Evil()}
Evil.target = evil
evil.add(Evil())
Evil() in evil
evil & {Evil(), Evil()}
Evil.target = None
evil.clear()


class Last:
    gone = 0

    def __del__(self):
        Last.gone += 1


lasts = {Last() for _ in range(64)}
lasts.intersection_update(list(lasts)[:10])
assert Last.gone == 54
lasts.pop()
lasts.clear()
assert Last.gone == 64
print("finalizers:", Last.gone)


class Sub(set):
    pass


gc.collect()
for _ in range(50):
    s = Sub([1, 2])
    s.me = s
    s.add((1, "x"))
del s
print("cycles:", gc.collect() >= 50)
assert sorted(iter({1, 2, 3})) == [1, 2, 3] and {*"ab", *"bc"} == set("abc")
