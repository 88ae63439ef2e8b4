class Node:
    def __init__(self, before):
        self.before = before


class Chain:
    head = None


def push(n):
    Chain.head = Node(Chain.head)  # LEAK


for n in range(200):
    push(n)
