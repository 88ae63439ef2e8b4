/**
 * The interpreter's standard library, compiled. The zip that comes with the interpreter holds sources only, so that every import of every run
 * compiles them again: 1.5 s for `import asyncio`, and as much for the first traceback, which imports `traceback`. All of that would
 * also be recorded. So the library is compiled once, by the interpreter itself, into a zip beside the compiled program, named
 * after the hash of what it was made from. The modules' code is the same to the byte as what the import would have compiled;
 * sources stay in the zip, for tracebacks.
 *
 * The bytecode is hash-based and unchecked (PEP 552): zipimport takes it without looking at times. Entries are stored, not
 * deflated, which makes imports faster and a recording of them shorter.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { assert } from "../base/failure.js";
import { interpreterFiles } from "./main-thread.js";
import { runPlain } from "./run-plain.js";

/** Reads the zip named by the first argument and writes the compiled one to the second. */
const compiler = `
import sys, zipfile, importlib.util, importlib._bootstrap_external as external
root = next(p for p in sys.path if p.endswith('.zip'))
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], 'w') as new:
    def put(name, data):
        new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    for info in old.infolist():
        data = old.read(info)
        put(info.filename, data)
        if not info.filename.endswith('.py'): continue
        try: code = compile(data, root + '/' + info.filename, 'exec', dont_inherit=True)
        except SyntaxError: continue
        put(info.filename + 'c', external._code_to_hash_pyc(code, importlib.util.source_hash(data), False))
`;

/** Where the compiled library of this interpreter belongs. */
export function compiledLibraryPath(): string {
  const hash = createHash("sha256").update(readFileSync(interpreterFiles().standardLibrary)).update(compiler);
  return fileURLToPath(new URL(`../python-library-${hash.digest("hex").slice(0, 16)}.zip`, import.meta.url));
}

/** Compiles the library, unless that has been done. Two at once do no harm: each writes its own file and renames it. */
export async function compileLibrary(): Promise<string> {
  const path = compiledLibraryPath();
  if (existsSync(path)) return path;
  const unfinished = `${path}.${process.pid}`;
  const source = interpreterFiles().standardLibrary;
  const { exitCode } = await runPlain({
    program: { kind: "code", target: compiler, args: [source, unfinished] },
    cwd: "/",
    env: {},
    hashSeed: 0,
    version: "compile",
    standardLibrary: new Uint8Array(readFileSync(source)),
  });
  assert(exitCode === 0, `the standard library compiles (exit code ${exitCode})`);
  renameSync(unfinished, path);
  return path;
}

/** The library for a run: the compiled one, made now if the build has not. */
export async function readLibrary(): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(readFileSync(await compileLibrary()));
}
