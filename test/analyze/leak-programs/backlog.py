"""Leak: a queue that is filled faster than it is emptied. What is in it at the end is all of the last rounds."""

import collections
class R: pass
q = collections.deque()
def produce(i):
    q.append(R())  # LEAK
def consume():
    if len(q) > 1: q.popleft()
for i in range(300):
    produce(i); produce(i); consume()
