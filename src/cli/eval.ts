/** `refledger eval`: the value of a Python expression in the past. */
import type { CommandModule } from "yargs";
import { Failure, Past } from "../index.js";
import { printable, printableLines } from "./printable.js";
import {
  againLine,
  instantOf,
  PAST_NOTE,
  type PlaceArguments,
  placeOptions,
  questionOptions,
  traceEvents,
} from "./second-run.js";

interface Arguments extends PlaceArguments {
  trace: string;
  expression: string;
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
      .options(placeOptions)
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 eval app.trace.db --time mark:warm 'len(cache)'", "in the function that set the mark")
      .example("$0 eval app.trace.db --module app.views 'len(_registry)'", "among a module's globals, at the end")
      .epilogue(PAST_NOTE) as never,
  handler: async ({ trace, expression, json, ...place }) => {
    if (expression.trim() === "") throw new Failure("eval: give an expression, such as 'len(cache)'", 2);
    const options = questionOptions(place);
    const instant = instantOf(trace, place.time);
    const line = againLine(traceEvents(trace));
    const past = await Past.enter(trace, { onProgress: line.show });
    try {
      await past.goTo(instant);
      const result = await past.evaluate(expression, options).finally(line.hide);
      if (result.note !== null) process.stderr.write(`refledger: ${printable(result.note)}\n`);
      if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
      else {
        process.stdout.write(printableLines(result.output));
        if (result.ok) process.stdout.write(`${printable(result.text)}\n`);
        else if (result.traceback !== null) process.stderr.write(printableLines(result.traceback));
        else process.stderr.write(`refledger: ${printable(result.text)}\n`);
      }
      if (!result.ok) process.exitCode = 1;
    } finally {
      await past.close();
    }
  },
};
