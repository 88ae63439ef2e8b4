"""Exercises the destruction of a linked list of a million instances by dropping its head: one `del` frees everything, each
node by the one before it.
"""


class Node:
    __slots__ = ("next",)

    def __init__(self, next):
        self.next = next


head = None
for _ in range(1_000_000):
    head = Node(head)
print("built")
del head
print("freed")
