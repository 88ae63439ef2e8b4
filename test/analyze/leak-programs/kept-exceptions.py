errors = []


def fails(n):
    raise ValueError("bad %d" % n)


def attempt(n):
    try:
        fails(n)
    except ValueError as error:
        errors.append(error)  # LEAK


for n in range(150):
    attempt(n)
