"""Exercises sys.settrace, sys.setprofile, sys.monitoring, audit hooks, bdb-style line tracing with jumps and changed locals,
tracemalloc-free: a program that watches itself while it is being watched.
"""

import collections
import sys
import threading

counts = collections.Counter()


def work(n):
    total = 0
    for i in range(n):
        if i % 3 == 0:
            total += helper(i)
        else:
            total -= len([i])
    try:
        raise KeyError(n)
    except KeyError:
        pass
    return total


def helper(x):
    return sum(y for y in (x, 1, 2))


def tracer(frame, event, arg):
    counts["trace " + event] += 1
    if event == "call" and frame.f_code.co_name == "helper":
        frame.f_trace_opcodes = True
    return tracer


sys.settrace(tracer)
result = work(30)
sys.settrace(None)
assert result == work(30)
print("trace:", sorted(k for k in counts), counts["trace call"] > 10, counts["trace exception"] >= 1)


def profiler(frame, event, arg):
    counts["profile " + event] += 1


sys.setprofile(profiler)
work(30)
sys.setprofile(None)
print("profile:", sorted(k for k in counts if k.startswith("profile")))


# A tracer that changes locals and jumps.
def edited():
    a = 1
    b = [a]
    a = 99
    return a, b


first = edited.__code__.co_firstlineno


def editor(frame, event, arg):
    if frame.f_code is not edited.__code__:
        return None
    if event == "line" and frame.f_lineno == first + 3:
        frame.f_lineno = first + 4
        frame.f_locals["b"].append("edited")
    return editor


sys.settrace(editor)
answer = edited()
sys.settrace(None)
print("edited:", answer)


# A tracer that raises is taken off.
def failing(frame, event, arg):
    if event == "line":
        raise ZeroDivisionError("from the tracer")
    return failing


caught = 0
for _ in range(10):
    sys.settrace(failing)
    try:
        work(3)
    except ZeroDivisionError:
        caught += 1
    assert sys.gettrace() is None
print("failing:", caught)

# Monitoring, with two tools, local and global events, and disabling from within.
if sys.version_info >= (3, 12):
    mon = sys.monitoring
    E = mon.events
    mon.use_tool_id(2, "first")
    mon.use_tool_id(3, "second")

    def on(name):
        def callback(*args):
            counts["monitor " + name] += 1
            return mon.DISABLE if name == "LINE" and counts["monitor LINE"] > 20 else None

        return callback

    watched = ["PY_START", "PY_RETURN", "LINE", "CALL", "C_RETURN", "RAISE", "EXCEPTION_HANDLED", "PY_YIELD", "JUMP", "BRANCH", "STOP_ITERATION"]
    watched = [w for w in watched if w in vars(E)]
    for name in watched:
        mon.register_callback(2, getattr(E, name), on(name))
    mon.register_callback(3, E.INSTRUCTION, on("INSTRUCTION"))
    mon.set_events(2, sum(getattr(E, n) for n in watched if n != "C_RETURN"))
    mon.set_local_events(3, helper.__code__, E.INSTRUCTION)
    work(30)
    mon.restart_events()
    work(30)
    mon.set_events(2, 0)
    mon.set_local_events(3, helper.__code__, 0)
    for tool in (2, 3):
        mon.clear_tool_id(tool) if hasattr(mon, "clear_tool_id") else None
        mon.free_tool_id(tool)
    print("monitoring:", counts["monitor PY_START"], counts["monitor RAISE"] >= 2, counts["monitor INSTRUCTION"] > 100)
else:
    print("monitoring: none")

# Audit hooks cannot be removed: this one stops listening by itself.
heard, listening = collections.Counter(), [True]
sys.addaudithook(lambda event, args: heard.update([event]) if listening else None)
compile("1", "<a>", "eval"), exec("1"), object.__getattribute__(work, "__code__")
listening.clear()
print("audit:", heard["compile"] >= 1, heard["exec"] >= 1)

# Generators and exceptions under a profile hook; the hook keeps frames.
frames = []
sys.setprofile(lambda frame, event, arg: frames.append((frame, event)) if len(frames) < 50 else None)
list(x for x in range(5))
try:
    work("not a number")
except TypeError:
    pass
sys.setprofile(None)
threading.setprofile(None)
print("kept frames:", len(frames) > 10, len({id(f) for f, _ in frames}) > 2)
frames.clear()
sys.setswitchinterval(0.005)
sys.call_tracing(work, (3,))
