"""Cycles of many shapes. A comment `closes: NAME` marks the line whose store closes the cycle of the class or function NAME, `orphans: NAME` the line at
which its last outside reference goes. Every cycle is made once a round, and nothing but the collector ends it.
"""

import gc
import weakref

from refledger import mark


class Pair:
    pass


class Parent:
    def __init__(self):
        self.children = []

    def add(self, child):
        self.children.append(child)
        child.parent = self  # closes: Parent


class Child:
    pass


class Selfish:
    pass


class Slotted:
    __slots__ = ("other",)


class Mourned:
    pass


class Finalized:
    def __del__(self):
        finalized.append(1)


finalized = []
mourned = []
mourners = []


def pairs():
    a = Pair()
    b = Pair()
    a.other = b
    b.other = a  # closes: Pair
    del b
    del a  # orphans: Pair


def family():
    parent = Parent()
    for _ in range(3):
        parent.add(Child())
    parent = None  # orphans: Parent


def selfish():
    one = Selfish()
    one.me = one  # closes: Selfish
    one = 0  # orphans: Selfish


def slotted():
    first, second, third = Slotted(), Slotted(), Slotted()
    first.other = second
    second.other = third
    third.other = first  # closes: Slotted
    del second, third
    del first  # orphans: Slotted


def containers():
    table = {"name": "a table"}
    row = [table]
    table["rows"] = row  # closes: containers
    del row
    del table  # orphans: containers


def closure():
    def recursive(n):
        return recursive(n - 1) if n else 0

    recursive(2)


def generator():
    def numbers():
        me = yield
        yield me

    running = numbers()
    next(running)
    running.send(running)
    del running


def trapped():
    try:
        raise ValueError("caught")
    except ValueError as error:
        kept = error
    return None


def mourn():
    one = Mourned()
    one.me = one  # closes: Mourned
    mourners.append(weakref.ref(one, mourned.append))
    del one  # orphans: Mourned


def finalize():
    one = Finalized()
    one.me = one  # closes: Finalized
    del one  # orphans: Finalized


def new_class():
    class Passing:
        pass

    Passing()


def round_of_all():
    pairs()
    family()
    selfish()
    slotted()
    containers()
    closure()
    generator()
    trapped()
    mourn()
    finalize()
    new_class()


gc.collect()
gc.disable()
for turn in range(3):
    mark(f"round {turn}")
    round_of_all()
mark("before")
freed = gc.collect()
mark("after")
assert len(finalized) == 3 and len(mourned) == 3
for turn in range(2):
    round_of_all()
mark("left")
print(freed)
