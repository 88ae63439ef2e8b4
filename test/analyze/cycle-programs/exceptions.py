"""Exceptions that are kept by the frames in their tracebacks, and two of one type that are made on two lines."""
import gc
gc.disable()
class Err(Exception): pass
class Box: pass
def plain():
    try:
        raise Err("x")
    except Err as e:
        err = e  # closes: plain
def from_c():
    err = None
    try:
        int("x")
    except ValueError as e:
        x = 1
        err = e  # closes: from_c
    return x
def helper():
    raise Err("deep")
def deep():
    try:
        helper()
    except Err as e:
        saved = e  # closes: deep
        other = 3
    return other
def listed():
    errors = []
    for i in range(3):
        try:
            raise Err(i)
        except Err as e:
            errors.append(e)  # closes: listed
    return len(errors)
def returned():
    try:
        raise Err("r")
    except Err as e:
        why = e  # closes: returned
        return 5
def boxed():
    box = Box()
    try:
        raise Err("b")
    except Exception as e:
        box.error = e  # closes: boxed
def noname():
    import sys
    try:
        raise Err("n")
    except Err:
        kept = sys.exception()  # closes: noname
def made():
    err = Err("made")
    try:
        raise err  # closes: made
    except Err:
        pass
def finally_():
    try:
        raise Err("f")
    except Err as e:
        err = e  # closes: finally_
    finally:
        y = [1]
def chained():
    try:
        try:
            raise Err("first")
        except Err as e:
            raise ValueError("second") from e
    except ValueError as e:
        last = e  # closes: chained
def two_lines():
    first = Box()  # first
    second = Box()  # second
    first.other = second
    second.other = first  # closes: two_lines
for f in (two_lines, plain, from_c, deep, listed, returned, boxed, noname, made, finally_, chained):
    f()
    gc.collect()
