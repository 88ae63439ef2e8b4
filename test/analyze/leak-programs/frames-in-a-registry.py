"""Leak: frames in a list that setdefault makes and finds again."""

import sys
def hook(frame, event, arg): return None
class Tracer:
    log = {}
    def note(self, frame):
        self.log.setdefault(frame.f_code.co_name, []).append(frame)  # LEAK
t = Tracer()
def work(n):
    t.note(sys._getframe())
for n in range(150): work(n)
