"""Exercises the destruction of very deep structures: nested tuples, lists and dicts 100,000 deep, chains through closures, generators, bound methods, tracebacks and cells; by count and by the collector.
"""

import gc


class Plain:
    pass


def nest(wrap, depth, seed=None):
    x = seed
    for _ in range(depth):
        x = wrap(x)
    return x


def wrap_closure(x):
    return lambda: x


def wrap_generator(x):
    def g():
        yield x

    it = g()
    next(it)
    return it


def wrap_method(x):
    p = Plain()
    p.inner = x
    return p.__init__


def wrap_instance(x):
    p = Plain()
    p.inner = x
    return p


wraps = {
    "tuple": (lambda x: (x,), 100_000),
    "list": (lambda x: [x], 100_000),
    "dict": (lambda x: {"k": x}, 100_000),
    "dict of list of tuple": (lambda x: {1: [(x,)]}, 40_000),
    "frozenset and tuple": (lambda x: (frozenset([(1, 2)]), x), 50_000),
    "instance": (wrap_instance, 60_000),
    "closure": (wrap_closure, 60_000),
    "generator": (wrap_generator, 20_000),
    "bound method": (wrap_method, 20_000),
    "slice": (lambda x: slice(x), 20_000),
    "iterator": (lambda x: iter([x]), 20_000),
    "map": (lambda x: map(len, [x]), 20_000),
    "exception": (lambda x: ValueError(x), 20_000),
    "property": (lambda x: property(None, doc="d") if x is None else (x, property(None)), 20_000),
}
for name, (wrap, depth) in wraps.items():
    x = nest(wrap, depth)
    del x
    print("%s: %d deep, freed" % (name, depth))

# Freed by the collector: the ring is opened at one place and falls from there.
gc.collect()
ring = nest(lambda x: [x], 50_000)
inner = ring
while inner[0] is not None:
    inner = inner[0]
inner[0] = ring
del ring, inner
print("ring collected:", gc.collect() >= 50_000)


# Finalizers on the way down.
class Noisy:
    count = 0

    def __init__(self, next):
        self.next = next

    def __del__(self):
        Noisy.count += 1


head = None
for i in range(30_000):
    head = Noisy(head)
del head
print("finalizers on the way:", Noisy.count)

# A chain of exceptions, each with its traceback.
def raise_chain(n):
    error = None
    for _ in range(n):
        try:
            raise ValueError from error
        except ValueError as e:
            error = e
    return error


error = raise_chain(20_000)
del error
print("chain of exceptions freed")
