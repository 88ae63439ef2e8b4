squares = [x * 1.5 for x in range(4)]
pairs = [(x, y) for x in (1.5, 2.5) for y in (3.5, 1.5) if x != y]
flat = [n for pair in pairs for n in pair]
pairs.clear()
