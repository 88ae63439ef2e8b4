import re


def handle(n):
    return re.match("a{%d}b" % (n % 5), "aaab")


for n in range(100):
    handle(n)
