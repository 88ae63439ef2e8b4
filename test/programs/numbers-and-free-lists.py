"""Exercises int (cached small ones, one-digit, many digits, free list), float (free list), complex, bool: arithmetic that
reuses its operand, conversions, powers, division, parsing and printing of large numbers, subclasses, operator fallbacks.
"""

import math
import sys

# Small integers are shared; the next ones are not.
assert all(int(str(i)) is int(str(i)) for i in range(-5, 257))
total = 0
for i in range(-300, 30000, 7):
    total += i * i - i // 3 + i % 11
print("ints:", total)

# Free lists: more temporaries at once than they hold, then none, several times.
for _ in range(10):
    burst = [i + 1000 for i in range(300)]
    floats = [i / 7 for i in range(300)]
    complexes = [complex(i, -i) for i in range(300)]
    longer = [i << 40 for i in range(300)]
    del burst, floats, complexes, longer

# Floats whose temporaries are reused in place by the interpreter.
x, y = 1.0, 0.0
for i in range(20000):
    y = y * 0.999 + x * i - (i - 0.5) / (x + 1.25)
    x = -x if i & 1 else x + 0.001
print("floats: %.6f %.6f" % (x, y))

# Large integers.
a = 3**2000
b = a + 12345678901234567890
assert b - a == 12345678901234567890 and (a * b) // b == a and (a * b + 17) % b == 17
assert divmod(-a, 10**50) == (-a // 10**50, -a % 10**50)
assert pow(7, a, 10**30) == pow(7, a % (4 * 10**29), 10**30)
assert int(str(2**3000)) == 1 << 3000 and int(hex(a), 16) == a and int(bin(b), 2) == b and (a ^ b) ^ b == a
assert (a & b) | (a & ~b) == a and a >> 3000 == a // 2**3000 and (-a) >> 5000 == -1
assert int.from_bytes(a.to_bytes(500, "big"), "big") == a and (-5).to_bytes(2, "little", signed=True) == b"\xfb\xff"
assert math.isqrt(a) ** 2 <= a < (math.isqrt(a) + 1) ** 2 and math.gcd(a, 3**50 * 7) == 3**50
print("large:", math.factorial(200) % 1000000007, math.comb(300, 150) % 1000003, a.bit_length(), b.bit_count())
fib = [1, 1]
while len(fib) < 2000:
    fib.append(fib[-1] + fib[-2])
print("fibonacci:", str(fib[-1])[:20], len(str(fib[-1])))
try:
    int("9" * 5000)
except ValueError as error:
    print("limit:", str(error)[:40])

# Conversions and parsing.
for text in ("0x1f", "0b101", "0o17", "1_000", " 42 ", "-7"):
    assert int(text, 0) == eval(text)
assert float("1e3") == 1000.0 and float("inf") > 1e308 and float("nan") != float("nan")
assert (0.1).hex() == "0x1.999999999999ap-4" and float.fromhex("0x1p-2") == 0.25 and (0.75).as_integer_ratio() == (3, 4)
assert round(2.5) == 2 and round(2.675, 2) == 2.67 and round(12345, -2) == 12300 and math.fsum([0.1] * 10) == 1.0
assert repr(1e22) == "1e+22" and "%.3g" % 1234567.0 == "1.23e+06" and format(2**70, ",d")[:5] == "1,180"
print("hashes:", hash(2**61) == hash(2.0**61), hash(1) == hash(1.0) == hash(True) == hash(1 + 0j))

# Complex.
z = 0j
escaped = 0
for re in range(-20, 10):
    for im in range(-10, 11):
        c = complex(re / 10, im / 10)
        z = 0j
        for n in range(30):
            z = z * z + c
            if abs(z) > 2:
                escaped += 1
                break
print("complex:", escaped, (3 + 4j).conjugate(), abs(3 + 4j), complex("1+2j") ** 2)


class Money(int):
    def __add__(self, other):
        return Money(int(self) + int(other))

    __radd__ = __add__

    def __index__(self):
        return 2


class Refusing:
    def __add__(self, other):
        return NotImplemented

    def __rmul__(self, other):
        return ("rmul", other)


assert type(sum([Money(i) for i in range(100)])) is Money and [10, 20, 30][Money(1)] == 20
assert 2**70 * Refusing() == ("rmul", 2**70)
for op in (lambda: Refusing() + 1, lambda: 1 << -1, lambda: 1 // 0, lambda: 1.0 % 0, lambda: 10**400 * 1.0, lambda: 0**-1):
    try:
        op()
    except (TypeError, ValueError, ArithmeticError) as error:
        print("error:", type(error).__name__)

# A mortal integer's count.
n = int("123456")
base = sys.getrefcount(n)
held = [n] * 64 + [n + 0] + [n * 1, -(-n)]
assert base + 64 <= sys.getrefcount(n) <= base + 67
del held
assert sys.getrefcount(n) == base
print("bool:", True + True, True & 1, bool([]) ^ True, sum(map(bool, range(5))))
