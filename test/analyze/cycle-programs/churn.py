"""Makes and drops garbage of many kinds, at random but always the same, with the collector off and on, frozen objects, young tuples, suspended
frames that borrow what they use, classes, weak references with callbacks and finalizers: for questions at random instants.
"""

import collections
import gc
import random
import types
import weakref

random.seed(20260101)
shelf = {}
finalized = 0
mourned = 0


class Node:
    def __init__(self, *others):
        self.others = list(others)


class Slotted:
    __slots__ = ("left", "right", "__weakref__")


class Finalized(Node):
    def __del__(self):
        global finalized
        finalized += 1


def mourner(_ref):
    global mourned
    mourned += 1


def ring(n):
    nodes = [Node(i) for i in range(n)]
    for i, node in enumerate(nodes):
        node.others.append(nodes[i - 1])
    return nodes[0]


def tuples(n):
    box = []
    box.append((n, (n, "a tuple", (n,)), (box, (n, 1.5))))
    return box


def generator(n):
    def steps(me, *rest):
        for i in range(n):
            # The call's arguments lie on the frame's stack while it is suspended.
            print_nothing(me, rest, (yield i))

    def print_nothing(*_all):
        pass

    holder = []
    running = steps(holder, n, [n])
    holder.append(running)
    next(running)
    return holder


def passing_class(n):
    class Passing(Node):
        __slots__ = ("x",)

        def method(self):
            return __class__

    one = Passing(n)
    one.x = Passing
    return one


def trapped(n):
    try:
        raise LookupError(n)
    except LookupError as error:
        kept = error
    return kept.__traceback__


def observed(n):
    one = Node(n)
    one.others.append(one)
    shelf.setdefault("refs", collections.deque(maxlen=50)).append(weakref.ref(one, mourner))
    return one


def finalizing(n):
    one = Finalized(n)
    one.others.append(one)
    return one


def tables(n):
    table = {str(i): [i] for i in range(n % 7)}
    table[n, "key"] = table
    space = types.SimpleNamespace(table=table)
    table["space"] = space
    return [space, {frozenset((n, str(n))): table}]


def slotted(n):
    a, b = Slotted(), Slotted()
    a.left, a.right, b.left, b.right = a, b, (b, n), None
    return a


makers = [ring, tuples, generator, passing_class, trapped, observed, finalizing, tables, slotted]
gc.collect()
for turn in range(900):
    if turn == 200:
        gc.disable()
    if turn == 300:
        gc.freeze()
    if turn == 600:
        gc.enable()
    if turn == 700:
        gc.unfreeze()
    maker = random.choice(makers)
    made = maker(random.randrange(2, 12))
    if random.random() < 0.3:
        shelf[random.randrange(40)] = made
    if random.random() < 0.1 and shelf:
        shelf.pop(random.choice(list(shelf)))
    if turn % 250 == 249:
        gc.collect(turn % 3)
made = None
print("done")
