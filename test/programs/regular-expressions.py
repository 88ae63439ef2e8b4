"""Exercises re: compiled patterns and the cache, groups, named groups, substitution by function and template, scanner,
backtracking, lookaround, bytes and str, match objects kept alive, split, errors.
"""

import re
import sys

text = ("2024-02-29 12:34:56 ERROR [worker-3] user=alice@example.org path=/a/b?q=1 took 12.5ms\n"
        "2023-12-01 00:00:01 INFO  [main] user=bob path=/index.html took 3ms\n") * 60
line = re.compile(r"^(?P<date>\d{4}-\d\d-\d\d) (?P<time>[\d:]+) (?P<level>[A-Z]+)\s+\[(?P<thread>[^\]]+)\] (?P<rest>.*)$", re.M)
matches = [m for m in line.finditer(text)]
fields = [m.groupdict() for m in matches]
pairs = dict(re.findall(r"(\w+)=(\S+)", fields[0]["rest"]))
print("lines:", len(matches), pairs, matches[1].span("thread"), matches[-1]["date"], line.groupindex["level"])
held = [m.group(1, "level", 5) for m in matches]
assert sys.getrefcount(text) >= len(matches)
del matches
assert held[0][1] == "ERROR" and line.fullmatch("x") is None

print("sub:", len(re.sub(r"\d+", lambda m: str(int(m[0]) * 2), text)), re.sub(r"(\w+)@(\w+)", r"\2 at \g<1>", "me@here you@there"), re.subn("a", "b", "banana", count=2))
print("split:", re.split(r"(,)|;", "a,b;c,d"), re.split(r"\b", "two words")[1:3], re.split("x*", "axbc"))
print("look:", re.findall(r"(?<=\$)\d+(?!\d|%)", "$100 $20% 30 $4"), re.findall(r"(?i:AB)c|(?=d)d", "abc ABc ABC d"), re.search(r"(a)?b(?(1)c|d)", "bd").group())
print("greedy:", re.match(r"<.+>", "<a><b>").end(), re.match(r"<.+?>", "<a><b>").end(), re.match(r"(?>a+)b", "aaab") is not None, re.match(r"a++b", "aab").end())
print("backreference:", re.findall(r"\b(\w+) \1\b", "the the cat cat sat"), re.match(r"(?P<q>['\"]).*?(?P=q)", "'it' \"x\"").group())

# The cache of patterns: more than it holds, twice, then purged.
total = 0
for round in range(2):
    for i in range(300):
        total += len(re.findall("a{%d,%d}b?[c-%s]" % (i % 5, i % 5 + i % 3, chr(100 + i % 20)), "aaabbbcccddd" * 3))
re.purge()
print("cache:", total)

# Backtracking that grows and is given up; nested groups; many groups; large sets.
assert re.match(r"(a*)*b", "a" * 18) is None and re.match(r"(?:a|aa)+$", "a" * 24 + "b") is None
many = re.compile("".join("(%s)?" % chr(97 + i % 26) for i in range(150)))
m = many.match("abcdefghijklmnopqrstuvwxyz" * 3)
assert m.lastindex == 78 and sum(g is not None for g in m.groups()) == 78 and len(m.regs) == 151
assert re.compile("[%s]" % "".join(map(chr, range(0x400, 0x4ff, 3)))).findall("\u0403\u0404\u0406")
copy = m.expand(r"\1-\26-\g<2>")
print("groups:", copy, m.start(150), bool(re.match(b"\\w+", b"bytes")), re.match(b"(?P<n>.)", memoryview(b"mv"))["n"])

# Tokenizing, as the documentation shows it.
spec = [("NUMBER", r"\d+(?:\.\d*)?"), ("ASSIGN", r":="), ("END", r";"), ("ID", r"[A-Za-z]+"), ("OP", r"[+\-*/]"), ("SKIP", r"[ \t\n]+"), ("BAD", r".")]
token = re.compile("|".join("(?P<%s>%s)" % pair for pair in spec))
tokens = [(m.lastgroup, m.group()) for m in token.finditer("total := total + price * 1.2; ?" * 40) if m.lastgroup != "SKIP"]
scanner = re.Scanner([(r"\d+", lambda s, t: int(t)), (r"[a-z]+", lambda s, t: t), (r"\s+", None)])
print("tokens:", len(tokens), tokens[:3], scanner.scan("12 ab 7 !"))
walker = re.compile(r"\w").scanner("a b")
print("scanner:", [m.group() for m in iter(walker.search, None)])

# Callbacks that fail, and patterns that do not compile.
failed = 0
for i in range(50):
    try:
        re.sub("[ab]", lambda m: 1 // (len(m[0]) - 1), "ccab")
    except ZeroDivisionError:
        failed += 1
bad = 0
for pattern in ("(", "[", "a**", "(?P<n>a)(?P<n>b)", r"\1", "(?<=a+)b", "a{3,1}", "(?z)", "(?P=x)", "[z-a]", "\\", "(?(9)a)"):
    try:
        re.compile(pattern)
    except re.error as error:
        bad += error.pos is not None
print("errors:", failed, bad, re.escape("a.b*c[d]"), repr(re.compile("x", re.I | re.S)))
