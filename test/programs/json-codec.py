"""Exercises json: the C accelerator and the Python version, nested data, hooks, indent, sort_keys, subclasses, default, big
numbers, escapes, damaged documents, incremental encoding, memo of keys.
"""

import decimal
import json
import json.decoder
import json.encoder
import json.scanner
import random

rng = random.Random(7)


def document(depth):
    kind = rng.randrange(7 if depth else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.randrange(-(10**12), 10**12)
    if kind == 2:
        return rng.random() * 1e6
    if kind == 3:
        return "".join(rng.choice("abc \"\\/\n\t\u00e9\u0416\U0001f40d\x01") for _ in range(rng.randrange(12)))
    if kind == 4:
        return "key%d" % rng.randrange(20)
    if kind == 5:
        return [document(depth - 1) for _ in range(rng.randrange(6))]
    return {"key%d" % rng.randrange(20): document(depth - 1) for _ in range(rng.randrange(6))}


documents = [document(5) for _ in range(300)]
text = json.dumps(documents)
assert json.loads(text) == documents
compact = json.dumps(documents, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
pretty = json.dumps(documents, indent=2)
assert json.loads(compact) == json.loads(pretty) == json.loads(pretty.encode("utf-16")) == documents
print("documents:", len(text), len(compact), len(pretty))


# The versions written in Python.
class PythonDecoder(json.JSONDecoder):
    def __init__(self, **kw):
        super().__init__(**kw)
        self.parse_string = json.decoder.py_scanstring
        self.scan_once = json.scanner.py_make_scanner(self)


few = documents[:40]
python = "".join(json.JSONEncoder(check_circular=True).iterencode(few))
assert PythonDecoder().decode(python) == few
previous, json.encoder.c_make_encoder = json.encoder.c_make_encoder, None
assert json.dumps(few) == python
json.encoder.c_make_encoder = previous

# Hooks.
seen = []
parsed = json.loads(
    '{"a": 1.25, "b": [1, {"c": -7, "d": NaN}], "a": {"e": Infinity}}',
    object_pairs_hook=lambda pairs: tuple(pairs),
    parse_float=decimal.Decimal,
    parse_int=lambda s: "int " + s,
    parse_constant=lambda s: seen.append(s) or s,
)
print("hooks:", parsed, seen)


class Point:
    def __init__(self, x):
        self.x = x


class Text(str):
    pass


class Number(int):
    def __repr__(self):
        return "never used"


print("default:", json.dumps([Point(1), {2, 1}, Text("t"), Number(5), {Number(3): 1, None: 2, True: 3, 1.5: 4}], default=lambda o: sorted(o) if isinstance(o, set) else o.__dict__))
print("skipkeys:", json.dumps({(1, 2): 3, "k": 4}, skipkeys=True), json.dumps("\u2028</script>\x7f"), json.dumps([1e400, -1e400]))

# Errors, in numbers: circular, not serialisable, damaged text at each place.
loop = {}
loop["a"] = [loop]
errors = 0
for bad in (loop, [object()], {b"k": 1}, {"a": {1, 2}}, [float("nan")]):
    for _ in range(10):
        try:
            json.dumps(bad, allow_nan=False)
        except (ValueError, TypeError) as e:
            errors += 1
loop.clear()
good = json.dumps(max(documents[:60], key=lambda d: min(len(json.dumps(d)), 800)))[:800]
refused = 0
for i in range(len(good)):
    for damaged in (good[:i], good[:i] + "]" + good[i:], good[:i] + "\\" + good[i + 1 :]):
        try:
            json.loads(damaged)
        except json.JSONDecodeError as e:
            refused += 1
            assert e.pos <= len(damaged)
print("errors:", errors, refused > len(good))
for text in ("[1,]", '{"a" 1}', "[01]", '"\\ud800', '"\\uZZZZ"', "nul", "\ufeff[]", "[1] x"):
    try:
        json.loads(text)
        print("accepted", text)
    except json.JSONDecodeError as e:
        print(e)
print("large:", json.loads(str(10**4000)) == 10**4000, len(json.loads("[" * 500 + "]" * 500)))
