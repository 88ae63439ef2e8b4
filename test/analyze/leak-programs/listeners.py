"""Leak: each widget listens to a bus that outlives it; the list of listeners is looked up each time."""

class Bus:
    def __init__(self):
        self.handlers = {}
    def on(self, name, fn):
        self.handlers.setdefault(name, []).append(fn)  # LEAK
    def emit(self, name, *args):
        for fn in self.handlers.get(name, ()):
            fn(*args)

class Widget:
    def __init__(self, bus):
        self.seen = 0
        bus.on("tick", self.tick)
    def tick(self, n):
        self.seen += n

def main():
    bus = Bus()
    globals()["BUS"] = bus
    for r in range(80):
        w = Widget(bus)
        bus.emit("tick", r)
main()
