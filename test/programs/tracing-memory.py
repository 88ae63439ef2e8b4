"""tracemalloc, which wants to know of every birth too, while it starts, counts and stops."""
import tracemalloc

before = [[i] for i in range(500)]
tracemalloc.start(5)
during = [{i: str(i)} for i in range(1000)]
first = tracemalloc.take_snapshot()
del before
text = "".join(str(i) for i in range(1000))
second = tracemalloc.take_snapshot()
print(len(second.compare_to(first, "lineno")) > 0, tracemalloc.get_object_traceback(during) is not None)
print(tracemalloc.get_traced_memory()[0] > 0, tracemalloc.is_tracing())
tracemalloc.clear_traces()
tracemalloc.stop()
after = [(i, text) for i in range(500)]
print(tracemalloc.is_tracing(), len(after))
