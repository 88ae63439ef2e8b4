"""Exercises decimal (C accelerated, with contexts, traps and signals), fractions and numbers' abstract classes."""

import decimal
import fractions
import numbers
import sys
from decimal import Decimal as D
from fractions import Fraction as F

# Pi and e to some hundred digits: coefficients that outgrow the inline storage.
def pi(digits):
    with decimal.localcontext() as context:
        context.prec = digits + 10
        three = D(3)
        lasts, t, s, n, na, d, da = 0, three, 3, 1, 0, 0, 24
        while s != lasts:
            lasts = s
            n, na = n + na, na + 8
            d, da = d + da, da + 32
            t = (t * n) / d
            s += t
        context.prec = digits
        return +s


print("pi:", str(pi(60)))
assert str(pi(300)).startswith("3.14159265358979323846264338327950288419716939937510")
decimal.getcontext().prec = 28
values = [D(i) / D(7) for i in range(-500, 500)]
print("sum:", sum(values), max(values), values[3].quantize(D("0.001"), decimal.ROUND_UP), (D(2) ** 100), D(2).sqrt(), D(10).ln())
assert sorted(values, reverse=True)[0] == values[-1] and len({*values, *map(F, range(10)), *range(10)}) >= 1000

# Formatting, parsing, tuples, comparison with other kinds of number.
print("format:", f"{D('1234567.891'):,.2f}", f"{D('0.00012'):e}", D("1E+5").normalize(), D("-0").is_signed(), D((1, (1, 2, 3), -2)), D("12.30").as_tuple().digits)
assert D("1.5") == 1.5 == F(3, 2) and D(5) == 5 and hash(D("0.5")) == hash(0.5) and D("NaN").is_nan() and D("inf") > 10**100
assert D(str(D("1.1") + D("2.2"))) == D("3.3") and D(2.5).as_integer_ratio() == (5, 2) and int(D("-7.9")) == -7 and D(1).exp() > 2

# Signals and traps.
signals = []
for operation in (lambda: D(1) / 0, lambda: D("x"), lambda: D(-1).sqrt(), lambda: D(10) ** 999999999, lambda: D("sNaN") + 1, lambda: D(1) + "a"):
    try:
        operation()
    except (decimal.DecimalException, TypeError) as error:
        signals.append(type(error).__name__)
print("signals:", signals)
with decimal.localcontext(decimal.ExtendedContext) as context:
    context.prec = 5
    context.flags[decimal.Inexact] = False
    results = [D(1) / 0, D(1) / 3, D(-1).sqrt(), context.create_decimal("1.23456789")]
    print("extended:", *results, context.flags[decimal.Inexact], context.flags[decimal.DivisionByZero])
contexts = [decimal.Context(prec=p, rounding=decimal.ROUND_HALF_EVEN, traps=[]) for p in range(1, 40)]
rounded = [c.divide(1, 3) for c in contexts] + [c.copy().power(2, D("0.5")) for c in contexts]
assert len(str(rounded[9])) == 12


class Money(D):
    def __repr__(self):
        return "Money(%s)" % self

    def __add__(self, other):
        return Money(super().__add__(other))

    __radd__ = __add__


value = Money("1.10")
count = sys.getrefcount(value)
print("subclass:", sum([value] * 10), type(sum([Money(1), 2])).__name__)
assert sys.getrefcount(value) == count

# Fractions.
h = F(0)
for i in range(1, 120):
    h += F(1, i)
print("harmonic:", str(h)[:24], h.limit_denominator(1000), float(h) > 5, F("3/9"), F("0.125"), F(0.5), round(F(22, 7), 2), F(7, 3) // 1, divmod(F(7, 3), F(1, 2)))
assert isinstance(h, numbers.Rational) and not isinstance(D(1), numbers.Real) and F(3, 4) ** -2 == F(16, 9)
table = {F(a, b): (a, b) for a in range(1, 30) for b in range(1, 30)}
print("table:", len(table), table[F(1, 2)], format(F(1, 3), ".5f") if sys.version_info >= (3, 12) else "0.33333")
try:
    F(1, 0)
except ZeroDivisionError as error:
    print("zero:", error)
