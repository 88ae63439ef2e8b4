"""Exercises heapq, bisect, array, struct and operator on objects that compare by Python code and on plain numbers."""

import array
import bisect
import heapq
import operator
import random
import struct
import sys


class Item:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        return self.n < other.n


rng = random.Random(1)
values = [rng.randrange(10**6) for _ in range(800)]
heap = []
for v in values:
    heapq.heappush(heap, Item(v))
    if len(heap) > 200:
        heapq.heappop(heap)
for v in values[:100]:
    heapq.heappushpop(heap, Item(v)), heapq.heapreplace(heap, Item(v + 1))
out = [heapq.heappop(heap).n for _ in range(len(heap))]
assert out == sorted(out)
heapq.heapify(copy := values[:])
print("heap:", sum(out), heapq.nlargest(3, values), heapq.nsmallest(2, values, key=lambda v: -v), copy[0] == min(values))
print("merge:", list(heapq.merge([1, 4, 7], [2, 5], [3], key=None))[:5], len(list(heapq.merge(sorted(values), sorted(values, reverse=True)[::-1]))))


class Spoil(Item):
    def __lt__(self, other):
        if Spoil.left == 0:
            raise ZeroDivisionError
        Spoil.left -= 1
        return super().__lt__(other)


for n in range(0, 40, 3):
    Spoil.left = n
    h = []
    try:
        for v in values[:30]:
            heapq.heappush(h, Spoil(v))
    except ZeroDivisionError:
        pass

ordered = []
for v in values:
    bisect.insort(ordered, v)
assert ordered == sorted(values)
items = [Item(v) for v in ordered]
bisect.insort_left(items, Item(500_000), key=None)
bisect.insort(items, Item(7), key=lambda i: i.n)
print("bisect:", bisect.bisect(ordered, 500_000), bisect.bisect_left(items, 10_000, key=lambda i: i.n), len(items))

total = 0
for code in "bBhHiIlLqQfd":
    a = array.array(code, range(100))
    a.extend(a[10:20])
    a.append(1)
    a[3:5] = array.array(code, [9] * 10)
    del a[::7]
    a *= 2
    a.reverse()
    b = array.array(code, a.tobytes())
    assert a == b and array.array(code, a.tolist()) == a and a.count(9) >= 10
    b.byteswap(), b.byteswap()
    a.fromlist([1, 2]), a.frombytes(bytes(a.itemsize * 3))
    total += len(a) + int(a[0]) + a.index(9)
    a.pop(), a.remove(9), a.insert(4, 3)
text = array.array("w" if sys.version_info >= (3, 13) else "u", "t\u00e9xt \u0416")
text.extend("more")
print("array:", total, ascii(text.tounicode()), array.array("d", [1.5, 2]), len(memoryview(text)))
try:
    array.array("b", [1000])
except OverflowError as error:
    print("overflow:", error)

S = struct.Struct("<bHi?q4sd3x2h")
packed = [S.pack(-1, i, -i, i % 2, i << 33, b"ab", i / 3, i, -i) for i in range(300)]
assert [S.unpack(p)[1] for p in packed] == list(range(300))
joined = b"".join(packed)
assert sum(t[2] for t in S.iter_unpack(joined)) == -sum(range(300)) and S.unpack_from(joined, S.size * 7)[7] == 7
many = [struct.unpack(">%dI" % n, bytes(4 * n)) for n in range(150)]
print("struct:", S.size, struct.calcsize("@P"), len(many), struct.pack("e", 1.5), struct.pack("5p", b"pascal"), struct.unpack("?", b"\x02"))
for bad in (lambda: struct.pack("b", 300), lambda: struct.unpack("i", b"1"), lambda: struct.Struct("z"), lambda: struct.pack("2i", 1)):
    try:
        bad()
    except struct.error as error:
        print("error:", error)

get = operator.itemgetter(2, 0)
attr = operator.attrgetter("n", "__class__.__name__")
call = operator.methodcaller("split", ",", maxsplit=1)
print("operator:", get("abc"), attr(items[1]), call("a,b,c"), operator.concat([1], [2]), operator.countOf("banana", "a"), operator.length_hint(iter([1, 2])), operator.index(True))
for name in ("add", "sub", "mul", "floordiv", "truediv", "mod", "pow", "lshift", "rshift", "and_", "or_", "xor", "eq", "lt", "is_not", "iadd", "imul"):
    total += int(getattr(operator, name)(7, 3))
print("totals:", total)
