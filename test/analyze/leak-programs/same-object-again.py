from refledger import mark


class Thing:
    pass


thing = Thing()
history = []
for n in range(400):
    history.append(thing)  # LEAK
    mark("round")
