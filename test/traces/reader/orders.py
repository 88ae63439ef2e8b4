"""A shop. An order is told when its stock changes: a closure in a list closes half a circle, a method of another class the rest."""
import gc
import weakref

gc.disable()


class Stock:
    def __init__(self):
        self.watchers = []

    def watch(self, callback):
        self.watchers.append(callback)


class Order:
    def __init__(self, number):
        self.number = number
        self.stock = None

    def bind(self, stock):
        self.stock = stock  # closes


class Shop:
    def open_order(self, number):
        stock = Stock()
        order = Order(number)

        def changed():
            return order.number

        stock.watch(changed)
        self.settle(order, stock)
        return order

    def settle(self, order, stock):
        order.bind(stock)


shop = Shop()
order = shop.open_order(7)
alive = weakref.ref(order)
print(order.number)
del order
print("garbage:", alive() is not None)
gc.collect()
