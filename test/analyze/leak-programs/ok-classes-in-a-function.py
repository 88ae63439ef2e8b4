"""No leak: each call makes a class, which is a cycle that waits for the collector."""

def f(i):
    class L:
        x = i
        def m(self): return self.x
    return L().m()
for i in range(120): f(i)
