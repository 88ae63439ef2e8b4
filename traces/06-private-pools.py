"""Rule 6: some types keep memory for themselves. First 20,000 integers, then 20,000 floats.

In Python 2 integers and floats had block pools of their own: an integer's memory, once released, could only become another integer. So
the floats could not use what the integers had left, and a process stayed as large as both peaks together.

Python 3 gave that up: an integer's block goes back to the common pools, where a float of that size may get it.

    refledger record traces/06-private-pools.py
"""

from array import array

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


NUMBERS = 20_000

mark("integers-before")
# Larger than 256, so that each is an object of its own.
numbers = [n for n in range(1_000_000, 1_000_000 + NUMBERS)]
mark("integers")
places = array("Q", map(id, numbers))
mark("releasing")
del numbers
mark("released")
floats = [n / 7 for n in range(1, NUMBERS + 1)]
mark("floats")
assert len({id(x) for x in floats}) == NUMBERS
reused = len(set(places) & {id(x) for x in floats})
# How many floats sit where an integer was depends on the sizes of both and on the allocator. In Python 2 it was always none.
print("20,000 integers, released, then 20,000 floats")
print("floats in the memory of former integers:", "some" if reused else "none")
