"""Leak: a handler is added each time. The library's weak references to the handlers, and what their streams collect, have the same cause."""

import io
import logging

def job(n):
    log = logging.getLogger("job")
    log.addHandler(logging.StreamHandler(io.StringIO()))  # LEAK
    log.warning("job %d", n)

for n in range(60):
    job(n)
