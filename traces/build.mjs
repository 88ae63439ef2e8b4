/**
 * Regenerates what the course shows: the programs' expected output (traces/expected), and in docs/memory-model every block between
 * `<!-- output: COMMAND -->` or `<!-- code: FILE FROM-TO -->` and `<!-- /output -->`, and the pictures.
 *
 *     npm run traces               writes what is not current
 *     npm run traces -- --anew     writes all blocks, also those that are current
 *     node traces/build.mjs --check [CHAPTER …]   writes nothing; exit code 1 and one line for each thing that is not current
 *
 * Commands run in a shell, in a temporary folder that has the programs under traces/ and their traces beside it, so they are what a reader
 * types in a checkout. Event numbers, addresses, object numbers and seconds depend on the path of the program and on the machine: a block
 * that differs in nothing else (or in how many bytes the allocator gave) is current and stays as it is. The pictures show none of these and are compared as they are.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pictures } from "./pictures.mjs";

const root = resolve(import.meta.dirname, "..");
const docs = join(root, "docs/memory-model");
const cli = join(root, "dist/cli/main.js");

const args = process.argv.slice(2);
const check = args.includes("--check");
const anew = args.includes("--anew");
/** Numbers of chapters, such as 04; none = all. */
const wanted = args.filter((arg) => /^\d\d$/.test(arg));

const folder = mkdtempSync(join(tmpdir(), "refledger-traces-"));
/** What is not current, by path. */
const stale = [];
/** Output by command. */
const answers = new Map();

function run(command) {
  const ended = spawnSync("/bin/sh", ["-c", command], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: {
      PATH: `${join(folder, "bin")}:${process.env.PATH}`,
      HOME: folder,
      COLUMNS: "120",
      ...(process.env.REFLEDGER_CACHE ? { REFLEDGER_CACHE: process.env.REFLEDGER_CACHE } : {}),
    },
  });
  if (ended.status !== 0 && ended.status !== 1) throw new Error(`${command}: exit code ${ended.status}\n${ended.stderr}`);
  if (ended.stdout === "") throw new Error(`${command}: printed nothing\n${ended.stderr}`);
  return ended.stdout.replaceAll(`${folder}/`, "");
}

/** Records a program once; what it printed. */
function recorded(program) {
  const trace = join(folder, `${program}.trace.db`);
  const kept = join(folder, `${program}.out`);
  if (!existsSync(trace)) writeFileSync(kept, run(`refledger record -q traces/${program}.py`));
  return { trace, printed: readFileSync(kept, "utf8") };
}

function expectedOf(program) {
  put(join(root, "traces/expected", `${program}.txt`), recorded(program).printed, (a, b) => a === b);
}

/** What may differ between two machines, taken out of a block. */
function settled(text) {
  return text
    .replace(/#[\d,]+(?:[–-]#?[\d,]+)?/g, "#")
    .replace(/0x[0-9a-f]+/g, "0x")
    .replace(/[\d,.]+ (s|ms|byte-seconds)\b/g, "$1")
    .replace(/\[[0-9a-f]{16}\]/g, "[]")
    .replace(/[\d,.]+ (bytes|B|kB)\b|\b(bytes)=\d+/g, "$1$2")
    .replace(/-{3,}/g, "---")
    .replace(/[ \t]+/g, " ")
    .replace(/ $/gm, "");
}

function answer(command) {
  const recording = /^refledger record traces\/(\S+)\.py$/.exec(command);
  if (recording) return recorded(recording[1]).printed;
  for (const [, program] of command.matchAll(/(\S+)\.trace\.db/g)) recorded(program);
  if (!answers.has(command)) answers.set(command, run(command));
  return answers.get(command);
}

/**
 * A chapter, in all languages: as it is, or made anew as a whole. Its blocks speak of the same objects and events, so those of two recordings must not
 * stand side by side.
 */
function chapter(paths) {
  let isCurrent = true;
  const pages = paths.map((path) => {
    const before = readFileSync(path, "utf8");
    const after = before.replace(
      /<!-- (output|code): (.+?) -->\n([\s\S]*?)<!-- \/\1 -->/g,
      (_, kind, what, body) => {
        const fresh = kind === "output" ? fenced("text", `$ ${what}\n${answer(what)}`) : fenced("python", excerpt(what));
        if (settled(fresh) !== settled(body)) isCurrent = false;
        return `<!-- ${kind}: ${what} -->\n${fresh}<!-- /${kind} -->`;
      },
    );
    return { path, after };
  });
  if (isCurrent && !anew) return;
  for (const { path, after } of pages) put(path, after, (a, b) => (check ? settled(a) === settled(b) : a === b));
}

const fenced = (language, text) => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\`\n`;

/** `traces/NAME.py FROM-TO`: those lines, their common indentation left out. */
function excerpt(what) {
  const [file, range] = what.split(" ");
  const [from, to] = range.split("-").map(Number);
  const lines = readFileSync(join(root, file), "utf8").split("\n").slice(from - 1, to);
  const indent = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => /^ */.exec(line)[0].length));
  return lines.map((line) => line.slice(indent)).join("\n");
}

function put(path, content, same) {
  if (existsSync(path) && same(readFileSync(path, "utf8"), content)) return;
  stale.push(path.slice(root.length + 1));
  if (check) return;
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  process.stdout.write(`${path.slice(root.length + 1)}\n`);
}

try {
  cpSync(join(root, "traces"), join(folder, "traces"), { recursive: true });
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin/refledger"), `#!/bin/sh\nexec "${process.execPath}" "${cli}" "$@"\n`, { mode: 0o755 });
  const programs = readdirSync(join(root, "traces"))
    .filter((name) => /^\d\d-.*\.py$/.test(name) && (wanted.length === 0 || wanted.includes(name.slice(0, 2))))
    .map((name) => name.replace(/\.py$/, ""));
  for (const program of programs) expectedOf(program);
  for (const name of readdirSync(join(docs, "en")).sort()) {
    if (!name.endsWith(".md") || (wanted.length > 0 && !wanted.includes(name.slice(0, 2)))) continue;
    chapter(["en", "zh-CN"].map((language) => join(docs, language, name)).filter((path) => existsSync(path)));
  }
  for (const [name, svg] of await pictures({ wanted, recorded, root })) {
    put(join(docs, "pictures", name), svg, (a, b) => a === b);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (check && stale.length > 0) {
  for (const what of stale) process.stderr.write(`${what}: not current; run: npm run traces\n`);
  process.exitCode = 1;
}
