"""No leak: a cache with a bound that the program does not reach."""

from functools import lru_cache
@lru_cache(maxsize=1000)
def f(n): return [n]
for n in range(1000, 1300): f(n)
