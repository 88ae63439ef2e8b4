"""Exercises __del__: order, resurrection once and attempted twice, resurrection out of a cycle, finalizers that raise, that
allocate, that drop other objects, that are called while the interpreter unwinds, finalizers of subclasses of builtin types.
"""

import gc
import sys

log = []
graveyard = []


class Lazarus:
    def __init__(self, name):
        self.name = name
        self.load = [name] * 3

    def __del__(self):
        log.append("del " + self.name)
        graveyard.append(self)


# Resurrection by reference count: __del__ runs once, the second death is silent.
for i in range(100):
    Lazarus("a%d" % i)
assert len(graveyard) == 100 and log[0] == "del a0" and graveyard[99].load == ["a99"] * 3
graveyard.clear()
assert len(log) == 100
print("resurrected by count:", len(log))


# Resurrected twice: a new finalizer is possible only for a new object, so give the payload to a new one.
class Phoenix:
    generation = 0

    def __init__(self, ash=None):
        self.ash = ash

    def __del__(self):
        Phoenix.generation += 1
        if Phoenix.generation < 50:
            graveyard.append(Phoenix(self.ash))
            graveyard[-1].ash = [self.ash]
        else:
            graveyard.append(self)


Phoenix("x")
while graveyard and Phoenix.generation < 50:
    graveyard.pop()
print("phoenix:", Phoenix.generation, len(graveyard))
graveyard.clear()

# Resurrection out of a cycle by the collector: everything reachable survives.
log.clear()
gc.collect()
for i in range(50):
    one, two = Lazarus("one"), Lazarus("two")
    one.other, two.other = two, one
    one.tail = {"key": [two, object()]}
del one, two
gc.collect()
print("resurrected by the collector:", len(log), len(graveyard), len(gc.garbage))
assert all(x.other.other is x for x in graveyard)
graveyard.clear()
gc.collect()
assert not graveyard and len(log) == 100


# Order: a container's finalizer runs before its contents'.
class Chain:
    def __init__(self, name, next=None):
        self.name, self.next = name, next

    def __del__(self):
        log.append(self.name)


log.clear()
chain = None
for name in "edcba":
    chain = Chain(name, chain)
del chain
print("order:", "".join(log))


# Finalizers that raise go to sys.unraisablehook, and the object still dies.
unraisable = []
previous = sys.unraisablehook
sys.unraisablehook = lambda info: unraisable.append((type(info.exc_value).__name__, str(info.exc_value)))


class Angry:
    def __del__(self):
        raise ValueError("angry")


for _ in range(20):
    Angry()
angry = Angry()
angry.me = angry
del angry
gc.collect()
sys.unraisablehook = previous
print("unraisable:", len(unraisable), unraisable[0])


# Finalizers while an exception unwinds the stack see, and keep, no exception of their own.
class Guard:
    def __init__(self, n):
        self.n = n

    def __del__(self):
        log.append(self.n)
        try:
            {}["missing"]
        except KeyError:
            pass


def dive(n):
    guard = Guard(n)
    if n == 0:
        raise LookupError("bottom")
    dive(n - 1)
    return guard


log.clear()
try:
    dive(30)
except LookupError as error:
    assert str(error) == "bottom" and not log
assert len(log) == 31
print("unwound:", log[0], log[-1])


# Subclasses of builtins with finalizers; resurrected in their turn.
def make(base, *args):
    class Sub(base):
        def __del__(self):
            graveyard.append(self)

    return Sub(*args)


for base, args in ((list, [[1, 2]]), (dict, [{"a": 1}]), (tuple, [(1, 2)]), (set, [{1}]), (int, [70000]), (str, ["text"]), (bytes, [b"b"]), (float, [1.5]), (frozenset, [[1]]), (Exception, ["e"])):
    for _ in range(5):
        make(base, *args)
assert len(graveyard) == 50
print("subclasses:", sorted({type(x).__base__.__name__ for x in graveyard}))
graveyard.clear()
gc.collect()


# Slots whose finalizer replaces its own class and attributes.
class After:
    pass


class Before:
    def __del__(self):
        self.__class__ = After
        self.__dict__ = {"fresh": [1]}
        log.append("changed")


log.clear()
for _ in range(10):
    Before()
print("changed class while dying:", len(log))


# A finalizer that triggers a collection, and one that deletes the global that is being deleted.
class Collecting:
    def __del__(self):
        gc.collect()
        log.append("collected")


log.clear()
Collecting()
loop = Collecting()
loop.self = loop
del loop
gc.collect()
print("collecting:", log)


# What is alive at the very end is finalized too; its output comes last.
class AtEnd:
    def __del__(self, print=print):
        print("the end")


keep = AtEnd()
