"""Exercises every function of itertools: results that reuse their tuple, tee with uneven readers, groupby abandoned in the
middle, product and permutations of objects, infinite ones cut short, iterators in cycles, exceptions on the way.
"""

import gc
import itertools as it
import operator
import sys


class Value:
    pass


value = Value()
base = sys.getrefcount(value)
numbers = list(range(20))

print("accumulate:", list(it.accumulate(numbers))[-1], list(it.accumulate([1, 5, 2], max)), list(it.accumulate("abc", initial="")))
print("chain:", sum(it.chain(numbers, (x * 2 for x in numbers), *[[1]] * 3)), list(it.chain.from_iterable(["ab", "", "c"])))
print("combinations:", sum(1 for _ in it.combinations(numbers, 4)), list(it.combinations_with_replacement("ab", 2)), list(it.combinations("abc", 0)))
print("permutations:", sum(p[0] for p in it.permutations(range(6))), len(list(it.permutations("abcd", 2))))
print("product:", sum(a * b for a, b in it.product(numbers, repeat=2)), list(it.product("ab", [1], (None,)))[1], list(it.product()))
print("compress:", list(it.compress("abcdef", it.cycle([1, 0]))), list(it.filterfalse(None, [0, 1, "", "x"])))
print("while:", list(it.dropwhile(lambda x: x < 15, numbers)), list(it.takewhile(lambda x: x < 3, numbers)))
print("islice:", list(it.islice(it.count(10, 3), 2, 12, 4)), list(it.islice("abcdef", None)), next(it.islice(it.repeat("r"), 5, None)))
print("starmap:", list(it.starmap(pow, [(2, 5), (3, 2)])), list(it.starmap(lambda *a: len(a), [(1,) * n for n in range(4)])))
print("zip_longest:", list(it.zip_longest("ab", [1, 2, 3], fillvalue="-")), list(it.pairwise(numbers[:4])))
print("repeat:", list(it.repeat(7, 3)), it.repeat(1, 5).__length_hint__(), list(map(operator.mul, it.repeat(3), range(3))))
print("count:", list(it.islice(it.count(sys.maxsize - 1), 4))[-1] == sys.maxsize + 2, list(it.islice(it.count(0.5, 0.25), 3)))
if sys.version_info >= (3, 12):
    print("batched:", list(it.batched("abcdefg", 3)))

# Counts of what the iterators hold.
for make in (
    lambda: [it.repeat(value, 10) for _ in range(10)],
    lambda: list(it.product([value], repeat=3)),
    lambda: list(it.combinations([value] * 5, 3)),
    lambda: list(it.zip_longest([1, 2, 3], [1], fillvalue=value)),
    lambda: list(it.islice(it.cycle([value, None]), 50)),
    lambda: list(it.accumulate([value] * 20, lambda a, b: b)),
    lambda: [next(it.permutations([value, value, value])) for _ in range(5)],
    lambda: [next(iter(p)) for p in it.tee([value] * 4, 3)],
):
    made = make()
    assert sys.getrefcount(value) > base
    del made
    assert sys.getrefcount(value) == base

# tee: readers far apart; copies; one dropped half-way.
source = ([i, value] for i in range(3000))
a, b, c = it.tee(source, 3)
for _ in range(2500):
    next(a)
assert sum(x[0] for x in it.islice(b, 100)) == 4950
del a
d = it.tee(c, 1)[0]
import copy

e = copy.copy(d) if sys.version_info < (3, 14) else it.tee(d, 1)[0]
print("tee:", sum(x[0] for x in b), next(c)[0], next(d)[0] >= 0, sum(1 for _ in e) >= 0)
del b, c, d, e, source
gc.collect()
assert sys.getrefcount(value) == base
chained = iter(range(2))
for _ in range(200):
    chained = it.chain(chained, [3])
assert sum(chained) == 601
t = it.tee(range(100_000))[0]
for _ in t:
    pass
first, _ = it.tee(iter(range(20_000)))
list(_)
del first, _

# groupby: groups read, skipped, kept beyond their turn.
rows = [(k, i, value) for i in range(400) for k in [i // 7 % 5]]
totals = {}
for k, group in it.groupby(rows, key=operator.itemgetter(0)):
    if k != 2:
        totals[k] = totals.get(k, 0) + sum(r[1] for r in it.islice(group, 4))
kept = [g for _, g in it.groupby(rows, key=lambda r: r[0])]
print("groupby:", totals, sum(len(list(g)) for g in kept))
del rows, kept, group

# Callbacks that raise, in each position.
def fails_at(n):
    state = iter(range(n))

    def f(*args):
        if next(state, None) is None:
            raise ZeroDivisionError
        return len(args)

    return f


failed = 0
for n in range(5):
    for make in (
        lambda f: it.accumulate(numbers, f), lambda f: it.groupby(numbers, f), lambda f: it.starmap(f, zip(numbers)), lambda f: it.takewhile(f, numbers),
        lambda f: it.filterfalse(f, numbers), lambda f: it.dropwhile(f, numbers), lambda f: map(f, numbers, numbers), lambda f: filter(f, numbers), lambda f: it.compress(numbers, map(f, numbers)),
    ):
        try:
            list(make(fails_at(n)))
        except ZeroDivisionError:
            failed += 1
print("failed:", failed)

# Iterators in cycles with what they iterate.
gc.collect()
for _ in range(20):
    for make in (it.chain, it.cycle, it.count, lambda x: it.repeat(x), lambda x: it.islice(x, 5), it.tee, enumerate, reversed, iter, lambda x: zip(x, x), lambda x: map(len, x), it.product):
        box = [value]
        try:
            box.append(make(box))
        except TypeError:
            pass
del box
gc.collect()
assert sys.getrefcount(value) == base
# enumerate and zip reuse their tuples; large counts; sentinels; reversed.
assert sum(i for i, _ in enumerate("x" * 1000, start=sys.maxsize - 10)) > 0
calls = iter(fails_at(3), 99)
print("sentinel:", next(calls), [*reversed(range(3))], list(zip(*zip("ab", "cd"), strict=True)))
