"""Freed memory goes back to its pool and not to the system, and one survivor pins a whole pool.

A pool can serve another size of blocks only when all of its blocks are free, and its arena can go back to the system only when all
its pools are. So the few objects that outlive the many decide how much memory a program keeps.

    refledger record traces/05-pinned-pools.py
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


EMPTY = sys.getsizeof(b"")
CROWD = 20_000


def request(size):
    return bytes(size - EMPTY)


def crowd():
    return [request(64) for _ in range(CROWD)]


# All of them freed: every pool is empty again.
mark("first-before")
everyone = crowd()
mark("first-full")
del everyone
mark("first-empty")

# The same crowd, and every five-hundredth stays. A page of 4 KiB has room for 63 blocks of 64 bytes, a page of 16 KiB for 255.
mark("second-before")
everyone = crowd()
mark("second-full")
survivors = everyone[::500]
del everyone
mark("second-pinned")
alive = len(survivors) * 64
assert len(survivors) == 40
print(f"{CROWD * 64:,} bytes were asked for, {alive:,} are still used, by {len(survivors)} blocks")
print(f"each of them pins a pool: up to {len(survivors) * 4096:,} bytes with pools of 4 KiB, {len(survivors) * 16384:,} with 16 KiB")

# Memory that is free in a pinned pool is not lost: the next requests of that size take it.
mark("third-before")
again = [request(64) for _ in range(CROWD // 2)]
mark("third")
print("the same size again fits into the holes")
assert all(sys.getsizeof(block) == 64 for block in again)
