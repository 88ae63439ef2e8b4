"""Dumps and loads nested documents with the C accelerated json module, changes them in between, and counts what is in them:
dicts and lists of strings and numbers that are made by C code. `python json-documents.py [ROUNDS]`
"""

import json
import sys
import zlib


def document(i):
    return {
        "id": i,
        "name": "customer %d" % i,
        "active": i % 3 != 0,
        "balance": i * 1.25,
        "tags": ["tag%d" % (i % k) for k in range(1, 8)],
        "address": {"street": "%d Long Street" % i, "city": "city %d" % (i % 40), "geo": [i / 7, -i / 11]},
        "orders": [{"no": n, "items": [{"sku": "s%d" % (n * j), "count": j, "price": j / 4} for j in range(4)], "note": None} for n in range(i % 6)],
    }


def count(value):
    if isinstance(value, dict):
        return sum(map(count, value.values())) + 1
    if isinstance(value, list):
        return sum(map(count, value)) + 1
    return 1


def main(rounds):
    documents = [document(i) for i in range(300)]
    checksum = 0
    for r in range(rounds):
        text = json.dumps(documents)
        checksum = zlib.crc32(text.encode(), checksum)
        parsed = json.loads(text)
        for d in parsed[r % 7 :: 7]:
            d["orders"].append({"no": r, "items": [], "note": "added \u00e9"})
            d["balance"] += r
        if r % 5 == 0:
            pretty = json.dumps(parsed, indent=1, sort_keys=True)
            checksum = (checksum + count(json.loads(pretty))) & 0xFFFFFFFF
        if r % 20 != 19:
            documents = parsed
        else:
            documents = [document(i + r) for i in range(300)]
    print("checksum", checksum)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
