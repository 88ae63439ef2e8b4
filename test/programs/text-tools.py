"""Exercises textwrap, unicodedata, difflib, string templates (and template strings where they exist), shlex, html, urllib's
parsers, pathlib's pure paths, fnmatch, glob-free translation, locale-free formatting, argparse and optparse-like parsing.
"""

import argparse
import contextlib
import difflib
import fnmatch
import html
import html.parser
import io
import pathlib
import shlex
import string
import sys
import textwrap
import unicodedata
import urllib.parse

text = " ".join("Sentence number %d goes on for a while, and then it stops." % i for i in range(120))
wrapped = textwrap.wrap(text, 48, initial_indent="* ", subsequent_indent="  ")
print("wrap:", len(wrapped), textwrap.shorten(text, 40), textwrap.dedent("   a\n     b\n").splitlines(), len(textwrap.indent("\n".join(wrapped), "> ")))
names = [unicodedata.name(chr(c), "-") for c in range(0x20, 0x600)]
assert all(unicodedata.lookup(n) for n in names[::7] if n != "-") and unicodedata.normalize("NFD", "\xe9\u1e9b") != "\xe9\u1e9b"
words = ["stra\xdfe", "\u0130stanbul", "e\u0301", "\ufb01n", "\u1100\u1161", "\U0001d400"]
forms = {f: [unicodedata.normalize(f, w).encode("ascii", "backslashreplace").decode() for w in words] for f in ("NFC", "NFKC", "NFD", "NFKD")}
print("unicode:", forms["NFKC"], unicodedata.category("\u0416"), unicodedata.numeric("\xbd"), unicodedata.east_asian_width("\u4e00"), unicodedata.bidirectional("\u05d0"))

a = ["line %d" % i for i in range(120)]
b = [x for i, x in enumerate(a) if i % 11] + ["new"] * 3
delta = list(difflib.unified_diff(a, b, "a", "b", n=1))
matcher = difflib.SequenceMatcher(None, text[:900], text[60:960])
print("diff:", len(delta), round(matcher.ratio(), 3), len(matcher.get_opcodes()), difflib.get_close_matches("appel", ["ape", "apple", "peach"]))
assert list(difflib.restore(difflib.ndiff(a[:20], b[:20]), 2)) == b[:20]

print("shlex:", shlex.split("a 'b c' \"d\\\"e\" f#g # h", comments=True), shlex.quote("it's"), list(shlex.shlex("x=1;y", punctuation_chars=True)))
print("html:", html.escape("<a href='x'>&"), html.unescape("&lt;&eacute;&#x416;&nosuch;").encode("ascii", "replace"))


class Collect(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.events = []

    def handle_starttag(self, tag, attrs):
        self.events.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.events.append(data.strip())


parser = Collect()
for piece in ("<p cla", "ss='a b' id=x>Te", "xt &amp; more<br/><!-- c --></p>", "<script>if (a<b) {}</script>"):
    parser.feed(piece)
parser.close()
print("parsed:", [e for e in parser.events if e])
url = urllib.parse.urlsplit("https://user:pw@Example.org:8080/a/../b;p?q=1&q=2&r=%D0%96#frag")
print("url:", url.hostname, url.port, urllib.parse.parse_qs(url.query)["q"], urllib.parse.urljoin("http://h/a/b/c", "../d?x"), urllib.parse.quote("\u0416 /?"), urllib.parse.urlencode({"a": [1, 2], "b": "x y"}, doseq=True))
paths = [pathlib.PurePosixPath("/a") / ("d%d" % (i % 5)) / ("f%d.tar.gz" % i) for i in range(100)]
print("paths:", len({p.parent for p in paths}), paths[3].suffixes, paths[7].relative_to("/a"), pathlib.PureWindowsPath("C:/x\\y").parts, len(fnmatch.filter(map(str, paths), "*/d1/*[15].tar.gz")), paths[3].with_suffix(".z").stem)

# Templates, formatting by hand.
class Braces(string.Template):
    delimiter = "%"
    idpattern = "[a-z]+"


class Formatter(string.Formatter):
    def get_value(self, key, args, kwargs):
        return kwargs.get(key, "<%s>" % key) if isinstance(key, str) else super().get_value(key, args, kwargs)


print("templates:", Braces("%a-%%-%{b}").substitute(a=[1], b=2), Formatter().format("{x!r:>8}|{0}|{y}", "zero", x="q"), sorted(string.Template("$a ${b} $$").get_identifiers()) if sys.version_info >= (3, 11) else ["a", "b"])
if sys.version_info >= (3, 14):
    made = eval('[t"n={n!r:>{w}} {n + 1} end" for n in range(20) for w in [5]]')
    parts = list(made[3])
    print("t-strings:", len(parts), parts[1].value, parts[1].conversion, parts[1].format_spec, made[3].strings, (made[0] + made[1]).values)

# An argument parser, with subcommands and errors.
ap = argparse.ArgumentParser(prog="tool", exit_on_error=False)
ap.add_argument("--level", type=int, choices=range(5), default=1)
sub = ap.add_subparsers(dest="verb")
for verb in ("record", "info", "dump"):
    p = sub.add_parser(verb, help="does " + verb)
    p.add_argument("files", nargs="*")
    p.add_argument("-x", "--extra", action="append")
args = ap.parse_args(["--level", "3", "record", "a", "b", "-x", "1", "-x", "2"])
failures = 0
for bad in (["--level", "9"], ["nothing"], ["--nope"]):
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            ap.parse_args(bad)
    except (argparse.ArgumentError, SystemExit):
        failures += 1
print("arguments:", sorted(vars(args).items()), failures, "record" in ap.format_help())
