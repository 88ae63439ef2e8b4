"""Objects of one class, each kept alive in another way that people ask about. The test knows who holds which."""

import asyncio
import collections
import contextvars
import functools
import threading
import types
import weakref


class Kept:
    pass


def kept(how):
    """A class of its own for each holder, so that each has an answer of its own."""
    return type("Kept" + how, (Kept,), {})()


cache = {"user:7": types.SimpleNamespace(rows=[0, 1, 2, kept("Cache")])}


def make_closure():
    held = kept("Closure")
    return lambda: held


callback = make_closure()


class Bus:
    listeners = []


class KeptListener(Kept):
    def on_event(self):
        pass


Bus.listeners.append(KeptListener().on_event)


def fails(argument):
    raise ValueError("kept with its traceback")


try:
    fails(kept("Traceback"))
except ValueError as error:
    last_error = error


def numbers(start):
    yield start
    yield start


unfinished = numbers(kept("Generator"))
next(unfinished)


async def waits(forever):
    await asyncio.sleep(0)
    return forever


suspended = waits(kept("Coroutine"))


@functools.lru_cache
def remembered(n):
    return kept("LruCache")


remembered(1)


class Model:
    shared = kept("ClassAttribute")


def greet(name=kept("Default")):
    pass


recent = collections.deque([kept("Deque")])
later = functools.partial(print, kept("Partial"))
members = {kept("Set")}
by_object = {kept("Key"): 1}


class Slotted:
    __slots__ = ("value",)


slotted = Slotted()
slotted.value = kept("Slot")


class Watched:
    pass


watched = Watched()


def forget(reference, held=None):
    pass


weak = weakref.ref(watched, functools.partial(forget, held=kept("WeakrefCallback")))

variable = contextvars.ContextVar("variable")
variable.set(kept("ContextVariable"))


class KeptCycle(Kept):
    def __del__(self):
        pass


def cycle():
    one = KeptCycle()
    one.me = one


class KeptPair(Kept):
    """Two that refer to each other, with a finalizer, and what hangs on them."""

    def __del__(self):
        pass


class KeptByPair(Kept):
    pass


def pair():
    one, other = KeptPair(), KeptPair()
    one.o = other
    other.o = one
    one.rows = {"first": [KeptByPair()]}


class KeptSelfDeleting(Kept):
    """In a cycle that a global holds, with a finalizer."""

    def __del__(self):
        pass


ring = [KeptSelfDeleting()]
ring[0].ring = ring

local = threading.local()
local.value = kept("ThreadLocal")


async def background(job):
    await asyncio.Event().wait()


loop = asyncio.new_event_loop()
task = loop.create_task(background(kept("Task")))
loop.run_until_complete(asyncio.sleep(0))

# Static objects, such as one-character strings and small numbers, have their places among keys and members, too.
mixed = {"a": 1, 2: 3, kept("LateKey"): 4}


def delegates():
    yield from numbers(kept("Delegate"))


delegating = delegates()
next(delegating)


async def awaits(forever):
    await waits_for(loop.create_future(), forever)


async def waits_for(future, forever):
    await future


waiting = loop.create_task(awaits(kept("Awaited")))
loop.run_until_complete(asyncio.sleep(0))

finished = loop.create_future()
finished.set_result(kept("Result"))
called_back = loop.create_future()
called_back.add_done_callback(functools.partial(print, kept("DoneCallback")))
proxy_target = Watched()
proxy = weakref.proxy(proxy_target, functools.partial(forget, held=kept("ProxyCallback")))
numbered = enumerate([kept("Enumerated")])
read_only = types.MappingProxyType({"k": kept("MappingProxy")})


@functools.lru_cache(maxsize=8)
def remembers_few(n):
    return kept("BoundedCache")


remembers_few(1)



def handles():
    try:
        raise ValueError(kept("HandledException"))
    except ValueError:
        yield


handling = handles()
next(handling)

import gc

gc.disable()
cycle()
pair()

try:
    import ctypes

    lost = kept("ByC")
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(lost))
    del lost
except ImportError:
    print("no ctypes")
