"""No leak: a line fills a table before the rounds, and in the rounds makes what goes again."""


class Entry:
    def __init__(self, n):
        self.n = n


def make(n):
    return Entry(n)


table = [make(n + 1000) for n in range(5000)]


def work(n):
    entry = make(n)
    return entry.n + len(table)


for n in range(300):
    work(n + 1000)
