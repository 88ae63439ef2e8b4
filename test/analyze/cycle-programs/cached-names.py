"""Fills the interpreter's cache of looked up attributes with names that nothing else holds; finalizers that a collection runs look up
names of their own, and push those out of the cache: they die during the collection, and were no garbage.
"""

import gc

gc.collect()
gc.disable()


def look_up(what, prefix, count):
    # All are alive at once, so that their addresses, which say where in the cache they go, differ.
    for name in [f"{prefix}_{i}" for i in range(count)]:
        hasattr(what, name)


class Node:
    def __init__(self, number):
        self.me = self
        self.number = number

    def __del__(self):
        look_up(Node, f"other_{self.number}", 2000)


for turn in range(30):
    Node(turn)
    look_up(Node, f"name_{turn}", 2000)
print("done")
