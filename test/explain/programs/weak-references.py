import weakref

class A:
    def __init__(self, value):
        self.value = value

inner = [10]
a = A(inner)
d = weakref.WeakValueDictionary()
d["primary"] = a
r = weakref.ref(a)
b = r()
del b
del a
gone = r()
