"""Makes a cycle while it warms up, and none afterwards."""

import gc

from refledger import mark


class Session:
    def __init__(self, name):
        self.name = name
        self.notes = []


def warm():
    one = Session("warm")
    one.notes.append(one)


def work(n):
    session = Session(f"session {n}")
    session.notes.append({"n": n, "square": [n * n]})
    return len(session.notes)


warm()
mark("warm")
for n in range(200):
    work(n)
gc.collect()
print("done")
