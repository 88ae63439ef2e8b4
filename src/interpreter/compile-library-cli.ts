/** Part of the build: compiles the interpreter's standard library, unless it is there already (library.ts). */
import { compileLibrary } from "./library.js";

await compileLibrary();
