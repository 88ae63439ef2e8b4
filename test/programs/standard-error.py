"""Writes to both streams in turns: print, sys.stderr, warnings, traceback.print_exc, os.write, binary buffers, replaced and
restored streams, a long line, and characters outside of ASCII.
"""

import io
import os
import sys
import traceback
import warnings

print("one: out")
print("one: err", file=sys.stderr)
sys.stdout.write("two: out\n")
sys.stderr.write("two: err\n")
sys.stdout.flush()
os.write(1, b"three: out\n")
os.write(2, b"three: err\n")
sys.stdout.buffer.write("four: \u0416 \U0001f40d\n".encode())
sys.stdout.flush()
warnings.warn("a warning", UserWarning, stacklevel=1)
try:
    {}["missing"]
except KeyError:
    traceback.print_exc()
previous, sys.stdout = sys.stdout, io.StringIO()
print("captured")
sys.stdout, captured = previous, sys.stdout.getvalue()
print("five:", captured.strip(), end=" ", flush=True)
print(*range(5), sep=",")
print("x" * 5000)
print("six", "err", file=sys.__stderr__)
print("encoding:", sys.stdout.encoding.lower(), sys.stdout.errors, sys.stderr.errors)
for i in range(200):
    print("line", i)
