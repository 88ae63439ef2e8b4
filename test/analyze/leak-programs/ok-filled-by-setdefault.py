"""No leak: lists in a dictionary that gets its name when all are filled."""

def group(items):
    out = {}
    for k, v in items:
        out.setdefault(k, []).append([v])
    return out
GROUPS = group((n % 3, n + 1000) for n in range(300))
