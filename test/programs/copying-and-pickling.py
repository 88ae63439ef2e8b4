"""Exercises copy, deepcopy, pickle (protocols 0 to 5, in C and in Python) and marshal: shared parts, cycles, slots, enum,
dataclasses, reduce, persistent ids, out-of-band buffers, subclasses of builtins, damaged pickles.
"""

import collections
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import marshal
import pickle
import re


class Plain:
    def __init__(self, **kw):
        self.__dict__.update(kw)

    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__.keys() == other.__dict__.keys()


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b

    def __eq__(self, other):
        return (self.a, self.b) == (other.a, other.b)


class Reduced:
    def __init__(self, v):
        self.v = v

    def __reduce_ex__(self, protocol):
        return Reduced, (self.v,), {"extra": protocol}, None, None

    def __eq__(self, other):
        return self.v == other.v


class Listy(list):
    def __reduce__(self):
        return Listy, (), self.__dict__, iter(self)


class WithState:
    def __init__(self):
        self.kept, self.dropped = [1], open

    def __getstate__(self):
        return {"kept": self.kept}

    def __setstate__(self, state):
        self.__dict__.update(state, restored=True)

    def __eq__(self, other):
        return self.kept == other.kept


class NewArgs(int):
    def __new__(cls, v, unit):
        self = super().__new__(cls, v)
        self.unit = unit
        return self

    def __getnewargs__(self):
        return int(self), self.unit


class Color(enum.Enum):
    RED = 1


@dataclasses.dataclass(frozen=True)
class Data:
    x: int
    y: tuple = ()


Pair = collections.namedtuple("Pair", "a b")
listy = Listy([1, 2, 3])
listy.name = "listy"
shared = ["shared"]
samples = [
    None, True, 1, -1, 255, 2**31, 2**100, -(2**70), 1.5, 1 + 2j, "text", "\u0416\U0001f40d\n", b"bytes" * 60, bytearray(b"ba"), (), (1,), (1, 2, 3, 4), [], {}, set(),
    {1, 2}, frozenset([3]), {"a": [1, {"b": (2, 3)}]}, Plain(a=1, b=[2]), Slotted(1, [2]), Reduced([1]), listy, WithState(), NewArgs(5, "m"), Color.RED, Data(1, (2,)),
    Pair(1, "b"), collections.OrderedDict(a=1), collections.Counter("aab"), collections.deque([1, 2], 5), collections.defaultdict(list, a=[1]), datetime.datetime(2024, 2, 29, 1, 2, 3),
    datetime.timedelta(3, 4), decimal.Decimal("1.50"), fractions.Fraction(3, 7), re.compile("a+b", re.I), len, int, Plain, Color, functools.partial(int, base=2), range(1, 9, 2), slice(1, 2),
    [shared, shared, {"k": shared}], list(range(1500)), {i: str(i) for i in range(1200)}, "x" * 70000, Ellipsis, NotImplemented, ValueError("v", 1), iter([1, 2, 3]), complex,
]
NO_EQ = (ValueError, functools.partial, type(iter([])))


def same(a, b):
    if isinstance(a, NO_EQ):
        return type(a) is type(b)
    return a == b and type(a) is type(b)


class Dumper(pickle._Pickler):
    pass


sizes = collections.Counter()
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    for s in samples:
        try:
            c = pickle.dumps(s, protocol)
        except (TypeError, pickle.PicklingError, AttributeError):
            assert protocol < 2, (s, protocol)
            continue
        sizes[protocol] += 1
        assert same(s, pickle.loads(c)), (s, protocol)
        if protocol in (0, 5) and len(c) < 1000:
            stream = io.BytesIO()
            Dumper(stream, protocol).dump(s)
            assert same(s, pickle._Unpickler(io.BytesIO(c)).load()) and same(s, pickle.loads(stream.getvalue()))
print("pickled:", dict(sizes))

for s in samples:
    if isinstance(s, type(iter([]))):
        continue
    assert same(s, copy.copy(s)) and same(s, copy.deepcopy(s)), s
twice = copy.deepcopy(samples[-10:-2])
again = copy.deepcopy([shared, shared, {"k": shared}])
assert again[0] is again[1] is again[2]["k"] and again[0] is not shared

# Cycles.
knot = Plain(name="knot")
knot.me, knot.list, knot.dict = knot, [knot], {"k": knot}
knot.tuple = (knot, [knot.list])
for other in (copy.deepcopy(knot), *(pickle.loads(pickle.dumps(knot, p)) for p in range(6))):
    assert other.me is other and other.list[0] is other and other.dict["k"] is other and other.tuple[1][0] is other.list
    other.__dict__.clear()
knot.__dict__.clear()
print("cycles tied again")


# Persistent ids, dispatch tables, memo kept between dumps, buffers out of band.
class Store(pickle.Pickler):
    def persistent_id(self, obj):
        return ("slot", obj.a) if isinstance(obj, Slotted) else None

    def reducer_override(self, obj):
        return (str, ("overridden",)) if isinstance(obj, Reduced) else NotImplemented


class Load(pickle.Unpickler):
    def persistent_load(self, pid):
        return Slotted(pid[1], "loaded")

    def find_class(self, module, name):
        if name == "system":
            raise pickle.UnpicklingError("refused")
        return super().find_class(module, name)


stream = io.BytesIO()
store = Store(stream)
store.dump([Slotted(7, 8), Reduced(1)])
store.dump({"second": Slotted(9, 9)})
stream.seek(0)
loader = Load(stream)
(slot, text), second = loader.load(), loader.load()
print("persistent:", slot.a, slot.b, text, second["second"].a)
store.clear_memo()
buffers = []
data = pickle.dumps([pickle.PickleBuffer(bytearray(b"big" * 100)), b"x"], 5, buffer_callback=buffers.append)
restored = pickle.loads(data, buffers=buffers)
assert bytes(restored[0]) == b"big" * 100
[b.release() for b in buffers if b.raw().nbytes < 0]
del restored, buffers

# Damaged pickles, cut everywhere, and bytes flipped: an exception, never a crash.
good = pickle.dumps([samples[22], "text", 2**70, Pair(1, 2), {1, 2}], 4)
outcomes = collections.Counter()
for cut in range(0, len(good), 3):
    for damaged in (good[:cut], good[:cut] + bytes([good[cut] ^ 1]) + good[cut + 1 :]):
        try:
            pickle.loads(damaged)
            outcomes["loaded"] += 1
        except Exception:
            outcomes["refused"] += 1
print("damaged:", outcomes["refused"] > outcomes["loaded"], sum(outcomes.values()) > len(good) // 2)
for bad in (lambda: 0, (x for x in ()), open, type("Local", (), {})()):
    try:
        pickle.dumps(bad)
    except (TypeError, AttributeError, pickle.PicklingError):
        pass

for s in samples[:20] + [{"a": [1, (2, {3: 4})]}, frozenset([1, "b"])]:
    assert marshal.loads(marshal.dumps(s)) == s or isinstance(s, bytearray)
print("copied:", len(samples), len(twice))
