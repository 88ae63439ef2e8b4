"""Exercises zlib, gzip, bz2, lzma, zstd (where present), hashlib, hmac, binascii and base64: one-shot and streaming, copies
of half-way states, damaged data.
"""

import base64
import binascii
import bz2
import gzip
import hashlib
import hmac
import io
import lzma
import zlib

data = b"".join(b"line %d of the text to be compressed, value %d\n" % (i, i * i % 97) for i in range(1500))

for level in (0, 1, 6, 9):
    packed = zlib.compress(data, level)
    assert zlib.decompress(packed) == data
stream = zlib.compressobj(5, wbits=-15)
half = stream.compress(data[: len(data) // 2])
twin = stream.copy()
ends = [half + s.compress(data[len(data) // 2 :]) + s.flush() for s in (stream, twin)]
assert ends[0] == ends[1]
out = zlib.decompressobj(wbits=-15)
pieces = []
rest = ends[0]
while rest or not out.eof:
    pieces.append(out.decompress(rest, 997))
    rest = out.unconsumed_tail
assert b"".join(pieces) == data
print("zlib:", zlib.crc32(data), zlib.adler32(data), len(pieces) > 50)
refused = 0
for i in range(0, len(packed), 61):
    try:
        zlib.decompress(packed[:i] + bytes([packed[i] ^ 0x55]) + packed[i + 1 :])
    except zlib.error:
        refused += 1
print("damaged:", refused > 0)

with gzip.GzipFile(fileobj=(target := io.BytesIO()), mode="wb", mtime=0) as f:
    for line in data.splitlines(True)[:400]:
        f.write(line)
with gzip.open(io.BytesIO(target.getvalue()), "rt") as f:
    print("gzip:", sum(len(line) for line in f))
for module in (bz2, lzma):
    packed = module.compress(data[:20000])
    d = module.BZ2Decompressor() if module is bz2 else module.LZMADecompressor()
    text = b"".join(d.decompress(packed[i : i + 100]) for i in range(0, len(packed), 100))
    assert text == data[:20000] and module.decompress(packed + packed) == text * 2
    print(module.__name__ + ":", d.eof, len(packed) < 10000)
try:
    from compression import zstd
except ImportError:
    zstd = None
if zstd:
    packed = zstd.compress(data, level=3)
    assert zstd.decompress(packed) == data
    dictionary = zstd.train_dict([data[i : i + 200] for i in range(0, 40000, 200)], 2000)
    small = zstd.compress(data[:300], zstd_dict=dictionary)
    assert zstd.decompress(small, dictionary) == data[:300]

digests = []
for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s"):
    h = hashlib.new(name, usedforsecurity=False)
    for i in range(0, 30000, 1000):
        h.update(data[i : i + 1000])
    c = h.copy()
    c.update(b"x")
    assert c.digest() != h.digest() and getattr(hashlib, name)(data[:30000]).hexdigest() == h.hexdigest()
    digests.append(h.hexdigest()[:6])
shake = hashlib.shake_128(data).hexdigest(8)
keyed = hashlib.blake2b(data, key=b"key", person=b"me", digest_size=8, salt=b"s").hexdigest()
print("hashes:", *digests, shake, keyed)
print("hmac:", hmac.new(b"k", data, "sha256").hexdigest()[:12], hmac.compare_digest("a", "a"))
if hasattr(hashlib, "pbkdf2_hmac"):  # only where OpenSSL is
    assert len(hashlib.pbkdf2_hmac("sha256", b"p", b"salt", 50)) == 32
for encode, decode in ((base64.b64encode, base64.b64decode), (base64.b32encode, base64.b32decode), (base64.b16encode, base64.b16decode), (base64.a85encode, base64.a85decode), (base64.b85encode, base64.b85decode), (binascii.hexlify, binascii.unhexlify)):
    for n in range(40):
        assert decode(encode(data[:n])) == data[:n]
try:
    base64.b64decode("a", validate=True)
except binascii.Error as error:
    print("base64:", error)
