from refledger import mark
import ctypes

incref = ctypes.pythonapi.Py_IncRef
incref.argtypes, incref.restype = [ctypes.py_object], None


class Thing:
    pass


survivor = Thing()
for n in range(6000):
    if n % 1000 == 500:
        incref(survivor)  # LEAK
    mark("round")
