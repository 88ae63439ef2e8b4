"""A loop on a single line, behind imports that take most of the events; every third round leaves a cycle in a module's deque."""
import collections
import dataclasses
import json

kept = collections.deque()


class Node:
    def __init__(self):
        self.me = self


def work(i):
    n = Node()
    if i % 3 == 0:
        kept.append(n)  # LEAK


for i in range(300): work(i)
