xvec = [10.5, 20.5]
data = [xvec, xvec]
total = sum(x[0] for x in data)
pending = (v for v in data)
head = next(pending)
pending = None
