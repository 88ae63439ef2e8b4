"""Rule 2: a count goes down by one when a reference goes away.

A name that leaves its scope, `del`, a name bound to something else, an element taken out of a container, and a container that
is itself freed: each gives its reference back, and nothing else happens, unless it was the last.

    refledger record traces/02-count-down.py
    refledger history 02-count-down.trace.db Thing --time mark:start

Every step is the same on every Python 3.
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


class Thing:
    """The object whose count we watch."""

    def __del__(self):
        print("  the Thing is freed")


class Part:
    """One of several objects that hang in a container."""


def show(what, count):
    print(f"{what:36}{count}")


thing = Thing()
mark("start")


# A local name gives its reference back when the function ends.
def use():
    local = thing
    mark("scope-inside")
    return None


mark("scope-before")
use()
mark("scope")
assert sys.getrefcount(thing) - 1 == 1
show("a local name left its scope", sys.getrefcount(thing) - 1)

# `del` removes a name, not an object. There is another name, so the object stays.
alias = thing
mark("del-before")
del alias
mark("del")
assert sys.getrefcount(thing) - 1 == 1
show("del of one of two names", sys.getrefcount(thing) - 1)

# Binding a name to something else gives back what it held before.
alias = thing
mark("rebind-before")
alias = "something else"
mark("rebind")
assert sys.getrefcount(thing) - 1 == 1
show("a name bound to something else", sys.getrefcount(thing) - 1)

shelf = [thing, thing, thing, thing, thing, thing]
assert sys.getrefcount(thing) - 1 == 7

mark("remove-before")
shelf.remove(thing)
mark("remove")
assert sys.getrefcount(thing) - 1 == 6
show("list.remove", sys.getrefcount(thing) - 1)

# `pop` hands the list's reference to us; as we do not keep it, it goes at once.
mark("pop-before")
shelf.pop()
mark("pop")
assert sys.getrefcount(thing) - 1 == 5
show("list.pop", sys.getrefcount(thing) - 1)

mark("slice-before")
del shelf[1:3]
mark("slice")
assert sys.getrefcount(thing) - 1 == 3
show("del of a slice of two", sys.getrefcount(thing) - 1)

mark("clear-before")
shelf.clear()
mark("clear")
assert sys.getrefcount(thing) - 1 == 1
show("list.clear of the last two", sys.getrefcount(thing) - 1)

# When the container goes, so do its references.
shelf = [thing, thing]
mark("container-before")
del shelf
mark("container")
assert sys.getrefcount(thing) - 1 == 1
show("the list itself deleted", sys.getrefcount(thing) - 1)


def fill():
    basket = {"a": thing, "b": [thing]}
    mark("nested-inside")
    return len(basket)


mark("nested-before")
fill()
mark("nested")
assert sys.getrefcount(thing) - 1 == 1
show("a dict left its scope", sys.getrefcount(thing) - 1)

# The last reference: the object is freed in this very statement, before the next line runs.
mark("last-before")
del thing
mark("last")
print("the last name is deleted")

# A cascade: the root is freed, so its list loses its last reference, so its parts lose theirs, so their names' lists …
root = Part()
root.children = [Part() for _ in range(3)]
for child in root.children:
    child.children = [Part() for _ in range(2)]
del child
mark("cascade-before")
del root
mark("cascade")
print("ten parts are freed by one del")
