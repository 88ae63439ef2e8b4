"""Exercises sqlite3 with a database in memory: statements and their cache, functions and aggregates and collations written
in Python, row factories, adapters and converters, cursors left open, errors, blobs, backup, dump, iteration half-way.
"""

import gc
import sys

try:
    import sqlite3
except ImportError:
    print("no sqlite3 here")
    sys.exit(0)


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


class Median:
    def __init__(self):
        self.values = []

    def step(self, v):
        self.values.append(v)

    def finalize(self):
        return sorted(self.values)[len(self.values) // 2]


sqlite3.register_adapter(Point, lambda p: "%d;%d" % (p.x, p.y))
sqlite3.register_converter("point", lambda b: Point(*map(int, b.split(b";"))))
db = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES, cached_statements=10)
db.execute("create table t (id integer primary key, name text, score real, data blob, p point)")
db.executemany("insert into t values (?, ?, ?, ?, ?)", ((i, "name%d" % (i % 17), i / 3, bytes([i % 256]) * 10, Point(i, -i)) for i in range(500)))
db.create_function("twice", 1, lambda s: s * 2, deterministic=True)
db.create_function("fails", 1, lambda s: 1 / 0)
db.create_aggregate("median", 1, Median)
db.create_collation("backwards", lambda a, b: (a < b) - (a > b))
with db:
    db.execute("update t set score = score + :more where id % 2 = :odd", {"more": 1.5, "odd": 1})
print("rows:", db.execute("select count(*), round(sum(score), 3), median(id), max(twice(name)) from t").fetchone())
print("sorted:", [r[0] for r in db.execute("select distinct name from t order by name collate backwards limit 3")])
points = [r[0].x + r[0].y for r in db.execute("select p from t")]
assert sum(points) == 0 and len(points) == 500
db.row_factory = sqlite3.Row
row = db.execute("select id, name as n, data from t where id = 7").fetchone()
rows = db.execute("select * from t limit 50").fetchall()
print("row:", row["n"], row.keys(), len(row), hash(row) == hash(row), rows[3][1], tuple(rows[0])[:2])
db.row_factory = lambda cursor, row: {c[0]: v for c, v in zip(cursor.description, row)}
half = [db.execute("select * from t where id > ?", (i,)) for i in range(20)]
print("half-way:", sum(next(c)["id"] for c in half))
del half[::2]
for i in range(60):
    db.execute("select %d + ?" % (i % 25), (i,)).fetchone()
errors = []
for statement, args in (("select fails(1)", ()), ("selec", ()), ("select ?", ()), ("insert into t (id) values (1)", ()), ("select :a", {"b": 1}), ("select ?", (object(),)), ("select 1; select 2", ())):
    try:
        db.execute(statement, args).fetchall()
    except (sqlite3.Error, sqlite3.Warning) as error:
        errors.append(type(error).__name__)
print("errors:", errors)
try:
    with db:
        db.execute("delete from t")
        raise KeyError
except KeyError:
    print("rolled back:", db.execute("select count(*) as n from t").fetchone()["n"])
seen = []
db.set_trace_callback(seen.append)
db.set_authorizer(lambda *a: sqlite3.SQLITE_OK)
db.set_progress_handler(lambda: 0, 100)
db.execute("select count(*) from t a, t b where a.id < b.id").fetchone()
db.set_trace_callback(None), db.set_authorizer(None), db.set_progress_handler(None, 0)
copy = sqlite3.connect(":memory:")
db.backup(copy)
text = "\n".join(copy.iterdump())
blob = copy.blobopen("t", "data", 5)
blob[0:2] = b"zz"
print("copied:", len(seen), text.count("INSERT"), blob.read(4), copy.total_changes)
blob.close()
db.close()
try:
    db.execute("select 1")
except sqlite3.ProgrammingError as error:
    print("closed:", error)
cursor = copy.cursor()
cursor.row_factory = lambda c, r, cursor=cursor: (c is cursor, r)
print("cursor in a cycle:", cursor.execute("select 1").fetchone())
copy.close()
del cursor, copy, db, half, rows, row
gc.collect()
print("done")
