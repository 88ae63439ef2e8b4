"""Leaks references on purpose from C code, in two ways that occur in real extensions: a Py_IncRef that is never undone, and
PyList_SET_ITEM over an item that was there (the macro does not release it). The objects live for ever with nobody holding them.
"""

import gc
import sys
import weakref


class Leaked:
    def __init__(self, n):
        self.n = n


refs = []

# Way one: an extension that takes a reference and forgets it.
try:
    import ctypes

    incref = ctypes.pythonapi.Py_IncRef
    incref.argtypes, incref.restype = [ctypes.py_object], None
except (ImportError, OSError, AttributeError):
    print("no ctypes: the first way is left out")
    incref = None


def forgets(n):
    thing = Leaked(n)
    if incref and n % 10 == 3:
        incref(thing)
    return weakref.ref(thing)


for n in range(100):
    refs.append(forgets(n))
gc.collect()
print("leaked by Py_IncRef:", sum(r() is not None for r in refs))
for r in refs:
    if r() is not None:
        assert sys.getrefcount(r()) == 2  # the leaked reference and the argument of this call
        assert gc.get_referrers(r()) == []

# Way two: replacing an item of a list with the macro that is meant for new lists only.
try:
    from _testcapi import list_set_item
except ImportError:
    list_set_item = None
more = []
if list_set_item:
    row = [Leaked(i) for i in range(20)]
    more = [weakref.ref(x) for x in row]
    for i in range(5, 10):
        list_set_item(row, i, None)
    del row
    gc.collect()
    print("leaked by PyList_SET_ITEM:", [r().n for r in more if r() is not None])
else:
    print("no _testcapi: the second way is left out")

# A leak of one reference in a thousand rounds, to an object that lives on anyway.
survivor = Leaked(-1)
before = sys.getrefcount(survivor)
for i in range(1000):
    held = [survivor] * 3
    if incref and i == 777:
        incref(survivor)
    del held
print("one in a thousand:", sys.getrefcount(survivor) - before)
