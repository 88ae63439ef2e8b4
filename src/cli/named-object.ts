/**
 * The object that a person names on the command line. Numbers, addresses and types are looked up in the trace; an expression is asked of Python
 * in the re-entered past, whose answer, an address, is looked up then.
 */
import { eventNumber, Failure, Past, type Replay, resolveObject, resolveTime } from "../index.js";
import { count } from "./quantity.js";
import { againLine } from "./second-run.js";

/** Its number. Leaves the replay at the time at which the object was found, unless it has been named by its number. */
export async function objectNamed(replay: Replay, text: string, time: string): Promise<number> {
  const expression = /^expr:(.*)$/s.exec(text)?.[1];
  if (expression !== undefined) return await objectOf(replay, text, expression, time);
  if (!/^#\d+$/.test(text)) replay.seek(resolveTime(replay, time));
  return resolveObject(replay, text);
}

async function objectOf(replay: Replay, asked: string, expression: string, time: string): Promise<number> {
  if (expression.trim() === "") throw new Failure(`${asked}: an expression must follow, such as expr:app.cache`, 2);
  const at = resolveTime(replay, time);
  const line = againLine(replay.end);
  const past = await Past.enter(replay.reader.path, { onProgress: line.show });
  try {
    await past.goTo(at);
    const { ok, text, event } = await past.evaluate(`id((${expression}\n))`);
    line.hide();
    if (!ok) throw new Failure(`${asked}: ${text}`);
    const object = replay.seek(eventNumber(event)).objectAt(Number(text));
    // Where nobody lives stands a value that went with the question.
    if (!object?.alive)
      throw new Failure(`${asked}: its value is made by the question itself, it is no object of the program`);
    if (event !== at)
      process.stderr.write(
        `refledger: ${asked} was asked at #${count(event)}, the nearest event to #${count(at)} at which Python can be asked\n`,
      );
    return object.id;
  } finally {
    line.hide();
    await past.close();
  }
}
