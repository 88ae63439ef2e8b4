"""Exercises random (seeded), statistics, math, cmath, secrets-free choice and shuffling, and their results' stability."""

import cmath
import copy
import math
import pickle
import random
import statistics

rng = random.Random(12345)
floats = [rng.gauss(10, 3) for _ in range(2000)]
print("gauss: %.6f %.6f" % (sum(floats), rng.random()), rng.randrange(10**30), rng.getrandbits(100), rng.randbytes(4))
deck = list(range(52))
rng.shuffle(deck)
print("deck:", deck[:8], rng.sample(deck, 5), rng.choices("abc", weights=[5, 1, 1], k=12), rng.choice(deck), "%.6f" % rng.betavariate(2, 3))
state = rng.getstate()
twin = copy.deepcopy(rng)
thawed = pickle.loads(pickle.dumps(rng))
assert [r.random() for r in (rng, twin, thawed)].count(twin.random()) == 0
rng.setstate(state), twin.setstate(state)
assert [rng.random() for _ in range(50)] == [twin.random() for _ in range(50)]


class Counting(random.Random):
    calls = 0

    def random(self):
        Counting.calls += 1
        return super().random()


counting = Counting(5)
walk = [counting.uniform(-1, 1) for _ in range(500)] + [counting.triangular() for _ in range(50)]
print("subclass:", Counting.calls, "%.6f" % sum(walk), "%.5f" % counting.expovariate(1.5))
for seed in ("text", b"bytes", 1.5, 2**200, -7):
    random.seed(seed)
    assert 0 <= random.random() < 1

data = [round(x) for x in floats[:500]]
print("statistics: %.4f %.4f %.4f" % (statistics.mean(data), statistics.stdev(data), statistics.median(data)), statistics.mode(data), statistics.quantiles(data, n=4), statistics.multimode("aabb"))
print("more: %.4f %.4f" % (statistics.fmean(floats), statistics.harmonic_mean([40, 60])), statistics.linear_regression(range(10), [2 * x + 1 for x in range(10)]), "%.4f" % statistics.correlation(floats[:100], floats[100:200]))
normal = statistics.NormalDist(10, 2)
print("normal: %.5f %.5f" % (normal.cdf(12), normal.inv_cdf(0.9)), (normal + 5).mean, "%.4f" % statistics.NormalDist.from_samples(floats).mean)
exact = statistics.mean([__import__("fractions").Fraction(1, n) for n in range(1, 30)])
print("exact:", str(exact)[:20])
for bad in (lambda: statistics.mean([]), lambda: statistics.stdev([1]), lambda: rng.sample([1], 2), lambda: rng.choice([]), lambda: math.sqrt(-1), lambda: math.log(0), lambda: math.factorial(-1)):
    try:
        bad()
    except (statistics.StatisticsError, ValueError, IndexError) as error:
        print("error:", type(error).__name__)
print("math:", math.prod(range(1, 15)), math.hypot(3, 4, 12), math.dist((0, 0), (3, 4)), math.nextafter(1, 2) > 1, math.lcm(*range(1, 20)), math.perm(10, 3), math.frexp(10.0), math.modf(-2.5), math.isclose(0.1 + 0.2, 0.3))
print("cmath: %.5f" % abs(cmath.exp(1j * math.pi) + 1), cmath.polar(1j)[0], [round(cmath.sqrt(-n).imag, 4) for n in range(4)])
