"""Where native Python 2.7 puts floats and lists: see README.md in this folder.

    python2.7 capture-python2.py OUT.json

Every birth notes the address of the new object. Between the first and the last operation the harness makes integers only, so it does not
disturb what it looks at; for that reason integers themselves cannot be looked at like this.
"""

from __future__ import print_function

import ctypes
import gc
import json
import sys


def plan(count):
    """1 = a birth, otherwise the index (from 0) in the list of live ones of the one that dies, negative less 1."""
    state = 20260105
    operations = []
    live = 0
    for i in range(count):
        state = (state * 1103515245 + 12345) % 2147483648
        roll = (state >> 8) % 16
        grow = 13 if (i // 300) % 2 == 0 else 4
        if live == 0 or roll < grow:
            operations.append(1)
            live += 1
        else:
            operations.append(-1 - (state >> 12) % live)
            live -= 1
    return operations


def floats(operations):
    keep = []
    births = []
    half = 0.5
    append, pop, note = keep.append, keep.pop, births.append
    for operation in operations:
        if operation > 0:
            append(half + half)
            note(id(keep[-1]))
        else:
            pop(-1 - operation)
    return births


def lists(operations):
    keep = []
    births = []
    append, pop, note = keep.append, keep.pop, births.append
    for operation in operations:
        if operation > 0:
            append([])
            note(id(keep[-1]))
        else:
            pop(-1 - operation)
    return births


def main():
    gc.disable()
    operations = plan(6000)
    capture = {"python": sys.version.split()[0], "operations": operations, "pointerBytes": ctypes.sizeof(ctypes.c_void_p)}
    # What older objects left behind is used up first, so that the first birth takes new memory.
    hold_floats = [0.25 + i for i in range(5000)]
    hold_lists = [[] for _ in range(2000)]
    capture["float"] = floats(operations)
    capture["list"] = lists(operations)
    with open(sys.argv[1], "w") as stream:
        json.dump(capture, stream, sort_keys=True, separators=(",", ":"))
    print(capture["python"], len(capture["float"]), "floats", len(capture["list"]), "lists")
    return hold_floats, hold_lists


main()
