"""Many objects of one type that one cause keeps, in shapes that differ in keys, indices and lengths only."""
import gc

gc.disable()


class InClassDict: pass
class InModuleDict: pass
class InClassList: pass
class TwoWays: pass
class OnChain: pass


class Registry:
    by_name = {}
    rows = []


by_name = {}
for i in range(30):
    Registry.by_name["n%d" % i] = InClassDict()
    by_name["n%d" % i] = InModuleDict()
    Registry.rows.append(InClassList())
assert Registry.by_name and Registry.rows


class Parent:
    all = {}

    def __init__(self, name):
        self.kids = []
        Parent.all[name] = self


class Child:
    def __init__(self, parent):
        self.parent = parent
        parent.kids.append(self)


def family(i):
    parent = Parent("n%d" % i)
    for _ in range(3):
        Child(parent)


for i in range(30):
    family(i)


class Node:
    def __init__(self, previous):
        self.previous = previous


head = None
for i in range(200):
    head = Node(head)


class Chain:
    top = None


chain = Chain()
for i in range(100):
    chain.top = (OnChain(), chain.top)


class Branch:
    def __init__(self, depth):
        self.left = Branch(depth - 1) if depth else None
        self.right = Branch(depth - 1) if depth else None


tree = Branch(5)


class Folder:
    def __init__(self):
        self.inside = []


folders = Folder()
deepest = folders
for i in range(39):
    deepest.inside.append(Folder())
    deepest = deepest.inside[0]
del deepest


class Ring: pass


def ring(length):
    nodes = [Ring() for _ in range(length)]
    for i in range(length):
        nodes[i].next = nodes[(i + 1) % length]


for length in 3, 4, 5:
    ring(length)

kept = [TwoWays() for _ in range(20)]
other = {TwoWays(): i for i in range(10)}
