"""Leak: the list is made anew each time, with one more."""

class S: pass
a = []
def step():
    global a
    a = a + [S()]  # LEAK
for i in range(200): step()
