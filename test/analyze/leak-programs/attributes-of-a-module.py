"""Leak: attributes that a call sets, on a module."""

import sys
class S: pass
def step(i):
    setattr(sys.modules[__name__], "attr_%d" % i, S())  # LEAK
for i in range(150):
    step(i)
