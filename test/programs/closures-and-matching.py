"""Exercises closures, cells (shared, emptied, written from inside), lambdas, default arguments, nonlocal, comprehensions of
all kinds (inlined ones too), the match statement with every pattern, walrus, star-args, decorators, global and del.
"""

import gc
import sys
import weakref


class Value:
    pass


value = Value()
base = sys.getrefcount(value)


def counter(start):
    n = start
    keep = value

    def up(by=1):
        nonlocal n
        n += by
        return n

    def down(by=1):
        nonlocal n
        n -= by
        return n, keep

    return up, down


pairs = [counter(i) for i in range(100)]
assert sys.getrefcount(value) == base + 100
for up, down in pairs:
    up()
    up(5)
    down(2)
assert sum(up(0) for up, _ in pairs) == sum(range(100)) + 400
cell = pairs[0][1].__closure__[0]
cell2 = pairs[0][0].__closure__[0]
assert {type(cell.cell_contents), type(cell2.cell_contents)} <= {int, Value} and cell2 in pairs[0][1].__closure__
cell2.cell_contents = "replaced"
del pairs, up, down, cell, cell2
assert sys.getrefcount(value) == base
print("closures: counts return to base")


# Cells that empty and fill; a recursive closure (a cycle through its own cell).
def recursive():
    big = Value()

    def fact(n):
        return 1 if n < 2 else n * fact(n - 1)

    fact.big = big
    return fact(20), weakref.ref(big)


gc.collect()
made = [recursive() for _ in range(50)]
alive = sum(r() is not None for _, r in made)
gc.collect()
print("recursive closures:", alive, sum(r() is not None for _, r in made), made[0][0])


def emptied():
    x = [1]
    get = lambda: x  # noqa: E731
    a = get()
    del x
    try:
        get()
    except NameError as error:
        b = str(error)
    x = (2,)
    return a, b, get()


print("emptied:", emptied())

# Late and early binding; defaults that are shared and mutable.
late = [lambda: i for i in range(5)]
early = [lambda i=i: i for i in range(5)]


def remember(x, seen=[]):  # noqa: B006
    seen.append(x)
    return seen


for i in range(20):
    remember(value)
assert sys.getrefcount(value) == base + 20
remember.__defaults__ = ([],)
assert sys.getrefcount(value) == base
print("binding:", [f() for f in late], [f() for f in early])

# Comprehensions: nested, with conditions, with walrus, shadowing, over closures, with unpacking calls inside.
x = "outer"
table = [[(x, y) for y in range(x) if y % 2] for x in range(8)]
flat = {x: y for row in table for x, y in row}
chars = {c for word in ("spam", "eggs") for c in word}
found = [last := n * n for n in range(10) if n % 3]
shadow = [x for x in [x]] + [[x for x in range(x)] for x in range(3)]
lazy = list(y for y in (lambda: [x for _ in range(2)])())
print("comprehensions:", flat, sorted(chars), last, shadow, lazy, x)


class InClass:
    items = [1, 2, 3]
    doubled = [i * 2 for i in items]
    held = [(lambda: i) for i in items]


assert InClass.doubled == [2, 4, 6] and InClass.held[0]() == 3


def broken(n):
    try:
        return [1 // (n - i) for i in range(10)]
    except ZeroDivisionError:
        return n


assert [broken(n) for n in (3, 20)] == [3, [0] * 10]


# Matching.
class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


def classify(thing):
    match thing:
        case None | True | False:
            return "singleton"
        case 0 | -1 | 2.5 | 1 + 2j:
            return "number"
        case str(text) if len(text) > 3:
            return "long " + text
        case "a" | "b" as letter:
            return "letter " + letter
        case []:
            return "empty"
        case [Point(x=0, y=0), *rest]:
            return "origin and %d" % len(rest)
        case Point(x, y) if x == y:
            return "diagonal %d" % x
        case Point(0, y=py):
            return "axis %d" % py
        case [first, *_, {"key": [a, b], **others}]:
            return "deep %s %s %s %s" % (first, a, b, sorted(others))
        case [int() | float() as n, (x, y)]:
            return "pair %s %s %s" % (n, x, y)
        case {"type": "user", "name": str(name)}:
            return "user " + name
        case {**rest} if len(rest) == 1:
            return "single"
        case sys.maxsize:
            return "dotted"
        case int(n):
            return "int %d" % n
        case _:
            return "other"


cases = [None, True, 0, 2.5, 1 + 2j, "text", "a", "zz", [], [Point(0, 0), 1, 2], Point(3, 3), Point(0, 9), Point(5, 6), [1, 2, {"key": [3, 4], "z": 1}],
         [1.5, (2, 3)], {"type": "user", "name": "n"}, {"q": 1}, {}, sys.maxsize, 77, (1,), b"bytes", {1, 2}]
for _ in range(20):
    answers = [classify(c) for c in cases]
print("matched:", answers)


# Decorators, star-args, keyword-only, positional-only; calls with wrong arguments.
def twice(f):
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs), f(*args, **kwargs)

    wrapper.__wrapped__ = f
    return wrapper


@twice
@twice
def shape(a, /, b, *args, c, d=4, **kw):
    return len(args) + len(kw) + a + b + c + d


print("calls:", shape(1, *[2, 3], *(4,), c=5, **{"e": 6}, **{"f": 7}))
wrong = 0
for call in (lambda: shape(1), lambda: shape(a=1, b=2, c=3), lambda: shape(1, 2, c=3, **{"c": 4}), lambda: shape(*5), lambda: shape(1, 2, **{3: 4}), lambda: len(), lambda: x()):
    for _ in range(20):
        try:
            call()
        except TypeError:
            wrong += 1
print("wrong calls:", wrong)


def globals_and_del():
    global made_here
    made_here = [value]
    local = value
    del local
    try:
        local
    except UnboundLocalError:
        return True


assert globals_and_del() and sys.getrefcount(value) == base + 1
del made_here
assert sys.getrefcount(value) == base
# Locals seen and changed through the frame.
def frames():
    a = [1]
    b = lambda: a  # noqa: E731
    space = sys._getframe().f_locals
    space["a"] = [2]
    space["extra"] = value
    return dict(locals()).keys() >= {"a", "b"}, a, b()


print("locals:", frames())
gc.collect()
assert sys.getrefcount(value) == base
