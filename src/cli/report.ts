/** `refledger report`: one self-contained HTML page about a trace. */
import { spawn } from "node:child_process";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { CommandModule } from "yargs";
import { Failure, makeComparison, makeReport, openReplay, pageOf, type ReportInput, reportInput } from "../index.js";
import { indexProgress, json } from "./explore.js";
import { standardOutput } from "./output.js";
import { refuseInput, writeOut } from "./output-file.js";
import { printable } from "./printable.js";
import { bytes } from "./quantity.js";

interface Arguments {
  trace: string | undefined;
  compare: string[] | undefined;
  out: string | undefined;
  open: boolean;
  source: boolean;
  values: boolean;
  json: boolean;
}

export const reportCommand: CommandModule<object, Arguments> = {
  command: "report [trace]",
  describe: "Write one self-contained HTML page about a trace: charts, findings, source lines, ledgers",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", describe: "the trace file" })
      .option("compare", {
        array: true,
        string: true,
        describe: "two traces side by side, such as before and after a fix: what is new, gone, changed",
      })
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
      .example("$0 report --compare old.trace.db new.trace.db -o fix.html", "what a fix changed")
      .example("$0 report app.trace.db --no-source --no-values", "to be shown to others"),
  handler: async ({ trace, compare, out, open, source, values, json: asJson }) => {
    const traces = compare ?? (trace === undefined ? [] : [trace]);
    if (traces.length !== (compare === undefined ? 1 : 2) || (compare !== undefined && trace !== undefined))
      throw new Failure("name one trace, or two after --compare", 2);
    const path = resolve(out ?? `${traces.map(baseName).join("-")}.html`);
    const size = await writeReport(traces, path, { source, values });
    if (open) openInBrowser(path);
    await standardOutput().write(
      asJson ? json({ page: path, bytes: size }) : `wrote ${printable(path)} (${bytes(size)})\n`,
    );
  },
};

const baseName = (trace: string): string => basename(trace).replace(/(\.trace)?\.db$/, "");

/** Makes the page of one trace, or of two compared, and gives its size in bytes. */
export async function writeReport(
  traces: readonly string[],
  path: string,
  options: { source: boolean; values: boolean },
): Promise<number> {
  refuseInput(path, traces);
  const inputs: ReportInput[] = [];
  for (const trace of traces) inputs.push(await inputOf(trace));
  const [first, second] = inputs;
  const report = second ? makeComparison(first!, second, options) : makeReport(first!, options);
  const page = Buffer.from(await pageOf(report));
  writeOut(path, page);
  return page.length;
}

export async function inputOf(trace: string): Promise<ReportInput> {
  const replay = openReplay(trace, { progress: indexProgress() });
  try {
    return await reportInput(replay);
  } finally {
    replay.close();
  }
}

function openInBrowser(path: string): void {
  const [command, ...args] =
    process.platform === "darwin" ? ["open"] : process.platform === "win32" ? ["cmd", "/c", "start", ""] : ["xdg-open"];
  const child = spawn(command!, [...args, pathToFileURL(path).href], { stdio: "ignore", detached: true });
  child.on("error", () => process.stderr.write(`refledger: no ${command} here: open ${printable(path)} yourself\n`));
  child.unref();
}
