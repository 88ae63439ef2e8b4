"""What free lists do, told by addresses alone; then memory that a few survivors keep. The test compares it with `refledger pools`.

Each phase makes `count` objects, lets all of them die in order, and makes as many again. A free list is last in, first out, and takes
the first ones that die until it is full: so the second generation begins with the addresses of those, backwards. How many agree is
what the free list served. Nothing else of the type is made between the marks.
"""

import refledger

COUNT = 300
RANGE = range(COUNT)


def make_float(i):
    return i * 0.5


def make_list(i):
    return []


def make_dict(i):
    return {}


def make_triple(i):
    return (i, i, i)


def phase(name, make):
    keep = [None] * COUNT
    first = [None] * COUNT
    second = [None] * COUNT
    for i in RANGE:
        keep[i] = make(i)
    for i in RANGE:
        first[i] = id(keep[i])
    for i in RANGE:
        keep[i] = None
    refledger.mark("begin " + name)
    for i in RANGE:
        keep[i] = make(i)
    refledger.mark("end " + name)
    for i in RANGE:
        second[i] = id(keep[i])
    # The longest beginning of the dead, backwards, that the new ones begin with.
    served = 0
    for length in RANGE:
        if first[length] == second[0]:
            served = length + 1
    if second[:served] != first[:served][::-1]:
        raise SystemExit(name + ": not last in, first out")
    print(name, served, first[served - 1] if served else 0)


phase("float", make_float)
phase("list", make_list)
phase("dict", make_dict)
phase("tuple", make_triple)

junk = []
survivors = []
for number in range(6000):
    junk.append(bytes(1000))
    if number % 60 == 0:
        survivors.append(bytes(990))
refledger.mark("full")
del junk
refledger.mark("sparse")
