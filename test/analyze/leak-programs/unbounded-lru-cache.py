from refledger import mark
from functools import lru_cache


@lru_cache(maxsize=None)
def square(n):
    return [n * n]


def handle(n):
    return square(n + 1000)  # LEAK


for n in range(200):
    handle(n)
    mark("round")
