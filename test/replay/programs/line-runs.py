"""How often lines run. Behind "runs" stands the truth, for every line that has an event each time it runs."""


class Thing:
    pass


def make():
    return Thing()  # runs 1004


def many_lines(a, b):
    return a  # runs 33


def count_down(n):
    if n == 0:
        return Thing()  # runs 1
    x = Thing()  # runs 12
    count_down(n - 1)  # runs 12
    return x  # runs 12


def numbers(n):
    k = 0
    while k < n:
        t = Thing()  # runs 39
        yield t  # runs 39
        k += 1


def constant():
    while True:
        yield 1  # runs 20


def two():
    for i in range(8):
        a = yield Thing()  # runs 32
        b = yield a or Thing()  # runs 32


def inner():
    for i in range(6):
        z = yield Thing()  # runs 6


def outer():
    x = yield from inner()  # runs 1


def loops():
    for i in range(100):
        make()  # runs 300
    k = 0
    while k < 50:
        make()  # runs 150
        k += 1
    for i in range(7):
        for j in range(5):
            make()  # runs 105
    i = 0
    while i < 40: i += 1; make()  # runs 120
    xs = [make() for _ in range(30)]  # runs 90
    ys = [
        make()  # runs 60
        for _ in range(20)
    ]
    for i in range(11):
        many_lines(  # runs 33
            make(),  # runs 33
            make(),  # runs 33
        )
    for t in numbers(13):
        make()  # runs 39
    for i in range(9):
        x = make()  # runs 27
        if i % 3 == 0:
            make()  # runs 9
    for i in range(1000, 1040):
        big = i  # runs 120
    return xs  # runs 3


def handled():
    out = []
    for i in range(40):
        try:
            raise ValueError(i)  # runs 40
        except ValueError as e:
            out.append(e)  # runs 40
        finally:
            out.append(i + 1000)  # runs 40
    for i in range(10):
        with open("/dev/null") as f:  # runs 10
            f.read()  # runs 10


class Pause:
    def __await__(self):
        x = yield Thing()  # runs 17
        yield


async def later():
    for i in range(5):
        await Pause()  # runs 5
        yield Thing()  # runs 5


async def ticks(n):
    for i in range(n):
        await Pause()  # runs 12


async def use():
    async for t in later():
        Thing()  # runs 5
    return Thing()  # runs 1


def run_all(*coroutines):
    waiting = list(coroutines)
    while waiting:
        for one in list(waiting):
            try:
                one.send(None)  # runs 37
            except StopIteration:
                waiting.remove(one)  # runs 3


for i in range(3):
    loops()  # runs 3
count_down(12)  # runs 1
handled()
endless = constant()
for i in range(20): assert next(endless) == 1
first, second = two(), two()
for one in first, second:
    for t in one:
        make()  # runs 32
first, second = two(), two()
while True:
    try:
        next(first); next(second)  # runs 17
    except StopIteration:
        break
for t in outer():
    make()  # runs 6
run_all(use(), ticks(5), ticks(7))  # runs 1
