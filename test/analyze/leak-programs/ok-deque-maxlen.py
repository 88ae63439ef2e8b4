from collections import deque

recent = deque(maxlen=25)


def handle(n):
    recent.append([n + 1000])


for n in range(300):
    handle(n)
