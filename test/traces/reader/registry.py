"""Nodes of a graph, linked by name. The same line links all of them; only one of its calls closes the circle."""
import gc
import weakref

gc.disable()


class Node:
    def __init__(self, name):
        self.name = name
        self.links = []


class Registry:
    def __init__(self):
        self.nodes = {}

    def add(self, node):
        self.nodes[node.name] = node

    def connect(self, a, b):
        first = self.nodes[a]
        second = self.nodes[b]
        first.links.append(second)


registry = Registry()
for name in "abc":
    registry.add(Node(name))
alive = weakref.ref(registry.nodes["a"])
registry.connect("a", "b")
registry.connect("b", "c")
total = sum(len(node.links) for node in registry.nodes.values())
registry.connect("c", "a")  # closes
registry.nodes.clear()
del registry
print("garbage:", alive() is not None, total)
gc.collect()
