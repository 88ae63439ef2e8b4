"""No leak: caches that throw the oldest out and are full only when most of the rounds are over, one of them in the library."""

import re

cache = {}


def get(n):
    if len(cache) >= 400:
        cache.pop(next(iter(cache)))
    cache[n] = [n]
    re.search("x{%d}y" % (n - 999), "xxxy")


for n in range(1000, 1620):
    get(n)
