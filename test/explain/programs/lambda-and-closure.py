def make_incrementor(n):
    return lambda x: x + n

base = [42]
f = make_incrementor(base)
result = f([1])
base = None
g = f
f = None
