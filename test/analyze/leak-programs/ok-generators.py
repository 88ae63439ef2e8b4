def numbers(n):
    for i in range(3):
        yield [n, i]


def handle(n):
    return sum(len(x) for x in numbers(n))


for n in range(200):
    handle(n)
