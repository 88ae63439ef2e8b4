"""Leak: a text that is replaced by a longer one in each round."""

log = ""


def step(i):
    global log
    log += "line %d\n" % i  # LEAK


for i in range(3000):
    step(i)
