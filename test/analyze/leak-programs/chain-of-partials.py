"""Leak: a function that is wrapped again and again."""

from functools import partial
def base(x): return x
fn = base
def wrap(f, x): return f(x)
for n in range(200):
    fn = partial(wrap, fn)  # LEAK
