"""Rule 7, third part: constants belong to the code object. A literal in a function is made once, when the file is compiled.

    refledger record traces/07-constants.py
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass



def answer():
    return 12345.678


# The float was made by the compiler. The function's code object refers to it, so each call returns the very same object.
mark("calls-before")
first = answer()
second = answer()
mark("calls")
assert first is second
assert first in answer.__code__.co_consts
print("two calls, one object:                   ", first is second)
print("it is in the code object's constants:    ", any(first is c for c in answer.__code__.co_consts))


# A tuple of constants is a constant; a list is made anew each time, since somebody might change it.
def pair():
    return (1.5, 2.5)


def pair_as_list():
    return [1.5, 2.5]


mark("tuple-before")
t = pair()
mark("tuple")
assert t is pair()
mark("list-before")
l = pair_as_list()
mark("list")
assert l is not pair_as_list()
print("a tuple of constants is made once:       ", t is pair())
print("a list of constants is made at each call:", l is not pair_as_list())


# Expressions of constants are worked out by the compiler.
def seconds_per_week():
    return 7 * 24 * 60 * 60


mark("folded-before")
week = seconds_per_week()
mark("folded")
assert week is seconds_per_week()
assert 604800 in seconds_per_week.__code__.co_consts
print("7 * 24 * 60 * 60 was computed beforehand: ", 604800 in seconds_per_week.__code__.co_consts)


# A constant lives as long as its code object, and that is longer than one thinks: the function is gone after `del`, but its code is itself
# a constant, of the module's code.
def doomed():
    return 98765.4321


value = doomed()
mark("doomed-before")
del value
mark("doomed-name-gone")
del doomed
mark("doomed-gone")

# Code that nobody else keeps dies with its function, and the constant with it.
loose = eval("lambda: 13579.2468")
value = loose()
mark("loose-before")
del value
mark("loose-name-gone")
del loose
mark("loose-gone")
