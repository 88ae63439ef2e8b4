"""No leak: a queue that is filled for a while and then emptied, again and again."""

import collections

queue = collections.deque()


class Request:
    pass


for i in range(400):
    queue.append(Request())
    if i % 40 == 39:
        queue.clear()
