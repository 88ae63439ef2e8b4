"""The `refledger` module, for programs that run without the recorder.

Inside a recording this module exists by itself: `import refledger` finds it built in, and `refledger.mark("request")` writes a
mark into the trace. To run the same program on any other Python, put this one file beside it (or anywhere on sys.path):
it takes the same calls with the same checks, and does nothing.

    import refledger

    for request in requests:
        handle(request)
        refledger.mark("request")

It needs Python 3.8 or later and nothing else. It is in the public domain.
"""

__all__ = ["mark", "version"]

#: The version of the recorder whose calls this file takes.
version = "0.1.0"


def mark(name, /):
    """Writes a mark called `name` into the trace: a point in time that can be asked for later, as `mark:NAME`.

    The same name may be used any number of times; `mark:NAME[3]` is then the third one. Here, outside of the recorder, the
    name is checked and then forgotten.

    Raises TypeError if `name` is not a str.
    """
    if not isinstance(name, str):
        raise TypeError("mark() argument must be str, not " + type(name).__name__)
