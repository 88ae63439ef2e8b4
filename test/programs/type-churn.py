"""Exercises making and destroying types in a loop: plain, with slots, with metaclasses, generic, exceptions, subclasses of
builtins and of C types; instances that outlive their class's name; type caches invalidated; subclass lists.
"""

import array
import collections
import datetime
import gc
import weakref

gc.collect()
refs = []
survivors = []


class Meta(type):
    pass


BASES = [object, int, list, dict, tuple, set, str, bytes, bytearray, float, complex, frozenset, type, Exception, OSError, property,
         array.array, collections.deque, collections.OrderedDict, collections.defaultdict, datetime.datetime, datetime.timedelta, type(iter([])).__base__]

for round in range(6):
    for base in BASES:
        space = {"round": round, "method": lambda self: type(self), "constant": [round]}
        made = type("Made%d" % round, (base,), space)
        child = type(made)("Child", (made,), {"__slots__": ()} if base is object else {})
        refs += [weakref.ref(made), weakref.ref(child)]
        if base in (object, list, dict, set, Exception):
            obj = child()
            assert obj.method() is child and obj.round == round and made.__subclasses__() == [child]
            if round == 3:
                survivors.append(obj)
        made.added = property(lambda self: made)
        del made.added
print("made:", len(refs))
del made, child, obj, space, base
gc.collect()
print("alive:", sum(r() is not None for r in refs), "with survivors", len(survivors))
survivors.clear()
gc.collect()
assert sum(r() is not None for r in refs) == 0
assert not [c for c in list.__subclasses__() if c.__name__.startswith("Made")]


def factory(n):
    """A class statement in a function: each call makes a class, its functions, cells and dict."""

    class Local(metaclass=Meta):
        __slots__ = ("value", "other")
        number = n

        def __init__(self, value):
            self.value = value

        def get(self):
            return __class__.number, self.value, n

        @classmethod
        def make(cls):
            return cls(n)

        @staticmethod
        def nothing():
            return n

        @property
        def prop(self):
            return self.value

    return Local


total = 0
for i in range(150):
    Local = factory(i)
    obj = Local.make()
    total += obj.get()[0] + obj.prop + Local.nothing()
    if i % 50 == 0:
        survivors.append((obj, weakref.ref(Local)))
    del Local
gc.collect()
assert all(r() is type(o) for o, r in survivors)
print("factory:", total)

# Classes that differ only in name, hitting the same attribute caches.
def call(o):
    return o.a + o.b()


values = []
for i in range(100):
    cls = type("Same", (), {"a": i, "b": lambda self: self.a})
    o = cls()
    values += [call(o) for _ in range(5)]
    cls.a = i + 1
    values.append(call(o))
print("caches:", sum(values))

# Generic aliases and unions are objects of their own.
aliases = [list[int], dict[str, list[int]], tuple[int, ...], type[int], int | str | None, list[int] | None]
assert list[int] == list[int] and hash(int | str) == hash(str | int)
for i in range(200):
    aliases[i % 6] = list[aliases[i % 5]]
print("aliases:", len(aliases), str(list[int]))

# Failing creations leave nothing behind.
del cls, o
gc.collect()
before = len(object.__subclasses__())
failed = 0
for i in range(60):
    try:
        match i % 6:
            case 0:
                type("X", (int, str), {})
            case 1:
                type("X", (bool,), {})
            case 2:
                type("X", (object,), {"__slots__": ("a", "1b")})
            case 3:
                class X(list, metaclass=lambda *a: 1 / 0): ...
            case 4:
                type("X", (type("A", (), {}), object, type("B", (), {}), object), {})
            case 5:
                class X(object):
                    a = [1]
                    b = undefined_name  # noqa: F821
    except (TypeError, ZeroDivisionError, NameError):
        failed += 1
gc.collect()
print("failed:", failed, len(object.__subclasses__()) - before)
