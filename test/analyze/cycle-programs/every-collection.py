"""Prints, as JSON, what `gc.callbacks` were told of every collection, and what `gc.get_stats()` added up, from the first mark on."""

import gc
import json

from refledger import mark


class Node:
    pass


def cycle(n):
    for _ in range(n):
        a, b = Node(), Node()
        a.b, b.a = b, a


class Deep:
    """Makes new garbage while a collection runs."""

    def __init__(self):
        self.me = self

    def __del__(self):
        cycle(1)


told = []


def callback(phase, info):
    if phase == "stop":
        told.append([info["generation"], info["collected"], info["uncollectable"]])


gc.collect()
before = gc.get_stats()
gc.callbacks.append(callback)
mark("begin")
cycle(5000)
gc.collect(0)
kept = [[i, Node()] for i in range(9000)]
for generation in (0, 1, 1, 2, 1, 0, 2):
    cycle(20)
    gc.collect(generation)
for _ in range(5):
    Deep()
gc.collect()
gc.set_threshold(40, 2)
for i in range(3000):
    cycle(1)
    if i % 7 == 0:
        kept[i] = [kept[i]]
gc.set_threshold(2000, 10)
gc.freeze()
cycle(10)
gc.collect()
gc.unfreeze()
gc.collect()
gc.set_debug(gc.DEBUG_SAVEALL)
cycle(4)
gc.collect()
gc.set_debug(0)
gc.garbage.clear()
gc.collect()
after = gc.get_stats()
mark("end")
gc.callbacks.remove(callback)
stats = [{key: y[key] - x[key] for key in y} for x, y in zip(before, after)]
print(json.dumps({"told": told, "stats": stats}))
