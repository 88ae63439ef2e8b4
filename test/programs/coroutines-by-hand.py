"""Exercises coroutines and asynchronous generators without an event loop: awaited by hand, never awaited (the warning is
counted, not printed), closed half-way, thrown into, asynchronous comprehensions, with and for, hooks for finalization.
"""

import gc
import sys
import types
import warnings

warnings.simplefilter("always")
log = []


class Suspend:
    """Awaiting it hands `value` to whoever drives the coroutine, and gives back what was sent."""

    def __init__(self, value):
        self.value = value

    def __await__(self):
        return (yield self.value)


def drive(coro, replies=()):
    """Runs a coroutine to its end; answers each suspension from `replies`, then with None."""
    replies = iter(replies)
    asked = []
    send = None
    try:
        while True:
            asked.append(coro.send(send))
            send = next(replies, None)
    except StopIteration as stop:
        return asked, stop.value


async def inner(n):
    total = 0
    for i in range(n):
        total += await Suspend(i) or 0
    return total


async def outer(n):
    results = [await inner(i) for i in range(n)]
    return results, await inner(n)


print("driven:", drive(outer(4), range(100)))

# Never awaited: one warning each; the coroutine and its arguments die at once.
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for i in range(50):
        inner(i)
    assert len(caught) == 50 and "was never awaited" in str(caught[0].message)
    del caught[:]
    sys.set_coroutine_origin_tracking_depth(2)
    forgotten = inner(3)
    assert forgotten.cr_origin
    del forgotten
    sys.set_coroutine_origin_tracking_depth(0)
    print("never awaited:", len(caught))

# Closed half-way, thrown into, awaited twice.
async def careful():
    try:
        await Suspend("waiting")
    except ValueError as error:
        log.append("caught " + str(error))
        await Suspend("cleaning")
    finally:
        log.append("finally")


c = careful()
c.send(None)
c.close()
c = careful()
c.send(None)
assert c.throw(ValueError("v")) == "cleaning"
assert c.cr_await is not None and c.cr_frame is not None
del c
print("closed:", log)
c = inner(0)
drive(c)
try:
    c.send(None)
except RuntimeError as error:
    print("twice:", error)


# In cycles with their own frames.
class Box:
    pass


for _ in range(30):
    box = Box()

    async def looped(box=box):
        await Suspend(box)

    box.coro = looped()
    box.coro.send(None)
    box.function = looped
del box, looped
print("cycles:", gc.collect() >= 30 * 4, gc.collect())


# Asynchronous generators, driven by hand.
async def ticks(n):
    log.append("start")
    try:
        for i in range(n):
            await Suspend("tick")
            yield i
    finally:
        log.append("stop")


async def consume():
    seen = [x async for x in ticks(5) if x % 2 == 0]
    async for x in ticks(100):
        if x == 3:
            break
    pairs = {x: y async for x in ticks(2) async for y in ticks(3)}
    lazily = (x + 1 async for x in ticks(3))
    return seen, pairs, [x async for x in lazily], x


log.clear()
asked, value = drive(consume())
print("asynchronous:", len(asked), value, log.count("start"), log.count("stop"))

# asend, athrow, aclose.
async def talk():
    g = ticks(9)
    a = await anext(g)
    b = await g.asend("ignored")
    try:
        await g.athrow(KeyError("k"))
    except KeyError:
        pass
    c = await anext(g, "exhausted")
    h = ticks(9)
    await h.__anext__()
    await h.aclose()
    return a, b, c


print("talk:", drive(talk())[1])

# The hooks by which an event loop takes over finalization.
first, final = [], []
previous = sys.get_asyncgen_hooks()
sys.set_asyncgen_hooks(firstiter=lambda g: first.append(g.__name__), finalizer=lambda g: final.append(g))


async def abandon():
    async for x in ticks(10):
        return x


for _ in range(10):
    drive(abandon())
gc.collect()
sys.set_asyncgen_hooks(*previous)
print("hooks:", len(first), len(final))
while final:
    drive(final.pop().aclose())


# Asynchronous context managers, nested, one of which swallows.
class Manager:
    def __init__(self, name, swallow=False):
        self.name, self.swallow = name, swallow

    async def __aenter__(self):
        await Suspend("enter " + self.name)
        return self

    async def __aexit__(self, kind, value, traceback):
        await Suspend("exit %s %s" % (self.name, kind and kind.__name__))
        return self.swallow


async def managed():
    async with Manager("a", True) as a, Manager("b"):
        raise LookupError(a.name)
    return "survived"


print("managed:", drive(managed()))


# Generator-based coroutines.
@types.coroutine
def old():
    x = yield "old"
    return x


async def uses_old():
    return [await old() for _ in range(3)]


print("old:", drive(uses_old(), "xyz"))

# Objects of the awaiting protocol, left unfinished in numbers.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    left = []
    for i in range(40):
        g = ticks(3)
        left.append((g.__anext__(), g.asend(None), g.aclose(), g.athrow(ValueError)))
        left[-1][0].send(None) if i % 2 else None
    del left, g
    gc.collect()
print("done")
