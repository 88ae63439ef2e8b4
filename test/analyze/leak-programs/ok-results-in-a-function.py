"""No leak: the results of a batch in a variable of a function, used when the rounds are over."""

def work(n): return {"n": n}
def main():
    results = []
    for n in range(1000, 1300):
        results.append(work(n))
    print(len(results), sum(r["n"] for r in results))
main()
