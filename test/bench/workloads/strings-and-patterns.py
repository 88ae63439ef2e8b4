"""Splits, joins, formats, replaces, encodes and matches strings: many short-lived str objects, slices, concatenation in place,
regular expressions with callbacks. `python strings-and-patterns.py [ROUNDS]`
"""

import re
import sys
import zlib

LINE = re.compile(r"(?P<ip>\d+\.\d+\.\d+\.\d+) - (?P<user>\w+) \[(?P<when>[^\]]+)\] \"(?P<verb>[A-Z]+) (?P<path>\S+)\" (?P<status>\d{3})")
WORD = re.compile(r"\b[a-z]{3,}\b")


def log(n):
    return "\n".join(
        '%d.%d.%d.%d - user%d [%02d/Feb/2024] "%s /page/%d?q=%x" %d' % (i % 256, i * 7 % 256, i * 3 % 256, i % 10, i % 23, i % 28 + 1, ("GET", "POST", "PUT")[i % 3], i % 90, i * 2654435761, (200, 200, 404, 500)[i % 4])
        for i in range(n)
    )


def caesar(text, by):
    table = str.maketrans("abcdefghijklmnopqrstuvwxyz", "".join(chr(97 + (i + by) % 26) for i in range(26)))
    return text.translate(table)


def render(rows):
    out = ""
    for i, row in enumerate(rows):
        out += f"<tr class='{'odd' if i % 2 else 'even'}'><td>{row['user']:>8}</td><td>{row['path'].partition('?')[0]}</td><td>{int(row['status']):04d}</td></tr>\n"
    return out


def main(rounds):
    text = log(500)
    checksum = 0
    for r in range(rounds):
        rows = [m.groupdict() for m in LINE.finditer(text)]
        page = render(rows)
        words = WORD.sub(lambda m: m[0].capitalize() if len(m[0]) % 2 else m[0][::-1], caesar(page, r % 26))
        fields = [part.strip().lower() for line in words.splitlines() for part in line.split("<") if part]
        joined = "|".join(sorted(fields, key=len)[-1000:]) + "\u20ac" * (r % 3)
        data = joined.encode("utf-8") + page.encode("utf-16-le")
        checksum = zlib.crc32(data, checksum)
        reverse = " ".join(reversed(data.decode("latin-1").replace("\x00", "").split(" ")))
        checksum += reverse.count("page") + len(reverse.title()) + reverse.find("class", 100)
        names = {"%s-%s" % (row["user"].upper(), row["ip"].rsplit(".", 1)[0]) for row in rows}
        checksum = (checksum + len(names)) & 0xFFFFFFFF
    print("checksum", checksum)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 190)
