"""Leak: instances of a class that is made anew each time."""

kept = []
def handler(n):
    class Local:
        def __init__(self, n): self.n = n
    kept.append(Local(n))  # LEAK
for n in range(80): handler(n)
