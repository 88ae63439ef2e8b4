import weakref


class Thing:
    pass


cache = weakref.WeakValueDictionary()


def handle(n):
    thing = Thing()
    cache[n] = thing
    return len(cache)


for n in range(200):
    handle(n)
