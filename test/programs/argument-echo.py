"""Echoes its arguments, whatever they hold."""

import sys

print(len(sys.argv) - 1)
for argument in sys.argv[1:]:
    print(ascii(argument))
print(__name__, sys.argv[0].endswith("argument-echo.py"), sys.orig_argv[-1] == sys.argv[-1] if hasattr(sys, "orig_argv") else True)
print(__file__.endswith("argument-echo.py"), __doc__.strip(), __spec__, sys.path[0] != "")
