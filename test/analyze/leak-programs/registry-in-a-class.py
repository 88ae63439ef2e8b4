"""Leak: a registry in a class. The objects in it are referred to by their children as well."""

class P:
    reg = {}
    def __init__(self, n):
        self.kids = []
        P.reg[n] = self  # LEAK
class K:
    def __init__(self, p):
        self.p = p
        p.kids.append(self)
def step(i):
    p = P("n%d" % i)
    for _ in range(3): K(p)
for i in range(100): step(i)
