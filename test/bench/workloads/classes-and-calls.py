"""Deep method calls, properties, closures, generators, keyword arguments, decorators, exceptions and context managers: the
stack of calls moves all the time while few objects live long. `python classes-and-calls.py [ROUNDS]`
"""

import functools
import sys


class Shape:
    def __init__(self, size):
        self._size = size

    @property
    def size(self):
        return self._size

    @size.setter
    def size(self, value):
        self._size = value

    def area(self):
        return self.measure() * self.factor()

    def measure(self):
        return self.size

    @classmethod
    def unit(cls):
        return cls(1)

    @staticmethod
    def factor():
        return 1


class Square(Shape):
    def measure(self):
        return super().measure() * self.size


class Cube(Square):
    def measure(self):
        return super().measure() * self.size

    @staticmethod
    def factor():
        return 2

    def __add__(self, other):
        return Cube(self.size + other.size)

    def __lt__(self, other):
        return self.size < other.size

    def __enter__(self):
        self.size += 1
        return self

    def __exit__(self, *info):
        self.size -= 1


def traced(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return f(*args, **kwargs)

    wrapper.calls = 0
    return wrapper


@traced
def recurse(n, *, step=1):
    return 0 if n <= 0 else 1 + recurse(n - step, step=step)


def compose(*functions):
    return functools.reduce(lambda f, g: lambda x: g(f(x)), functions)


def counter():
    n = 0

    def up(by=1):
        nonlocal n
        n += by
        return n

    return up


def flatten(tree):
    for branch in tree:
        if isinstance(branch, tuple):
            yield from flatten(branch)
        else:
            yield branch


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def guarded(n):
    try:
        if n % 5 == 0:
            raise KeyError(n)
        return n
    except KeyError as error:
        return error.args[0] // 5
    finally:
        n += 1


def main(rounds):
    checksum = 0
    tree = functools.reduce(lambda t, i: (t, i, (i, i)), range(25), 0)
    pipeline = compose(lambda x: x + 1, lambda x: x * 3 % 1009, lambda x: x - 2, str, len)
    for r in range(rounds):
        shapes = [kind(i % 13) for i in range(100) for kind in (Shape, Square, Cube)]
        checksum += sum(s.area() for s in shapes)
        total = Cube.unit()
        for s in sorted(s for s in shapes if isinstance(s, Cube)):
            with s as entered:
                total = total + entered
        checksum += total.size + recurse(200) + recurse(300, step=2) + fib(15)
        ups = [counter() for _ in range(20)]
        checksum += sum(up(by=i) for i, up in enumerate(ups) for _ in range(10))
        checksum += sum(flatten((tree, tree))) + sum(pipeline(i) for i in range(200)) + sum(guarded(i) for i in range(150))
    print("checksum", checksum, recurse.calls)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 1250)
