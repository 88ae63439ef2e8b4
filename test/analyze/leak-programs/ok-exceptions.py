def fails(n):
    raise ValueError("bad %d" % n)


def attempt(n):
    try:
        fails(n)
    except ValueError:
        return None


for n in range(300):
    attempt(n)
