"""Rule 8: underneath is a heap: blocks that are used, ranges that are free, and neighbours that are joined.

malloc has one long piece of memory and cuts blocks from it. A block that is freed becomes a free range; free ranges that touch are
joined into one. A later request takes a free range that is large enough, before more memory is asked of the system.

    refledger record traces/08-free-ranges.py
    refledger dump 08-free-ranges.trace.db --kind alloc --kind free --from mark:cut --to mark:done

The C library of the recorded interpreter is the one described (dlmalloc). Others, such as that of glibc, do the same with more tricks,
so this program prints nothing that depends on it; a test holds the recorded addresses against the rule.
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


SIZE = 40_000
EMPTY = sys.getsizeof(b"")


def request(size):
    return bytes(size - EMPTY)


# Fill the holes that are there, so that what follows is cut from one piece.
filler = [request(SIZE) for _ in range(20)]

mark("cut")
a = request(SIZE)
b = request(SIZE)
c = request(SIZE)
d = request(SIZE)
mark("cut-done")
print("four blocks of 40,000 bytes side by side")

# The hole of one block takes a block of that size, and not one of two.
mark("hole")
del b
mark("hole-done")
double = request(2 * SIZE)
mark("double-done")
print("one freed: a request for 80,000 bytes must go elsewhere")
same = request(SIZE)
mark("same-done")
print("a request for 40,000 bytes takes the hole")
del same

# Two neighbours freed one after the other are one range: now it is large enough.
mark("join")
del c
mark("join-done")
joined = request(2 * SIZE)
mark("joined-done")
print("its neighbour freed too: a request for 80,000 bytes fits")
mark("done")
