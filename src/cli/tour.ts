/** `refledger tour`: the sample program, recorded, looked at and verified; what `npm start` runs. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandModule } from "yargs";
import { Failure, TraceReader, traceInfo, verify, whyAt } from "../index.js";
import { infoText } from "./info.js";
import { standardOutput } from "./output.js";
import { printable } from "./printable.js";
import { bytes } from "./quantity.js";
import { recordProgram } from "./record.js";
import { writeReport } from "./report.js";
import { verifyText } from "./verify.js";
import { whyText } from "./why.js";

const TRACE = "leaky-cache.trace.db";
const PAGE = "leaky-cache.html";
const SCRIPT = fileURLToPath(new URL("../../traces/leaky-cache.py", import.meta.url));

export const tourCommand: CommandModule = {
  command: "tour",
  describe: "Record a sample program that leaks, verify the trace, and ask why the leaked objects are alive",
  handler: async () => {
    const out = standardOutput();
    await out.write(`Recording traces/leaky-cache.py, a service whose cache is never trimmed:\n\n`);
    const program = { kind: "script" as const, target: SCRIPT, args: [] };
    const options = {
      out: TRACE,
      overwrite: true,
      from: "script" as const,
      "audit-every": 0,
      env: [],
      allow: [],
      "hash-seed": 0,
      graphs: true,
      quiet: true,
    };
    const exitCode = await recordProgram(program, options);
    if (exitCode !== 0) throw new Failure(`the sample program ended with exit code ${exitCode}`);
    const reader = TraceReader.open(TRACE);
    try {
      await out.write(`\nWhat was recorded (refledger info ${TRACE}):\n\n${infoText(traceInfo(reader))}`);
      const result = verify(reader, {});
      await out.write(`\nIs it exact? (refledger verify ${TRACE}):\n\n${verifyText(result)}`);
      if (!result.ok) throw new Failure("the trace is not exact; please report this");
    } finally {
      reader.close();
    }
    await out.write(`\nWhy are the Session objects still alive? (refledger why ${TRACE} Session):\n\n`);
    const answer = await whyAt(TRACE, "Session", { paths: 1 });
    await out.write(whyText(answer, 3, { home: process.cwd() }));
    await out.write(`
Try next:
  npx refledger leaks ${TRACE}                       what grows with every round, who keeps it, which line put it there
  npx refledger why ${TRACE} 'Session[3]' --paths 5  one of them, by different paths
  npx refledger history ${TRACE} 'Session[3]'        every change of its reference count
  npx refledger cycles ${TRACE}                      the reference cycles, and what each collection found
  npx refledger explain YOUR-SCRIPT.py                           what each line of a program does to memory
  npx refledger record YOUR-SCRIPT.py                            your own program
  npx refledger --help                                           all verbs
`);
    const page = resolve(PAGE);
    const size = await writeReport([TRACE], page, { source: true, values: true });
    await out.write(
      `\nAll of it as a page to look at and to send (refledger report ${TRACE}), ${bytes(size)}:\n\n  ${printable(page)}\n`,
    );
  },
};
