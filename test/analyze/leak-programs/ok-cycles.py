from refledger import mark


class Node:
    def __init__(self):
        self.me = self


def handle(n):
    Node()


for n in range(300):
    handle(n)
    mark("round")
