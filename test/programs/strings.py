"""Exercises str: concatenation in place, all three widths, join, split, translate, format, f-strings, encodings and codecs
with error handlers, cached UTF-8, interned strings, slices, subclass, very long strings.
"""

import codecs
import string
import sys

# In place: a local name's string is resized when nobody else holds it; copied otherwise.
def grow(n):
    text = ""
    for i in range(n):
        text += chr(97 + i % 26)
        if i % 1000 == 0:
            held = text  # noqa: F841  (forces a copy at the next round)
    return text


grown = grow(20000)
assert len(grown) == 20000 and grown[26:29] == "abc"
wide = grown[:100]
wide += "\u0416"
wide += "\U0001f40d" * 3
assert len(wide) == 104 and wide.encode()[-4:] == "\U0001f40d".encode()
print("widths:", [sys.getsizeof(c * 100) - sys.getsizeof(c * 99) for c in "a\u0416\U0001f40d"])

# join of generators, of str subclasses, of mixed widths.
class Sub(str):
    pass


assert ",".join(str(i) for i in range(1000)).count(",") == 999
assert Sub("-").join([Sub("a"), "b", Sub("\u0416")]) == "a-b-\u0416"
alone = "".join([Sub("x")])
assert alone == "x" and type(alone) is str
try:
    ",".join(["a", 1])
except TypeError as error:
    print("join:", error)

# Splitting in all forms.
text = "the quick brown fox\tjumps over\nthe lazy dog " * 40
words = text.split()
print("split:", len(words), len(text.split(" ")), len(text.rsplit("o", 7)), len(text.splitlines(True)), text.partition("fox")[0])
assert " ".join(words).replace("the", "THE").lower().count("the") == 80
assert text.translate({ord("a"): None, ord("o"): "00", ord("e"): 0x416}).count("\u0416") == text.count("e")
assert text.translate(str.maketrans("abc", "XYZ", "d")).count("Y") == text.count("b")
assert text.title().swapcase().casefold().center(5000, "*").strip("*").expandtabs().isprintable() is False
assert "stra\u00dfe".upper() == "STRASSE" and "\u0130".lower() != "i"

# Formatting.
rows = ["%-10s|%5d|%08.3f|%x" % (w, len(w), len(w) / 7, len(w)) for w in words[:50]]
rows += ["{:>12}|{!r:^20}|{:,}|{:e}".format(w, w, len(w) * 12345, len(w) / 3) for w in words[:50]]
rows += [f"{w=!s:<8} {w[::-1]:*^10} {len(w):>{len(w)}} {{}}" for w in words[:50]]
print("format:", sum(map(len, rows)), rows[0], rows[51], rows[101])
assert "{0.real} {1[key]} {2[1]}".format(3, {"key": "v"}, [1, 2]) == "3 v 2"
assert string.Template("$a and ${b}c $$").substitute(a=1, b=2) == "1 and 2c $"
assert string.Template("$a $missing").safe_substitute(a=1) == "1 $missing"
assert string.Formatter().vformat("{0} {x}", (1,), {"x": 2}) == "1 2"

# Encodings, error handlers, incremental codecs, and the UTF-8 form that a str keeps for itself.
samples = ["plain", "caf\xe9", "\u0416\u0417", "\U0001f40d snake", "\x00\x7f\x80", "a" * 500 + "\u20ac"]
for s in samples:
    for codec in ("utf-8", "utf-16", "utf-32-le", "utf-7", "unicode-escape", "raw-unicode-escape", "punycode"):
        if codec == "raw-unicode-escape" and "\\" in s:
            continue
        assert s.encode(codec).decode(codec) == s, (s, codec)
    s.isidentifier(), hash(s), s.isascii()
broken = b"ok \xff\xfe \xc3"
print("errors:", *(broken.decode("utf-8", e).encode("ascii", "backslashreplace").decode() for e in ("replace", "ignore", "backslashreplace")))
assert broken.decode("utf-8", "surrogateescape").encode("utf-8", "surrogateescape") == broken
assert "\u20ac\xe9".encode("ascii", "xmlcharrefreplace") == b"&#8364;&#233;"
codecs.register_error("refledger", lambda e: ("?" * (e.end - e.start), e.end))
assert "a\u0416\u0417b".encode("ascii", "refledger") == b"a??b"
try:
    broken.decode("utf-8")
except UnicodeDecodeError as error:
    assert error.object == broken
    print("strict:", error.reason)
decoder = codecs.getincrementaldecoder("utf-8")()
assert "".join(decoder.decode(bytes([b])) for b in "\U0001f40d\u0416".encode()) == "\U0001f40d\u0416"

# Interning: names made at run time, dropped, made again.
for i in range(500):
    a = sys.intern("run time name %d" % i)
    assert sys.intern("run time " + "name %d" % i) is a
globals().update({"dynamic_%d" % i: i for i in range(200)})
assert all(globals().pop("dynamic_%d" % i) == i for i in range(200))

# Long ones, slices of them, comparison, repetition, search.
long = "0123456789" * 20000
assert long[5:-5:7].count("0") and long.find("90123") == 9 and long.rfind("x") == -1
assert (long + "x") > long and len(long * 3) == 600000 and long[::-1].startswith("9876")
assert long.removeprefix("012").removesuffix("789").isdigit() and long.zfill(200002)[:3] == "000"
print("long:", len(long), ascii("\u0416'\n"), repr("\U0001f40d")[1] == "\U0001f40d")
del long
assert {chr(i) for i in range(300)} >= set(string.printable)
