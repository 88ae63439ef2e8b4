"""Exercises csv, datetime (C accelerated), calendar, io streams (text and binary, layered, by hand), configparser, zoneinfo's
absence, locale-free formatting.
"""

import calendar
import configparser
import csv
import datetime as dt
import io
import sys

out = io.StringIO(newline="")
writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL)
for i in range(300):
    writer.writerow([i, "name %d" % i, 'quote " and, comma' if i % 5 == 0 else None, i / 4, "two\nlines" if i % 7 == 0 else ""])
out.seek(0)
rows = list(csv.reader(out))
assert rows[5][2] == 'quote " and, comma' and len(rows) == 300
dicts = io.StringIO()
dw = csv.DictWriter(dicts, ["a", "b"], restval="-", extrasaction="ignore", dialect="excel-tab")
dw.writeheader()
dw.writerows({"a": i, "c": 1} if i % 2 else {"a": i, "b": [i]} for i in range(100))
dicts.seek(0)
read = [r for r in csv.DictReader(dicts, dialect="excel-tab")]
print("csv:", sum(len(r) for r in rows), read[2], csv.Sniffer().sniff("a;b;c\n1;2;3\n").delimiter, len(csv.list_dialects()))
for bad in (['"a"b', "x"], ['"unclosed']):
    try:
        print(list(csv.reader(bad, strict=True)))
    except csv.Error as error:
        print("csv error:", error)


class Zone(dt.tzinfo):
    def __init__(self, hours):
        self.hours = hours

    def utcoffset(self, when):
        return dt.timedelta(hours=self.hours)

    def dst(self, when):
        return dt.timedelta(0)

    def tzname(self, when):
        return "Z%+d" % self.hours


start = dt.datetime(2024, 2, 28, 22, 30, tzinfo=Zone(2))
moments = [start + dt.timedelta(hours=7 * i, microseconds=i) for i in range(400)]
zone = Zone(-5)
count = sys.getrefcount(zone)
local = [m.astimezone(zone) for m in moments]
assert sys.getrefcount(zone) == count + 400 and local == moments and len({*local, *moments}) == 400
print("dates:", moments[-1].isoformat(), local[3].strftime("%Y-%m-%d %H:%M %Z %j"), max(moments) - min(moments), (local[9] - moments[2]) / dt.timedelta(minutes=1))
assert [dt.datetime.fromisoformat(m.astimezone(dt.timezone.utc).isoformat()) for m in moments[:50]] == moments[:50]
print("more:", dt.date(2024, 2, 29).replace(year=2023, day=1), dt.date.fromordinal(738000), dt.datetime.strptime("05 Mar 2021 07", "%d %b %Y %H"), dt.time(5, 6).isoformat(), divmod(dt.timedelta(9), dt.timedelta(4)), dt.timedelta.max > dt.timedelta(1), dt.date(2020, 12, 31).isocalendar())
errors = 0
for bad in (lambda: dt.date(2023, 2, 29), lambda: dt.datetime.max + dt.timedelta(1), lambda: dt.date.fromisoformat("x"), lambda: start < dt.datetime(2024, 1, 1), lambda: dt.time(25), lambda: dt.timedelta(10**12)):
    for _ in range(10):
        try:
            bad()
        except (ValueError, OverflowError, TypeError):
            errors += 1
print("errors:", errors, len(calendar.TextCalendar().formatyear(2024)), calendar.monthrange(2024, 2), calendar.isleap(2100))


# Streams, layer on layer; one written in Python underneath.
class Raw(io.RawIOBase):
    def __init__(self, data=b""):
        self.data, self.at, self.written = data, 0, []

    def readable(self):
        return True

    def writable(self):
        return True

    def readinto(self, b):
        n = min(len(b), 13, len(self.data) - self.at)
        b[:n] = self.data[self.at : self.at + n]
        self.at += n
        return n

    def write(self, b):
        self.written.append(bytes(b))
        return len(b)


source = "h\u00e9llo \u0416 line\r\nsecond\rthird\n".encode() * 60
text = io.TextIOWrapper(io.BufferedReader(Raw(source), 64), "utf-8", newline=None)
lines = list(text)
assert len(lines) == 180 and lines[1] == "second\n" and text.newlines
raw = Raw()
writer = io.TextIOWrapper(io.BufferedWriter(raw, 50), "utf-16-le", newline="\r\n", write_through=False)
for line in lines[:60]:
    writer.write(line)
writer.flush()
print("layers:", len(lines), sum(map(len, raw.written)), text.detach().closed, isinstance(writer.buffer, io.BufferedIOBase))
pair = io.BufferedRWPair(Raw(b"read me"), Raw())
pair.write(b"written")
print("pair:", pair.peek()[:4], pair.read(7), pair.writer if hasattr(pair, "writer") else "")
s = io.StringIO("one\ntwo\nthree", newline="\n")
print("text:", s.readline(), s.read(2), s.tell(), s.seek(0), s.readlines()[1:], s.write("more"), s.getvalue()[-7:], s.truncate(5), io.StringIO("a\r\nb").getvalue() == "a\r\nb")
try:
    text.read()
except ValueError as error:
    print("detached:", error)
decoder = io.IncrementalNewlineDecoder(None, True)
assert decoder.decode("a\r") + decoder.decode("\nb", True) == "a\nb"
config = configparser.ConfigParser()
config.read_string("[a]\nx = 1\ny = %(x)s0\n[b]\nlist = 1\n  2\n")
print("config:", config["a"].getint("y"), config["b"]["list"].split(), config.sections())
