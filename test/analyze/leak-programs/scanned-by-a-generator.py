"""Leak: numbers in a list that a generator expression goes over each time, and leaves in the middle."""

primes = []


def is_prime(n):
    return all(n % p for p in primes if p * p <= n)


n = 1000
while len(primes) < 100:
    if is_prime(n):
        primes.append(n)  # LEAK
    n += 1
