"""Exercises MemoryError: requests that are too large, and (where the interpreter's own test module is present) allocations
that fail one after another at every possible place of a small workload; the program goes on each time.
"""

import gc
import sys

refused = 0
for make in (
    lambda: [0] * sys.maxsize, lambda: (0,) * sys.maxsize, lambda: bytearray(sys.maxsize), lambda: "x" * sys.maxsize * 2, lambda: b"x" * sys.maxsize,
    lambda: [None] * 10 * (sys.maxsize // 20), lambda: "".join(["ab"] * 3).center(sys.maxsize), lambda: [1, 2] * sys.maxsize,
):
    for _ in range(10):
        try:
            make()
        except (MemoryError, OverflowError):
            refused += 1
print("too large:", refused)

try:
    from _testcapi import remove_mem_hooks, set_nomemory
except ImportError:
    print("no _testcapi: the second half is left out")
    sys.exit(0)


class Thing:
    def __init__(self, n):
        self.n = n
        self.items = [n, {"n": (n,)}]


def workload():
    things = [Thing(i) for i in range(3)]
    text = "".join("%d" % t.n for t in things)
    table = {t.n: t for t in things}
    table[text] = lambda: things
    gen = (t for t in things)
    next(gen)
    return sorted(table, key=str), {1, 2} | set(table), text.encode() * 20


expected = workload()
failed = succeeded = 0
for start in range(1, 200):
    set_nomemory(start, start + 1)
    try:
        got = workload()
    except MemoryError:
        remove_mem_hooks()
        failed += 1
    else:
        remove_mem_hooks()
        succeeded += 1
        got = None
gc.collect()
assert workload() == expected
print("failed at some place:", failed > 20, failed + succeeded)
