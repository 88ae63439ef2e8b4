"""Sorts tuples, instances and strings by several keys, and rebuilds tables with nested comprehensions, zip, enumerate, slices
and heaps: long lists of short tuples. `python sorting-and-comprehensions.py [ROUNDS]`
"""

import bisect
import heapq
import itertools
import operator
import sys


class Row:
    __slots__ = ("key", "group", "text")

    def __init__(self, key, group, text):
        self.key, self.group, self.text = key, group, text

    def __lt__(self, other):
        return (self.group, self.key) < (other.group, other.key)


def numbers(n, seed):
    for _ in range(n):
        seed = (seed * 69069 + 1) & 0xFFFFFFFF
        yield seed >> 7


def main(rounds):
    checksum = 0
    for r in range(rounds):
        values = list(numbers(5000, r + 1))
        pairs = sorted((v % 101, i, str(v)) for i, v in enumerate(values))
        pairs.sort(key=operator.itemgetter(2))
        pairs.sort(key=lambda p: (-p[0], p[1] % 7), reverse=True)
        rows = sorted(Row(v % 1000, i % 17, s) for (v, i, s) in pairs[:2000])
        merged = list(heapq.merge(values[:500], sorted(values[500:1000])))
        best = heapq.nlargest(50, rows, key=lambda row: row.key)
        table = [[(x, y, x * y % 7) for y in row] for row in itertools.batched(values[:2000], 40) for x in row[:4]]
        columns = [list(column) for column in zip(*table)]
        flat = {cell[2]: cell for column in columns for cell in column if cell[0] % 3}
        groups = [(k, sum(p[1] for p in g)) for k, g in itertools.groupby(pairs, key=operator.itemgetter(0))]
        ordered = []
        for v in values[:1000]:
            bisect.insort(ordered, v)
        windows = [sum(w) for w in zip(values, values[1:], values[2:])][::3]
        checksum += rows[100].key + merged[10] + best[-1].key + len(flat) + groups[3][1] + ordered[500] + windows[-1] + pairs[7][1]
    print("checksum", checksum)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 78)
