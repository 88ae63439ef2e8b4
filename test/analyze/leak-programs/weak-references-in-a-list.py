"""Leak: weak references with a callback that takes them out of their list are there as long as their objects."""

import weakref
class Target: pass
targets = []
refs = []
def on_dead(r): refs.remove(r)
def track(n):
    t = Target()
    targets.append(t)  # LEAK
    refs.append(weakref.ref(t, on_dead))
for n in range(150): track(n)
