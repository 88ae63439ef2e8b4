class Registry:
    all = {}

    def __init__(self, name):
        self.name = name
        Registry.all[name] = self  # LEAK


def handle(n):
    Registry("name-%d" % n)


for n in range(200):
    handle(n)
