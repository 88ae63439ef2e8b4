/** A program written, run and explained: what the command prints, and the same as data. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Explanation, ObjectInRound } from "../../dist/index.js";
import { refledger } from "../support/recording.js";

export interface Told {
  readonly trace: string;
  readonly text: string;
  readonly explanation: Explanation;
}

export interface Teller {
  /** `files`: modules that the program imports. */
  tell(source: string, files?: Readonly<Record<string, string>>, options?: readonly string[]): Promise<Told>;
  close(): void;
}

export function teller(): Teller {
  const directory = mkdtempSync(join(tmpdir(), "refledger-told-"));
  let n = 0;
  return {
    async tell(source, files = {}, options = []) {
      const folder = join(directory, String(n++));
      mkdirSync(folder);
      for (const [name, text] of Object.entries({ ...files, "program.py": source }))
        writeFileSync(join(folder, name), text);
      const trace = join(folder, "program.trace.db");
      const recorded = await refledger(["record", "--quiet", "--no-graphs", "-o", trace, "program.py"], {
        cwd: folder,
      });
      if (recorded.code === 2) throw new Error(recorded.err);
      const text = await refledger(["explain", trace, ...options], { cwd: folder });
      const json = await refledger(["explain", trace, "--json", ...options], { cwd: folder });
      if (json.out === "") throw new Error(json.err);
      return { trace, text: text.out, explanation: JSON.parse(json.out) as Explanation };
    },
    close: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The number of the object that this variable named last. */
export function objectOf({ objects }: Explanation, name: string): number {
  const found = objects.findLast(({ names }) => names.includes(name));
  if (!found) throw new Error(`nothing is named ${name}`);
  return found.object;
}

/** What each shown round of a line did to what this variable named last. */
export function roundsOf(explanation: Explanation, line: number, name: string): ObjectInRound[] {
  const id = objectOf(explanation, name);
  const shown = explanation.lines.find((one) => one.line === line)?.shown ?? [];
  return shown.flatMap(({ objects }) => objects.filter(({ object }) => object === id));
}

/** The reasons, with their signs. */
export function reasons(explanation: Explanation, line: number, name: string): string[] {
  return roundsOf(explanation, line, name).flatMap(({ changes }) =>
    changes.map(({ delta, text }) =>
      `${delta > 0 ? "+" : delta < 0 ? "−" : ""}${delta === 0 ? "" : Math.abs(delta)} ${text}`.trim(),
    ),
  );
}
