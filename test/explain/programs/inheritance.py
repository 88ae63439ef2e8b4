class Base:
    def __init__(self, value):
        self.value = value

class Derived(Base):
    def __init__(self, value, more):
        super().__init__(value)
        self.more = more

value, more = [1], [2]
d = Derived(value, more)
d.value = more
d = None
