"""Leak: a store by names. What is stored refers to itself too, and the names are made elsewhere: one line stores both."""


class Document:
    def __init__(self, name):
        self.name = name
        self.me = self


store = {}


def add(name):
    store[name] = Document(name)  # LEAK


for i in range(300, 400):
    add("document-%d" % i)
