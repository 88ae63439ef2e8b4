"""Leak: what is kept was made and returned by another function than the one that stores it."""

fs = []
def mk(n):
    data = [n] * 5
    def inner(): return data
    return inner
def step(n):
    fs.append(mk(n))  # LEAK
for n in range(150):
    step(n)
