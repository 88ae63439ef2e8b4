from collections import OrderedDict

cache = OrderedDict()


def get(n):
    cache[n] = [n + 1000]
    if len(cache) > 20:
        cache.popitem(last=False)


for n in range(300):
    get(n)
