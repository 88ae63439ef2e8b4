"""A program that sleeps, measures, and schedules by the clock; it prints only whether the clock behaved."""

import datetime
import sched
import time

start, cpu = time.monotonic(), time.process_time()
stamps = []
for i in range(5):
    time.sleep(0.02)
    stamps.append(time.perf_counter_ns())
assert stamps == sorted(stamps)
elapsed = time.monotonic() - start
print("slept:", elapsed >= 0.1, elapsed < 30)
order = []
scheduler = sched.scheduler(time.monotonic, time.sleep)
base = time.monotonic()
for delay, name in ((0.03, "c"), (0.01, "a"), (0.02, "b")):
    scheduler.enterabs(base + delay, 1, order.append, (name,))
scheduler.run()
print("scheduled:", order)
now = datetime.datetime.now()
print("year:", now.year >= 2024, time.localtime().tm_year == now.year, len(time.strftime("%Y-%m-%d")), time.gmtime(0)[:3])
print("cpu:", time.process_time() >= cpu, time.get_clock_info("monotonic").monotonic)
try:
    time.sleep(-1)
except ValueError as error:
    print("refused:", type(error).__name__)
time.sleep(0)
