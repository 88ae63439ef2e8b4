"""Leak: a chain of tuples, each with the one before."""

class S: pass
class LL:
    def __init__(self): self.head = None
    def push(self, v):
        self.head = (v, self.head)  # LEAK
l = LL()
for i in range(200):
    l.push(S())
