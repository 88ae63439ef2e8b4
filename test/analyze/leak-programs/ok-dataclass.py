from dataclasses import dataclass


@dataclass
class Point:
    x: int
    y: int


def handle(n):
    return Point(n, n + 1000) == Point(n, n)


for n in range(200):
    handle(n)
