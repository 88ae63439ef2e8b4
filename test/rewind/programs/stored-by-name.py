"""References of which the ledger has several that might be meant: the name of the slot tells which. The test finds the lines by their comments."""

import collections
import types


class Held:
    pass


def make():
    return Held()


# A global name is stored where it is bound, not where its object is a key or takes an attribute.
anchor = make()  # anchor bound
by_object = {}
by_object[anchor] = 1


class Field:
    def __set_name__(self, owner, name):
        self.values = {}

    def __set__(self, holder, value):
        self.values[id(holder)] = value


class Model:
    field = Field()  # field bound


model = Model()  # model bound
model.field = make()


class Colour:  # colour bound
    pass


red = Colour()
Colour.red = red
red.other = 1

# One reference to an object that a display or C code takes with it is that one.
annotated = {"x": make()}  # dict display
error = ValueError("x", make())  # arguments
cell = types.CellType(make())  # cell
view = types.MappingProxyType({"p": make()})  # view

# What leaves one container for another was taken for the other.
frozen = frozenset([make()])  # frozenset
queue = collections.deque([make()])  # deque

# Two lists, one object: each is named where it takes it.
first = []
second = []
both = make()
first.append(both)  # first
second.append(both)  # second
del both


built = [Held()]  # built
copied = [built[0]]  # copied

# A specialised store takes what was loaded for it; what goes on its line is the variable's and the handler's reference.
errors = {}


def fails(n):
    try:
        raise KeyError(n)
    except KeyError as e:
        errors[n] = e  # error kept


for n in range(20):
    fails(n)


# A function that dies elsewhere gives up its reference to the module's dictionary.
callbacks = [lambda: None]


def clear():
    callbacks.clear()


clear()


def last():
    pass
