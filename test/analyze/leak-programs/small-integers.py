"""Leak: the rounds are counted by small integers, which are immortal: for them the head of the loop changes no count."""


class Session:
    def __init__(self, user):
        self.user = user
        self.log = [user]


sessions = {}


def handle(i):
    session = Session("user%d" % i)
    sessions[i] = session  # LEAK
    return len(session.user)


def main():
    total = 0
    for i in range(500):
        total += handle(i)
    print(total)


main()
