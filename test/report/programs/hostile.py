"""Names, keys, marks and source lines that would like to be something else. </script><script>globalThis.pwned = 1</script>"""
# <!-- <script> alert("comment") </script> ]]> ${globalThis.pwned = 2} `\u0000`
import sys

try:
    from refledger import mark
except ImportError:

    def mark(name):
        pass


SECRET_IN_SOURCE = "source-secret-4711"
BAD = [
    "</script><script>globalThis.pwned = 3</script>",
    "<img src=x onerror=globalThis.pwned=4>",
    "\"'><svg onload=globalThis.pwned=5>",
    "\x1b[31mred\x00\x07\x9b",
    "\u202egnp.exe\u2066\u200f",
    "=cmd|' /C calc'!A0",
    "{{constructor.constructor('globalThis.pwned=6')()}}",
    "\u2028</style><!--",
    "__proto__",
    "\ud800 alone",
]


class Holder:
    pass


cache = {}
kept = []
for round in range(30):
    for name in BAD:
        if "\x00" not in name and "\ud800" not in name:
            hostile = type(name, (), {})
            thing = hostile()
            thing.back = thing  # a cycle of its own
        kept.append(Holder())
        cache["value-secret-" + "0815" + name + str(round)] = kept[-1]
    mark("mark-secret-" + "2342" + BAD[0])

long_type = type("L" * 10_000_000, (), {})
cache["k" * 10_000_000] = long_type()
kept.extend(long_type() for _ in range(2000))
xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx = sys.argv
