"""Rule 7, fourth part: 3.14 does not count what it need not. A local variable that is only looked at is borrowed.

To use a value the interpreter first puts it on its stack of values. Up to 3.13 that was a reference like any other: +1, and -1 afterwards.
Since 3.14 the compiler sees where the local variable certainly outlives the use (Python/flowgraph.c,
optimize_load_fast), and there the stack only borrows the variable's reference: LOAD_FAST_BORROW.

    refledger record traces/07-borrowed.py
    refledger history 07-borrowed.trace.db Thing --all
"""

import sys

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass



class Thing:
    size = 3


def look(argument):
    mark("inside")
    return sys.getrefcount(argument)


def borrow():
    thing = Thing()
    mark("looked-before")
    thing.size
    thing == thing
    thing is None
    mark("looked")
    count = sys.getrefcount(thing)
    mark("asked")
    if sys.version_info >= (3, 14):
        assert count == 1, "getrefcount's own argument is borrowed too"
    else:
        assert count == 2
    inside = look(thing)
    mark("called")
    if sys.version_info >= (3, 14):
        assert inside == 1, "caller and callee share one reference"
    return count


borrow()


def count_again():
    # Where the value must outlive the variable, it is counted: here `thing` is bound anew while its old value is still in use.
    thing = Thing()
    mark("kept-before")
    keep = [thing, thing := None]
    mark("kept")
    return len(keep)


count_again()

# At the level of a module names are entries of a dict and not local variables: every use counts.
module_level = Thing()
mark("module-before")
module_level.size
mark("module")
assert sys.getrefcount(module_level) == 2
print("at module level getrefcount counts its argument:", sys.getrefcount(module_level) == 2)
