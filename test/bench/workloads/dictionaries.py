"""Counts words, groups rows, inverts indices, merges nested configuration, and memoises: dict-heavy work with str, int and
tuple keys, sets and defaultdicts. `python dictionaries.py [ROUNDS]`
"""

import collections
import sys


def words(n, seed):
    made = []
    for _ in range(n):
        seed = (seed * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFF
        made.append("word%d" % ((seed >> 20) % 700 * ((seed >> 8) % 3)))
    return made


def count(made):
    plain = {}
    for w in made:
        plain[w] = plain.get(w, 0) + 1
    return plain


def group(made):
    groups = collections.defaultdict(lambda: collections.defaultdict(list))
    for i, w in enumerate(made):
        groups[len(w)][w[-1]].append((i, w))
    return groups


def index(documents):
    inverted = {}
    for number, document in enumerate(documents):
        for w in document:
            inverted.setdefault(w, set()).add(number)
    return inverted


def merge(a, b):
    result = dict(a)
    for key, value in b.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


def configuration(depth, seed):
    if depth == 0:
        return seed
    return {"k%d" % ((seed + i) % 9): configuration(depth - 1, seed * 3 + i) for i in range(5)}


def paths(memo, x, y):
    """Lattice paths, memoised under tuple keys."""
    if x == 0 or y == 0:
        return 1
    key = (x, y)
    if key not in memo:
        memo[key] = paths(memo, x - 1, y) + paths(memo, x, y - 1)
    return memo[key]


def main(rounds):
    checksum = 0
    for r in range(rounds):
        made = words(4000, r + 1)
        totals = count(made)
        assert totals == collections.Counter(made)
        groups = group(made)
        checksum += sum(len(v) * i for i, k in enumerate(sorted(groups)) for v in groups[k].values())
        inverted = index([made[i : i + 40] for i in range(0, len(made), 40)])
        common = set.intersection(*sorted(inverted.values(), key=len)[-3:])
        checksum += len(common) + sum(map(len, inverted.values()))
        merged = {}
        for i in range(6):
            merged = merge(merged, configuration(4, r + i))
        checksum += len(merged) + paths({}, 30, 30) % 1000003
        table = {i * 37 % 5003: i for i in range(3000)}
        for i in range(0, 3000, 2):
            table.pop(i * 37 % 5003)
        checksum += sum(table) + len({v: k for k, v in totals.items()})
    print("checksum", checksum)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 150)
