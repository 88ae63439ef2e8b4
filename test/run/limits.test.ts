/** What this CPython cannot do: Python's own exception, and one line that names the limit. */
import { describe, expect, it } from "vitest";
import { limitOf } from "../../src/interpreter/limits.js";
import { plain } from "../support/plain.js";

const threads = "refledger: this CPython has no threads (it is compiled to WebAssembly)";
const processes = "refledger: this CPython cannot start processes (it is compiled to WebAssembly)";
const network = "refledger: this CPython has no network: sockets connect within the program only";
const modules = "refledger: this CPython comes without that module (it is compiled to WebAssembly)";
const packages =
  "refledger: this CPython runs no packages with extension modules besides its own, such as that one (it is compiled to WebAssembly)";

describe("limits", () => {
  it.each([
    ["import threading; threading.Thread(target=print).start()", "RuntimeError: can't start new thread", threads],
    [
      "import subprocess; subprocess.run(['ls'])",
      "OSError: [Errno 138] emscripten does not support processes.",
      processes,
    ],
    ["import _hashlib", "ModuleNotFoundError: No module named '_hashlib'", modules],
    ["import numpy as np", "ModuleNotFoundError: No module named 'numpy'", packages],
    ["import curses", "ModuleNotFoundError: No module named 'curses'", modules],
    ["import socket; socket.create_connection(('10.0.0.1', 80))", "OSError: [Errno 40] Network unreachable", network],
    [
      "import urllib.request as u; u.urlopen('http://example.com')",
      "urllib.error.URLError: <urlopen error [Errno -2] Name does not resolve>",
      network,
    ],
    [
      "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(('', 0))",
      "OSError: [Errno 66] Protocol not supported",
      network,
    ],
    [
      "import no_such_module_at_all",
      "ModuleNotFoundError: No module named 'no_such_module_at_all'",
      "refledger: installed packages are found through PYTHONPATH only: name their folder there, such as PYTHONPATH=.venv/lib/python3.14/site-packages",
    ],
    [
      "import concurrent.futures as f; f.ProcessPoolExecutor()",
      "NotImplementedError: This Python build lacks multiprocessing.synchronize, usually due to named semaphores being unavailable on this platform.",
      processes,
    ],
    [
      "import asyncio; asyncio.run(asyncio.start_server(print, '127.0.0.1', 0))",
      "AttributeError: module 'socket' has no attribute 'SO_REUSEADDR'",
      "refledger: this CPython has sockets of one kind only, INET streams within the program (it is compiled to WebAssembly)",
    ],
    [
      "from signal import alarm",
      "ImportError: cannot import name 'alarm' from 'signal' (/refledger-python/lib/python314.zip/signal.pyc)",
      "refledger: this CPython lacks that function (it is compiled to WebAssembly)",
    ],
    [
      "import ctypes; ctypes.CDLL('libc.so.6')",
      "OSError: dlopen() error",
      "refledger: this CPython loads no libraries: ctypes reaches its own functions only, with CDLL(None)",
    ],
    [
      "open('/proc/self/status')",
      "FileNotFoundError: [Errno 44] No such file or directory: '/proc/self/status'",
      "refledger: the program sees an empty /proc, and of /dev only null, zero, random, urandom and the standard streams",
    ],
    [
      "import webbrowser; webbrowser.open('http://127.0.0.1')",
      "ModuleNotFoundError: No module named 'js'",
      "refledger: the program has no browser and no JavaScript around it",
    ],
  ])("are named after the exception: %s", (code, exception, line) => {
    const result = plain(["-c", code]);
    expect(result.code).toBe(1);
    expect(result.err.trimEnd().split("\n").slice(-2)).toEqual([exception, line]);
  });

  it.each([
    [
      "an exception that was handled",
      "import threading\ntry: threading.Thread(target=print).start()\nexcept RuntimeError: pass",
    ],
    ["a part of a package that is there", "import json.no_such_part"],
    ["a slip of the pen", "import os; os.lnk('a', 'b')"],
    ["an exception with the same words in another type", 'raise ValueError("can\'t start new thread")'],
    ["exit with the same words", 'import sys; sys.exit("can\'t start new thread")'],
  ])("are not named for %s", (_name, code) => {
    expect(plain(["-c", code]).err).not.toContain("refledger");
  });

  it("are named after os.system, which raises nothing", () => {
    expect(plain(["-c", "import os; print(os.system('true'))"])).toMatchObject({
      code: 0,
      out: "-1\n",
      err: `${processes}: os.system ran nothing\n`,
    });
  });

  it("looks at the type's name without its module", () => {
    expect(limitOf("socket.gaierror", "[Errno -2] Name does not resolve")).toBe(network.slice("refledger: ".length));
    expect(limitOf("KeyError", "Network unreachable")).toBeUndefined();
  });
});
