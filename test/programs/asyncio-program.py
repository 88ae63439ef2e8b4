"""An asyncio program: a queue with producers and consumers, a task group, timeouts, cancellation, shielding, locks, events,
streams of an asynchronous generator, exceptions in groups, tasks never awaited, callbacks, context variables per task.
"""

import asyncio
import contextvars
import gc
import weakref

request = contextvars.ContextVar("request", default="none")
log = []


class Job:
    def __init__(self, n):
        self.n = n


async def producer(queue, name, n):
    request.set(name)
    for i in range(n):
        await queue.put(Job(i))
        if i % 10 == 0:
            await asyncio.sleep(0)
    return request.get()


async def consumer(queue, done):
    try:
        while True:
            job = await queue.get()
            done.append(job.n)
            queue.task_done()
    except asyncio.CancelledError:
        log.append("cancelled")
        raise


async def pipeline():
    queue = asyncio.Queue(maxsize=5)
    done = []
    consumers = [asyncio.create_task(consumer(queue, done)) for _ in range(3)]
    names = await asyncio.gather(*(producer(queue, "p%d" % i, 60) for i in range(4)))
    await queue.join()
    for c in consumers:
        c.cancel()
    outcome = await asyncio.gather(*consumers, return_exceptions=True)
    return names, sum(done), [type(o).__name__ for o in outcome]


async def fails(after, error):
    await asyncio.sleep(after)
    raise error


async def groups():
    results = []
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(asyncio.sleep(0.001 * i, result=i)) for i in range(5)]
            group.create_task(fails(0.002, KeyError("a")))
            group.create_task(fails(5, ValueError("cancelled before")))
    except* KeyError as caught:
        results.append(len(caught.exceptions))
    results.append(sum(t.cancelled() for t in tasks) <= 5)
    async with asyncio.TaskGroup() as group:
        good = [group.create_task(asyncio.sleep(0, result=i)) for i in range(20)]
    return results, sum(t.result() for t in good)


async def timeouts():
    outcome = []
    for limit in (0.001, 60):
        try:
            async with asyncio.timeout(limit):
                await asyncio.sleep(0.02)
                outcome.append("in time")
        except TimeoutError:
            outcome.append("too late")
    try:
        await asyncio.wait_for(asyncio.Event().wait(), 0.001)
    except TimeoutError:
        outcome.append("never")
    inner = asyncio.create_task(asyncio.sleep(0.004, result="shielded"))
    try:
        await asyncio.wait_for(asyncio.shield(inner), 0.001)
    except TimeoutError:
        outcome.append(await inner)
    finished, pending = await asyncio.wait([asyncio.create_task(asyncio.sleep(t)) for t in (0, 0.5)], return_when=asyncio.FIRST_COMPLETED)
    outcome.append((len(finished), len(pending)))
    for p in pending:
        p.cancel()
    order = [await f for f in asyncio.as_completed([asyncio.sleep(t / 20, t) for t in (9, 1, 5)])]
    return outcome, order


async def locks():
    lock, semaphore, event, condition = asyncio.Lock(), asyncio.Semaphore(2), asyncio.Event(), asyncio.Condition()
    inside = peak = 0

    async def worker():
        nonlocal inside, peak
        await event.wait()
        async with semaphore:
            inside += 1
            peak = max(peak, inside)
            async with lock:
                await asyncio.sleep(0)
            inside -= 1
        async with condition:
            condition.notify_all()

    tasks = [asyncio.create_task(worker()) for _ in range(10)]
    await asyncio.sleep(0)
    event.set()
    async with condition:
        await condition.wait_for(lambda: sum(t.done() for t in tasks) >= 0)
    await asyncio.gather(*tasks)
    return peak


async def stream(n):
    try:
        for i in range(n):
            await asyncio.sleep(0)
            yield i
    finally:
        log.append("stream closed")


async def generators():
    total = 0
    async for i in stream(10):
        total += i
    async for i in stream(10):
        if i == 3:
            break
    return total


async def leftovers():
    """A task that nobody awaits, kept by a cycle with its own result; and one whose exception nobody takes."""
    loop = asyncio.get_running_loop()
    heard = []
    loop.set_exception_handler(lambda loop, context: heard.append(context["message"]))

    async def selfish(box):
        box.append(asyncio.current_task())
        return box

    boxes = [asyncio.create_task(selfish([])) for _ in range(20)]
    await asyncio.sleep(0.001)
    refs = [weakref.ref(b) for b in boxes]
    del boxes
    gc.collect()
    forgotten = loop.create_task(fails(0, LookupError("nobody looks")))
    await asyncio.sleep(0.001)
    del forgotten
    gc.collect()
    future = loop.create_future()
    future.add_done_callback(lambda f: heard.append("called back " + f.result()))
    loop.call_soon(future.set_result, "x")
    await future
    # Only now: a timer set before would be due or not due by how busy the machine is.
    later = asyncio.Event()
    loop.call_later(0.001, lambda: (heard.append("later"), later.set()))
    await later.wait()
    loop.set_exception_handler(None)
    return sum(r() is not None for r in refs), heard


async def main():
    print("pipeline:", await pipeline(), log.count("cancelled"))
    print("groups:", await groups())
    print("timeouts:", await timeouts())
    print("locks:", await locks())
    print("generators:", await generators())
    print("leftovers:", await leftovers())
    asyncio.create_task(asyncio.sleep(60))  # cancelled when the loop closes
    return "finished"


print(asyncio.run(main()), log.count("stream closed"))
with asyncio.Runner() as runner:
    print("runner:", [runner.run(asyncio.sleep(0, i)) for i in range(3)])
try:
    asyncio.run(fails(0, OSError("out of the loop")))
except OSError as error:
    print("raised:", error)
