/** `refledger report`: one self-contained HTML page about a trace. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { CommandModule } from "yargs";
import { Failure, makeReport, openReplay, pageOf, reportInput } from "../index.js";
import { indexProgress, json } from "./explore.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { bytes } from "./quantity.js";

interface Arguments {
  trace: string;
  out: string | undefined;
  open: boolean;
  source: boolean;
  values: boolean;
  json: boolean;
}

export const reportCommand: CommandModule<object, Arguments> = {
  command: "report <trace>",
  describe: "Write one self-contained HTML page about a trace: charts, findings, source lines, ledgers",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("out", {
        alias: "o",
        type: "string",
        describe: "the page; by default NAME.html in the working directory",
      })
      .option("open", { type: "boolean", default: false, describe: "open it in the browser" })
      .option("source", { type: "boolean", default: true, describe: "--no-source leaves the program's text out" })
      .option("values", {
        type: "boolean",
        default: true,
        describe: "--no-values leaves out what the program computed: keys, reprs, marks, arguments",
      })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object about the page" })
      .example("$0 report app.trace.db", "writes app.html")
      .example("$0 report app.trace.db -o /tmp/app.html --open", "and looks at it")
      .example("$0 report app.trace.db --no-source --no-values", "to be shown to others"),
  handler: async ({ trace, out, open, source, values, json: asJson }) => {
    const path = resolve(out ?? `${basename(trace).replace(/(\.trace)?\.db$/, "")}.html`);
    const size = writeReport(trace, path, { source, values });
    if (open) openInBrowser(path);
    await standardOutput().write(
      asJson ? json({ page: path, bytes: size }) : `wrote ${printable(path)} (${bytes(size)})\n`,
    );
  },
};

/** Makes the page and gives its size in bytes. */
export function writeReport(trace: string, path: string, options: { source: boolean; values: boolean }): number {
  const replay = openReplay(trace, { progress: indexProgress() });
  try {
    const page = Buffer.from(pageOf(makeReport(reportInput(replay), options)));
    writeOut(path, page);
    return page.length;
  } finally {
    replay.close();
  }
}

export function writeOut(path: string, data: string | Uint8Array): void {
  try {
    writeFileSync(path, data);
  } catch (error) {
    throw new Failure(`${path}: cannot be written (${(error as NodeJS.ErrnoException).code}); choose another with -o`);
  }
}

function openInBrowser(path: string): void {
  const [command, ...args] =
    process.platform === "darwin" ? ["open"] : process.platform === "win32" ? ["cmd", "/c", "start", ""] : ["xdg-open"];
  const child = spawn(command!, [...args, pathToFileURL(path).href], { stdio: "ignore", detached: true });
  child.on("error", () => process.stderr.write(`refledger: no ${command} here: open ${printable(path)} yourself\n`));
  child.unref();
}
