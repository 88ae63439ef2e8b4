/** What the recorded program cannot reach, and what of the interpreter's imports exists at all. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { closedImports, computations, systemCalls } from "../../src/interpreter/imports.js";
import { Interrupt } from "../../src/interpreter/kernel/interrupt.js";
import { Kernel } from "../../src/interpreter/kernel/kernel.js";
import type { Machine } from "../../src/interpreter/kernel/runtime-calls.js";
import { interpreterFiles, sharedWords } from "../../src/interpreter/main-thread.js";
import { plain } from "../support/plain.js";

const allowed = `
  __syscall_accept4 __syscall_bind __syscall_chdir __syscall_chmod __syscall_connect __syscall_dup __syscall_dup3 __syscall_faccessat
  __syscall_fadvise64 __syscall_fallocate __syscall_fchdir __syscall_fchmod __syscall_fchmodat2 __syscall_fchown32 __syscall_fchownat
  __syscall_fcntl64 __syscall_fdatasync __syscall_fstat64 __syscall_fstatfs64 __syscall_ftruncate64 __syscall_getcwd
  __syscall_getdents64 __syscall_getpeername __syscall_getsockname __syscall_getsockopt __syscall_getuid32_js __syscall_ioctl
  __syscall_listen __syscall_lstat64 __syscall_mkdirat __syscall_mknodat __syscall_newfstatat __syscall_openat __syscall_pipe
  __syscall_poll __syscall_readlinkat __syscall_recvfrom __syscall_recvmsg __syscall_renameat __syscall_rmdir __syscall_sendmsg
  __syscall_sendto __syscall_socket __syscall_stat64 __syscall_statfs64 __syscall_symlinkat __syscall_truncate64 __syscall_umask_js
  __syscall_unlinkat __syscall_utimensat _mmap_js _msync_js _munmap_js
  fd_close fd_fdstat_get fd_pread fd_pwrite fd_read fd_seek fd_sync fd_write
  clock_res_get clock_time_get emscripten_date_now emscripten_get_now _gmtime_js _localtime_js _mktime_js _timegm_js _tzset_js
  environ_get environ_sizes_get random_get proc_exit exit _abort_js __assert_fail __call_sighandler
  emscripten_get_heap_max emscripten_resize_heap _emscripten_get_progname _Py_emscripten_runtime
  _Py_CheckEmscriptenSignals_Helper
  ffi_call_js ffi_closure_alloc_js ffi_closure_free_js ffi_prep_closure_loc_js _dlsym_js
  getaddrinfo getnameinfo getprotobyname _emscripten_lookup_name _try_shutdown
  _dlopen_js _emscripten_system _maybe_connect_async _maybe_poll_async _maybe_recvfrom_async _maybe_sendto_async _try_fcntl64
  __hiwire_deduplicate_new emscripten_runtime_keepalive_push emscripten_runtime_keepalive_pop _emscripten_runtime_keepalive_clear
`
  .trim()
  .split(/\s+/)
  .sort();

describe("imports", () => {
  const words = sharedWords();
  const kernel = new Kernel({
    standardLibrary: new Uint8Array(),
    pythonVersion: "3.14",
    cwd: "/",
    env: {},
    folders: ["/"],
    interrupt: new Interrupt(words.interrupt),
    terminalSize: words.terminalSize,
    systemCall: () => {},
    poll: () => {},
  });
  const missing = (): never => {
    throw new Error("not instantiated");
  };
  const provided: Record<string, () => unknown> = {
    ...systemCalls(kernel),
    ...computations({} as Machine, missing, () => {}),
  };
  /** What `time.sleep` asks, which is not an import. */
  const ofSleep = ["refledger_now", "refledger_wait_until"];

  it("are provided for these names and no others", () => {
    expect(Object.keys(provided).sort()).toEqual([...allowed, ...ofSleep].sort());
  });

  it("are all of the interpreter's own, and what reaches JavaScript is closed", () => {
    const module = new WebAssembly.Module(readFileSync(interpreterFiles().module));
    const names = WebAssembly.Module.imports(module).map(({ name }) => name);
    expect(allowed.filter((name) => !names.includes(name))).toEqual([]);
    const closed = closedImports(module, provided);
    for (const name of [
      "emscripten_asm_const_int",
      "raw_call_js",
      "pyodide_js_init",
      "JsProxy_GetAttr_js",
      "_emscripten_dlopen_js",
      "JsvFunction_CallBound",
    ])
      expect(closed).toContain(name);
    expect(closed.length).toBeGreaterThan(150);
  });
});

describe("a program", () => {
  it.each([
    ["import js", "ModuleNotFoundError: No module named 'js'"],
    ["import _pyodide_core", "ModuleNotFoundError: No module named '_pyodide_core'"],
    ["from pyodide.code import run_js; run_js('1')", "ModuleNotFoundError: No module named 'js'"],
    [
      "import ctypes; ctypes.CDLL(None).emscripten_run_script(b'1')",
      "AttributeError: function 'emscripten_run_script' not found",
    ],
    ["import ctypes; ctypes.CDLL('libc.so.6')", "OSError: dlopen() error"],
  ])("does not reach JavaScript or libraries: %s", (code, last) => {
    const result = plain(["-c", code]);
    const lines = result.err.trimEnd().split("\n");
    expect(lines.filter((line) => !line.startsWith("refledger: ")).at(-1)).toBe(last);
    expect(result.code).toBe(1);
  });

  it("is ended when it calls into the bridge through ctypes", () => {
    const result = plain(["-c", "import ctypes; ctypes.CDLL(None).pyodide_export()"]);
    expect(result).toMatchObject({
      code: 134,
      err: "refledger: the interpreter called pyodide_js_init, which does not exist outside of a browser\n",
    });
  });

  it("starts no process", () => {
    expect(plain(["-c", "import os; print(os.system('echo hi'))"]).out).toMatch(/^-?\d+\n$/);
    expect(plain(["-c", "import os; os.system('echo hi')"]).out).toBe("");
  });

  it("connects to itself and to nobody else", () => {
    const code = `
import socket
a, b = socket.socketpair()
a.sendall(b'x' * 100000); print(len(b.recv(1 << 20)), b.gettimeout())
for address in (('127.0.0.1', 80), ('10.0.0.1', 80), ('example.com', 80)):
    try: socket.create_connection(address, timeout=5)
    except OSError as e: print(type(e).__name__, e)
a.close(); print(b.recv(1))
try: b.send(b'y'); b.send(b'y')
except OSError as e: print(type(e).__name__)
`;
    expect(plain(["-c", code]).out.split("\n")).toEqual([
      "100000 None",
      "ConnectionRefusedError [Errno 14] Connection refused",
      "OSError [Errno 40] Network unreachable",
      "gaierror [Errno -2] Name does not resolve",
      "b''",
      "BrokenPipeError",
      "",
    ]);
  });

  it("uses ctypes on the interpreter's own functions", () => {
    const code = `
import ctypes
py = ctypes.pythonapi
py.PyLong_FromLongLong.restype = ctypes.py_object
py.PyLong_FromLongLong.argtypes = [ctypes.c_longlong]
py.PyFloat_FromDouble.restype = ctypes.py_object
py.PyFloat_FromDouble.argtypes = [ctypes.c_double]
libc = ctypes.CDLL(None)
print(py.PyLong_FromLongLong(-2**40), py.PyFloat_FromDouble(1.5), libc.strlen(b'hello'), libc.abs(-4))
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
array = (ctypes.c_int * 5)(5, 3, 1, 4, 2)
libc.qsort(array, 5, 4, compare(lambda x, y: x[0] - y[0]))
print(list(array))
class P(ctypes.Structure): _fields_ = [('x', ctypes.c_int), ('y', ctypes.c_double)]
print(ctypes.CFUNCTYPE(ctypes.c_int, P)(lambda q: int(q.x + q.y * 2))(P(1, 2.5)))
class D(ctypes.Structure): _fields_ = [('quot', ctypes.c_int), ('rem', ctypes.c_int)]
libc.div.restype = D
print(libc.div(17, 5).quot, libc.div(17, 5).rem)
for i in range(2000): assert ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda v: v * 2)(i) == 2 * i
for i in range(2000): assert ctypes.CFUNCTYPE(ctypes.c_longlong, ctypes.c_longlong, ctypes.c_byte)(lambda v, w: v + w)(2**40, -i % 100) == 2**40 + -i % 100
`;
    expect(plain(["-c", code])).toMatchObject({
      code: 0,
      out: "-1099511627776 1.5 5 4\n[1, 2, 3, 4, 5]\n6\n3 2\n",
      err: "",
    });
  });
});
