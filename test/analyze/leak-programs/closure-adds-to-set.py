"""Leak: what a closure holds is put into a set by it."""

class T: pass
store = set()
def outer(i):
    t = T()
    def inner():
        store.add(t)  # LEAK
        return t
    return inner()
for i in range(200):
    outer(i)
