"""Exercises the import system: modules written to a temporary folder, packages, relative and circular imports, reload, failing
imports, modules dropped and made again, custom finders and loaders, lazy loading, `from m import *`, namespace packages, zip.
"""

import gc
import importlib
import importlib.abc
import importlib.util
import os
import sys
import tempfile
import types
import weakref
import zipfile

sys.dont_write_bytecode = True
with tempfile.TemporaryDirectory() as folder:
    def write(name, text):
        path = os.path.join(folder, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)

    write("rl_plain.py", "value = [1, 2]\nclass C:\n    made = 0\n    def __init__(self): C.made += 1\n__all__ = ['value', 'C']\n_hidden = 1\n")
    write("rl_pack/__init__.py", "from . import inner\nfrom .inner import up\nfrom . import lazy as renamed\ndef __getattr__(n):\n    return 'dynamic ' + n\n")
    write("rl_pack/inner.py", "import rl_pack\ndef up():\n    return rl_pack.inner.__name__\n")
    write("rl_pack/lazy.py", "from rl_pack.inner import up as higher\n")
    write("rl_one.py", "import rl_two\nx = 1\ndef get(): return rl_two.y\n")
    write("rl_two.py", "import rl_one\ny = 2\ndef get(): return rl_one.x\n")
    write("rl_bad.py", "half = ['made']\nraise ZeroDivisionError('while importing')\n")
    write("rl_syntax.py", "def f(:\n")
    write("rl_space/part.py", "where = 'namespace package'\n")
    with zipfile.ZipFile(os.path.join(folder, "z.zip"), "w") as z:
        z.writestr("rl_zipped.py", "inside = 'zip'\n")
        z.writestr("rl_zpack/__init__.py", "from .sub import *\n")
        z.writestr("rl_zpack/sub.py", "a, b = 1, 2\n")
    sys.path[:0] = [folder, os.path.join(folder, "z.zip")]

    import rl_plain

    C = rl_plain.C
    things = [C() for _ in range(10)]
    again = importlib.reload(rl_plain)
    assert again is rl_plain and again.C is not C and isinstance(things[0], C) and C.made == 10 and again.C.made == 0
    import rl_pack

    import rl_one
    import rl_space.part
    import rl_zipped
    import rl_zpack

    star = {}
    exec("from rl_plain import *", star)
    print("modules:", rl_pack.up(), rl_pack.renamed.higher(), rl_pack.anything, rl_one.get(), rl_one.rl_two.get(), rl_space.part.where, rl_zipped.inside, rl_zpack.b, sorted(k for k in star if k[0] != "_"))

    failures = []
    for name in ("rl_bad", "rl_syntax", "rl_missing", "rl_pack.missing", "os.path.nothing", "."):
        for _ in range(5):
            try:
                importlib.import_module(name)
            except (ImportError, SyntaxError, ZeroDivisionError, ValueError, TypeError) as error:
                failures.append(type(error).__name__)
            assert name not in sys.modules
    try:
        from rl_one import nothing
    except ImportError as error:
        failures.append(error.name)
    print("failures:", sorted(set(failures)), len(failures))

    # Dropped and made again, many times; nothing of the old one stays.
    refs = []
    for i in range(30):
        for name in [n for n in sys.modules if n.startswith("rl_")]:
            del sys.modules[name]
        import rl_pack
        import rl_plain

        refs += [weakref.ref(rl_plain), weakref.ref(rl_plain.C), weakref.ref(rl_pack.inner)]
    del things, C, again, rl_one, rl_space, star
    gc.collect()
    print("old modules left:", sum(r() is not None for r in refs) <= 6)

    # Finders and loaders written in Python.
    class Made(importlib.abc.MetaPathFinder, importlib.abc.Loader):
        def find_spec(self, name, path, target=None):
            if name.startswith("virtual_"):
                return importlib.util.spec_from_loader(name, self)

        def create_module(self, spec):
            return types.ModuleType(spec.name, "made up")

        def exec_module(self, module):
            module.number = int(module.__name__[8:])
            exec("def twice(): return number * 2", module.__dict__)

    finder = Made()
    sys.meta_path.insert(0, finder)
    total = sum(importlib.import_module("virtual_%d" % i).twice() for i in range(40))
    sys.meta_path.remove(finder)
    for i in range(40):
        del sys.modules["virtual_%d" % i]
    spec = importlib.util.spec_from_file_location("rl_later", os.path.join(folder, "rl_plain.py"))
    lazy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    print("virtual:", total, lazy.value, importlib.util.find_spec("rl_plain").origin.endswith("rl_plain.py"))
    del sys.path[:2]
    importlib.invalidate_caches()
    sys.path_importer_cache.clear()
# Standard modules that are seldom loaded, for the sheer number of code objects.
for name in ("wave", "cmd", "ipaddress", "graphlib", "http.cookies", "sched", "colorsys"):
    importlib.import_module(name)
print("loaded:", all(n in sys.modules for n in ("wave", "graphlib")))
