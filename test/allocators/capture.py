"""Captures what a native CPython's pymalloc does with a list of operations: see README.md in this folder.

    cc -O1 -shared -fPIC -o driver.so driver.c -ldl
    LD_PRELOAD=$PWD/driver.so PYTHONHASHSEED=0 python capture.py driver.so OUT.json [SHIFT]

Runs on 2.7 and on 3.4 to 3.13.
"""

from __future__ import print_function

import ctypes
import gc
import json
import os
import sys
import tempfile

MALLOC, REALLOC, FREE, PRIME, STATISTICS = range(5)


class Operation(ctypes.Structure):
    _fields_ = [
        ("kind", ctypes.c_uint32),
        ("slot", ctypes.c_uint32),
        ("size", ctypes.c_uint32),
        ("fillers", ctypes.c_uint32),
        ("address", ctypes.c_size_t),
    ]


def generator(seed):
    """Numbers from 0 to below n, the same in every Python."""
    state = [seed]

    def below(n):
        state[0] = (state[0] * 1103515245 + 12345) % 2147483648
        return (state[0] >> 8) % n

    return below


def plan():
    """(kind, slot, size) of every operation, the same in every Python."""
    below = generator(20260105)
    operations = []
    live = []
    free_slots = []
    slots = [0]
    statistics = [0]

    def note(kind, slot, size):
        operations.append((kind, slot, size))

    def take():
        if free_slots:
            return free_slots.pop()
        slots[0] += 1
        return slots[0] - 1

    def malloc(size, kind=MALLOC):
        slot = take()
        note(kind, slot, size)
        live.append(slot)

    def free(index):
        slot = live[index]
        live[index] = live[-1]
        live.pop()
        note(FREE, slot, 0)
        free_slots.append(slot)

    def count():
        note(STATISTICS, statistics[0], 0)
        statistics[0] += 1

    def some_size():
        kind = below(16)
        if kind == 0:
            return below(1200)  # malloc's too, and 0
        if kind < 4:
            return 1 + below(128)
        if kind < 11:
            return 400 + below(113)
        return 1 + below(512)

    # The known state: the largest class first, until a new arena had to be taken, then every other class.
    malloc(512, PRIME)
    for size in range(8, 512, 8):
        malloc(size, PRIME)
    primed = len(live)
    count()

    # One class at a time: whole pools filled, emptied from the front, from the back and from the middle, and filled again.
    for size in (16, 48, 100, 250, 300, 496, 512):
        first = len(live)
        many = min(400, 24000 // size)
        for _ in range(many):
            malloc(size)
        for index in range(len(live) - 1, first, -2):
            free(index)
        for _ in range(many // 3):
            malloc(size)
        while len(live) > first:
            free(first)
        for _ in range(many // 2):
            malloc(size)
    count()

    # Everything at once: growing, at rest, shrinking to almost nothing, three times, so that arenas come and go.
    for round_ in range(3):
        for share, steps in ((14, 9000), (8, 1000), (3, 8000)):
            for _ in range(steps):
                roll = below(16)
                if roll < share or len(live) <= primed + 20:
                    malloc(some_size())
                elif roll == 15:
                    slot = live[primed + below(len(live) - primed)]
                    note(REALLOC, slot, 1 + some_size())
                else:
                    free(primed + below(len(live) - primed))
        count()
        # The oldest half in the order of its age, so that whole arenas become free.
        for _ in range((len(live) - primed) * (round_ + 1) // 4):
            free(primed)
        count()
    while len(live) > primed:
        free(len(live) - 1)
    count()
    for _ in range(2000):
        malloc(some_size())
    count()
    return operations, slots[0], statistics[0]


def main():
    library, out = sys.argv[1], sys.argv[2]
    shift = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    driver = ctypes.PyDLL(library)
    for function, result in (("arm", ctypes.c_size_t), ("open_file", ctypes.c_void_p), ("run", None), ("close_file", None)):
        getattr(driver, function).restype = result
    arena_bytes = (1 << 20) if sys.version_info >= (3, 10) else (256 << 10)

    operations, slots, statistics = plan()
    table = (Operation * len(operations))()
    for i, (kind, slot, size) in enumerate(operations):
        table[i].kind, table[i].slot, table[i].size = kind, slot, size
    blocks = (ctypes.c_void_p * slots)()
    paths = [os.path.join(tempfile.mkdtemp(), "statistics") for _ in range(statistics)]
    files = (ctypes.c_void_p * statistics)(*[driver.open_file(path.encode()) for path in paths])

    def pointer(name):
        return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p)

    functions = [pointer(name) for name in ("PyObject_Malloc", "PyObject_Realloc", "PyObject_Free")]
    try:
        # What sys._debugmallocstats calls.
        functions.append(pointer("_PyObject_DebugMallocStats"))
    except AttributeError:
        functions.append(None)
    has_statistics = functions[3] is not None
    gc.disable()
    region = driver.arm(ctypes.c_size_t(arena_bytes), ctypes.c_size_t(shift), ctypes.c_size_t(200))
    if region == 0:
        raise SystemExit("no memory for the region")
    driver.run(table, ctypes.c_size_t(len(operations)), blocks, files, *functions)
    for file in files:
        driver.close_file(ctypes.c_void_p(file))

    end = region + arena_bytes * 201
    addresses = []
    for operation in table:
        if operation.kind in (MALLOC, REALLOC, PRIME):
            inside = region <= operation.address < end
            addresses.append(operation.address - region if inside else -1)
    capture = {
        "python": sys.version.split()[0],
        "pointerBytes": ctypes.sizeof(ctypes.c_void_p),
        "arenaBytes": arena_bytes,
        "shift": shift,
        # Of every malloc, realloc and prime: bytes from the region's start, -1 = not there: it was malloc's.
        "addresses": addresses,
        "statistics": [parsed(path) for path in paths] if has_statistics else None,
    }
    with open(out, "w") as stream:
        json.dump(capture, stream, sort_keys=True, separators=(",", ":"))
    with open(os.path.join(os.path.dirname(out), "operations.json"), "w") as stream:
        json.dump(operations, stream, separators=(",", ":"))
    moved = [a for a in addresses if a >= 0]
    print(capture["python"], "shift", shift, len(operations), "operations,", max(moved) // arena_bytes + 1, "arenas,",
          len(addresses) - len(moved), "elsewhere")


def parsed(path):
    """The table of size classes and the totals of _PyObject_DebugMallocStats."""
    classes, totals = {}, {}
    with open(path) as file:
        for line in file:
            words = line.replace(",", "").split()
            if len(words) == 5 and all(word.isdigit() for word in words):
                _, size, pools, used, free = map(int, words)
                classes[size] = [pools, used, free]
            elif " = " in line and words[-1].isdigit():
                totals[line.split(" = ")[0].strip()] = int(words[-1])
    return {"classes": classes, "totals": totals}


main()
