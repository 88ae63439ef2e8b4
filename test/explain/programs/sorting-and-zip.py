rows = [[3], [1], [2]]
small = min(rows)
rows.sort()
ordered = sorted(rows, reverse=True)
pairs = list(zip(rows, ordered))
rows.reverse()
found = rows.index(small)
pairs = None
