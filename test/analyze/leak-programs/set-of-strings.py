seen = set()


def visit(n):
    seen.add("page-%d" % n)  # LEAK


for n in range(200):
    visit(n)
