"""Leak: classes that a call makes, in a list. The list of the subclasses of object grows with them."""

reg = []
def mkt(i):
    t = type("T%d" % i, (), {})
    reg.append(t)  # LEAK
for i in range(60):
    mkt(i)
