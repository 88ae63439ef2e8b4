"""Raises KeyboardInterrupt itself, in the middle of a computation that does not catch it: the interpreter ends as after Ctrl-C."""

import sys


def compute():
    total = 0
    for i in range(100000):
        total += i
        if i == 5000:
            raise KeyboardInterrupt
    return total


try:
    compute()
except Exception:
    print("not reached: KeyboardInterrupt is no Exception")
finally:
    print("finally")
    sys.stdout.flush()
