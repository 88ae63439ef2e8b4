/** What a recorded program cannot reach: the same walls as unrecorded, and one line of ours that names the limit. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exact, infoOf, refledger, splitError, verified, withFolder } from "../support/recording.js";

describe("a recorded program", () => {
  it.each([
    ["import js", "ModuleNotFoundError: No module named 'js'"],
    ["import _pyodide_core", "ModuleNotFoundError: No module named '_pyodide_core'"],
    ["from pyodide.code import run_js; run_js('process.exit(9)')", "ModuleNotFoundError: No module named 'js'"],
    [
      "import ctypes; ctypes.CDLL(None).emscripten_run_script(b'process.exit(9)')",
      "AttributeError: function 'emscripten_run_script' not found",
    ],
    ["import ctypes; ctypes.CDLL(None).refledger_ring", "AttributeError: function 'refledger_ring' not found"],
    [
      "import socket; socket.create_connection(('127.0.0.1', 80), timeout=5)",
      "ConnectionRefusedError: [Errno 14] Connection refused",
    ],
    [
      "import urllib.request; urllib.request.urlopen('http://example.com/', timeout=5)",
      "urllib.error.URLError: <urlopen error [Errno -2] Name does not resolve>",
    ],
    ["import subprocess; subprocess.run(['true'])", /^OSError: .*does not support processes/],
    ["import threading; threading.Thread(target=print).start()", "RuntimeError: can't start new thread"],
  ])("meets Python's own exception, and its trace is exact: %s", (code, last) =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const ended = await refledger(["record", "--quiet", "--out", trace, "-c", code]);
      const { ours, program } = splitError(ended.err);
      const line = program.trimEnd().split("\n").at(-1);
      if (typeof last === "string") expect(line).toBe(last);
      else expect(line).toMatch(last);
      expect(ended.code).toBe(1);
      expect(ours.length).toBeLessThanOrEqual(1);
      if (/subprocess|threading/.test(code))
        expect(ours).toEqual([expect.stringMatching(/this CPython (has no threads|cannot start processes)/)]);
      expect(await infoOf(trace)).toMatchObject({ complete: true, exitCode: 1 });
      expect(await verified(trace)).toMatchObject(exact);
    }),
  );

  it("is ended when it calls into the bridge that is not there, and its trace says so", () =>
    withFolder(async (folder) => {
      const trace = join(folder, "t.trace.db");
      const ended = await refledger([
        "record",
        "--out",
        trace,
        "-c",
        "import ctypes; ctypes.CDLL(None).pyodide_export()",
      ]);
      expect(ended.code).toBe(134);
      expect(splitError(ended.err)).toEqual({
        ours: [
          expect.stringMatching(
            /the trace is incomplete: .*pyodide_js_init, which does not exist outside of a browser/,
          ),
        ],
        program: "",
      });
      expect(await infoOf(trace)).toMatchObject({ complete: false });
    }));

  it("sees of the host's environment the folders that it is meant to reach and what was asked for; what Python needs is the same for all", () =>
    withFolder(async (folder) => {
      const env = {
        SECRET: "s3cret",
        LANG: "de_DE.UTF-8",
        LC_ALL: "de_DE.UTF-8",
        HOME: "/home/secretuser",
        TERM: "secret-terminal",
        TZ: "Pacific/Auckland",
        ASKED: "yes",
        PYTHONHASHSEED: "77",
        PYTHONWARNINGS: "error",
        PYTHONPATH: folder,
      };
      const code = "import os; print(dict(sorted(os.environ.items())))";
      const ended = await refledger(
        ["record", "--env", "ASKED", "--env", "MORE=1=2", "--out", join(folder, "t.db"), "-c", code],
        { env },
      );
      expect(ended.out).toBe(
        `{'ASKED': 'yes', 'HOME': '/home/user', 'LANG': 'C.UTF-8', 'MORE': '1=2', 'PYTHONPATH': '${folder}'}\n`,
      );
      const home =
        "import os, locale, sys; locale.setlocale(locale.LC_ALL, ''); print(os.path.expanduser('~/x'), sys.flags.utf8_mode)";
      const trace = join(folder, "home.db");
      const plain = await refledger(["record", "--out", trace, "-c", home], { env });
      expect([plain.out, plain.code]).toEqual(["/home/user/x 1\n", 0]);
      const { PYTHONPATH, ...unset } = env;
      expect(PYTHONPATH).toBe(folder);
      const bare = await refledger(["record", "--out", join(folder, "bare.db"), "--env", "HOME", "-c", code], {
        env: unset,
      });
      expect(bare.out).toBe("{'HOME': '/home/secretuser', 'LANG': 'C.UTF-8'}\n");
      const again = await refledger(["rerun", trace]);
      expect([again.err, again.code]).toEqual(["", 0]);
    }));
});
