/** Graphs that the recorder takes by itself: at marks, while they are cheap, and never so that the events would be others. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TraceReader } from "../../dist/index.js";
import { dumped, exact, refledger, verified, withFolder } from "../support/recording.js";

// The sleep makes the run long enough for a graph of this heap to be under 5 % of it, however slow the machine is at that.
const program = `
import time, refledger
class Node: pass
kept = [Node() for _ in range(300)]
time.sleep(4)
refledger.mark("late")
kept.append({i: [i] for i in range(100)})
class Other: pass
kept += [Other() for _ in range(50)]
refledger.mark("again")
kept.clear()
`;

describe("the graph at a mark", () => {
  it("is taken, stands at the mark's event, is checked, and changes no event", () =>
    withFolder(async (folder) => {
      const home = join(folder, "home");
      mkdirSync(home);
      writeFileSync(join(home, "program.py"), program);
      const record = async (...options: string[]): Promise<string> => {
        const trace = join(folder, `${options.length}.trace.db`);
        const { code, err } = await refledger(["record", "-q", ...options, "-o", trace, "program.py"], { cwd: home });
        expect([code, err]).toEqual([0, ""]);
        return trace;
      };
      const trace = await record();
      const bare = await record("--no-graphs");
      const reader = TraceReader.open(trace);
      const mark = [...reader.rows("marks")].find(({ name }) => reader.markName(name) === "late")!;
      const audits = reader.audits();
      const at = audits.find(({ event }) => event === mark.event)!;
      expect(at).toBeDefined();
      const rows = (audit: number, list: "nodes" | "edges"): number =>
        [...reader.graph(audit, list)].reduce((sum, columns) => sum + columns[0]!.length, 0);
      for (const { id } of [at, audits.at(-1)!]) {
        expect(rows(id, "nodes")).toBeGreaterThan(5000);
        expect(rows(id, "edges")).toBeGreaterThan(rows(id, "nodes"));
      }
      reader.close();
      expect(await verified(trace)).toMatchObject({ ...exact, audits: audits.length });
      expect((await refledger(["rerun", trace])).out).toMatch(/^the same again: /);

      const plain = TraceReader.open(bare);
      const auditsOfBare = plain.audits();
      expect([...plain.graph(auditsOfBare.at(-1)!.id, "nodes")]).toEqual([]);
      plain.close();
      expect(auditsOfBare).toHaveLength(1);
      // Numbers of types may differ (an audit may be first to meet one); everything that is told of an event may not.
      const around = ["--from", `#${mark.event - 2000}`, "--to", `#${mark.event + 4000}`];
      expect(await dumped(trace, around)).toEqual(await dumped(bare, around));
    }));
});
