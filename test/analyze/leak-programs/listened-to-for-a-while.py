"""Leak: baskets in the lists of a dictionary of the class; a bounded list of listeners refers to each for a while as well, from a later line."""

import collections, functools
class Basket:
    def __init__(self, owner): self.owner = owner; self.items = []
    def add(self, item): self.items.append(item)
class Shop:
    seen = {}
    def __init__(self): self.listeners = []
    def visit(self, user):
        basket = Basket(user)
        basket.add(user * 2)
        self.seen.setdefault(user, []).append(basket)  # LEAK
        self.listeners.append(functools.partial(self.bill, basket))
        if len(self.listeners) > 5: self.listeners.pop(0)
    def bill(self, basket): return len(basket.items)
def people():
    for n in range(300): yield "user%d" % (n % 7)
shop = Shop()
for user in people(): shop.visit(user)
