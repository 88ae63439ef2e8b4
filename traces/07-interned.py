"""Rule 7, second part: equal strings may be one object. Names and short constants are interned when code is compiled.

    refledger record traces/07-interned.py

Never compare strings with `is`: which of them are one object is nobody's promise.
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass


# Two constants in one file that look like names are one object.
x = "refledger_course"
y = "refledger_course"
assert x is y
print("two equal constants, one object:    ", x is y)

# A string that is made while the program runs is an object of its own, though it is equal.
mark("made-before")
made = "".join(["refledger_", "course"])
mark("made")
assert made == x and made is not x
print("made at run time, the same object:  ", made is x)

# Interning gives back the one that is there, and ours dies with its last reference.
mark("intern-before")
interned = sys.intern(made)
mark("intern")
assert interned is x
print("interned, the same object:          ", interned is x)

# A new string that is interned stays as long as somebody refers to it. (The first releases of 3.12 made it immortal.)
mark("fresh-before")
fresh = sys.intern("".join(["never ", "seen ", "before"]))
mark("fresh")
place = id(fresh)
again = "".join(["never ", "seen ", "before"])
assert sys.intern(again) is fresh
del again
mark("fresh-dying")
del fresh
mark("fresh-dead")

# The keys of an instance's attributes are interned strings: a thousand objects, one "colour".
class Paint:
    def __init__(self, colour):
        self.colour = colour


paints = [Paint(n) for n in range(1000)]
names = {id(key) for paint in paints for key in vars(paint)}
assert len(names) == 1
print("1,000 attributes, strings for names: ", len(names))
