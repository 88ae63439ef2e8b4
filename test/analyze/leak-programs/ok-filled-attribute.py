"""No leak: what a function fills and returns becomes an attribute of what is just being made."""

class App:
    def load(self):
        rows = []
        for n in range(1000, 1300):
            rows.append({"n": n})
        return rows
    def __init__(self):
        self.rows = self.load()
app = App()
