"""Fragmentation: half of the memory is free, and a request for a tenth of that does not fit.

What counts is not how much is free, but how long the longest free range is.

    refledger record traces/08-fragmentation.py
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


SIZE = 4_000
BLOCKS = 200
EMPTY = sys.getsizeof(b"")


def request(size):
    return bytes(size - EMPTY)


# Fill the holes that are there.
filler = [request(SIZE) for _ in range(100)]
large_filler = [request(10 * SIZE) for _ in range(20)]

mark("row")
row = [request(SIZE) for _ in range(BLOCKS)]
mark("row-done")

# Every second one goes: 100 holes, none longer than one block and its header.
del row[::2]
mark("holes")
free = BLOCKS // 2 * SIZE
print(f"{free:,} bytes are free, in {BLOCKS // 2} holes of {SIZE:,}")

large = request(10 * SIZE)
mark("large")
print(f"a request for {10 * SIZE:,} bytes fits into none of them: the heap grows")

# Requests that fit do fill them.
small = [request(SIZE) for _ in range(BLOCKS // 2)]
mark("refilled")
print(f"{BLOCKS // 2} requests for {SIZE:,} bytes fill the holes: the heap does not grow")
