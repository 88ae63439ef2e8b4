import sys


def handle(n):
    return sys.intern("name-%d" % (n % 20))


names = [handle(n) for n in range(20)]
for n in range(300):
    handle(n)
