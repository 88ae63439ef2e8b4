def handle(n):
    if n == 3:
        import colorsys  # noqa: F401
    if n == 60:
        import bisect  # noqa: F401
    return n + 1000


for n in range(120):
    handle(n)
