"""Exercises ctypes where it exists: simple types, structures, unions, arrays, pointers and what they keep alive, casts,
string buffers, the C API through pythonapi, callbacks into Python where the platform can make them.
"""

import gc
import sys
import weakref

try:
    import ctypes
except ImportError:
    print("no ctypes here")
    sys.exit(0)


class Point(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]


class Bits(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint32, 4), ("high", ctypes.c_uint32, 12)]


class Either(ctypes.Union):
    _fields_ = [("i", ctypes.c_uint32), ("b", ctypes.c_uint8 * 4)]


class Node(ctypes.Structure):
    pass


Node._fields_ = [("value", ctypes.py_object), ("next", ctypes.POINTER(Node)), ("name", ctypes.c_char_p)]

points = (Point * 50)(*[(i, i / 2) for i in range(50)])
points[3].y = 7.5
views = [points[i] for i in range(0, 50, 5)]
bits = Bits(15, 4095)
bits.low += 3
either = Either(i=0x01020304)
print("structures:", sum(p.x for p in points), views[1].x, bits.low, bits.high, sorted(either.b), ctypes.sizeof(Point), Point.y.offset)
del points
assert views[3].x == 15  # a view keeps its array

chain = None
for i in range(100):
    node = Node([i], ctypes.pointer(chain) if chain else None, b"n%d" % i)
    chain = node
walk, total = chain, 0
while True:
    total += walk.value[0]
    if not walk.next:
        break
    walk = walk.next.contents
print("chain:", total, walk.name)
del chain, node, walk

# Pointers, casts, buffers.
numbers = (ctypes.c_int * 10)(*range(10))
p = ctypes.cast(numbers, ctypes.POINTER(ctypes.c_int))
p[2] = 99
q = ctypes.pointer(ctypes.c_int(5))
q.contents = ctypes.c_int(6)
q[0] += 1
buffer = ctypes.create_string_buffer(b"text", 20)
ctypes.memmove(ctypes.byref(buffer, 2), b"ZZ", 2)
ctypes.memset(ctypes.addressof(buffer) + 4, ord("!"), 3)
wide = ctypes.create_unicode_buffer("w\u0416", 5)
shared = (ctypes.c_char * 6).from_buffer(source := bytearray(b"source"))
shared[0] = b"S"
print("memory:", numbers[2], p[9], q.contents.value, buffer.value, ascii(wide.value), source, ctypes.string_at(buffer, 3), bytes((ctypes.c_int16 * 2)(1, 2)))
try:
    source.append(1)
except BufferError:
    print("shared memory cannot be resized")
del shared
source.append(33)


# Objects that Python holds only through C structures.
class Held:
    pass


held = Held()
base = sys.getrefcount(held)
boxes = [ctypes.py_object(held) for _ in range(100)]
array = (ctypes.py_object * 5)(*[held] * 5)
print("held:", sys.getrefcount(held) >= base + 105, array[0] is held)
ref = weakref.ref(held)
del held, boxes
assert ref() is not None
del array
gc.collect()
print("released:", ref() is None)

# The C API of the interpreter itself.
try:
    api = ctypes.pythonapi
    api.PyList_Size.argtypes, api.PyList_Size.restype = [ctypes.py_object], ctypes.c_ssize_t
    api.PyObject_Repr.argtypes, api.PyObject_Repr.restype = [ctypes.py_object], ctypes.py_object
    api.PyLong_FromLong.restype = ctypes.py_object
    sizes = [api.PyList_Size([0] * i) for i in range(50)]
    print("api:", sum(sizes), api.PyObject_Repr((1, "a")), api.PyLong_FromLong(123456))
    try:
        api.PyList_Size("not a list")
    except SystemError as error:
        print("api error:", type(error).__name__)
except (OSError, AttributeError, TypeError) as error:
    print("api: none", type(error).__name__)

# Callbacks into Python.
try:
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)(lambda a, b: a - b)
    print("callback:", compare(7, 3))
except (MemoryError, OSError, RuntimeError, NotImplementedError) as error:
    print("callback: none", type(error).__name__)
errors = 0
for bad in (lambda: ctypes.c_int("x"), lambda: Point(1, 2, 3), lambda: numbers[10], lambda: ctypes.POINTER(ctypes.c_int)().contents, lambda: ctypes.cast(1.5, ctypes.c_void_p), lambda: (ctypes.c_int * -1), lambda: type("S", (ctypes.Structure,), {"_fields_": [("a", int)]})):
    for _ in range(10):
        try:
            bad()
        except (TypeError, ValueError, IndexError, ctypes.ArgumentError):
            errors += 1
print("errors:", errors)
types = [type("Made%d" % i, (ctypes.Structure,), {"_fields_": [("a", ctypes.c_int * (i + 1))]}) for i in range(60)]
made = [t() for t in types] + [ctypes.POINTER(t)() for t in types]
assert ctypes.sizeof(made[9]) == 40
del types, made
gc.collect()
print("done")
