class Thing:
    saved = None
    def __init__(self, load):
        self.load = load
    def __del__(self):
        Thing.saved = self.load

load = ["load"]
t = Thing(load)
t = None
load = None
back = Thing.saved
