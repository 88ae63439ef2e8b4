"""Exercises bytes, bytearray, memoryview and io.BytesIO: resizing of bytes objects in place, shared buffers, exports that
forbid resizing, casts, slices, translate, join, hex, buffers of arrays, picklable buffers, readinto.
"""

import array
import io
import struct
import sys

# bytes: concatenation, join, and results that are built too large and then shrunk.
data = b""
for i in range(3000):
    data += bytes([i % 256])
assert len(data) == 3000 and data[255:258] == b"\xff\x00\x01"
assert b",".join([b"a", bytearray(b"b"), memoryview(b"c")]) == b"a,b,c"
assert data.translate(bytes(range(256))[::-1], b"\x00")[0] == 254
assert bytes.fromhex("00 ff 10").hex(":") == "00:ff:10" and b"%b %d" % (b"x", 3) == b"x 3"
assert bytes(x for x in range(200)) == bytes(range(200)) and bytes(5) == b"\0" * 5
assert data.split(b"\x10")[1][0] == 0x11 and data.replace(b"\x01\x02", b"")[:2] == b"\x00\x03"
assert bytes(range(256)).decode("latin-1").encode("latin-1") == bytes(range(256))
print("bytes:", len(data), sum(data), len(repr(data)))

# BytesIO: getvalue shares its buffer with the result; writing afterwards un-shares it.
stream = io.BytesIO()
values = []
for i in range(200):
    stream.write(b"%d;" % i)
    if i % 20 == 0:
        values.append(stream.getvalue())
values.append(stream.getvalue())
stream.seek(3)
stream.truncate(10)
stream.write(b"tail")
assert len(values[-1]) == 690 and values[0] == b"0;" and stream.getvalue()[:6] == b"0;1tai"
source = bytes(range(100))
sharing = io.BytesIO(source)
assert sharing.getvalue() is source or sharing.getvalue() == source
view = sharing.getbuffer()
view[0] = 77
try:
    sharing.write(b"x" * 500)
except BufferError as error:
    print("BytesIO:", error)
view.release()
sharing.write(b"x" * 500)
assert source[0] == 0
print("reads:", sharing.seek(0), sharing.read(3), sharing.read1(2), sharing.readline()[:2], sharing.readlines())

# bytearray: growth at both ends, slices of other lengths, deletion, in place operators.
buffer = bytearray()
for i in range(2000):
    buffer.append(i & 0xFF)
    if i % 3 == 0:
        buffer += b"ab"
    if i % 7 == 0:
        del buffer[:2]
buffer[10:20] = b"a longer replacement than what was there"
buffer[::5] = bytes(len(buffer[::5]))
del buffer[1::4]
buffer *= 2
buffer.extend(range(50))
buffer.insert(0, 9)
buffer.reverse()
buffer.remove(9)
popped = [buffer.pop() for _ in range(10)]
print("bytearray:", len(buffer), sum(buffer), popped[:3], buffer.find(b"\x00\x00"))
taken = bytes(buffer)
buffer.clear()
assert len(buffer) == 0 and len(taken) > 100
exported = bytearray(b"exported")
with memoryview(exported) as held:
    try:
        exported.append(1)
    except BufferError as error:
        print("export:", error)
    held[0:2] = b"EX"
exported.append(33)
assert exported == b"EXported!"

# memoryview: slices of slices, casts, two dimensions, comparison, release, use after release.
raw = bytearray(range(240))
m = memoryview(raw)
views = [m[i : i + 20 : 2] for i in range(0, 240, 20)]
assert sum(len(v) for v in views) == 120 and views[1].tolist()[0] == 20
grid = m.cast("B", shape=[12, 20])
assert grid[3, 4] == 64 and grid.tolist()[11][19] == 239 and grid.nbytes == 240
ints = m.cast("I")
ints[0] = 0xDEADBEEF
assert raw[:4] == struct.pack("=I", 0xDEADBEEF) and m.obj is raw
count = sys.getrefcount(raw)
more = [m[i:] for i in range(100)]
for v in more[::2]:
    v.release()
del more
assert sys.getrefcount(raw) == count
print("memoryview:", hash(memoryview(b"abc")) == hash(b"abc"), m == raw, m[::-1].tobytes()[:3])
for v in views:
    v.release()
grid.release(), ints.release(), m.release()
try:
    m[0]
except ValueError as error:
    print("released:", error)
raw.extend(b"now it may grow")

# Arrays and struct through the buffer protocol.
numbers = array.array("d", [x / 3 for x in range(50)])
with memoryview(numbers) as view:
    assert view.format == "d" and view[49] == numbers[49]
    struct.pack_into("d", view, 8 * 3, 1.25)
assert numbers[3] == 1.25
target = bytearray(64)
assert io.BytesIO(b"0123456789" * 5).readinto(memoryview(target)[10:30]) == 20
assert struct.unpack_from("4s", target, 10) == (b"0123",)
assert [x for (x,) in struct.iter_unpack("<H", bytes(range(8)))] == [256, 770, 1284, 1798]


class Exporter:
    """An exporter written in Python (PEP 688), where the interpreter has it."""

    def __init__(self):
        self.released = 0
        self.data = bytearray(b"from python")

    def __buffer__(self, flags):
        return memoryview(self.data)

    def __release_buffer__(self, view):
        self.released += 1
        view.release()


if sys.version_info >= (3, 12):
    exporter = Exporter()
    with memoryview(exporter) as view:
        assert bytes(view) == b"from python"
    assert exporter.released == 1
print("done")
