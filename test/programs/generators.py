"""Exercises generators: left half-way, closed, thrown into, delegating, in cycles, holding frames with try/finally, raised
StopIteration values, exhausted by unpacking, deep delegation, generator expressions over shared variables, send.
"""

import gc
import weakref

log = []


class Held:
    alive = 0

    def __init__(self):
        Held.alive += 1

    def __del__(self):
        Held.alive -= 1


def steps(n):
    held = Held()
    try:
        for i in range(n):
            received = yield (i, held)
            if received:
                log.append(received)
    except KeyError as error:
        log.append("caught " + str(error))
        yield "after"
    finally:
        log.append("finally")
        held = None
    return "done"


# Left half-way, in numbers, then dropped.
half = []
for i in range(100):
    g = steps(10)
    for _ in range(i % 9 + 1):
        next(g)
    half.append(g)
assert Held.alive == 100
half.clear()
assert Held.alive == 1
g.close()
assert Held.alive == 0 and log == ["finally"] * 100
print("half-way:", len(log))

# send, throw, close, return value.
log.clear()
g = steps(5)
next(g)
g.send("hello")
assert g.throw(KeyError("k")) == "after"
try:
    next(g)
except StopIteration as stop:
    print("returned:", stop.value, log)
g.close()
fresh = steps(3)
try:
    fresh.throw(ValueError("not started"))
except ValueError as error:
    assert error.__traceback__.tb_next is not None
assert Held.alive == 0


# A generator that refuses to close.
def stubborn():
    while True:
        try:
            yield 1
        except GeneratorExit:
            yield 2


g = stubborn()
next(g)
try:
    g.close()
except RuntimeError as error:
    print("stubborn:", error)
try:
    g.throw(SystemError("enough"))
except SystemError:
    pass
del g


# Delegation, some levels deep, with values going both ways.
def level(n):
    if n == 0:
        x = 0
        while True:
            x = yield x
            if x is None:
                return "bottom"
    result = yield from level(n - 1)
    return result + "."


g = level(50)
next(g)
echoed = [g.send(i) for i in range(1, 20)]
try:
    g.send(None)
except StopIteration as stop:
    print("delegated:", sum(echoed), stop.value.count("."))


def walk(tree):
    if isinstance(tree, list):
        for branch in tree:
            yield from walk(branch)
    else:
        yield tree


tree = [[i, [i + 1, [i + 2]], [[[i + 3]]]] for i in range(200)]
print("walked:", sum(walk(tree)))

# In cycles: a generator that holds itself by its own frame; found by the collector, its finally still runs.
log.clear()
gc.collect()


def selfish():
    me = yield
    held = Held()
    try:
        yield me, held
    finally:
        log.append("collected")


for _ in range(50):
    g = selfish()
    next(g)
    g.send(g)
ref = weakref.ref(g)
del g
assert Held.alive == 50
gc.collect()
assert ref() is None and Held.alive == 0
print("cycles:", len(log))


# One that is resurrected by its own finally.
saved = []


def undead():
    me = yield
    try:
        yield
    finally:
        saved.append(me)


g = undead()
next(g)
g.send(g)
del g
gc.collect()
assert len(saved) == 1
saved.clear()
gc.collect()

# Running generators cannot be re-entered.
def reenter():
    yield next(loop[0])


loop = []
loop.append(reenter())
try:
    next(loop[0])
except ValueError as error:
    print("re-entered:", error)
loop.clear()

# StopIteration inside becomes RuntimeError, with its cause.
def leaking_stop():
    yield next(iter([]))


try:
    list(leaking_stop())
except RuntimeError as error:
    print("stop inside:", error, type(error.__cause__).__name__)

# Expressions, nested, closed over a variable that changes; unpacked; partial consumption.
funcs = [(lambda: (y for y in (x, x + 1))) for x in range(5)]
assert [list(f()) for f in funcs] == [[4, 5]] * 5
a, *b = (x * x for x in range(10))
first = next(x for x in range(1000) if x * x > 5000)
pairs = dict((k, v) for k, v in zip("abc", (n for n in range(10))))
print("expressions:", a, sum(b), first, pairs, any(x > 3 for x in range(10)), max(len(s) for s in ["a", "bcd"]))

# Frames and code stay reachable from a suspended generator.
g = steps(4)
next(g)
assert g.gi_frame.f_locals["i"] == 0 and g.gi_code is steps.__code__ and g.gi_suspended
frame = g.gi_frame
del g
assert Held.alive == 0 and frame.f_code is steps.__code__
frame.clear()
del frame
# Many small ones alive at once, advanced in turn.
many = [iter((lambda n: (yield from range(n)))(i)) for i in range(300)]
total = 0
while many:
    many = [m for m in many if (v := next(m, None)) is not None and [total := total + v]]
print("in turn:", total)
