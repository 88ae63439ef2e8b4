from collections import deque
queue = deque(["Eric", "John"])
extra = ["Terry"]
queue.append(extra)
first = queue.popleft()
queue.appendleft(extra)
gone = queue.pop()
gone = None
