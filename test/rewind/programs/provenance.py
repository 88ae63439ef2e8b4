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

print(len(rows))
