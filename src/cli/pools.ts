/** `refledger pools`: free lists, the real heap, models of other allocators, and the life of one address. */
import type { CommandModule } from "yargs";
import { addressLife, analysePools, Failure, MODEL_NAMES, type PoolsAnalysis, resolveTime } from "../index.js";
import { checkLimit, explore, homeOf, indexProgress, json as jsonText } from "./explore.js";
import { compareText, freeListsText, heapText, lifeText, modelText } from "./pools-text.js";

interface Arguments {
  trace: string;
  time: string | undefined;
  from: string | undefined;
  to: string | undefined;
  address: string | undefined;
  model: string[] | undefined;
  compare: boolean;
  limit: number;
  json: boolean;
}

export const poolsCommand: CommandModule<object, Arguments> = {
  command: "pools <trace>",
  describe: "Show free lists, the heap's holes and what pins them, and what pymalloc would have done",
  builder: (yargs) =>
    yargs
      .positional("trace", { type: "string", demandOption: true, describe: "the trace file" })
      .option("time", { type: "string", describe: "show the heap at this moment (default: end); the same as --to" })
      .option("from", { type: "string", describe: "count births from this moment on: mark:warm, 42%, 1.5s, …" })
      .option("to", { type: "string", describe: "up to this moment" })
      .option("address", { type: "string", describe: "the life of one address, such as 0x2d84010: who lived there" })
      .option("model", {
        type: "string",
        array: true,
        requiresArg: true,
        describe: `run the same requests through a model: ${MODEL_NAMES.join(", ")}`,
      })
      .option("compare", { type: "boolean", default: false, describe: "all models side by side, or those of --model" })
      .option("limit", { type: "number", default: 20, describe: "rows of each table" })
      .option("json", { type: "boolean", default: false, describe: "print one JSON object" })
      .example("$0 pools app.trace.db", "free lists and the real heap")
      .example("$0 pools app.trace.db --from mark:warm", "the same, births counted from a mark on")
      .example("$0 pools app.trace.db --model 3.10-64", "what pymalloc of Python 3.10 and later would have done")
      .example("$0 pools app.trace.db --compare", "all models on the same requests")
      .example("$0 pools app.trace.db --address 0x2d84010", "who lived at this address, one after the other") as never,
  handler: async ({ trace, time, from, to, address, model, compare, limit, json }) => {
    checkLimit(limit);
    if (time !== undefined && to !== undefined) throw new Failure("--time and --to are the same: give one of them", 2);
    if (address !== undefined && !/^0x[0-9a-f]{1,8}$/i.test(address))
      throw new Failure(`--address ${address}: is no address; addresses are like 0x2d84010`, 2);
    if (address !== undefined && (model !== undefined || compare))
      throw new Failure("--address and --model: ask for one at a time", 2);
    const models = model ?? (compare ? MODEL_NAMES : []);
    const unknown = models.find((name) => !MODEL_NAMES.includes(name));
    if (unknown !== undefined)
      throw new Failure(`--model ${unknown}: no such model; models are ${MODEL_NAMES.join(", ")}`, 2);
    await explore(trace, (replay) => {
      const window = {
        from: from === undefined ? undefined : resolveTime(replay, from, "--from"),
        to:
          (time ?? to) === undefined
            ? undefined
            : resolveTime(replay, (time ?? to)!, time === undefined ? "--to" : "--time"),
      };
      if ((window.from ?? 0) > (window.to ?? replay.end)) throw new Failure("--from is after --to: turn them round", 2);
      const home = homeOf(replay);
      if (address !== undefined) {
        const life = addressLife(replay, Number(address), window);
        return json ? jsonText(life) : lifeText(life, limit, home);
      }
      const answer = analysePools(replay, {
        ...window,
        models: [...new Set(models)],
        progress: indexProgress("folding"),
      });
      return json ? jsonText(answer) : textOf(answer, limit, home, compare);
    });
  },
};

function textOf(answer: PoolsAnalysis, limit: number, home: string, compare: boolean): string {
  if (compare) return compareText(answer);
  if (answer.models.length > 0) return answer.models.map((model) => modelText(model, answer, limit, home)).join("\n");
  return `${freeListsText(answer, limit)}\n${heapText(answer, limit, home)}`;
}
