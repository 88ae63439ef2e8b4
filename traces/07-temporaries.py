"""Rule 7, fifth part: objects that no name ever held, and caches that change how the same line is run.

An expression makes objects on its way, which die in the same line. And since 3.11 an instruction that has run a few times is replaced by
a faster one for the types it saw (PEP 659): the same line then makes other changes of counts than in its first round.

    refledger record traces/07-temporaries.py
"""

try:
    from refledger import mark
except ImportError:  # not under the recorder: marks are no-ops

    def mark(name):
        pass



class Temporary:
    def __init__(self, value):
        self.value = value

    def plus(self, other):
        return Temporary(self.value + other.value)

    def __del__(self):
        Temporary.freed.append(self.value)

    freed = []


# Four objects, one of which gets a name.
mark("chain-before")
total = Temporary(1).plus(Temporary(2)).plus(Temporary(4))
mark("chain")
assert total.value == 7
assert sorted(Temporary.freed) == [1, 2, 3, 4]
print("freed before the next line:", sorted(Temporary.freed))

# Floats: x * y makes a float, + z another, and the first is gone at once: the same block may serve again and again.
x, y, z = float("1.5"), float("2.5"), float("3.5")
mark("floats-before")
result = x * y + z
mark("floats")
assert result == 7.25


# A method that is called right away needs no bound-method object; one that is kept does.
class Greeter:
    def greet(self):
        return None


def call(greeter):
    mark("method-before")
    greeter.greet()
    mark("method")
    kept = greeter.greet
    mark("method-kept")
    kept()


call(Greeter())


# The same line, round after round. In the first, looking up `colour` in the class goes through its bases, which counts the tuple of them.
# Soon the instruction is replaced by one that remembers where the value was, and only checks that the class has not changed.
class Settings:
    colour = "a colour"


def rounds():
    for _ in range(20):
        mark("round")
        colour = Settings.colour
    mark("rounds-done")
    return colour


assert rounds() == "a colour"
mark("done")
