import ctypes

incref = ctypes.pythonapi.Py_IncRef
incref.argtypes, incref.restype = [ctypes.py_object], None


class Leaked:
    pass


def forgets(n):
    thing = Leaked()
    incref(thing)  # LEAK


for n in range(200):
    forgets(n)
