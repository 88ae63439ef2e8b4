handlers = []


def subscribe(n):
    def callback():
        return n

    handlers.append(callback)  # LEAK


for n in range(200):
    subscribe(n)
