"""Exercises immortal objects: None, True, False, Ellipsis, small integers, the empty tuple, bytes and str, one-character
strings, static types, and strings interned for ever. Their counts must not move whatever the program does with them.
"""

import sys

IMMORTAL = [None, True, False, Ellipsis, NotImplemented, 0, 1, -5, 255, (), "", b"", "a", "\xe9", b"x", int, object, type]
if sys.version_info >= (3, 14):
    assert all(sys._is_immortal(x) for x in IMMORTAL), "an object that should be immortal is not"


def churn(value, times):
    """Makes and drops many references to one object, in each kind of container."""
    held = [value] * times
    as_tuple = tuple(held)
    as_dict = dict.fromkeys(range(times), value)
    copies = [held[:], as_tuple + as_tuple, list(as_dict.values())]
    del held[::2]
    return sum(len(c) for c in copies)


before = [sys.getrefcount(x) for x in IMMORTAL]
total = sum(churn(x, 500) for x in IMMORTAL)
after = [sys.getrefcount(x) for x in IMMORTAL]
if sys.version_info >= (3, 12):
    assert before == after, [x for x, b, a in zip(IMMORTAL, before, after) if a != b]
print("references made:", total)

# Mortal neighbours of the immortal ones: their counts do move.
mortal = [257, -6, "two words", b"two", (1, 2), 1.5, frozenset([1])]
mortal = [eval(repr(x)) if not isinstance(x, frozenset) else frozenset([len(mortal)]) for x in mortal]
for x in mortal:
    one = sys.getrefcount(x)
    more = [x] * 10
    assert sys.getrefcount(x) == one + 10, x
    del more
    assert sys.getrefcount(x) == one, x
print("mortal neighbours:", len(mortal))

# The singletons come back from arithmetic, slicing and parsing as the same objects.
def same(*values):
    return all(v is values[0] for v in values)


assert same(int("7"), len("seven c"), 7)
assert same(tuple([]), (), list()[:0] and None or tuple({})) and same(bytes(0), b"") and same("".join([]), "")
assert same(10**20 - 10**20 + 5, int("5"))
if sys.version_info >= (3, 12):
    assert same(sys.intern("a"), chr(97), "abc"[0])

# Interned strings: names that the compiler interns, and names made at run time.
made = "".join(["refledger", "_", "name"])
kept = sys.intern(made)
assert sys.intern("refledger_" + "name".lower()) is kept
class Holder:
    pass
holder = Holder()
for i in range(2000):
    setattr(holder, "attribute_%d" % i, i)
for i in range(2000):
    delattr(holder, "attribute_%d" % i)
assert not holder.__dict__
print("interned names made and dropped: 2000")
