"""Builds trees of instances, walks them, re-links them, and drops them: allocation and reference counting of small objects,
parent links (cycles that the collector must take), lists and dicts as attributes. `python object-graphs.py [ROUNDS]`
"""

import sys


class Node:
    def __init__(self, parent, key):
        self.parent = parent
        self.key = key
        self.children = []
        self.tags = {"depth": parent.tags["depth"] + 1 if parent else 0}

    def add(self, key):
        child = Node(self, key)
        self.children.append(child)
        return child


class Slim:
    __slots__ = ("left", "right", "key")

    def __init__(self, key):
        self.left = self.right = None
        self.key = key


def grow(depth, width):
    root = Node(None, 1)
    level = [root]
    for _ in range(depth):
        level = [node.add(node.key * 31 % 1009 + i) for node in level for i in range(width)]
    return root


def walk(root):
    total, stack = 0, [root]
    while stack:
        node = stack.pop()
        total += node.key + node.tags["depth"]
        stack.extend(node.children)
    return total


def insert(root, key):
    while True:
        if key == root.key:
            return
        side = "left" if key < root.key else "right"
        next_node = getattr(root, side)
        if next_node is None:
            setattr(root, side, Slim(key))
            return
        root = next_node


def search_tree(n, seed):
    root = Slim(seed)
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        insert(root, seed >> 8)
    return root


def main(rounds):
    checksum = 0
    for r in range(rounds):
        root = grow(6, 4)
        checksum += walk(root)
        for child in root.children[::2]:  # half of it loses its parent links: freed at once when dropped
            stack = [child]
            while stack:
                node = stack.pop()
                node.parent = None
                stack.extend(node.children)
        del root, child, node
        tree = search_tree(1500, r + 1)
        checksum += tree.key
        del tree
    print("checksum", checksum)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 125)
