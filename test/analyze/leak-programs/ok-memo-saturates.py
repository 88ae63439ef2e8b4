from refledger import mark

memo = {}


def compute(n):
    k = (n * 7) % 30
    if k not in memo:
        memo[k] = [k, str(k + 1000)]
    return memo[k]


for n in range(300):
    compute(n)
    mark("round")
