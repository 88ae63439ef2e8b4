from functools import lru_cache


@lru_cache(maxsize=16)
def square(n):
    return [n * n]


def handle(n):
    return square(n + 1000)


for n in range(300):
    handle(n)
