"""Three ways to have no garbage cycle in the first place: a weak reference upwards, an explicit close, no stored exception.

    refledger record traces/04-breaking-cycles.py

The collector is off for the whole of the program, and everything is freed nevertheless, each object in the line that drops it.
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


class Node:
    """A child refers to its parent weakly: the parent owns the child, and not the other way round."""

    def __init__(self, parent=None):
        self.children = []
        self.parent = None if parent is None else weakref.ref(parent)
        if parent is not None:
            parent.children.append(self)


root = Node()
Node(root)
alive = weakref.ref(root)
mark("weak-before")
del root
mark("weak")
assert alive() is None
print("a weak reference upwards: freed at once")


class Window:
    def __init__(self):
        self.handler = self.closed

    def closed(self):
        pass

    def close(self):
        """Gives up what it holds. From here on counts are enough."""
        self.handler = None


window = Window()
alive = weakref.ref(window)
mark("close-before")
window.close()
del window
mark("close")
assert alive() is None
print("an explicit close:        freed at once")


class Witness:
    pass


def keep_only_the_text():
    witness = Witness()
    try:
        raise ValueError("something went wrong")
    except ValueError as error:
        text = str(error)
    mark("text")
    return weakref.ref(witness), text


alive, text = keep_only_the_text()
mark("text-after")
assert alive() is None
print("the text of an error:     freed at once")
assert gc.collect() == 0, "nothing was left for the collector"
print("left for the collector:  ", gc.collect())
