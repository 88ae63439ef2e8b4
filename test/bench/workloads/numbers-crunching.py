"""Numeric loops in pure Python: n-body (floats in attributes and lists), spectral norm (calls and generators), digits of pi
(large integers), a sieve and matrix products (small integers). `python numbers-crunching.py [ROUNDS]`
"""

import sys


class Body:
    def __init__(self, x, y, z, vx, vy, vz, mass):
        self.x, self.y, self.z, self.vx, self.vy, self.vz, self.mass = x, y, z, vx, vy, vz, mass


def bodies():
    return [Body(float(i), i * 0.5 - 1, 0.25 * i * i, 0.01 * i, -0.02 * i, 0.005, 1.0 / (i + 1)) for i in range(5)]


def advance(system, steps, dt=0.001):
    pairs = [(a, b) for i, a in enumerate(system) for b in system[i + 1 :]]
    for _ in range(steps):
        for a, b in pairs:
            dx, dy, dz = a.x - b.x, a.y - b.y, a.z - b.z
            mag = dt * (dx * dx + dy * dy + dz * dz + 0.01) ** -1.5
            a.vx -= dx * b.mass * mag
            a.vy -= dy * b.mass * mag
            a.vz -= dz * b.mass * mag
            b.vx += dx * a.mass * mag
            b.vy += dy * a.mass * mag
            b.vz += dz * a.mass * mag
        for body in system:
            body.x += dt * body.vx
            body.y += dt * body.vy
            body.z += dt * body.vz
    return sum(b.mass * (b.vx**2 + b.vy**2 + b.vz**2) / 2 for b in system)


def element(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def spectral(n):
    u = [1.0] * n
    for _ in range(2):
        v = [sum(element(i, j) * u[j] for j in range(n)) for i in range(n)]
        u = [sum(element(j, i) * v[j] for j in range(n)) for i in range(n)]
    return (sum(a * b for a, b in zip(u, v)) / sum(b * b for b in v)) ** 0.5


def pi_digits(n):
    q, r, t, k, m, x = 1, 0, 1, 1, 3, 3
    digits = []
    while len(digits) < n:
        if 4 * q + r - t < m * t:
            digits.append(m)
            q, r, m = 10 * q, 10 * (r - m * t), (10 * (3 * q + r)) // t - 10 * m
        else:
            q, r, t, k, m, x = q * k, (2 * q + r) * x, t * x, k + 1, (q * (7 * k + 2) + r * x) // (t * x), x + 2
    return digits


def sieve(n):
    flags = [True] * n
    for i in range(2, int(n**0.5) + 1):
        if flags[i]:
            flags[i * i :: i] = [False] * len(range(i * i, n, i))
    return sum(i for i in range(2, n) if flags[i])


def product(n):
    a = [[i * j % 17 for j in range(n)] for i in range(n)]
    columns = list(zip(*a))
    return sum(sum(x * y for x, y in zip(row, column)) for row in a for column in columns)


def main(rounds):
    total, energy = 0, 0.0
    for r in range(rounds):
        energy += advance(bodies(), 1200)
        energy += spectral(50)
        total += sum(pi_digits(180 + r)) + sieve(30000) + product(35)
    print("checksum", total, "%.9f" % energy)


main(int(sys.argv[1]) if len(sys.argv) > 1 else 68)
