"""Rule 5: a small request is served from a pool, a large one by the C library.

CPython asks for memory in requests of so many bytes. Its own allocator, pymalloc, answers those up to a limit from pools: pages
cut into blocks of one size. The limit was first 256 bytes and has been 512 since 3.3. Larger requests go to malloc.

    refledger record traces/05-small-and-large.py
    refledger dump 05-small-and-large.trace.db --kind alloc --from mark:256 --to mark:done

The recorded interpreter is built without pymalloc: all its requests go to malloc, and so they are all seen. What pymalloc would have done
with them is the work of a model: see docs/memory-model, chapter 5.
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


EMPTY = sys.getsizeof(b"")


def request(size):
    """A bytes object is one block, its header included: so this asks for exactly `size` bytes."""
    return bytes(size - EMPTY)


# The limits, and one byte more.
mark("256")
largest_first_described = request(256)
mark("257")
no_longer_small_in_32 = request(257)
mark("512")
largest_small = request(512)
mark("513")
large = request(513)
mark("done")
for block in (largest_first_described, no_longer_small_in_32, largest_small, large):
    size = sys.getsizeof(block)
    print(f"a request for {size} bytes: {'a pool' if size <= 512 else 'malloc'}; before 3.3: {'a pool' if size <= 256 else 'malloc'}")

# How to tell from outside: blocks of a pool stand one right behind the other, while malloc puts a header before each of its own.
def usual_distance(size):
    places = sorted(id(block) for block in [request(size) for _ in range(200)])
    distances = [after - before for before, after in zip(places, places[1:])]
    return max(set(distances), key=distances.count)


if sys.getallocatedblocks() > 0:  # 0 is the answer of an interpreter without pymalloc
    assert usual_distance(512) == 512, "no header: a pool"
    assert usual_distance(528) > 528, "a header: malloc"

# One object may make two requests: a list is a small header, and a block for its elements that outgrows the pools.
mark("list-short")
short = [None] * 10
mark("list-long")
long = [None] * 1000
mark("list-done")
header = sys.getsizeof([])
assert sys.getsizeof(short) - header <= 512 < sys.getsizeof(long) - header
print("a list of 10: both blocks from pools; of 1,000: the header from a pool, the elements from malloc")
