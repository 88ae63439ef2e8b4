"""Exercises contextlib (every helper) and contextvars (contexts, tokens, the HAMT behind them, copies), the with statement
with many managers, managers that swallow, replace or fail.
"""

import contextlib
import contextvars
import gc
import io
import sys
import weakref

log = []


class Value:
    pass


class Manager:
    def __init__(self, name, swallow=False, fail=None):
        self.name, self.swallow, self.fail = name, swallow, fail

    def __enter__(self):
        if self.fail == "enter":
            raise OSError("enter " + self.name)
        log.append("+" + self.name)
        return self

    def __exit__(self, kind, value, traceback):
        log.append("-" + self.name + (kind.__name__ if kind else ""))
        if self.fail == "exit":
            raise LookupError("exit " + self.name)
        return self.swallow


with Manager("a") as a, Manager("b", swallow=True), (Manager("c")) as c:
    raise KeyError(a.name, c.name)
for fail in ("enter", "exit"):
    try:
        with Manager("d"), Manager("e", fail=fail):
            raise ValueError("body")
    except (OSError, LookupError) as error:
        log.append(type(error.__context__).__name__)
print("managers:", log)


@contextlib.contextmanager
def generated(x):
    log.append("in")
    try:
        yield [x]
    except ZeroDivisionError:
        log.append("swallowed")
    finally:
        log.append("out")


log.clear()
for i in range(5):
    with generated(i) as box:
        1 // (i - 2)
        if i == 4:
            break
    continue


@generated(1)
def decorated(n):
    return n * 2


assert decorated(4) == 8
print("generated:", log.count("in"), log.count("out"), log.count("swallowed"))
try:
    with contextlib.contextmanager(lambda: (x for x in ()))():
        pass
except RuntimeError as error:
    print("empty:", error)

value = Value()
base = sys.getrefcount(value)
with contextlib.ExitStack() as stack:
    for i in range(100):
        stack.enter_context(Manager("s%d" % i))
        stack.callback(lambda v, k: log.append(k), value, k=i)
        stack.push(lambda *info: value is None)
    held = stack.pop_all()
assert sys.getrefcount(value) >= base + 100
held.close()
del held, stack
gc.collect()
assert sys.getrefcount(value) == base
closing = io.StringIO()
with contextlib.closing(closing), contextlib.suppress(KeyError, ValueError), contextlib.nullcontext(5) as five:
    assert five == 5
    {}["x"]
with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
    print("captured")
    print("too", file=sys.stderr)
print("helpers:", closing.closed, out.getvalue().split())


# Context variables: many in one context, many contexts, values shared between them.
variables = [contextvars.ContextVar("v%d" % i, default=None) for i in range(200)]
before = contextvars.copy_context()
tokens = [v.set(value) for v in variables]
assert sys.getrefcount(value) >= base + 200
snapshots = []
for i, v in enumerate(variables):
    v.set([i])
    if i % 20 == 0:
        snapshots.append(contextvars.copy_context())
print("contexts:", len(snapshots), len(snapshots[-1]), sum(1 for k, x in snapshots[3].items() if x is value), variables[5] in before)


def inside(n):
    variables[0].set(("inside", n))
    return contextvars.copy_context(), variables[0].get()


results = [s.run(inside, i) for i, s in enumerate(snapshots)]
assert variables[0].get() == [0] and results[2][1] == ("inside", 2) and results[2][0][variables[0]] == ("inside", 2)
for v, t in zip(reversed(variables), reversed(tokens)):
    v.reset(t)
assert sum(v.get() is None for v in variables) == 200
try:
    variables[0].reset(tokens[0])
except RuntimeError as error:
    print("token used:", "once" in str(error))
try:
    snapshots[0].run(lambda: snapshots[0].run(int))
except RuntimeError as error:
    print("entered twice:", "already entered" in str(error))
del snapshots, results, tokens, before, v, t
gc.collect()


class Holder:
    pass


# A context that holds itself.
holder = Holder()
holder.context = contextvars.copy_context()
holder.context.run(variables[1].set, holder)
ref = weakref.ref(holder)
del holder
gc.collect()
print("context in a cycle freed:", ref() is None)
# Keys whose hashes collide deep down the trie come and go.
for round in range(3):
    many = [contextvars.ContextVar("w%d" % i) for i in range(400)]
    context = contextvars.Context()
    for i, v in enumerate(many):
        context.run(v.set, i)
    assert len(context) == 400 and sum(context.values()) == sum(range(400))
    del many, v
print("done")
