"""Rule 4: counts alone cannot free a cycle; the collector can.

Two objects that refer to each other keep each other's count above zero, when nobody else knows them any more too. CPython's cycle
collector (the module `gc`) finds such islands and frees them, later. With the collector switched off they stay for ever.

    refledger record traces/04-cycles.py
    refledger history 04-cycles.trace.db Left --time mark:orphaned
"""

import gc
import sys
import weakref

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


class Left:
    pass


class Right:
    pass


# The collector shall run when we say so, and at no other time: then the steps can be told apart.
gc.disable()
gc.collect()

left = Left()
right = Right()
left.other = right
mark("half")
assert sys.getrefcount(left) - 1 == 1 and sys.getrefcount(right) - 1 == 2

# This line closes the cycle: from `right` to `left`, which refers to `right` already.
right.other = left
mark("closed")
assert sys.getrefcount(left) - 1 == 2 and sys.getrefcount(right) - 1 == 2
print("closed:   Left", sys.getrefcount(left) - 1, " Right", sys.getrefcount(right) - 1)

left_ref = weakref.ref(left)
right_ref = weakref.ref(right)

# These two lines make garbage of it. Each count falls from 2 to 1, and no further.
mark("orphaning")
del left
mark("one-name")
del right
mark("orphaned")
assert left_ref() is not None, "a count of 1 is not 0: the object lives"
assert right_ref() is not None
print("orphaned: Left is alive:", left_ref() is not None, " Right is alive:", right_ref() is not None)

# The collector is off, so nothing ever happens to them, however much the program allocates.
litter = [[] for _ in range(10_000)]
mark("waited")
assert left_ref() is not None
print("10,000 lists later, collector off:", left_ref() is not None)

# A collection by hand works although the automatic ones are off. It breaks the cycle by emptying the objects' insides: then the
# counts fall to zero, and the objects are freed in the ordinary way.
found = gc.collect()
mark("collected")
assert left_ref() is None and right_ref() is None
print("after gc.collect():", left_ref() is not None)
assert found >= 2

# The smallest cycle of all is an object that refers to itself.
me = Left()
me.other = me
mark("self-closed")
assert sys.getrefcount(me) - 1 == 2
del me
mark("self-orphaned")
assert gc.collect() >= 1
mark("self-collected")

# Broken in time, the same cycle needs no collector: the counts reach zero by themselves.
left = Left()
right = Right()
left.other = right
right.other = left
left_ref = weakref.ref(left)
mark("again")
left.other = None
mark("broken")
del left, right
mark("gone")
assert left_ref() is None
print("broken by hand, then the names deleted:", left_ref() is not None)
