"""Ends with sys.exit(CODE): the argument is a number, `none`, `true`, `message`, `large` or `negative`; a finally clause and
an object with a finalizer get their turn.
"""

import sys


class Guard:
    def __del__(self, print=print):
        print("guard gone")


guard = Guard()
code = {"none": None, "true": True, "message": "a message on standard error", "large": 300, "negative": -1}.get(sys.argv[1])
if code is None and sys.argv[1] != "none":
    code = int(sys.argv[1])


def leave():
    try:
        local = Guard()
        sys.exit(code)
    finally:
        print("finally", type(local).__name__)


try:
    leave()
except SystemExit as stop:
    print("leaving with", repr(stop.code))
    del guard
    raise
