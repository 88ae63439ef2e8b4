"""Exercises list: growth and shrinking, repetition, slices in all forms, sorting with keys, in-place operators, the free list
of list objects, lists that contain themselves, and iteration over a list that changes.
"""

import sys


class Thing:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        return self.n < other.n


shared = Thing(0)
base = sys.getrefcount(shared)

# Repetition: one bulk addition to a count.
many = [shared] * 1000
assert sys.getrefcount(shared) == base + 1000
many *= 3
assert sys.getrefcount(shared) == base + 3000
many += many
assert sys.getrefcount(shared) == base + 6000
pairs = [shared, None] * 50
assert sys.getrefcount(shared) == base + 6050
many *= 0
assert many == [] and sys.getrefcount(shared) == base + 50
pairs.clear()
assert sys.getrefcount(shared) == base
print("repetition: counts return to", "base")

# Slices: reading, assigning the same length, shorter, longer, extended; deleting.
row = [Thing(i) for i in range(100)]
part = row[10:90:3]
assert [t.n for t in part] == list(range(10, 90, 3))
row[0:10] = [Thing(-i) for i in range(10)]
row[20:40] = ()
row[5:5] = [Thing(1000 + i) for i in range(30)]
row[::2] = [Thing(5000 + i) for i in range(len(row[::2]))]
del row[3:60:7]
del row[-5:]
row[:] = row[::-1]
print("slices:", len(row), sum(t.n for t in row))

# Methods.
row.sort()
row.sort(key=lambda t: (t.n % 7, -t.n), reverse=True)
row.insert(0, row.pop())
row.extend(Thing(i) for i in range(17))
row.extend(row)
row.remove(row[4])
assert row.index(row[10]) >= 0 and row.count(row[10]) >= 1
row.reverse()
print("methods:", len(row), sum(i * t.n for i, t in enumerate(row)) % 1000003)

# Sorting that fails half-way leaves the list whole.
class Bad(Exception):
    pass


class Fussy:
    left = 40

    def __lt__(self, other):
        Fussy.left -= 1
        if Fussy.left < 0:
            raise Bad
        return id(self) is None


fussy = [Fussy() for _ in range(100)]
try:
    fussy.sort()
except Bad:
    pass
assert len(fussy) == 100 and len(set(map(id, fussy))) == 100

# Sorting sees modification of the list.
victim = [3, 1, 2]
try:
    victim.sort(key=lambda x: victim.append(x) or x)
except ValueError as error:
    print("sort:", error)

# Growth, one by one, and shrinking, one by one, through every resize.
grown = []
for i in range(5000):
    grown.append([i])
while grown:
    grown.pop()
for i in range(300):
    grown.insert(0, (i,))
for i in range(300):
    grown.pop(0)
assert grown == []

# The free list: many short-lived lists, more than it holds at once.
for _ in range(50):
    burst = [[] for _ in range(200)]
    del burst
depth = [list(range(n)) for n in range(120)]
print("short-lived lists:", sum(map(len, depth)))

# Lists in cycles, compared, and iterated while they change.
loop = [1, 2]
loop.append(loop)
assert repr(loop) == "[1, 2, [...]]"
del loop[:]
seen = []
changing = [1, 2, 3]
for x in changing:
    seen.append(x)
    if len(changing) < 10:
        changing.append(x * 2)
print("changing:", seen)
iterator = iter(changing)
next(iterator)
changing.clear()
assert list(iterator) == [] and iterator.__length_hint__() == 0

# Unpacking, star assignment, nested comprehension, multiplication of rows that share.
first, *middle, last = [Thing(i) for i in range(9)]
assert first.n + last.n + len(middle) == 15
grid = [[shared] * 4] * 5
assert sys.getrefcount(shared) == base + 4
grid[0][0] = None
assert all(r[0] is None for r in grid)
del grid
assert sys.getrefcount(shared) == base
try:
    [None] * (sys.maxsize // 2)
except (MemoryError, OverflowError) as error:
    print("too large:", type(error).__name__)
