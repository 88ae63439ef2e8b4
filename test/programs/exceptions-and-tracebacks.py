"""Exercises exceptions: tracebacks that keep frames, chains of causes and contexts, groups and except*, notes, finally with
return, exceptions in cycles with their own frames, re-raising, KeyError/OSError/Unicode specials, MemoryError's free list.
"""

import gc
import sys
import traceback
import weakref


class Big:
    alive = 0

    def __init__(self, n=0):
        Big.alive += 1
        self.n = n

    def __del__(self):
        Big.alive -= 1


def deep(n):
    big = Big(n)
    if n == 0:
        raise ValueError("bottom")
    return deep(n - 1), big


# A kept exception keeps every frame's locals.
try:
    deep(20)
except ValueError as error:
    kept = error
assert Big.alive == 21
frames = list(traceback.walk_tb(kept.__traceback__))
assert len(frames) == 22 and frames[-1][0].f_locals["n"] == 0
del frames
traceback.clear_frames(kept.__traceback__)
print("frames cleared:", Big.alive)
kept.__traceback__ = None
del kept

# The classic cycle: a local variable that names the exception that names the frame.
def cyclic():
    big = Big()
    try:
        raise KeyError("k")
    except KeyError as e:
        saved = e
    return weakref.ref(big)


gc.collect()
refs = [cyclic() for _ in range(50)]
assert Big.alive == 50
gc.collect()
assert Big.alive == 0 and not any(r() for r in refs)
print("cycles with frames:", len(refs))


# Chains: explicit, implicit, suppressed; and one made circular by hand.
def chain(n):
    try:
        if n:
            chain(n - 1)
        else:
            raise OSError(2, "no such thing", "name.txt")
    except Exception as e:
        if n % 3 == 0:
            raise RuntimeError("level %d" % n) from e
        if n % 3 == 1:
            raise LookupError("level %d" % n)
        raise TypeError("level %d" % n) from None


try:
    chain(12)
except Exception as e:
    kinds = []
    walk = e
    while walk is not None:
        kinds.append(type(walk).__name__[0])
        walk = walk.__cause__ or walk.__context__
    text = "".join(traceback.format_exception(e))
    print("chain:", "".join(kinds), text.count("direct cause"), text.count("During handling"))
    e.__context__.__context__.__cause__ = e
    assert len("".join(traceback.format_exception(e))) > 100
    del walk
gc.collect()

# Groups.
def several():
    problems = []
    for i in range(12):
        try:
            [lambda: 1 / 0, lambda: {}["x"], lambda: int("y")][i % 3]()
        except Exception as e:
            e.add_note("number %d" % i)
            problems.append(e)
    raise ExceptionGroup("several", [*problems[:6], ExceptionGroup("nested", problems[6:])])


taken = []
try:
    try:
        several()
    except* ZeroDivisionError as group:
        taken.append(("zero", len(group.exceptions)))
    except* KeyError as group:
        taken.append(("key", len(group.exceptions)))
        raise OSError("from the handler")
except ExceptionGroup as rest:
    value = rest.subgroup(ValueError)
    match, other = rest.split(OSError)
    taken.append((len(value.exceptions), match is not None, other is not None))
    del value, match, other
print("groups:", taken)
try:
    several()
except ExceptionGroup as group:
    notes = [n for e in group.exceptions[-1].exceptions for n in e.__notes__]
    print("notes:", notes[0], len(notes), group.derive([KeyError()]).message)


# finally with break and continue, return in else, nested with re-raise.
def paths(kind):
    for i in range(3):
        try:
            if kind == 0:
                continue
            if kind == 1:
                raise KeyError(i)
            if kind == 2:
                return "returned"
        except KeyError as e:
            try:
                raise
            except KeyError as again:
                assert again is e
            if i == 1:
                break
        else:
            return "else"
        finally:
            big = Big(i)
            del big
    return "end"


print("paths:", [paths(k) for k in range(4)], Big.alive)

# exc_info and the stack of handled exceptions, seen from a generator and from nested handlers.
def gen():
    try:
        yield sys.exc_info()[0]
        raise AttributeError("inside", name="n", obj=Big())
    except AttributeError as e:
        yield type(e.__context__).__name__
        yield sys.exc_info()[0].__name__


try:
    raise IndexError("outer")
except IndexError:
    g = gen()
    print("handled:", next(g).__name__, next(g), next(g), sys.exception())
    del g
assert sys.exception() is None and Big.alive == 0

# Special constructors and attributes.
specials = [
    OSError(13, "denied", "f", None, "g"), FileNotFoundError(2, "x"), StopIteration(5), SystemExit(3), KeyError("k"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), UnicodeEncodeError("ascii", "\xe9", 0, 1, "bad"), ImportError("i", name="n", path="p"),
    SyntaxError("s", ("f.py", 1, 2, "text")), NameError("n", name="x"), BaseException(), ExceptionGroup("g", [KeyError()]), UnicodeTranslateError("x", 0, 1, "r"),
]
print("specials:", [str(e) for e in specials[:4]], type(OSError(17, "e")).__name__)
for e in specials:
    copy = type(e).__reduce__(e)
    assert copy[0] is type(e)
    e.__init__(*e.args) if not isinstance(e, BaseExceptionGroup) else None
    e.with_traceback(None).custom = [e]
del specials, e, copy
gc.collect()

# Syntax errors, and errors raised by the interpreter itself with suggestions.
for source in ("x = = 1", "def f(:\n pass", "'\\", "f'{'", "\u20ac = 1", "(" * 150, "return 1", "nonlocal x", "class C:\n\tx\n        y"):
    try:
        exec(source, {})
        assert False, source
    except SyntaxError as e:
        assert e.args
try:
    import collections

    collections.defaultdictt
except AttributeError as e:
    lines = traceback.format_exception_only(e)
    print("suggestion:", "defaultdict" in lines[0])


# MemoryError is preallocated: many alive at once, then raised by the interpreter.
def hungry(n):
    try:
        return [None] * (sys.maxsize - n)
    except MemoryError as e:
        return e


memory = [hungry(i) for i in range(40)]
memory += [MemoryError() for _ in range(40)]
assert all(isinstance(e, MemoryError) for e in memory)
del memory
gc.collect()

# Raised through C code: sort keys, map, dict lookups, format, sum, property, iterators.
class Hostile:
    def __hash__(self):
        raise ZeroDivisionError("hash")

    def __iter__(self):
        yield 1
        raise ZeroDivisionError("iter")

    __repr__ = __format__ = __len__ = __getattr__ = __call__ = __index__ = lambda self, *a: 1 / 0


h = Hostile()
attempts = [
    lambda: {h: 1}, lambda: {h}, lambda: sum(h), lambda: list(map(h, [1, 2])), lambda: f"{h}", lambda: f"{h!r}", lambda: sorted([2, 1], key=h),
    lambda: len(h), lambda: h.anything, lambda: [1][h], lambda: dict(h), lambda: max(h), lambda: "%r" % h, lambda: [*h], lambda: (lambda *a: a)(*h), lambda: "".join(h),
]
failed = []
for attempt in attempts * 5:
    try:
        attempt()
    except (ZeroDivisionError, TypeError) as e:
        failed.append(type(e).__name__)
print("through C code:", failed.count("ZeroDivisionError"), failed.count("TypeError"))
