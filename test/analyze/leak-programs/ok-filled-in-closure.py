"""No leak: what a closure keeps was filled before there was one."""

def make(n):
    t = [[k] for k in range(1000, 1000 + n)]
    def get(i): return t[i]
    return get
get = make(300)
