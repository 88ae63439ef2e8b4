class App:
    def __init__(self):
        self.log = []


app = App()


def make(n):
    return {"n": n + 1000, "name": "item %d" % n}


def step(n):
    app.log.append(make(n))  # LEAK


for n in range(200):
    step(n)
