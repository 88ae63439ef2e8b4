/** `refledger rerun`: runs a recorded program again, from its trace alone, and says whether it did the same. */
import type { CommandModule } from "yargs";
import { rerun } from "../index.js";
import { printable } from "./printable.js";
import { plural } from "./quantity.js";
import { againLine, traceEvents } from "./second-run.js";

export const rerunCommand: CommandModule<object, { trace: string; json: boolean }> = {
  command: "rerun <trace>",
  describe: "Run the recorded program again and compare every event",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace to run again" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" }),
  handler: async ({ trace, json }) => {
    const line = againLine(traceEvents(trace));
    const result = await rerun(trace, { onProgress: line.show }).finally(line.hide);
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else if (result.divergence === null)
      process.stdout.write(`the same again: ${plural(result.events, "event")}, hash for hash\n`);
    else {
      const { event, expected, found } = result.divergence;
      process.stdout.write(
        `not the same from event #${event} on: expected ${printable(expected ?? "the end")}, found ${printable(found ?? "the end")}\n`,
      );
    }
    if (!result.same) process.exitCode = 1;
  },
};
