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
      /does not support processes|module 'os' has no attribute '(fork|forkpty|spawn\w*|exec\w*|posix_spawnp?|wait\w*)'|Exec format error/,
    line: "this CPython cannot start processes (it is compiled to WebAssembly)",
  },
  {
    types: ["OSError", "URLError", "gaierror", "herror", "ConnectionRefusedError"],
    message:
      /Network unreachable|Name does not resolve|Unrecognized service|Protocol not supported|Address family not supported|Connection refused/,
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
