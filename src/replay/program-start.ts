/**
 * Where the program's own code begins: the first call of the module's code that is `__main__`. Before it, in a recording, the interpreter
 * compiles the script, or looks for the module of `-m` and imports its package; with `--from interpreter` it also starts itself.
 *
 * C calls a script's code, and that of `-c`, without a Python frame below; so it does with what is frozen into the interpreter. For `-m`, a
 * folder or an archive, `_run_code` of runpy calls it.
 */
import { codeId, type EventNumber, eventNumber } from "../base/ids.js";
import { Kind } from "../trace/events.js";
import type { Replay } from "./replay.js";

/** The number of that call; 0 where the trace has none. */
export function programStart(replay: Replay): EventNumber {
  const { names, reader } = replay;
  const modules = new Set<number>();
  for (const { id, name } of reader.rows("codes")) if (name === "<module>") modules.add(id);
  for (const { columns, last } of replay.range(0, replay.end)) {
    const { kind, a, location, first } = columns;
    for (let row = 0; row < last; row++) {
      if (kind[row] !== Kind.call || !modules.has(a[row]!)) continue;
      const caller = names.place(location[row]!);
      const isMain =
        caller.function === null
          ? !reader.code(codeId(a[row]!))!.file.startsWith("<frozen ")
          : caller.function === "_run_code" && /(^<frozen runpy>|\/runpy\.py)$/.test(caller.file!);
      if (isMain) return eventNumber(first + row);
    }
  }
  return eventNumber(0);
}
