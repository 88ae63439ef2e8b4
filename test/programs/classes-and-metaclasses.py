"""Exercises types: metaclasses, __prepare__, __init_subclass__, __set_name__, multiple inheritance and mro changes, __class__
assignment on instances and on modules, __bases__ assignment, abc registration, __getattr__ at module level, special methods.
"""

import abc
import gc
import sys
import types
import weakref


class Registry(type):
    made = []

    @classmethod
    def __prepare__(mcs, name, bases, **options):
        return {"prepared": options}

    def __new__(mcs, name, bases, space, **options):
        cls = super().__new__(mcs, name, bases, dict(space))
        mcs.made.append(weakref.ref(cls))
        return cls

    def __init__(cls, name, bases, space, **options):
        super().__init__(name, bases, space)

    def __call__(cls, *args, **kwargs):
        obj = super().__call__(*args, **kwargs)
        obj.by_metaclass = cls.__name__
        return obj

    def __instancecheck__(cls, obj):
        return hasattr(obj, "by_metaclass") or super().__instancecheck__(obj)

    def __getitem__(cls, item):
        return (cls.__name__, item)

    def __len__(cls):
        return len(cls.prepared)


class Field:
    def __set_name__(self, owner, name):
        self.owner, self.name = owner, name

    def __get__(self, obj, owner=None):
        return self if obj is None else obj.__dict__.get(self.name, "unset")

    def __set__(self, obj, value):
        obj.__dict__[self.name] = value

    def __delete__(self, obj):
        del obj.__dict__[self.name]


class Base(metaclass=Registry, x=1):
    field = Field()
    children = []

    def __init_subclass__(cls, /, tag=None, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.tag = tag
        Base.children.append(cls.__name__)


class Left(Base, tag="left"):
    def who(self):
        return "left"


class Right(Base, tag="right"):
    def who(self):
        return "right"


class Both(Left, Right):
    def who(self):
        return "both+" + super().who()


obj = Both()
obj.field = [1, 2]
assert obj.field == [1, 2] and Both.field.owner is Base and Both["k"] == ("Both", "k") and len(Both) == 0
del obj.field
print("classes:", Base.children, obj.who(), obj.field, isinstance(obj, Right), [c.__name__ for c in Both.__mro__])

# __class__ of instances, in numbers and back and forth.
class A:
    def speak(self):
        return "A"


class B:
    def speak(self):
        return "B"

    def __getattr__(self, name):
        return name.upper()


things = [A() for _ in range(100)]
for i, t in enumerate(things):
    t.i = [i]
    t.__class__ = B if i % 2 else A
assert "".join(t.speak() for t in things[:4]) == "ABAB" and things[1].missing == "MISSING"
for t in things:
    t.__class__ = A
try:
    things[0].__class__ = int
except TypeError as error:
    print("refused:", error)
del things, t

# __class__ of modules, with properties and a module-level __getattr__.
class Lively(types.ModuleType):
    @property
    def now(self):
        return "property of a module"

    def __call__(self, x):
        return x * 2


module = types.ModuleType("refledger_example", "documentation")
module.__getattr__ = lambda name: "dynamic " + name
assert module.anything == "dynamic anything"
module.__class__ = Lively
sys.modules["refledger_example"] = module
import refledger_example

assert refledger_example.now == "property of a module" and refledger_example(21) == 42
del sys.modules["refledger_example"], refledger_example
ref = weakref.ref(module)
del module
gc.collect()
me = sys.modules[__name__]
me.__class__ = Lively
assert me.now and me(3) == 6
me.__class__ = types.ModuleType
print("modules:", ref() is None, type(me).__name__)

# __bases__ and attributes of classes changed after the fact: caches must follow.
class Old:
    def hello(self):
        return "old"


class New:
    def hello(self):
        return "new"


class Child(Old):
    pass


child = Child()
said = []
for i in range(300):
    said.append(child.hello())
    if i % 100 == 50:
        Child.__bases__ = (New,)
    if i % 100 == 75:
        Child.__bases__ = (Old,)
    if i % 100 == 80:
        Old.hello = lambda self: "patched"
    if i % 100 == 90:
        Child.hello = lambda self: "own"
    if i % 100 == 95:
        del Child.hello
print("patched:", {w: said.count(w) for w in sorted(set(said))})


# Abstract classes and virtual subclasses.
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...

    @property
    @abc.abstractmethod
    def name(self): ...

    @classmethod
    def __subclasshook__(cls, other):
        return True if "quacks" in other.__dict__ else NotImplemented


class Square(Shape):
    name = "square"

    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side**2


Duck = type("Duck", (), {"quacks": True})
Shape.register(int)
try:
    Shape()
except TypeError as error:
    print("abstract:", str(error)[:40])
print("virtual:", issubclass(Duck, Shape), isinstance(3, Shape), isinstance("s", Shape), Square(4).area())


# Special methods of many kinds, on one class.
class Everything:
    def __init__(self, v):
        self.v = v

    def __getattribute__(self, name):
        return object.__getattribute__(self, name)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)

    def __delattr__(self, name):
        object.__delattr__(self, name)

    def __add__(self, o):
        return Everything(self.v + getattr(o, "v", o))

    __radd__ = __iadd__ = __add__

    def __matmul__(self, o):
        return self.v, o

    def __divmod__(self, o):
        return Everything(self.v // o), Everything(self.v % o)

    def __eq__(self, o):
        return self.v == getattr(o, "v", o)

    def __lt__(self, o):
        return self.v < o.v

    def __hash__(self):
        return hash(self.v)

    def __contains__(self, o):
        return o == self.v

    def __getitem__(self, i):
        if isinstance(i, slice):
            return i.start, i.stop, i.step
        if i > 3:
            raise IndexError
        return Everything(i)

    def __missing__(self, k):
        return k

    def __enter__(self):
        return self

    def __exit__(self, *info):
        return True

    def __dir__(self):
        return ["z", "a"]

    def __sizeof__(self):
        return 1

    def __bool__(self):
        return self.v > 2

    def __class_getitem__(cls, item):
        return cls, item


e = Everything(1)
e += 4
with e:
    raise KeyError
print("special:", (3 + e).v, e @ 2, divmod(e, 2)[1].v, 5 in e, [x.v for x in e], e[1:2], dir(e), bool(e), sum([e, e], 0).v)
print("sorted:", [x.v for x in sorted(Everything(i * 7 % 10) for i in range(10))], Everything[int][1].__name__)
del e.v

# Classes die when nobody needs them: cycles with their own mro and dict.
gc.collect()
Registry.made.clear()
for i in range(60):
    class Temporary(Base if i % 2 else object, **({"tag": i} if i % 2 else {})):
        slot = Field()

        def method(self):
            return __class__

    Temporary().method()
    if not i % 2:
        Registry.made.append(weakref.ref(Temporary))
del Temporary
gc.collect()
print("classes left:", sum(r() is not None for r in Registry.made), "of", len(Registry.made))
