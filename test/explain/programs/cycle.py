import gc

class Node:
    pass

left = Node()
right = Node()
left.next = right
right.next = left
shared = ["shared"]
left.bag = shared
del left
del right
found = gc.collect()
