"""Objects whose references were made at known lines; the test finds the lines by the words in their comments."""

import gc

gc.disable()


class Item:
    pass


class Box:
    pass


class Doomed:
    pass


class Pair:
    pass


def make():
    return Item()  # born


registry = {}
registry["one"] = make()  # stored in dict
box = Box()
box.content = registry["one"]  # stored in attribute
rows = []
rows.append(registry["one"])  # appended
pair = (registry["one"], 1)  # in tuple
del registry["one"]  # taken out

doomed = Doomed()
doomed = None  # last reference

a = Pair()
a.other = a
del a
gc.collect()  # collects the pair

class Table:  # class statement
    rows = {}

    def add(self, key):
        Table.rows[key] = self


class Link:
    pass


for key in range(3):
    Table().add(key)


def ring():
    links = [Link() for _ in range(3)]
    for i in range(3):
        links[i].next = links[(i + 1) % 3]  # linked


ring()
ringed = []  # after the ring

print(len(rows))
