"""Rule 3: at zero an object is freed at once, and in a fixed order.

There is no pause and no later clean-up: the instruction that takes the last reference runs the finalizer, tells the weak
references, gives back what the object referred to, and returns the memory. Then the next instruction runs.

    refledger record traces/03-at-zero.py
    refledger history 03-at-zero.trace.db Phoenix --time mark:rises

The order of `__del__` and the callbacks of weak references is what CPython does when a count reaches zero; in a cycle it is the
other way round (see 04-cycle-finalizers.py).
"""

import sys
import weakref

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


happened = []


class Plain:
    """An object without any say in its own end."""


class Cargo:
    def __del__(self):
        happened.append("Cargo.__del__")


class Ship:
    def __init__(self):
        self.cargo = Cargo()

    def __del__(self):
        happened.append(f"Ship.__del__, weak reference still finds it: {ship_ref() is self}")


# Freed at once: the weak reference is dead in the very next expression.
plain = Plain()
ref = weakref.ref(plain)
mark("at-once-before")
del plain
mark("at-once")
assert ref() is None
print("freed at once:", ref() is None)

# The order: finalizer, then weak references (which are cleared first, so that the callback cannot reach the object), then the
# attributes, each of which may be freed in its turn.
ship = Ship()
ship_ref = weakref.ref(ship, lambda r: happened.append(f"callback of the weak reference, which gives {r()}"))
mark("order-before")
del ship
mark("order")
for line in happened:
    print(" ", line)
assert [line.split(",")[0].split(" of")[0] for line in happened] == ["Ship.__del__", "callback", "Cargo.__del__"]

# Several callbacks on one object: the weak reference made last is called first.
happened.clear()
plain = Plain()
first = weakref.ref(plain, lambda r: happened.append("first"))
second = weakref.ref(plain, lambda r: happened.append("second"))
del plain
print("callbacks:", ", ".join(happened))
assert happened == ["second", "first"]

# A weak reference that dies before its object is never called.
happened.clear()
plain = Plain()
forgotten = weakref.ref(plain, lambda r: happened.append("never"))
del forgotten
del plain
assert happened == []
print("callback of a dead weak reference:", happened)


# Resurrection: a finalizer that stores `self` somewhere makes a new reference, and the object lives on. Its finalizer does not run a
# second time (since 3.4, PEP 442).
class Phoenix:
    def __del__(self):
        happened.append("Phoenix.__del__")
        nest.append(self)


nest = []
phoenix = Phoenix()
phoenix_ref = weakref.ref(phoenix)
mark("rises")
del phoenix
mark("risen")
assert len(nest) == 1 and happened == ["Phoenix.__del__"]
assert sys.getrefcount(nest[0]) - 1 == 1
print("resurrected:", type(nest[0]).__name__)
# The object outlives its finalizer here, and its weak references with it: they are cleared only after __del__ (since 3.4).
assert phoenix_ref() is nest[0]
mark("second-death-before")
nest.clear()
mark("second-death")
assert happened == ["Phoenix.__del__"]
assert phoenix_ref() is None
print("finalizers that ran:", happened)


# A finalizer that raises cannot stop the object's end: the error is printed to stderr and forgotten.
class Grumpy:
    def __del__(self):
        raise RuntimeError("not yet!")


def quiet(report):
    happened.append(f"{report.exc_type.__name__}: {report.exc_value}")


happened.clear()
sys.unraisablehook = quiet
grumpy = Grumpy()
grumpy_ref = weakref.ref(grumpy)
mark("grumpy-before")
del grumpy
mark("grumpy")
sys.unraisablehook = sys.__unraisablehook__
assert grumpy_ref() is None
print("ignored:", *happened)
