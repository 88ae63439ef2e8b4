"""A cycle whose objects have finalizers: since 3.4 (PEP 442) the collector runs them all, and then frees the cycle.

The collector first tells weak references with callbacks, then calls every finalizer while all objects of the cycle are still whole, and only then
takes the objects apart. A finalizer may still save its object, and the whole cycle with it.

    refledger record traces/04-cycle-finalizers.py

Python 2 and 3.0 to 3.3 never freed a cycle with a `__del__`: it was put into `gc.garbage`.
"""

import gc
import weakref

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


gc.disable()
gc.collect()
happened = []


class Member:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        # Its partner is whole: it can still be asked for its name.
        happened.append(f"{self.name} finalized, its partner is {self.partner.name}")


a, b = Member("A"), Member("B")
a.partner, b.partner = b, a
ref = weakref.ref(a, lambda r: happened.append(f"callback of the weak reference, which gives {r()}"))
mark("closed")
del a, b
mark("orphaned")
assert happened == []
gc.collect()
mark("collected")
for line in happened:
    print(" ", line)
assert happened[0].startswith("callback"), "in a cycle weak references come first, unlike at a count of zero"
assert len(happened) == 3
assert gc.garbage == []


class Saver:
    """Its finalizer makes a new reference to itself from outside of the cycle: nothing of the cycle is freed."""

    saved = []

    def __del__(self):
        Saver.saved.append(self)


happened.clear()
one, two = Saver(), Member("the saver's partner")
one.partner, two.partner = two, one
one.name = "the saver"
mark("saver-orphaning")
del one, two
gc.collect()
mark("saved")
assert len(Saver.saved) == 1
print("saved by its finalizer:", type(Saver.saved[0]).__name__, "and", Saver.saved[0].partner.name)

# The second time nobody's finalizer runs: each had its turn.
happened.clear()
Saver.saved.clear()
gc.collect()
mark("second")
assert Saver.saved == [] and happened == []
print("at its second death, finalizers that ran:", len(happened))
