from refledger import mark

kept = []


def handle(n):
    thing = [n + 1000, str(n)]
    if n % 100 == 7:
        kept.append(thing)  # LEAK


for n in range(1200):
    handle(n)
    mark("round")
