def collect(value, into=[]):
    into.append(value)
    return into

one = [1]
first = collect(one)
second = collect(one)
one = None
