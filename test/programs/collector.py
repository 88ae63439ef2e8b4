"""Exercises the garbage collector: each generation by hand, thresholds, callbacks, freeze and unfreeze, disabled for a while,
DEBUG_SAVEALL, get_objects, get_referrers and get_referents, untracking, cycles of every container, finalizers in cycles.
"""

import collections
import functools
import gc
import weakref


class Node:
    def __init__(self, name=None):
        self.name = name


def cycle(n=1):
    for i in range(n):
        a, b = Node(i), Node(-i)
        a.b, b.a = b, a


gc.collect()
gc.disable()
assert not gc.isenabled()
cycle(50)
freed = gc.collect()
assert freed >= 100, freed
print("full:", freed >= 100, gc.collect())
for generation in (0, 1, 2):
    cycle(30)
    gc.collect(generation)
gc.collect()
gc.enable()

# Callbacks see each collection.
seen = []


def callback(phase, info):
    seen.append((phase, info["generation"], sorted(info)))


gc.callbacks.append(callback)
for generation in (0, 1, 2, 2):
    cycle(3)
    gc.collect(generation)
gc.callbacks.remove(callback)
print("callbacks:", [(p, g) for p, g, _ in seen], seen[-1][2][:3])

# Automatic ones, with a low threshold; many survivors; then none.
# (Counted by a callback: the incremental collector's own statistics leave out the steps that only mark.)
seen.clear()
gc.callbacks.append(callback)
previous = gc.get_threshold()
gc.set_threshold(50, 3, 3)
kept = []
for i in range(600):
    cycle()
    kept.append({i: [Node(i)]})
    if i % 3 == 0:
        kept.pop(i // 7)
gc.set_threshold(*previous)
gc.callbacks.remove(callback)
print("automatic:", len(seen) > 10, len(seen) % 2, gc.get_threshold() == previous)
del kept

# freeze: moved out of the collector's sight, with garbage among it.
gc.collect()
cycle(20)
gc.freeze()
count = gc.get_freeze_count()
assert count > 0
assert gc.collect() == 0
cycle(10)
assert gc.collect() >= 20
gc.unfreeze()
print("frozen garbage found after thawing:", gc.collect() >= 40, gc.get_freeze_count())

# Cycles through every container that can hold one.
def self_holders():
    l = []
    l.append(l)
    d = {}
    d["d"] = d
    t = ([],)
    t[0].append(t)
    dq = collections.deque()
    dq.append(dq)
    od = collections.OrderedDict()
    od["od"] = od
    dd = collections.defaultdict(list)
    dd[0].append(dd)
    p = functools.partial(print)
    p.__setstate__((print, (p,), {}, None))
    n = Node()
    n.method = n.__init__
    s = {Node("s")}
    next(iter(s)).s = s
    f = lambda: f  # noqa: E731
    c = functools.lru_cache(lambda x: [x])
    c(c).append(c)
    e = ValueError()
    e.args = (e,)
    it = iter(l2 := [])
    l2.append(it)
    l3 = []
    g = (x for x in l3)
    l3.append(g)
    m = map(len, (h := []))
    h.append(m)
    cm = type("T", (), {"method": classmethod(lambda c: c)})
    cm.inner = cm()
    w = Node()
    w.ref = weakref.ref(w, lambda r, w=w: None)
    mv = memoryview(bytearray(4))
    pr = property(lambda self: pr)
    sl = slice([], None)
    sl.start.append(sl)
    return [weakref.ref(x) for x in (dq, od, dd, p, n, s, f, c, cm, w) if hasattr(type(x), "__weakref__") or isinstance(x, (set, collections.deque))]


gc.disable()
refs = [r for _ in range(10) for r in self_holders()]
assert all(r() is not None for r in refs if r)
found = gc.collect()
gc.enable()
print("containers:", len(refs) // 10, "kinds watched, left:", sum(r() is not None for r in refs), found > 10 * 17)

# Finalizers and weakref callbacks within the garbage.
log = []


class Final(Node):
    def __del__(self):
        log.append(self.other.name)


for i in range(40):
    a, b = Final("a"), Final("b")
    a.other, b.other = b, a
    a.watch = weakref.finalize(b, log.append, "finalize") if i % 4 == 0 else None
del a, b
gc.collect()
print("finalizers:", log.count("a"), log.count("b"), log.count("finalize"))

# SAVEALL keeps what would have been freed.
gc.collect()
gc.set_debug(gc.DEBUG_SAVEALL)
cycle(25)
saved = gc.collect()
gc.set_debug(0)
print("saved:", saved == len(gc.garbage), sum(isinstance(x, Node) for x in gc.garbage))
gc.garbage.clear()
assert gc.collect() >= 50

# Questions to the collector.
n = Node("asked")
holder = [n]
assert any(r is holder for r in gc.get_referrers(n))
assert n.name in gc.get_referents(n) or any(n.name in (d.values() if isinstance(d, dict) else ()) for d in gc.get_referents(n))
assert any(o is holder for o in gc.get_objects()) and gc.is_tracked(holder) and not gc.is_tracked("s") and not gc.is_finalized(n)
young = gc.get_objects(generation=0)
assert len(young) >= 0
del young
print("tracked:", [gc.is_tracked(x) for x in (1, (), [], {}, {"a": 1}, {"a": []}, set(), Node, n)][:3])


# A callback that makes garbage and a collection within a collection's finalizer.
class Busy:
    def __del__(self):
        cycle(5)
        gc.collect(0)


gc.callbacks.append(make := lambda phase, info: cycle(2))
for _ in range(5):
    busy = Busy()
    busy.me = busy
    del busy
    gc.collect()
gc.callbacks.remove(make)
gc.collect()
print("done:", gc.garbage)
