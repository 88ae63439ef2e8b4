"""What is left of private pools: free lists. A float, list, tuple or dict that is freed waits, up to a limit, for the next of its kind.

The memory of such an object is not given back: the next float, list, … takes it, last in, first out. So two objects that never
live at the same time have the same `id`.

    refledger record traces/06-free-lists.py
    refledger dump 06-free-lists.trace.db --kind new --from mark:float --to mark:float-done
"""

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


mark("float-born")
x = float("1.5")
place = id(x)
mark("float-freed")
del x
mark("float")
x = float("2.5")
mark("float-done")
assert id(x) == place
print("a float takes the place of the last float: ", id(x) == place)

# What comes next in the program is of another kind, and leaves the place alone.
place = id(x)
mark("other-before")
del x
text = "a text" * 3
y = float("3.5")
mark("other")
assert id(y) == place
print("a text in between does not take it:        ", id(y) == place)

mark("list-born")
a = [1, 2, 3]
place = id(a)
mark("list-freed")
del a
mark("list")
b = []
mark("list-done")
assert id(b) == place
print("a list takes the place of the last list:   ", id(b) == place)

# Tuples wait by their length: one list for pairs, one for triples, …
mark("tuple-born")
t = tuple([1, 2, 3])
place = id(t)
del t
mark("tuple")
pair = tuple([1, 2])
triple = tuple([4, 5, 6])
mark("tuple-done")
assert id(triple) == place and id(pair) != place
print("a tuple that of one of its length:         ", id(triple) == place, id(pair) != place)

mark("dict-born")
d = {"key": 1}
place = id(d)
mark("dict-freed")
del d
mark("dict")
e = {}
mark("dict-done")
assert id(e) == place
print("a dict takes the place of the last dict:   ", id(e) == place)

# The lists have limits: of 10,000 floats released at once 100 wait, the other 9,900 are given back.
many = [n / 7 for n in range(1, 10_001)]
mark("many-before")
del many
mark("many")
