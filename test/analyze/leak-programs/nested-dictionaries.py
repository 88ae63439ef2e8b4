"""Leak: a tree of dictionaries that is walked and extended."""

class S: pass
tree = {}
def ins(i):
    d = tree
    for part in ("r", str(i % 5), str(i)):
        d = d.setdefault(part, {})  # LEAK
    d["v"] = S()
for i in range(200):
    ins(i)
