"""Leak: an array of numbers, whose buffer is all that grows."""

from array import array
samples = array("d")
def sample(n):
    samples.append(n * 0.5)  # LEAK
for n in range(2000): sample(n)
