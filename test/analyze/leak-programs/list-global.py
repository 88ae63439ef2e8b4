CACHE = []


class Session:
    def __init__(self, n):
        self.n = n


def handle(n):
    session = Session(n)
    CACHE.append(session)  # LEAK


for n in range(200):
    handle(n)
