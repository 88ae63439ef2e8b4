class User:
    def __init__(self):
        self.history = []


users = {n: User() for n in range(10)}


def visit(n):
    users[n % 10].history.append("/page/%d" % n)  # LEAK


for n in range(300):
    visit(n)
