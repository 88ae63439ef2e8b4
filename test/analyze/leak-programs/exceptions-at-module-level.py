"""Leak: exceptions kept at module level, where the name in the except clause is a name of the module too."""

errors = []
def bad(i):
    payload = ["x%d" % i]
    raise ValueError(i)
for i in range(150):
    try:
        bad(i)
    except ValueError as e:
        errors.append(e)  # LEAK
