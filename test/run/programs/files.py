"""Exercises the file system and prints nothing but the names of what failed."""
import errno, fcntl, io, mmap, os, pathlib, select, shutil, sqlite3, stat, sys, tempfile, time

checks = []


def check(f):
    checks.append(f)
    return f


def raises(kind, f, *args, number=None):
    try:
        f(*args)
    except kind as e:
        assert number is None or e.errno == number, e
    else:
        assert False, "nothing raised"


def write(name, text="hello"):
    with open(name, "w") as f:
        f.write(text)


def read(name):
    with open(name, "rb") as f:
        return f.read()


@check
def status():
    write("a")
    s = os.stat("a")
    assert s.st_size == 5 and stat.S_ISREG(s.st_mode) and s.st_nlink == 1
    assert abs(s.st_mtime - time.time()) < 60 and s.st_ino == os.lstat("a").st_ino != os.stat(".").st_ino
    assert stat.S_ISDIR(os.stat(".").st_mode) and os.path.samefile("a", "./a")


@check
def appending():
    write("a")
    with open("a", "a") as f:
        assert f.tell() == 5
        f.write(" w")
        f.flush()
        assert f.tell() == 7
    fd = os.open("a", os.O_RDWR | os.O_APPEND)
    os.lseek(fd, 0, 0)
    os.write(fd, b"!")
    assert os.lseek(fd, 0, 1) == 8
    os.close(fd)
    assert read("a") == b"hello w!"


@check
def truncating():
    write("a")
    with open("a", "r+") as f:
        f.truncate(3)
    os.truncate("a", 5)
    assert read("a") == b"hel\0\0"
    write("a", "x")
    assert read("a") == b"x"


@check
def seeking():
    write("a", "0123456789")
    with open("a", "rb") as f:
        assert f.seek(-3, 2) == 7 and f.read() == b"789" and f.seek(2) == 2 and f.read(2) == b"23" and f.seek(1, 1) == 5
        raises(OSError, f.seek, -100, 2)
    with open("sparse", "wb") as f:
        f.seek(1000)
        f.write(b"x")
    assert os.path.getsize("sparse") == 1001 and read("sparse")[:1000] == bytes(1000)


@check
def unlinked_while_open():
    with open("u", "w+") as f:
        f.write("x")
        f.flush()
        os.unlink("u")
        f.seek(0)
        assert f.read() == "x" and os.fstat(f.fileno()).st_nlink == 0


@check
def symbolic_links():
    write("a")
    os.symlink("a", "l")
    assert os.readlink("l") == "a" and os.path.islink("l") and read("l") == b"hello"
    os.symlink("nowhere", "dangling")
    assert not os.path.exists("dangling") and os.path.lexists("dangling")
    os.symlink("y", "x")
    os.symlink("x", "y")
    raises(OSError, open, "x", number=errno.ELOOP)
    raises(OSError, os.open, "l", os.O_RDONLY | os.O_NOFOLLOW, number=errno.ELOOP)
    os.mkdir("d")
    os.symlink("d", "dl")
    write("dl/f")
    assert read("d/f") == b"hello" and os.path.realpath("dl/f") == os.path.realpath("d/f")
    assert [e.is_symlink() for e in os.scandir() if e.name == "dl"] == [True]
    for name in ("l", "dangling", "x", "y", "dl"):
        os.unlink(name)


@check
def renaming():
    write("r1", "1")
    write("r2", "2")
    inode = os.stat("r1").st_ino
    os.rename("r1", "r2")
    assert read("r2") == b"1" and not os.path.exists("r1") and os.stat("r2").st_ino == inode
    os.mkdir("into")
    os.rename("r2", "into/r4")
    assert os.listdir("into") == ["r4"]
    raises(FileNotFoundError, os.rename, "nope", "x")
    os.mkdir("other")
    raises(IsADirectoryError, os.rename, "into/r4", "other")


@check
def modes_and_times():
    write("a")
    os.chmod("a", 0o600)
    assert stat.S_IMODE(os.stat("a").st_mode) == 0o600
    os.utime("a", (1000, 2000.5))
    assert (os.stat("a").st_atime, os.stat("a").st_mtime) == (1000, 2000.5)
    os.utime("a", ns=(10**18, 10**18 + 123456789))
    assert abs(os.stat("a").st_mtime_ns - 10**18 - 123456789) < 1000
    os.utime("a")
    assert abs(os.stat("a").st_mtime - time.time()) < 60
    with open("a") as f:
        os.fchmod(f.fileno(), 0o640)
    assert stat.S_IMODE(os.stat("a").st_mode) == 0o640
    old = os.umask(0o077)
    write("um")
    os.mkdir("umd")
    assert os.umask(old) == 0o077
    assert stat.S_IMODE(os.stat("um").st_mode) == 0o600 and stat.S_IMODE(os.stat("umd").st_mode) == 0o700
    write("b")
    assert stat.S_IMODE(os.stat("b").st_mode) == 0o666 & ~old


@check
def trees():
    os.makedirs("t/x/y")
    write("t/x/f")
    write("t/g")
    entries = sorted((e.name, e.is_dir(), e.is_file(), e.inode() == os.stat(e.path).st_ino) for e in os.scandir("t"))
    assert entries == [("g", False, True, True), ("x", True, False, True)]
    assert [(r, sorted(a), sorted(b)) for r, a, b in os.walk("t")] == [("t", ["x"], ["g"]), ("t/x", ["y"], ["f"]), ("t/x/y", [], [])]
    shutil.copytree("t", "t2")
    assert sorted(map(str, pathlib.Path("t2").rglob("*"))) == ["t2/g", "t2/x", "t2/x/f", "t2/x/y"]
    shutil.move("t2", "t3")
    shutil.rmtree("t3")
    assert not os.path.exists("t3")
    os.mkdir("many")
    for i in range(1000):
        write(f"many/{i}", "")
    assert len(os.listdir("many")) == 1000
    shutil.rmtree("many")


@check
def mapping():
    with open("m", "wb") as f:
        f.write(b"abc" * 1000)
    with open("m", "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        assert m[:3] == b"abc" and m.find(b"cab") == 2
        m[0:3] = b"XYZ"
        m.flush()
        assert read("m")[:3] == b"XYZ"
        m[3:6] = b"123"
    assert read("m")[:6] == b"XYZ123" and os.path.getsize("m") == 3000
    with open("m", "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as m:
        assert len(m) == 3000
    with mmap.mmap(-1, 100) as m:
        m[:3] = b"abc"
        assert m[:3] == b"abc"


@check
def large():
    block = os.urandom(1 << 20)
    with open("big", "wb") as f:
        for _ in range(100):
            f.write(block)
    assert read("big") == block * 100
    os.unlink("big")


@check
def errors():
    write("a")
    os.mkdir("dir")
    write("dir/in")
    raises(FileNotFoundError, open, "no/x", "w")
    raises(NotADirectoryError, open, "a/x")
    raises(NotADirectoryError, os.stat, "a/x")
    raises(IsADirectoryError, open, ".")
    raises(IsADirectoryError, open, "dir", "w")
    raises(FileExistsError, os.mkdir, "dir")
    raises(FileExistsError, open, "a", "x")
    raises(OSError, os.rmdir, "dir", number=errno.ENOTEMPTY)
    raises(NotADirectoryError, os.rmdir, "a")
    raises(NotADirectoryError, os.listdir, "a")
    raises(NotADirectoryError, os.open, "a", os.O_RDONLY | os.O_DIRECTORY)
    raises(OSError, open, "n" * 300, number=errno.ENAMETOOLONG)
    raises(OSError, open, "/refledger-python/x", "w")
    raises(OSError, os.unlink, "/refledger-python/lib/python314.zip", number=errno.EROFS)
    raises(FileNotFoundError, open, "/proc/self/environ")
    raises(OSError, os.fstat, 99, number=errno.EBADF)
    with open("a") as f:
        raises(io.UnsupportedOperation, f.write, "x")
        raises(OSError, os.write, f.fileno(), b"x", number=errno.EBADF)
    if os.getuid() != 0:
        os.chmod("a", 0)
        raises(PermissionError, open, "a")
        raises(PermissionError, os.mkdir, "/refledger-test")


@check
def temporary():
    with tempfile.TemporaryFile() as f:
        f.write(b"x")
        f.seek(0)
        assert f.read() == b"x"
    with tempfile.NamedTemporaryFile() as f:
        assert os.path.exists(f.name)
    with tempfile.TemporaryDirectory() as d:
        write(d + "/x")
    fd, name = tempfile.mkstemp()
    assert stat.S_IMODE(os.stat(name).st_mode) == 0o600
    os.close(fd)
    os.unlink(name)


@check
def descriptors():
    r, w = os.pipe()
    os.write(w, b"abc")
    assert os.read(r, 2) == b"ab" and select.select([r], [w], [], 0)[:2] == ([r], [w])
    os.close(w)
    assert os.read(r, 10) == b"c" and os.read(r, 10) == b""
    os.close(r)
    write("a")
    fd = os.open("a", os.O_RDWR)
    copy = os.dup(fd)
    os.lseek(fd, 2, 0)
    assert os.lseek(copy, 0, 1) == 2
    os.close(fd)
    os.dup2(copy, 50)
    assert os.pread(50, 3, 0) == b"hel"
    os.pwrite(50, b"J", 0)
    os.close(50)
    assert os.pread(copy, 1, 0) == b"J"
    os.close(copy)
    many = []
    try:
        while True:
            many.append(os.open("a", os.O_RDONLY))
    except OSError as e:
        assert e.errno == errno.EMFILE and len(many) > 900
    for fd in many:
        os.close(fd)


@check
def names():
    name = b"caf\xe9\xff"
    open(name, "w").close()
    assert name in os.listdir(b".") and os.fsdecode(name) in os.listdir(".") and os.path.exists(os.fsdecode(name))
    write("ünï")
    assert "ünï" in os.listdir()


@check
def places():
    with open("/dev/null", "w") as f:
        f.write("x")
    assert read("/dev/null") == b"" and len(os.urandom(8)) == 8
    with open("/dev/zero", "rb", 0) as f:
        assert f.read(3) == bytes(3)
    root = os.listdir("/")
    assert os.listdir("/proc") == [] and "refledger-python" in root and "tmp" in root and root.count("dev") == 1
    assert "null" in os.listdir("/dev") and os.path.isfile("/refledger-python/lib/python314.zip")
    here = os.getcwd()
    os.mkdir("cd")
    os.chdir("cd")
    assert os.getcwd() == here + "/cd"
    write("../up")
    os.chdir("..")
    fd = os.open("cd", os.O_RDONLY)
    os.fchdir(fd)
    os.close(fd)
    assert os.getcwd() == here + "/cd"
    os.chdir(here)
    assert read("up") == b"hello" and os.statvfs(".").f_bsize > 0 and shutil.disk_usage(".").total > 0
    assert os.access("up", os.R_OK) and not os.access("nope", os.F_OK) and not os.access("up", os.X_OK)
    with open("up", "r+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB)


@check
def database():
    for mode in ("delete", "wal"):
        name = mode + ".db"
        with sqlite3.connect(name) as c:
            assert c.execute("pragma journal_mode=" + mode).fetchone() == (mode,)
            c.execute("create table t(a)")
            c.executemany("insert into t values(?)", [(i,) for i in range(1000)])
        c.close()
        c = sqlite3.connect(name)
        assert c.execute("select sum(a) from t").fetchone() == (499500,)
        c.close()


start = os.getcwd()
for f in checks:
    folder = tempfile.mkdtemp(dir=start)
    os.chdir(folder)
    try:
        f()
    except BaseException as e:
        print(f.__name__, type(e).__name__, e, "line", e.__traceback__.tb_next.tb_lineno)
    os.chdir(start)
    shutil.rmtree(folder)
print(len(checks), "checks")
