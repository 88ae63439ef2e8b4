"""When the collector comes by itself: after so many more objects were made than freed. Objects that survive are looked at less often.

    refledger record traces/04-generations.py
    refledger info 04-generations.trace.db

The numbers are those of `gc.get_threshold()`, and they changed: (700, 10, 10) up to 3.11 … 3.12, (2000, 10, 10) in 3.13, (2000, 10, 0) in
3.14. So this program asks instead of assuming them.
"""

import gc
import weakref

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


class Pair:
    """Two of these make a cycle."""


gc.collect()
gc.disable()
threshold = gc.get_threshold()[0]
assert threshold > 0
made = gc.get_count()[0]
# Only containers count: objects that could be part of a cycle.
texts = [str(n) for n in range(1000, 1100)]
after_texts = gc.get_count()[0]
lists = [[] for _ in range(100)]
after_lists = gc.get_count()[0]
assert after_texts - made < 20, "strings cannot refer to anything: the collector does not count them"
assert after_lists - after_texts >= 100
print("100 strings count for nothing, 100 lists count:", after_lists - after_texts >= 100)

# An orphaned cycle waits for the collection that comes by itself.
gc.enable()
one, two = Pair(), Pair()
one.other, two.other = two, one
freed = []
watch = weakref.ref(one, freed.append)
mark("orphaning")
del one, two
mark("orphaned")
assert not freed
# The loop asks `freed`, which the weak reference's callback fills, and not `watch()`: since 3.12 collections start between two
# instructions, often right after a call, and there the answer of `watch()` itself would be the reference that keeps the cycle.
# Looking would change what is looked at.
runs = []
gc.callbacks.append(lambda phase, info: runs.append(phase))
keep = []
while not freed:
    keep.append([])
    assert len(keep) < 50 * threshold, "the collector never came"
mark("came")
gc.callbacks.clear()
assert watch() is None
assert runs[0] == "start"
print("freed by a collection that nobody asked for:", watch() is None)

# A dictionary or tuple that holds nothing but atoms cannot be in a cycle. Lists are watched always.
assert gc.is_tracked([]) and not gc.is_tracked("text") and not gc.is_tracked(1)
print("a list is tracked:", gc.is_tracked([]), " a string:", gc.is_tracked("text"))

# gc.freeze() takes everything that is there out of the collector's sight, for good or until gc.unfreeze().
gc.collect()
gc.disable()
one, two = Pair(), Pair()
one.other, two.other = two, one
alive = weakref.ref(one)
gc.freeze()
del one, two
gc.collect()
mark("frozen")
assert alive() is not None
gc.unfreeze()
gc.collect()
mark("thawed")
assert alive() is None
print("frozen garbage stays, thawed garbage goes:", alive() is None)
