"""Exercises weakref: callbacks and their order against __del__, weak references in cycles, proxies, WeakMethod, finalize,
WeakValueDictionary, WeakKeyDictionary, WeakSet, callbacks that resurrect or kill others, many references to one object.
"""

import gc
import weakref

log = []


class Node:
    def __init__(self, name="node"):
        self.name = name

    def __del__(self):
        log.append("del " + self.name)

    def method(self):
        return self.name


# Callback and finalizer by reference count: which comes first is the interpreter's rule.
node = Node("x")
refs = [weakref.ref(node, lambda r, i=i: log.append("callback %d %s" % (i, r() is None))) for i in range(3)]
assert refs[0]() is node and len(weakref.getweakrefs(node)) == 3 and weakref.getweakrefcount(node) == 3
del node
print("order:", log)

# References without callback are shared; with callback they are not.
node = Node("shared")
assert weakref.ref(node) is weakref.ref(node)
assert weakref.ref(node, print) is not weakref.ref(node, print)
assert weakref.proxy(node) is weakref.proxy(node) and weakref.proxy(node).name == "shared"
assert hash(weakref.ref(node)) == hash(node) and weakref.ref(node) == weakref.ref(node)
proxy = weakref.proxy(node)
proxy.name = "through the proxy"
bound = weakref.WeakMethod(node.method)
assert bound()() == "through the proxy"
del node
try:
    proxy.name
except ReferenceError as error:
    print("proxy:", error)
assert bound() is None

# In cycles: callbacks of references that live outside run, those inside the garbage do not.
log.clear()
outside = []
for i in range(20):
    a, b = Node("a"), Node("b")
    a.b, b.a = b, a
    outside.append(weakref.ref(a, lambda r: log.append("outside")))
    a.inside = weakref.ref(b, lambda r: log.append("inside"))
del a, b
gc.collect()
print("cycle:", log.count("outside"), log.count("inside"), log.count("del a"), log.count("del b"))
assert all(r() is None for r in outside)

# finalize: runs once, on death, at exit or by hand; detach and peek.
log.clear()
node = Node("f")
f1 = weakref.finalize(node, log.append, "finalize 1")
f2 = weakref.finalize(node, log.append, "finalize 2")
f3 = weakref.finalize(node, log.append, "finalize 3")
assert f1.alive and f3.peek()[0] is node
f2()
f3.detach()
del node
print("finalize:", log, f1.alive, f2.alive)
at_exit = Node("at exit")
weakref.finalize(at_exit, print, "finalize at exit")
quiet = weakref.finalize(at_exit, print, "never printed")
quiet.atexit = False

# Weak dictionaries and sets, filled, thinned by death, iterated while dying.
values = weakref.WeakValueDictionary()
keys = weakref.WeakKeyDictionary()
group = weakref.WeakSet()
nodes = [Node("n%d" % i) for i in range(300)]
for i, n in enumerate(nodes):
    values[i] = n
    keys[n] = [i]
    group.add(n)
del nodes[::3], n
print("thinned:", len(values), len(keys), len(group))
for n in list(group)[:10]:
    group.discard(n)
    keys.pop(n)
for key, value in values.items():
    if key == 100:
        nodes.clear()
del n, value
gc.collect()
print("emptied:", len(values), len(keys), len(group), sorted(values))
values.update({1: at_exit})
assert values.get(1) is at_exit and values.setdefault(2, at_exit) is at_exit and values.pop(2) is at_exit
assert values.copy()[1] is at_exit and list(values.valuerefs())[0]() is at_exit

# A callback that drops the last reference to another referent, a hundred deep.
log.clear()
store = {}
watchers = []
for i in range(100):
    n = store[i] = Node("s%d" % i)
    watchers.append(weakref.ref(n, lambda r, i=i: store.pop(i + 1, None)))
del n
del store[0]
print("chained deaths:", len(log), len(store))

# A callback that resurrects nothing but raises; and one that replaces itself.
import sys

seen = []
sys.unraisablehook, previous = (lambda info: seen.append(type(info.exc_value).__name__)), sys.unraisablehook
node = Node("r")
failing = weakref.ref(node, lambda r: 1 / 0)
del node
sys.unraisablehook = previous
print("failing callback:", seen)

# Types that take weak references beside instances: functions, sets, types, generators, code, arrays' buffers, patterns.
import array
import re

targets = [lambda: 0, {1}, frozenset([1]), type("T", (), {}), (x for x in ()), compile("1", "", "eval"), array.array("b"), re.compile("a+refledger")]
more = [weakref.ref(t) for t in targets]
# A subclass of a builtin takes them too; a plain int does not.
class Sub(list):
    pass


targets.append(Sub())
more.append(weakref.ref(targets[-1]))
for t in (1, "s", (), None):
    try:
        weakref.ref(t)
        assert False
    except TypeError:
        pass
alive = sum(r() is not None for r in more)
del targets, t
gc.collect()
re.purge()
print("kinds:", alive, sum(r() is not None for r in more))
del values, keys, group
