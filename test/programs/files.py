"""Reads and writes files in a temporary folder: text and binary, appending, seeking, truncating, renaming, deleting, walking,
globbing, shutil, stat, pathlib, files left open, missing files, mmap-free, tempfile helpers, large writes.
"""

import filecmp
import fileinput
import gc
import glob
import json
import os
import pathlib
import shutil
import sys
import tempfile
import warnings

warnings.simplefilter("ignore", ResourceWarning)
with tempfile.TemporaryDirectory(prefix="refledger-") as name:
    folder = pathlib.Path(name)
    for i in range(40):
        sub = folder / ("d%d" % (i % 4))
        sub.mkdir(exist_ok=True)
        (sub / ("f%02d.txt" % i)).write_text("line %d\n" % i * (i + 1), encoding="utf-8")
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.txt"))
    print("made:", len(names), names[0], names[-1], sum(p.stat().st_size for p in folder.rglob("*.txt")))

    target = folder / "numbers.bin"
    with open(target, "wb", buffering=100) as f:
        for i in range(5000):
            f.write(i.to_bytes(4, "little"))
        f.seek(400)
        f.write(b"\xff" * 4)
        print("tell:", f.tell())
    with open(target, "r+b") as f:
        f.seek(-4, os.SEEK_END)
        last = int.from_bytes(f.read(), "little")
        f.truncate(1000)
        f.seek(0)
        f.readinto(buffer := bytearray(8))
    print("binary:", last, target.stat().st_size, bytes(buffer))
    with open(folder / "log.txt", "a+", newline="\r\n") as f:
        print("appended", file=f)
        f.writelines("%d\n" % i for i in range(10))
        f.seek(0)
        print("text:", f.readline().strip(), len(f.readlines()), repr((folder / "log.txt").read_bytes()[:10]))
    with open(folder / "u.txt", "w", encoding="utf-16") as f:
        f.write("\u0416\U0001f40d" * 100)
    try:
        (folder / "u.txt").read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        print("wrong encoding:", error.reason)

    errors = []
    for bad in (lambda: open(folder / "missing"), lambda: open(folder), lambda: os.mkdir(folder / "d0"), lambda: os.rmdir(folder / "d1"), lambda: os.listdir(target), lambda: open(folder / "a\0b"), lambda: os.remove(folder / "none"), lambda: open(target, "x"), lambda: open(target, "rw")):
        try:
            bad()
        except (OSError, ValueError) as error:
            errors.append(type(error).__name__)
    print("errors:", errors)

    shutil.copytree(folder / "d0", folder / "copy")
    shutil.move(folder / "copy" / "f00.txt", folder / "moved.txt")
    os.rename(folder / "moved.txt", folder / "renamed.txt")
    os.replace(folder / "renamed.txt", folder / "d3" / "replaced.txt")
    compared = filecmp.dircmp(folder / "d0", folder / "copy")
    print("moved:", compared.left_only, len(compared.same_files), sorted(os.listdir(folder)), len(glob.glob(str(folder / "**" / "f1*.txt"), recursive=True)))
    walked = [(os.path.relpath(root, folder), len(files)) for root, dirs, files in os.walk(folder) if not dirs.sort()]
    print("walked:", walked, [e.name for e in sorted(os.scandir(folder), key=lambda e: e.name) if e.is_dir()])
    shutil.rmtree(folder / "copy")
    with fileinput.input([folder / "d0" / "f00.txt", folder / "d0" / "f04.txt"]) as lines:
        print("fileinput:", [line.strip() for line in lines])
    json.dump({"k": [1, {"n": None}]}, open(folder / "left-open.json", "w"))
    gc.collect()
    print("left open:", json.load(open(folder / "left-open.json")))
    here = os.getcwd()
    os.chdir(folder)
    with open("relative.txt", "w") as f:
        f.write("x" * 300000)
    print("relative:", os.path.getsize("relative.txt"), os.path.exists("./d2/../relative.txt"), os.path.isabs(os.path.abspath("relative.txt")))
    os.chdir(here)
    with tempfile.NamedTemporaryFile(dir=folder) as t, tempfile.SpooledTemporaryFile(50) as s:
        t.write(b"temporary")
        t.flush()
        s.write(b"spooled" * 20)
        s.seek(3)
        print("temporary:", os.path.getsize(t.name), s.read(4))
    fd = os.open(folder / "low", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"low level")
    os.lseek(fd, 4, os.SEEK_SET)
    print("low level:", os.read(fd, 5), os.fstat(fd).st_size, os.close(fd))
print("gone:", not os.path.exists(name))
with open(__file__, encoding="utf-8") as me:
    print("myself:", me.readline().startswith('"""Reads'), sys.getsizeof(me) > 0)
