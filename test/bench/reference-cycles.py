"""Makes pairs of objects that refer to each other, and trees with parent links, and drops them: nothing but the collector ends them.
`python reference-cycles.py [ROUNDS]`, each of 50 pairs and one tree
"""

import sys


class Node:
    __slots__ = ("other", "data")

    def __init__(self, n):
        self.data = [n, str(n)]


class Tree:
    def __init__(self, parent):
        self.parent = parent
        self.children = []
        if parent:
            parent.children.append(self)


def pair(n):
    a = Node(n)
    b = Node(n)
    a.other = b
    b.other = a


def tree(depth, parent=None):
    root = Tree(parent)
    if depth:
        for _ in range(3):
            tree(depth - 1, root)
    return root


def main(rounds):
    made = 0
    for n in range(50 * rounds):
        pair(n)
        if n % 50 == 0:
            made += len(tree(4).children)
    print("checksum", made)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 1500)
