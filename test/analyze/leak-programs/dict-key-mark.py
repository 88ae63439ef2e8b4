from refledger import mark


class Key:
    pass


known = {}


def work(n):
    key = Key()
    known[key] = n  # LEAK


for n in range(150):
    work(n)
    mark("round")
