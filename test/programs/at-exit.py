"""Exercises what happens when the interpreter ends: atexit handlers in reverse order, one that fails, one that registers and
prints, weakref.finalize, finalizers of module globals, modules' dictionaries cleared, daemon-less; buffered output flushed.
"""

import atexit
import gc
import sys
import weakref


class Noisy:
    def __init__(self, name, print=print):
        self.name, self.print = name, print

    def __del__(self):
        self.print("gone:", self.name)


@atexit.register
def first_registered():
    print("atexit: first registered, runs last")


@atexit.register
def fails():
    raise ValueError("in an atexit handler")


atexit.register(print, "atexit: with arguments", sep="|")
removed = lambda: print("never")  # noqa: E731
atexit.register(removed)
atexit.unregister(removed)
atexit.register(lambda: sys.stdout.write("atexit: no newline, not flushed\n"))
sys.unraisablehook = lambda info, print=print: print("unraisable:", type(info.exc_value).__name__)

module_global = Noisy("module global")
watched = Noisy("watched")
weakref.finalize(watched, print, "finalize: watched")
in_cycle = Noisy("in a cycle")
in_cycle.me = in_cycle
gc.disable()
generator = (x for x in [Noisy("held by a generator")])
sys.kept = Noisy("held by sys")
import builtins

builtins.kept = Noisy("held by builtins")
closure = (lambda n: lambda: n)(Noisy("held by a closure"))
print("main ends")
