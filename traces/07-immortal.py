"""Rule 7, first part: not every object is counted. None, True, small integers and some others are immortal since 3.12 (PEP 683).

Their count is a constant that no reference changes. So `x = 4` writes nothing into the object 4, and what `sys.getrefcount(4)` says
means nothing but "immortal".

    refledger record traces/07-immortal.py
    refledger dump 07-immortal.trace.db --from mark:four --to mark:four-done
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


# Small integers, from -5 to 256 (to 1024 since 3.15), are made once, when the interpreter starts. Every 4 is the same object.
four = 2 + 2
assert four is int("4")
before = sys.getrefcount(four)
mark("four")
a = b = c = 4
many = [4] * 1000
mark("four-done")
after = sys.getrefcount(four)
if sys.version_info >= (3, 12):
    assert after == before, "1,003 more references, and the count is what it was"
else:
    assert after - before >= 1003
print("the count of 4 is about references:  ", sys.version_info < (3, 12) and after - before >= 1003)

# The same for None, True, the empty tuple, single letters.
for immortal in (None, True, (), "a", b"b", ...):
    before = sys.getrefcount(immortal)
    shelf = [immortal] * 1000
    if sys.version_info >= (3, 12):
        assert sys.getrefcount(immortal) == before
mark("constants-done")

# A larger integer is an object like any other.
mark("large")
large = int("1000")
assert large is not int("1000"), "each int('1000') makes an object of its own"
mark("large-born")
before = sys.getrefcount(large)
mark("large-before")
shelf = [large] * 1000
mark("large-many")
assert sys.getrefcount(large) - before == 1000
print("the count of 1000 is about references:", sys.getrefcount(large) - before == 1000)
mark("done")
