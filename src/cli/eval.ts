/** `refledger eval`: the value of a Python expression in the past. */
import type { CommandModule } from "yargs";
import { Failure, Past } from "../index.js";
import { printable } from "./printable.js";
import { againLine, instantOf, traceEvents } from "./second-run.js";

interface Arguments {
  trace: string;
  expression: string;
  time: string;
  frame: number;
  json: boolean;
}

export const evalCommand: CommandModule<object, Arguments> = {
  command: "eval <trace> <expression>",
  describe: "Value of a Python expression at an instant of the recorded program",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace to go back into" })
      .positional("expression", {
        type: "string",
        demandOption: true,
        describe: "Python, an expression or a statement",
      })
      .option("time", {
        type: "string",
        default: "end",
        describe: "when: end, peak, 42%, 1.5s, #123456, mark:NAME[2], line:FILE:12, call:FUNCTION, …",
      })
      .option("frame", { type: "number", default: 0, describe: "0: the function that is running; 1: its caller; …" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 eval app.trace.db --time mark:warm 'len(cache)'", "in the function that set the mark"),
  handler: async ({ trace, expression, time, frame, json }) => {
    if (!Number.isInteger(frame) || frame < 0) throw new Failure("--frame: must be a whole number from 0", 2);
    const instant = instantOf(trace, time);
    const line = againLine(traceEvents(trace));
    const past = await Past.enter(trace, { onProgress: line.show });
    try {
      await past.goTo(instant);
      const result = await past.evaluate(expression, frame).finally(line.hide);
      if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else {
        process.stdout.write(result.output);
        if (result.ok) process.stdout.write(`${printable(result.text)}\n`);
        else process.stderr.write(`refledger: ${printable(result.text)}\n`);
      }
      if (!result.ok) process.exitCode = 1;
    } finally {
      await past.close();
    }
  },
};
