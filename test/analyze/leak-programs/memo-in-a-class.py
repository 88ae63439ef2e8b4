"""Leak: what is made on one line is read and returned on the next."""

class Cache:
    def __init__(self): self._d = {}
    def get(self, k):
        if k not in self._d:
            self._d[k] = self._load(k)  # LEAK
        return self._d[k]
    def _load(self, k): return {"key": k, "blob": "x" * (100 + k % 7)}
class App:
    def __init__(self): self.cache = Cache()
    def handle(self, n): return self.cache.get(n)["key"]
app = App()
def main():
    for n in range(1000, 1300):
        app.handle(n)
if __name__ == "__main__":
    main()
