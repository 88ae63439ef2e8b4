class Buffer:
    def __init__(self):
        self.data = None


pool = []


def handle(n):
    buffer = pool.pop() if pool else Buffer()
    buffer.data = str(n + 1000)
    pool.append(buffer)


for n in range(300):
    handle(n)
