"""Leak: tasks of asyncio in a list; at the end all of them are cancelled."""

import asyncio
tasks = []
async def never(i):
    d = {"i": i}
    await asyncio.Event().wait()
async def main():
    for i in range(100):
        t = asyncio.create_task(never(i))
        tasks.append(t)  # LEAK
        await asyncio.sleep(0)
asyncio.run(main())
