"""Ends with an exception that nobody catches: the traceback, with its cause and notes, goes to standard error, the exit code
is 1. What was printed before is there.
"""


class Wrapped(Exception):
    pass


def inner(n):
    kept = [n] * 3
    if n:
        return inner(n - 1)
    return kept[7]


def outer():
    try:
        inner(4)
    except IndexError as error:
        problem = Wrapped("while working")
        problem.add_note("a note")
        raise problem from error


print("before", flush=True)
outer()
print("never")
