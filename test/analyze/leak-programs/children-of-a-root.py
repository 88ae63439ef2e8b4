"""Leak: nodes in the list of a node that was there before; each has such a list."""

class Node:
    def __init__(self, v): self.v = v; self.kids = []
    def add(self, k):
        self.kids.append(k)  # LEAK
        return k
root = Node(0)
def build(n):
    return root.add(Node(n)).v
for n in range(200): build(n)
