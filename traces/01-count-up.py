"""Rule 1: a count goes up by one for each new reference to an object.

A reference is any place that holds the object: a name, an element of a list, a key or value of a dict, an attribute, an
argument of a call that is running. `sys.getrefcount(x)` tells the count; it is one too high, because while it runs its own
argument refers to `x` as well. So this program takes 1 off each time.

    refledger record traces/01-count-up.py
    refledger history 01-count-up.trace.db Thing

It is the same on every Python 3, but for two steps: how much a call adds ("inside a call" and "inside a call from a function"). The comments there say
which version does what.
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


class Thing:
    """An object whose count we watch. There is only one of it in this program."""


def show(what, count):
    print(f"{what:32}{count}")


mark("before")

# An object is created with a count of 1: the reference that its maker gets. `=` gives that reference to the name.
thing = Thing()
mark("bound")
assert sys.getrefcount(thing) - 1 == 1
show("created and bound to a name", sys.getrefcount(thing) - 1)

# `=` never copies. A second name is a second reference to the same object.
mark("name-before")
second = thing
mark("name")
assert sys.getrefcount(thing) - 1 == 2
show("a second name", sys.getrefcount(thing) - 1)


def look(argument):
    """Only looks at its argument; while it runs, `argument` is a name for the object too."""
    mark("inside")
    return sys.getrefcount(argument)


# A call adds a reference while it runs. Up to 3.10 it was two: one on the caller's stack of values, one for the name `argument`.
# Since 3.11 the caller's reference becomes the callee's. In 3.14 getrefcount's own argument is not counted inside a function.
mark("call-before")
inside = look(thing)
mark("call")
if sys.version_info >= (3, 14):
    assert inside == 3
assert sys.getrefcount(thing) - 1 == 2, "after the call its reference is gone"
show("after the call", sys.getrefcount(thing) - 1)

# A list, a tuple, a dict and a set hold references, one for each place. A literal that names `thing` three times holds three.
mark("list-before")
shelf = [thing]
mark("list")
assert sys.getrefcount(thing) - 1 == 3
show("an element of a list", sys.getrefcount(thing) - 1)

mark("append-before")
shelf.append(thing)
mark("append")
assert sys.getrefcount(thing) - 1 == 4
show("appended to it once more", sys.getrefcount(thing) - 1)

mark("tuple-before")
pair = (thing, thing)
mark("tuple")
assert sys.getrefcount(thing) - 1 == 6
show("both elements of a tuple", sys.getrefcount(thing) - 1)

mark("value-before")
table = {"key": thing}
mark("value")
assert sys.getrefcount(thing) - 1 == 7
show("a value in a dict", sys.getrefcount(thing) - 1)

mark("key-before")
table[thing] = "value"
mark("key")
assert sys.getrefcount(thing) - 1 == 8
show("a key in a dict", sys.getrefcount(thing) - 1)

mark("set-before")
bag = {thing}
mark("set")
assert sys.getrefcount(thing) - 1 == 9
show("an element of a set", sys.getrefcount(thing) - 1)


class Owner:
    pass


owner = Owner()
mark("attribute-before")
owner.property = thing
mark("attribute")
assert sys.getrefcount(thing) - 1 == 10
show("an attribute", sys.getrefcount(thing) - 1)


# A function that uses a local of the function around it keeps that local in a cell, and the cell refers to the object.
def enclose(captured):
    def inner():
        return captured

    return inner


mark("cell-before")
closure = enclose(thing)
mark("cell")
assert sys.getrefcount(thing) - 1 == 11
show("captured by a closure", sys.getrefcount(thing) - 1)


# A weak reference finds the object and does not count: that is what it is for.
import weakref

mark("weak-before")
weak = weakref.ref(thing)
mark("weak")
assert weak() is thing
assert sys.getrefcount(thing) - 1 == 11
show("a weak reference", sys.getrefcount(thing) - 1)


# Between functions, 3.14 saves even the one reference of a call: the callee borrows the one that the caller's local name has.
def outer():
    local = Thing()
    mark("borrow-before")
    return look(local)


inside = outer()
if sys.version_info >= (3, 14):
    assert inside == 1
print("done")
