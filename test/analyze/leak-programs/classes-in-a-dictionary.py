"""Leak: classes by their names. Key and value are one entry, and one cause."""

registry = {}

def model(n):
    cls = type("Model%d" % n, (), {"n": n, "get": lambda self: n})
    registry[cls.__name__] = cls  # LEAK
    return cls()

for n in range(60):
    model(n).get()
