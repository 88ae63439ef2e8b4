"""Leak: the list takes an instance before its __init__ is called."""

class Base:
    instances = []
    def __new__(cls, *a):
        self = super().__new__(cls)
        Base.instances.append(self)  # LEAK
        return self
class A(Base):
    def __init__(self, n): self.n = n
def go(n): return A(n).n
sum(go(n) for n in range(200))
