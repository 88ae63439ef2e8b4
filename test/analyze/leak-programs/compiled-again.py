"""Leak: functions out of text that is compiled each time; the line is the program's, not the text's."""

ns = {}
def run(n):
    exec("def f%d(): return %d" % (n, n), ns)  # LEAK
for n in range(60): run(n)
