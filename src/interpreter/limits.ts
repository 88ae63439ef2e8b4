/**
 * What this CPython cannot do, said in one line of ours after Python's own exception. The exception that ended the program is looked
 * at after it has been printed and the program's exit functions have run (`sys.last_exc`), so nothing of the
 * program is changed, and an exception that the program handled itself says nothing.
 */
import type { Guest } from "./guest.js";

interface Limit {
  /** Names of exception types, without their module. */
  types: readonly string[];
  /** In the exception's message. */
  message: RegExp;
  /** What the person should know, without the program's name. */
  line: string;
}

const missingModules =
  /No module named '(ssl|_ssl|_hashlib|_curses|curses|_tkinter|tkinter|readline|_dbm|_gdbm|dbm|_multiprocessing|_posixshmem|_interpreters|_interpqueues|_interpchannels|_uuid|pwd|grp|resource|syslog|_crypt|ensurepip|venv|idlelib|turtle|turtledemo|test|pydoc_data)(\.|')/;

/** Well-known packages that consist of extension modules, or need some. */
const compiledPackages =
  /No module named '(numpy|scipy|pandas|matplotlib|sklearn|skimage|torch|tensorflow|jax|cv2|PIL|lxml|cryptography|psycopg2|pydantic_core|greenlet|gevent|uvloop|orjson|msgpack|zmq|grpc|h5py|pyarrow|polars|numba|cython|Cython|psutil|regex|tokenizers|nacl|bcrypt|MySQLdb|pycurl)(\.|')/;

/** What modules of this CPython lack that Linux's have, as far as programs call it: os, signal, select, time, threading, hashlib. */
const missingFunctions =
  /^(module '(os|posix|signal|select|time|threading|_thread|hashlib)' has no attribute|cannot import name) '(link|lchown|mkfifo|mknod|nice|sendfile|splice|copy_file_range|pipe2|openpty|memfd_create|eventfd\w*|timerfd\w*|get(e[gu]id|res[gu]id|groups|grouplist|random|xattr)|set(e[gu]id|res[gu]id|groups|xattr|priority|ns|itimer)|(list|remove)xattr|initgroups|pidfd_\w+|posix_fallocate|preadv|pwritev|sched_\w+|unshare|alarm|pthread_kill|EPOLL\w*|epoll|thread_time(_ns)?|tzset|get_native_id|scrypt|pbkdf2_hmac)'/;

/** What `socket` and those that build on it lack. */
const missingSockets =
  /^(module '(socket|asyncio|socketserver)' has no attribute|cannot import name) '(AF_\w+|SO_REUSE(ADDR|PORT)|open_unix_connection|start_unix_server|(Threading|Forking)?Unix\w+Server)'/;

/** `os.system` answers -1 and raises nothing. */
export const NO_SHELL = "this CPython cannot start processes (it is compiled to WebAssembly): os.system ran nothing";

const limits: readonly Limit[] = [
  {
    types: ["RuntimeError"],
    message: /can't start new thread/,
    line: "this CPython has no threads (it is compiled to WebAssembly)",
  },
  {
    types: ["OSError", "AttributeError", "NotImplementedError"],
    message:
      /does not support processes|lacks multiprocessing\.synchronize|module 'os' has no attribute '(fork|forkpty|spawn\w*|exec\w*|posix_spawnp?|wait\w*)'|Exec format error/,
    line: "this CPython cannot start processes (it is compiled to WebAssembly)",
  },
  {
    types: ["OSError", "URLError", "gaierror", "herror", "ConnectionRefusedError"],
    message:
      /Network unreachable|Name does not resolve|Unrecognized (service|socket type)|Protocol not supported|Address family not supported|Connection refused/,
    line: "this CPython has no network: sockets connect within the program only",
  },
  {
    types: ["ModuleNotFoundError", "ImportError"],
    message: missingModules,
    line: "this CPython comes without that module (it is compiled to WebAssembly)",
  },
  {
    types: ["ModuleNotFoundError", "ImportError"],
    message: compiledPackages,
    line: "this CPython runs no packages with extension modules besides its own, such as that one (it is compiled to WebAssembly)",
  },
  {
    types: ["ModuleNotFoundError"],
    message: /No module named '(js|pyodide|pyodide_js|_pyodide\w*)(\.|')/,
    line: "the program has no browser and no JavaScript around it",
  },
  {
    types: ["ModuleNotFoundError"],
    message: /^No module named '[^.']+'$/,
    line: "installed packages are found through PYTHONPATH only: name their folder there, such as PYTHONPATH=.venv/lib/python3.14/site-packages",
  },
  {
    types: ["AttributeError", "ImportError"],
    message: missingSockets,
    line: "this CPython has sockets of one kind only, INET streams within the program (it is compiled to WebAssembly)",
  },
  {
    types: ["AttributeError", "ImportError"],
    message: missingFunctions,
    line: "this CPython lacks that function (it is compiled to WebAssembly)",
  },
  {
    types: ["OSError"],
    message: /^dlopen\(\) error$/,
    line: "this CPython loads no libraries: ctypes reaches its own functions only, with CDLL(None)",
  },
  {
    types: ["FileNotFoundError"],
    message: /'\/(proc|dev)\//,
    line: "the program sees an empty /proc, and of /dev only null, zero, random, urandom and the standard streams",
  },
  {
    types: ["PermissionError"],
    message: /Permission denied/,
    line: "the program reaches files in the working directory, its own folder, PYTHONPATH and the folder for temporary files only; --allow PATH adds one",
  },
  {
    types: ["OSError"],
    message: /Function not implemented/,
    line: "this CPython lacks that function of the operating system (it is compiled to WebAssembly)",
  },
];

/** The line for an exception with this type's name and message, undefined if no limit of the platform is behind it. */
export function limitOf(typeName: string, message: string): string | undefined {
  const short = typeName.replace(/^.*\./, "");
  return limits.find(({ types, message: pattern }) => types.includes(short) && pattern.test(message))?.line;
}

/** Looks at the exception that ended the program. To be called when recording is over: it creates Python objects. */
export function limitReached(guest: Guest): string | undefined {
  return guest.withStack(() => {
    const exception = guest.call("PySys_GetObject", guest.string("last_exc"));
    if (exception === 0) return undefined;
    const text = guest.call("PyObject_Str", exception);
    if (text === 0) {
      guest.call("PyErr_Clear");
      return undefined;
    }
    const message = guest.text(text);
    guest.call("Py_DecRef", text);
    return limitOf(guest.typeName(guest.typeOf(exception)), message);
  });
}
