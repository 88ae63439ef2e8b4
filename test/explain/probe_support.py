"""What the questioned program calls after each statement: prints the count of every variable, the argument's own reference taken off.

One line each: the statement's last line, then name=count. It imports nothing that a program's counts could notice.
"""
import sys


def probe(line, variables):
    parts = []
    for name in list(variables):
        if not name.startswith("__"):
            parts.append(f"{name}={sys.getrefcount(variables[name]) - 1}")
    print("@", line, *parts, file=sys.stderr)
