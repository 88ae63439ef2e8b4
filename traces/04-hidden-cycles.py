"""Cycles that nobody wrote down: a function of methods, a frame, an exception, a callback.

Most cycles in real programs look like none. Here are four of them, and for each the line that closed it is not the line where the
objects were made.

    refledger record traces/04-hidden-cycles.py

Each part first makes the cycle, and then says how many objects the collector needed to free.
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


class Button:
    """Keeps a function to call. A bound method holds its object, so the object holds itself."""

    def connect(self):
        self.on_click = self.clicked

    def clicked(self):
        pass


button = Button()
alive = weakref.ref(button)
button.connect()
mark("button-closed")
del button
mark("button-orphaned")
assert alive() is not None
gc.collect()
mark("button-collected")
assert alive() is None
print("a bound method kept in its own object: needs the collector")


class Tree:
    """A child that knows its parent, whose list knows the child."""

    def __init__(self, parent=None):
        self.children = []
        self.parent = parent
        if parent is not None:
            parent.children.append(self)


tree = Tree()
alive = weakref.ref(tree)
Tree(tree)
mark("tree-closed")
del tree
assert alive() is not None
gc.collect()
mark("tree-collected")
assert alive() is None
print("a child that knows its parent:         needs the collector")


class Witness:
    pass


def keep_the_error():
    """The error knows its traceback, the traceback this frame, and the frame's local `kept` the error."""
    witness = Witness()
    alive = weakref.ref(witness)
    try:
        raise ValueError("something went wrong")
    except ValueError as error:
        # `except … as error` deletes the name `error` at its end for this very reason; our copy stays.
        kept = error
    mark("error-closed")
    return alive


alive = keep_the_error()
mark("error-orphaned")
assert alive() is not None
gc.collect()
mark("error-collected")
assert alive() is None
print("an exception kept in a local name:     needs the collector")


def countdown(start):
    """An inner function that calls itself: its cell refers to it, and it refers to its cell."""
    witness = Witness()

    def step(n):
        return witness if n == 0 else step(n - 1)

    mark("closure-closed")
    return weakref.ref(step(start))


alive = countdown(3)
mark("closure-orphaned")
assert alive() is not None
gc.collect()
mark("closure-collected")
assert alive() is None
print("an inner function that calls itself:   needs the collector")
